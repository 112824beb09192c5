"""The numpy interpreter beside TFLite's: the same networks, the same numbers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from edgecalc import Calculator, ModelError
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.codec import encode_symbols
from edgecalc.network import predictor
from edgecalc.network.kernels import KERNELS
from edgecalc.network.model_file import append_metadata, read_model, read_packaged_model
from edgecalc.network.operators import KNOWN
from edgecalc.network.predictor import NUMPY, TFLITE, Predictor
from edgecalc.shell.cli import main

from model.networks import NETWORKS
from tasks.calculator.task import CalculatorTask
from tasks.splits import permute
from tasks.task import SEQUENCE
from tests.model_fixture import CARD, SPEC

GATHER = 36
# A column's logits fall with a squared distance: with weights just drawn they reach thousands,
# where neighbouring float32s lie 1e-4 apart. Seeds 0 to 7 came to 0.8e-5 to 2.2e-5 there, at 4
# digits, and to 4e-7 everywhere else.
TOLERANCE = 1e-4
SEED = 1
# Of two symbols that are as likely either may be written, and what follows is another text then.
TIE = 1e-6
COLUMNS = {"read_units": 4, "memory_units": 8, "carry_units": 8, "write_units": 4}
SEQ2SEQ = {"encoder_units": 8, "decoder_units": 12, "decoder_layers": 2, "dropout": 0.1}


def ids_of(spec: CalculatorSpec, count: int) -> np.ndarray:
    """Expressions from all over the space."""
    task = CalculatorTask(spec)
    examples = task.examples(permute(np.arange(count) % task.size, task.size, 0))
    return encode_symbols(examples.expressions(), spec).astype(np.int32)


def compare(model, counts=(1, 3, 256, 300)):
    """Both interpreters, both networks; alone, in blocks, and from one to the other."""
    numpy, tflite = Predictor(model, 1, NUMPY), Predictor(model, 1, TFLITE)
    assert numpy.shows_working == tflite.shows_working
    for count in counts:
        ids = ids_of(model.spec, count)
        found, expected = {"answer": numpy.run(ids)}, {"answer": tflite.run(ids)}
        if numpy.shows_working:
            found |= numpy.work(ids)
            expected |= tflite.work(ids)
        decided = np.ones(count, bool)
        if SEQUENCE in expected:
            second, first = np.moveaxis(np.partition(expected[SEQUENCE], -2)[..., -2:], -1, 0)
            decided = (first - second > TIE).all(axis=1)
            assert decided.mean() > 0.9 or count < 10
        assert found.keys() == expected.keys()
        for name, values in expected.items():
            assert (found[name].shape, found[name].dtype) == (values.shape, values.dtype)
            np.testing.assert_allclose(found[name][decided], values[decided], atol=TOLERANCE)


def test_the_packaged_model_gives_the_same():
    compare(read_packaged_model())


def test_the_packaged_model_answers_the_same():
    ids = ids_of(read_packaged_model().spec, 5120)
    found, expected = (
        np.concatenate([run(block).argmax(axis=-1) for block in np.split(ids, 20)])
        for run in (Predictor(read_packaged_model(), 1, name).run for name in (NUMPY, TFLITE))
    )
    assert (found == expected).all()


def test_a_table_gives_the_same(model_path: Path):
    compare(read_model(model_path))


@pytest.mark.parametrize(
    ("network", "sizes", "spec", "variant"),
    [
        ("columns", COLUMNS, CalculatorSpec(digits=1), "float32"),
        ("seq2seq", SEQ2SEQ, CalculatorSpec(digits=2), "float32"),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [
                ("columns", {}, CalculatorSpec(digits=3), "int8"),
                ("columns", {}, CalculatorSpec(digits=2), "float16"),
                ("columns", COLUMNS, CalculatorSpec(digits=2, operators="+"), "float32"),
                ("columns", COLUMNS, CalculatorSpec(digits=2, operators="-"), "float32"),
                ("columns", COLUMNS, CalculatorSpec(digits=1, operators="*"), "float32"),
                ("columns", COLUMNS, CalculatorSpec(digits=2, places=0, operators="/"), "float32"),
                ("columns", COLUMNS, CalculatorSpec(digits=2, places=1, operators="/+"), "float32"),
                ("columns", COLUMNS, CalculatorSpec(digits=4), "float32"),
                ("seq2seq", {}, CalculatorSpec(digits=3), "int8"),
                ("seq2seq", {}, CalculatorSpec(digits=1, operators="+"), "float16"),
                ("transformer", {}, CalculatorSpec(digits=2), "int8"),
            ]
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_the_exporter_writes_gives_the_same(
    tmp_path: Path, network: str, sizes: dict, spec: CalculatorSpec, variant: str
):
    import keras

    from export.convert import convert

    keras.utils.set_random_seed(SEED)
    built = NETWORKS[network](**sizes).build(CalculatorTask(spec))
    path = tmp_path / "model.tflite"
    path.write_bytes(append_metadata(convert(built.model, variant), spec, CARD))
    compare(read_model(path))


def test_every_known_operator_has_a_kernel():
    assert KERNELS.keys() == KNOWN.keys()


def test_an_operator_that_is_not_known_is_named(model_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(KNOWN, GATHER)
    with pytest.raises(ModelError, match="this file needs the operator GATHER"):
        Calculator(model_path, interpreter=NUMPY)


def test_an_index_out_of_range_is_refused_as_by_tflite(model_path: Path):
    model = read_model(model_path)
    for wrong in (-1, len(SPEC.symbols) ** SPEC.expression_length):
        ids = np.zeros((2, SPEC.expression_length), np.int32)
        ids[1, 0] = wrong
        for interpreter in (NUMPY, TFLITE):
            with pytest.raises(ModelError, match=r"fails on it|cannot be run"):
                Predictor(model, 1, interpreter).run(ids)


def test_numpy_is_taken_where_tflite_cannot_be_imported(
    model_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(predictor, "_MODULES", ("no_such_interpreter",))
    calculator = Calculator(model_path)
    assert calculator.answer("55+49").text == "104"
    assert [answer.text for answer in calculator.answers(["7/2", "9*9"])] == ["3.5", "81"]
    assert predictor.interpreter_name() == f"numpy {np.__version__}"
    assert predictor.interpreter_name(NUMPY) == predictor.interpreter_name()


def test_numpy_explains(capfd: pytest.CaptureFixture):
    assert main(["--explain", "842*37"]) == 0
    expected = capfd.readouterr()
    assert main(["--interpreter", "numpy", "--explain", "842*37"]) == 0
    assert capfd.readouterr() == expected
    assert expected.out.startswith("842*37 = 31154\n")


def test_info_says_which_interpreter_runs(capfd: pytest.CaptureFixture):
    for arguments, name in (([], "tflite-runtime|ai-edge-litert"), (["numpy"], "numpy")):
        chosen = ["--interpreter", *arguments] if arguments else []
        assert main(["info", *chosen]) == 0
        assert re.search(rf"^  interpreter  ({name}) \d", capfd.readouterr().out, re.M)


def test_there_are_two_interpreters(model_path: Path, capfd: pytest.CaptureFixture):
    with pytest.raises(ValueError, match="interpreter must be one of tflite, numpy: abacus"):
        Calculator(model_path, interpreter="abacus")
    with pytest.raises(SystemExit) as caught:
        main(["--interpreter", "abacus", "1+1"])
    assert caught.value.code == 2
    assert "abacus" in capfd.readouterr().err


def test_numpy_loads_no_tflite(model_path: Path):
    code = (
        "import sys; from edgecalc import Calculator\n"
        "assert Calculator(sys.argv[1], interpreter='numpy').answer('55+49').text == '104'\n"
        "print([name for name in sys.modules if 'tflite' in name or 'litert' in name])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(model_path)], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
