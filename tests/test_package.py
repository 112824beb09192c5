"""`python -m export.package`: what may take the place of the model that ships, and what may not."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.network import model_file
from edgecalc.network.model_file import append_metadata, read_model

from export import package
from export.package import main
from tests.model_fixture import CARD, SPEC

COUNTS = {"+": {"exact": 9_990, "of": 10_000}, "-": {"exact": 10_000, "of": 10_000}}
ACCURACY = {"held_out": COUNTS, "exhaustive": COUNTS}


@pytest.fixture(autouse=True)
def _limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of answers is larger than a network may be."""
    monkeypatch.setattr(package, "MAX_BYTES", 100_000_000)


@pytest.fixture
def write(tmp_path: Path, flatbuffer: bytes):
    """Writes a model file that may ship, but for what is given; returns its path."""

    def write(file: str, /, spec: CalculatorSpec = SPEC, **changes: Any) -> Path:
        card = {**CARD, "training": {"completed": True}, "accuracy": ACCURACY, **changes}
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(append_metadata(flatbuffer, spec, card))
        return path

    (tmp_path / "models").mkdir()
    return write


def ships(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "models").iterdir())


def refusal(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The sentence by which a file is refused; what ships is what did before."""
    before = {file: file.read_bytes() for file in (tmp_path / "models").iterdir()}
    assert main([str(path), f"--models={tmp_path / 'models'}"]) == 1
    out, errors = capsys.readouterr()
    assert (out, errors.count("\n")) == ("", 1)
    assert {file: file.read_bytes() for file in (tmp_path / "models").iterdir()} == before
    return errors


def test_it_takes_the_place_of_what_ships(write, tmp_path: Path, capsys):
    write("models/edgecalc-some-float16.tflite", name="old")
    path = write("edgecalc-some-int8.tflite", name="new")
    assert main([str(path), f"--models={tmp_path / 'models'}"]) == 0
    assert ships(tmp_path) == ["edgecalc-some-int8.tflite"]
    assert (tmp_path / "models/edgecalc-some-int8.tflite").read_bytes() == path.read_bytes()
    out, errors = capsys.readouterr()
    assert out.endswith("edgecalc-some-int8.tflite, exact on all there is: + 99.90%  - 100%\n")
    assert errors == ""


def test_it_goes_where_none_is(write, tmp_path: Path):
    assert main([str(write("edgecalc-some-int8.tflite")), f"--models={tmp_path / 'models'}"]) == 0
    assert ships(tmp_path) == ["edgecalc-some-int8.tflite"]


def test_the_same_again_is_as_good(write, tmp_path: Path):
    write("models/edgecalc-some-int8.tflite")
    assert main([str(write("edgecalc-some-int8.tflite")), f"--models={tmp_path / 'models'}"]) == 0
    assert ships(tmp_path) == ["edgecalc-some-int8.tflite"]


def test_what_cannot_be_read_counts_as_none(write, tmp_path: Path, monkeypatch, capsys):
    with monkeypatch.context() as older:
        older.setattr(model_file, "FORMAT", 1)
        write("models/edgecalc-some-float16.tflite", accuracy={"held_out": {}, "exhaustive": None})
    assert main([str(write("edgecalc-some-int8.tflite")), f"--models={tmp_path / 'models'}"]) == 0
    assert ships(tmp_path) == ["edgecalc-some-int8.tflite"]
    errors = capsys.readouterr().err
    assert "what ships cannot be read, so nothing is compared with it" in errors
    assert "the format of the file is 1" in errors


@pytest.mark.parametrize("training", [{}, {"completed": False}, {"completed": "yes"}])
def test_an_interrupted_training_does_not_ship(write, tmp_path: Path, capsys, training):
    path = write("edgecalc-some-int8.tflite", training=training)
    assert "its training did not come to its end" in refusal(path, tmp_path, capsys)


def test_what_was_not_counted_whole_does_not_ship(write, tmp_path: Path, capsys):
    path = write("edgecalc-some-int8.tflite", accuracy={"held_out": COUNTS, "exhaustive": None})
    assert "not counted on all there is" in refusal(path, tmp_path, capsys)


@pytest.mark.parametrize(("key", "title"), [("held_out", "held-out"), ("exhaustive", "all")])
def test_what_is_less_exact_in_any_group_does_not_ship(
    write, tmp_path: Path, capsys, key: str, title: str
):
    write("models/edgecalc-some-float16.tflite")
    worse = {**COUNTS, "+": {"exact": 9_989, "of": 10_000}, "*": {"exact": 1, "of": 1}}
    path = write("edgecalc-some-int8.tflite", accuracy={**ACCURACY, key: worse})
    assert (
        f"is less exact than what ships: + 99.89% (9,989 of 10,000) instead of 99.90% "
        f"(9,990 of 10,000) of {title} expressions"
    ) in refusal(path, tmp_path, capsys)
    path = write("edgecalc-some-int8.tflite", accuracy={**ACCURACY, key: {"+": COUNTS["+"]}})
    assert "- none instead of 100% (10,000 of 10,000)" in refusal(path, tmp_path, capsys)


def test_other_expressions_do_not_ship(write, tmp_path: Path, capsys):
    write("models/edgecalc-some-float16.tflite", spec=dataclasses.replace(SPEC, places=2))
    path = write("edgecalc-some-int8.tflite")
    assert "its expressions are not those of" in refusal(path, tmp_path, capsys)


def test_what_is_too_large_does_not_ship(write, tmp_path: Path, capsys, monkeypatch):
    path = write("edgecalc-some-int8.tflite")
    monkeypatch.setattr(package, "MAX_BYTES", path.stat().st_size)
    assert "bytes are not under" in refusal(path, tmp_path, capsys)


def test_what_the_runtime_cannot_use_does_not_ship(write, tmp_path: Path, capsys):
    assert "does not fit its spec" in refusal(
        write("edgecalc-some-int8.tflite", spec=CalculatorSpec(digits=3)), tmp_path, capsys
    )
    path = tmp_path / "edgecalc-some-int8.tflite"
    path.write_bytes(b"nothing")
    assert "is not an edgecalc model" in refusal(path, tmp_path, capsys)
    missing = tmp_path / "none.tflite"
    assert "`make data train export` writes one" in refusal(missing, tmp_path, capsys)


def test_models_of_other_presets_stay(write, tmp_path: Path):
    write("models/edgecalc-other-int8.tflite")
    assert main([str(write("edgecalc-some-int8.tflite")), f"--models={tmp_path / 'models'}"]) == 0
    assert ships(tmp_path) == ["edgecalc-other-int8.tflite", "edgecalc-some-int8.tflite"]


def test_the_default_is_the_package_itself():
    for file in package._MODELS.glob("*.tflite"):
        packaged = model_file.read_packaged_model(model_file.packaged_name(file))
        assert read_model(file).flatbuffer == packaged.flatbuffer
