"""What an exported graph is made of: nothing that TensorFlow Lite Micro has not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.codec import encode_symbols
from edgecalc.network.model_file import append_metadata, read_model
from edgecalc.network.predictor import Predictor
from tflite_runtime.interpreter import Interpreter

from export import convert as conversion
from export.compact import compact
from export.graph import is_operator, parse
from export.micro import MICRO
from export.portable import portable
from model.networks.columns import Columns
from tasks.calculator.task import CalculatorTask
from tasks.splits import permute
from tests.model_fixture import CARD

# Of 3 digits: an expression's 7 symbols are read from both ends, which is 14 states to join.
TASK = CalculatorTask(CalculatorSpec())
SIZES = Columns(read_units=2, memory_units=4, carry_units=4, write_units=2)
EXAMPLES = TASK.examples(permute(np.arange(70), TASK.size, 1))
IDS = encode_symbols(EXAMPLES.expressions(), TASK.spec)


@pytest.fixture(scope="module")
def converted() -> dict[str, bytes]:
    """Flatbuffers of an untrained network by variant, and what the converter itself made."""
    model = SIZES.build(TASK).model
    flatbuffers = {}

    def kept(flatbuffer: bytes, fixed_batch: bool) -> bytes:
        flatbuffers["fixed" if fixed_batch else "dynamic"] = flatbuffer
        return portable(flatbuffer, fixed_batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion, "portable", kept)
        for variant in ("float32", MICRO):
            flatbuffers[variant] = conversion.convert(model, variant)
    flatbuffers["int8"] = compact(portable(flatbuffers["dynamic"], fixed_batch=False), "int8")
    return flatbuffers


VARIANTS = pytest.mark.parametrize("variant", ["float32", "int8", MICRO])


def operators(model: Any, name: str) -> list[tuple[Any, Any]]:
    """All operators of a type, each with its graph."""
    return [
        (operator, graph)
        for graph in model.subgraphs
        for operator in graph.operators
        if is_operator(model, operator, name)
    ]


@VARIANTS
def test_it_has_no_operator_that_is_missing_elsewhere(converted, variant):
    assert operators(parse(converted["dynamic"]), "ONE_HOT")
    model = parse(converted[variant])
    assert operators(model, "ONE_HOT") == []
    used = {operator.opcodeIndex for graph in model.subgraphs for operator in graph.operators}
    assert used == set(range(len(model.operatorCodes)))


@VARIANTS
def test_no_more_than_ten_tensors_are_joined_at_once(converted, variant):
    def longest(flatbuffer):
        joins = operators(parse(flatbuffer), "CONCATENATION")
        return max(len(operator.inputs) for operator, _ in joins)

    assert longest(converted["dynamic"]) == 14
    assert longest(converted[variant]) == 10


@VARIANTS
def test_the_shapes_in_the_file_are_those_of_one_expression(converted, variant):
    model = parse(converted[variant])
    graph = model.subgraphs[0]
    said = {i: tuple(tensor.shape) for i, tensor in enumerate(graph.tensors)}
    interpreter = Interpreter(model_content=converted[variant])
    interpreter.allocate_tensors()
    found = {
        details["index"]: tuple(details["shape"]) for details in interpreter.get_tensor_details()
    }
    used = {i for op in graph.operators for i in (*op.inputs, *op.outputs) if i >= 0}
    assert {i: said[i] for i in used} == {i: found[i] for i in used}
    for operator, of in operators(model, "RESHAPE"):  # of the other signature, too
        ends = (of.tensors[i].shape for i in (operator.inputs[0], operator.outputs[0]))
        assert len({math.prod(shape) for shape in ends}) == 1


def test_for_microcontrollers_there_is_one_graph_of_one_expression(converted):
    (graph,) = parse(converted[MICRO]).subgraphs
    assert all(tensor.shapeSignature is None for tensor in graph.tensors)
    assert len(parse(converted[MICRO]).signatureDefs) == 1
    (given,) = graph.inputs
    assert list(graph.tensors[given].shape) == [1, TASK.spec.expression_length]
    computers = parse(converted["int8"])
    assert len(computers.subgraphs) == 2
    assert computers.subgraphs[0].tensors[given].shapeSignature[0] == -1


@pytest.fixture(scope="module")
def predictors(converted, tmp_path_factory) -> dict[str, Predictor]:
    """Each variant, and what it was without a rewritten graph, as a computer runs it."""
    path = tmp_path_factory.mktemp("portable") / "model.tflite"
    plain = {f"plain {v}": compact(converted["dynamic"], v) for v in ("float32", "int8")}
    made = {}
    for name, flatbuffer in (converted | plain).items():
        path.write_bytes(append_metadata(flatbuffer, TASK.spec, CARD))
        made[name] = Predictor(read_model(path), threads=1)
    return made


@VARIANTS
def test_the_numbers_are_the_same_bit_for_bit(predictors, variant):
    """The fixed batch is no limit where TFLite can change it: `edgecalc --model` takes blocks."""
    plain = predictors["plain int8" if variant == "int8" else "plain float32"]
    for count in (1, 7, 70, 2):
        ids = IDS[:count]
        np.testing.assert_array_equal(predictors[variant].run(ids), plain.run(ids))


def test_the_working_is_the_same(predictors):
    for variant in ("float32", "int8"):
        ours, plain = (predictors[n].work(IDS[:7]) for n in (variant, f"plain {variant}"))
        assert set(ours) == set(plain)
        for name, values in ours.items():
            np.testing.assert_array_equal(values, plain[name])
    assert not predictors[MICRO].shows_working


def run(model: Any, ids: np.ndarray) -> tuple[Any, np.ndarray]:
    """Converts a model to the graph of a file, and runs that."""
    flatbuffer = conversion.convert(model, "float32")
    interpreter = Interpreter(model_content=flatbuffer)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], ids.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], ids)
    interpreter.invoke()
    output = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return parse(flatbuffer), output


def test_a_very_long_list_keeps_its_order():
    count, symbols = 43, 3
    ids = conversion.keras.Input((count,), dtype="int32")
    vectors = conversion.keras.ops.unstack(conversion.keras.ops.one_hot(ids, symbols), axis=1)
    joined = conversion.keras.ops.concatenate(vectors[::-1], axis=-1)
    given = np.random.default_rng(1).integers(symbols, size=(5, count)).astype(np.int32)
    graph, output = run(conversion.keras.Model(ids, {"answer": joined}), given)
    np.testing.assert_array_equal(output, np.eye(symbols)[given[:, ::-1]].reshape(5, -1))
    assert operators(graph, "ONE_HOT") == []
    assert max(len(op.inputs) for op, _ in operators(graph, "CONCATENATION")) <= 10


def test_vectors_that_are_not_one_hot_stay_what_they_are():
    ids = conversion.keras.Input((2,), dtype="int32")
    vectors = conversion.keras.layers.Lambda(
        lambda x: conversion.tf.one_hot(x, 3, on_value=5.0), output_shape=(2, 3), dtype="int32"
    )
    given = np.array([[0, 2]], np.int32)
    graph, output = run(conversion.keras.Model(ids, {"answer": vectors(ids)}), given)
    np.testing.assert_array_equal(output, 5 * np.eye(3)[given])
    assert len(operators(graph, "ONE_HOT")) == 1
