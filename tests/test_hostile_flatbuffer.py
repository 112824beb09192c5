"""Model files with a right hash and a flatbuffer that somebody broke: a ModelError, or answers."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edgecalc import Calculator, ModelError
from edgecalc.network import verification
from edgecalc.network.model_file import Model, append_metadata, read_model, read_packaged_model
from edgecalc.network.operators import KNOWN
from edgecalc.network.tables import Bytes, FlatbufferError, Tables
from edgecalc.network.trial import try_unknown
from edgecalc.network.verification import unknown_operator, verify

from tests.model_fixture import CARD, SPEC
from tests.mutations import Mutations, count_outcomes

SMALLEST = bytes.fromhex("08000000") + b"TFL3"
CONCATENATION, RESHAPE, PAD, GATHER, STRIDED_SLICE = 2, 22, 34, 36, 45
SPLIT, SUM, UNPACK = 49, 74, 88


@pytest.fixture(scope="module")
def packaged() -> Model:
    return read_packaged_model()


def first(model: Any, code: int) -> Any:
    """The first operator of a kind in the first network."""
    codes = [used.builtinCode for used in model.operatorCodes]
    return next(op for op in model.subgraphs[0].operators if codes[op.opcodeIndex] == code)


def tensor(model: Any, index: int) -> Any:
    return model.subgraphs[0].tensors[index]


def fill(model: Any, index: int, numbers: list[int]) -> None:
    """Puts other numbers into a constant tensor, which gets a buffer of its own for them."""
    buffer = type(model.buffers[0])()
    buffer.data = np.array(numbers, np.int32).view(np.uint8)
    model.buffers.append(buffer)
    tensor(model, index).buffer = len(model.buffers) - 1


def doubled(model: Any) -> None:
    """Each operator repeats twice what the one before it gave: more than there is memory."""
    graph = model.subgraphs[0]
    op = first(model, CONCATENATION)
    for _ in range(64):
        graph.tensors.append(tensor(model, op.outputs[0]))
        further = type(op)()
        further.opcodeIndex, further.builtinOptionsType = op.opcodeIndex, op.builtinOptionsType
        further.builtinOptions, further.inputs = op.builtinOptions, [op.outputs[0]] * 2
        further.outputs = [len(graph.tensors) - 1]
        graph.operators.append(further)
        op = further


def without_a_name(model: Any) -> None:
    model.signatureDefs[1].inputs[0].name = None


def in_another_order(model: Any) -> None:
    model.subgraphs[0].operators = model.subgraphs[0].operators[::-1]


def assign(find: Callable[[Any], Any], name: str, value: Any) -> Callable[[Any], None]:
    """A change of one field of an object in the model."""

    def change(model: Any) -> None:
        setattr(find(model), name, value)

    return change


BROKEN = {
    "a schema of another version": (assign(lambda m: m, "version", 2), "TFLite's schema"),
    "an operator that is not there": (
        assign(lambda m: first(m, GATHER), "opcodeIndex", 999),
        "an operator that is not there",
    ),
    "an input that is not there": (
        assign(lambda m: first(m, GATHER), "inputs", [0, 99999]),
        "a tensor that is not there",
    ),
    "an input that is left out": (
        assign(lambda m: first(m, GATHER), "inputs", [-1, -1]),
        "GATHER: an input of it is never written",
    ),
    "no inputs": (assign(lambda m: first(m, GATHER), "inputs", []), "GATHER: its number of inputs"),
    "an output too few": (
        lambda m: setattr(first(m, SPLIT), "outputs", first(m, SPLIT).outputs[:-1]),
        "SPLIT: its number of outputs",
    ),
    "another order": (in_another_order, "an input of it is never written"),
    "an output that is written twice": (
        lambda m: setattr(first(m, SUM), "outputs", first(m, PAD).outputs),
        "is declared otherwise|is written twice",
    ),
    "a constant as output": (
        lambda m: setattr(first(m, RESHAPE), "outputs", [first(m, RESHAPE).inputs[1]]),
        "RESHAPE: its output is declared otherwise",
    ),
    "no options": (
        assign(lambda m: first(m, GATHER), "builtinOptions", None),
        "a type without options",
    ),
    "a buffer that is not there": (
        assign(lambda m: tensor(m, 7), "buffer", 9999),
        "a buffer that is not there",
    ),
    "a constant shorter than its shape": (
        lambda m: setattr(tensor(m, first(m, GATHER).inputs[0]), "shape", [999, 999]),
        "is not as long as its shape says",
    ),
    "a negative shape": (
        lambda m: setattr(tensor(m, first(m, GATHER).outputs[0]), "shape", [-2, 3]),
        "an impossible shape",
    ),
    "a type that is none": (
        lambda m: setattr(tensor(m, first(m, SUM).outputs[0]), "type", 99),
        "SUM: its output is declared otherwise",
    ),
    "an axis that is not there": (
        assign(lambda m: first(m, UNPACK).builtinOptions, "axis", 7),
        "UNPACK: its axis is not there",
    ),
    "a split into none": (
        assign(lambda m: first(m, SPLIT).builtinOptions, "numSplits", 0),
        "SPLIT: its number of outputs",
    ),
    "a stride of 0": (
        lambda m: fill(m, first(m, STRIDED_SLICE).inputs[3], [0] * 3),
        "STRIDED_SLICE: its range does not fit|not as long",
    ),
    "a negative padding": (
        lambda m: fill(m, first(m, PAD).inputs[1], [-1000] * 4),
        "PAD: its padding is impossible|not as long",
    ),
    "more padding than memory": (
        lambda m: fill(m, first(m, PAD).inputs[1], [1 << 30] * 4),
        "PAD: its padding is impossible|not as long",
    ),
    "more than there is memory": (doubled, "it needs more than 1,024 MB"),
    "an input without a name": (without_a_name, "does not name its network's inputs"),
    "metadata that an interpreter reads": (
        assign(lambda m: m.metadata[0], "name", b"model_control_dependencies"),
        "metadata of an unknown kind",
    ),
    "an output that nothing writes": (
        lambda m: setattr(m.subgraphs[1], "outputs", m.subgraphs[1].inputs),
        "does not name its network's inputs and outputs",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_network_is_refused_in_words(packaged: Model, name: str):
    from tensorflow.lite.tools import flatbuffer_utils

    change, reason = BROKEN[name]
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(packaged.flatbuffer))
    change(model)
    content = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    with pytest.raises(ModelError, match=reason) as caught:
        verify(dataclasses.replace(packaged, flatbuffer=content))
    assert str(caught.value).startswith(f"{packaged.name}: its network is damaged: ")


def test_what_the_exporter_writes_passes(packaged: Model):
    assert unknown_operator(verify(packaged)) is None


@pytest.mark.parametrize("interpreter", [None, "numpy"])
@pytest.mark.parametrize("flatbuffer", [b"", SMALLEST, SMALLEST * 2, SMALLEST + bytes(100)])
def test_the_smallest_files_are_refused(tmp_path: Path, flatbuffer: bytes, interpreter: str):
    path = tmp_path / "model.tflite"
    path.write_bytes(append_metadata(flatbuffer, SPEC, CARD))
    with pytest.raises(ModelError, match="its network is damaged"):
        Calculator(path, interpreter=interpreter)


def test_only_what_came_with_the_package_is_not_verified(
    model_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(model: Model) -> None:
        raise ModelError("was looked at")

    monkeypatch.setattr(verification, "verify", refuse)
    assert Calculator().answer("55+49").text == "104"
    with pytest.raises(ModelError, match="was looked at"):
        Calculator(model_path)


def test_vectors_that_overlap_do_not_unfold_without_end():
    """The same table 50,000 times, and a vector of 100,000 numbers in it: 20 GB from 400 kB."""
    length = 100_000
    vtable = np.array([6, 8, 4, 0], "<u2")  # its size, the table's, and where the one field is
    table = np.array([8, 4, length], "<u4")  # behind the vtable; the vector is behind the field
    data = Bytes(vtable.tobytes() + table.tobytes() + bytes(4 * length))
    assert Tables(data, np.full(1, 8)).lists(0, "i4") == [(0,) * length]
    with pytest.raises(FlatbufferError, match="overlap"):
        Tables(data, np.full(50_000, 8)).lists(0, "i4")


@pytest.mark.parametrize("start", range(0, 150, 50))
def test_the_reader_refuses_mutations_in_words(packaged: Model, start: int):
    mutations = Mutations(packaged)
    for number in range(start, start + 50):
        with contextlib.suppress(ModelError):
            verify(dataclasses.replace(packaged, flatbuffer=mutations.flatbuffer(number)))


def test_operators_that_are_not_known_are_tried_in_another_process(
    model_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tried = []

    def count(*arguments: Any) -> None:
        try_unknown(*arguments)
        tried.append(arguments)

    monkeypatch.delitem(KNOWN, GATHER)
    monkeypatch.setattr("edgecalc.network.trial.try_unknown", count)
    assert Calculator(model_path).answer("55+49").text == "104"
    assert len(tried) == 1


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        (f"import os; os.kill(os.getpid(), {signal.SIGSEGV:d})", r"makes TFLite crash .*GATHER"),
        ("raise ValueError('refused in words')", None),
    ],
)
def test_a_process_that_dies_is_a_refusal(
    model_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    does: str,
    reason: str | None,
):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "an_interpreter.py").write_text(
        "class OpResolverType: AUTO = BUILTIN_WITHOUT_DEFAULT_DELEGATES = 0\n"
        f"def Interpreter(**options):\n    {does}\n"
    )
    model = read_model(model_path)
    if reason is None:
        try_unknown(model, "GATHER", "an_interpreter")
    else:
        with pytest.raises(ModelError, match=reason):
            try_unknown(model, "GATHER", "an_interpreter")


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 400, 100))
def test_no_mutation_kills_the_process(packaged: Model, start: int):
    outcomes = count_outcomes(Path(packaged.name), range(start, start + 100))
    assert outcomes.keys() == {"answers", "refused"}
    assert outcomes.total() == 200


def test_a_mutation_that_killed_the_process_would_be_counted(
    packaged: Model, monkeypatch: pytest.MonkeyPatch
):
    """As one did: the flatbuffer reaches the interpreter with nobody having looked at it."""
    code = (
        "import os, sys; from pathlib import Path; from tests import mutations\n"
        "def ask(path, interpreter):\n"
        "    if path.stat().st_size % 7 == 0:\n"
        "        os.kill(os.getpid(), 11)\n"
        "    return 'refused'\n"
        "mutations.ask = ask\n"
        "mutations.main()\n"
    )
    run = subprocess.run

    def start(command: list[str], **options: Any) -> Any:
        return run([sys.executable, "-c", code, *command[3:]], **options)

    monkeypatch.setattr(subprocess, "run", start)
    outcomes = count_outcomes(Path(packaged.name), range(40))
    died = [outcome for outcome in outcomes if "Segmentation fault" in outcome]
    assert 0 < len(died) < 40
    assert outcomes["refused"] == 2 * (40 - len(died))
