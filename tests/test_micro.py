"""The variant for microcontrollers, in PyPI's tflite-micro where that is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from edgecalc import ModelError
from edgecalc.language.codec import encode_symbols
from edgecalc.network.model_file import append_metadata, read_model
from edgecalc.network.predictor import Predictor

from export.__main__ import main as export
from export.convert import convert
from export.micro import MICRO, MicroNetwork
from model.networks.columns import Columns
from tasks.calculator.task import CalculatorTask
from tests.model_fixture import CARD, SPEC

TASK = CalculatorTask(SPEC)
SIZES = Columns(read_units=2, memory_units=4, carry_units=4, write_units=2)


def test_without_the_interpreter_it_says_so_at_once(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    assert export(["--micro", f"--model={tmp_path}", f"--out={tmp_path}"]) == 1
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "tflite-micro, which is not installed: pip install" in errors


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of an untrained network, by variant."""
    pytest.importorskip("tflite_micro")
    folder, model = tmp_path_factory.mktemp("micro"), SIZES.build(TASK).model
    paths = {}
    for variant in ("float32", MICRO):
        paths[variant] = folder / f"{variant}.tflite"
        content = append_metadata(convert(model, variant), SPEC, {**CARD, "variant": variant})
        paths[variant].write_bytes(content)
    return paths


@pytest.mark.slow
def test_it_answers_as_a_computer_does(files):
    network = MicroNetwork(read_model(files[MICRO]))
    computer = Predictor(read_model(files["float32"]))
    ids = encode_symbols(TASK.examples(np.arange(0, TASK.size, 997)).expressions(), SPEC)
    found = network.run(ids)
    np.testing.assert_allclose(found, computer.run(ids), atol=1e-5)
    np.testing.assert_array_equal(found[3:4], network.run(ids[3:4]))


def allocate(path: Path, arena: int) -> int:
    """Tries an arena in a child process; returns its exit status."""
    command = (
        "import sys; from edgecalc.network.model_file import read_model; "
        "from tflite_micro import runtime; flatbuffer = read_model(sys.argv[1]).flatbuffer; "
        "runtime.Interpreter.from_bytes(flatbuffer, arena_size=int(sys.argv[2]))"
    )
    tried = [sys.executable, "-c", command, str(path), str(arena)]
    return subprocess.run(tried, capture_output=True, check=False).returncode


@pytest.mark.slow
def test_the_arena_is_the_smallest_that_will_do(files):
    network = MicroNetwork(read_model(files[MICRO]))
    assert network.interpreter.startswith("tflite-micro ")
    assert allocate(files[MICRO], network.arena_bytes) == 0
    assert allocate(files[MICRO], network.arena_bytes - 16) == 1


@pytest.mark.slow
def test_a_file_that_crashes_it_is_refused_in_a_sentence(files):
    """It does not survive the second signature."""
    with pytest.raises(ModelError, match=r"float32\.tflite: is refused by TensorFlow Lite Micro: "):
        MicroNetwork(read_model(files["float32"]))


@pytest.mark.slow
def test_an_operator_that_it_has_not_is_named(files):
    ids = keras.Input((3,), dtype="int32")
    tiled = keras.ops.tile(keras.ops.cast(ids, "float32"), (1, 2))
    path = files[MICRO].with_name("tiled.tflite")
    content = convert(keras.Model(ids, {"answer": tiled}), MICRO)
    path.write_bytes(append_metadata(content, SPEC, CARD))
    with pytest.raises(ModelError, match=r"Didn't find op for builtin opcode 'TILE'"):
        MicroNetwork(read_model(path))
