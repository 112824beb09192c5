from __future__ import annotations

import hashlib
import io
import json
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from edgecalc import Calculator, ModelError
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.network import model_file
from edgecalc.network.model_file import append_metadata, read_model
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model_fixture import CARD, SPEC

FLATBUFFER = bytes(range(256)) * 4
CONTENT = append_metadata(FLATBUFFER, SPEC, CARD)


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        read_model(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert len(message.splitlines()) == 1
    return message


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return path


def archive_of(entries: dict[str, Any], compression: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    content.write(FLATBUFFER)
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, value in entries.items():
            archive.writestr(name, value if isinstance(value, (str, bytes)) else json.dumps(value))
    return content.getvalue()


def whole_card(**changes: Any) -> dict[str, Any]:
    digest = hashlib.sha256(FLATBUFFER).hexdigest()
    flatbuffer = {"bytes": len(FLATBUFFER), "sha256": digest}
    return {**CARD, "format": 2, "flatbuffer": flatbuffer, **changes}


def test_what_is_written_is_read(tmp_path: Path):
    model = read_model(written(tmp_path, CONTENT))
    assert (model.spec, model.flatbuffer) == (SPEC, FLATBUFFER)
    assert model.card == whole_card()


def test_writing_is_deterministic_and_the_flatbuffer_comes_first():
    assert append_metadata(FLATBUFFER, SPEC, CARD) == CONTENT
    assert CONTENT.startswith(FLATBUFFER)


def test_any_unzip_reads_the_metadata():
    with zipfile.ZipFile(io.BytesIO(CONTENT)) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("spec.json")) == SPEC.to_dict()
        assert json.loads(archive.read("card.json"))["name"] == CARD["name"]


def test_a_deflated_archive_is_read_too(tmp_path: Path):
    entries = {"spec.json": SPEC.to_dict(), "card.json": whole_card()}
    read_model(written(tmp_path, archive_of(entries, zipfile.ZIP_DEFLATED)))


@settings(deadline=None, max_examples=300)
@given(position=st.integers(0, len(CONTENT) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_harmless(tmp_path_factory, position: int, bit: int):
    damaged = bytearray(CONTENT)
    damaged[position] ^= 1 << bit
    path = written(tmp_path_factory.getbasetemp(), bytes(damaged))
    if position < len(FLATBUFFER):
        assert "is damaged: the sha256" in refusal(path)
    else:
        try:
            model = read_model(path)
        except ModelError:
            return
        assert (model.spec, model.flatbuffer, model.card) == (SPEC, FLATBUFFER, whole_card())


@settings(deadline=None, max_examples=100)
@given(length=st.integers(0, len(CONTENT) - 1))
def test_a_truncated_file_is_refused(tmp_path_factory, length: int):
    refusal(written(tmp_path_factory.getbasetemp(), CONTENT[:length]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not an edgecalc model"),
        (b"55+49\n" * 100, "is not an edgecalc model"),
        (FLATBUFFER, "is not an edgecalc model"),
        (archive_of({"labels.txt": "a"}), "it has no spec.json"),
        (archive_of({"spec.json": SPEC.to_dict()}), "it has no card.json"),
        (archive_of({"spec.json": "{", "card.json": "{}"}), "spec.json is not JSON"),
        (archive_of({"spec.json": b"\xff", "card.json": "{}"}), "the metadata is damaged"),
        (archive_of({"spec.json": "[" * 100_000, "card.json": "{}"}), "the metadata is damaged"),
        (archive_of({"spec.json": "{}", "card.json": "[]"}), "card.json: is no object"),
        (
            archive_of({"spec.json": " " * (2 << 20), "card.json": "{}"}, zipfile.ZIP_DEFLATED),
            "spec.json is larger than 1,048,576 bytes",
        ),
        (
            archive_of({"spec.json": "{}", "card.json": "{}"}, zipfile.ZIP_BZIP2),
            "compressed in an unknown way",
        ),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes, reason: str):
    assert reason in refusal(written(tmp_path, content))


def test_an_archive_that_lies_about_its_size_is_not_unpacked_whole(tmp_path: Path):
    bomb = archive_of({"spec.json": " " * (64 << 20), "card.json": "{}"}, zipfile.ZIP_DEFLATED)
    size = (64 << 20).to_bytes(4, "little")
    assert bomb.count(size) == 2  # beside the entry, and in the list of entries
    path = written(tmp_path, bomb.replace(size, (100).to_bytes(4, "little")))
    tracemalloc.start()
    assert "damaged" in refusal(path)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 1}, "the format of the file is 1"),
        ({"minimum_runtime": "99.0.0"}, "needs edgecalc 99.0.0 or newer"),
        ({"minimum_runtime": "0.10.0"}, "needs edgecalc 0.10.0 or newer"),
        ({"minimum_runtime": "soon"}, "minimum_runtime is no version"),
        ({"name": 5}, "name is missing"),
        ({"flatbuffer": {"bytes": 10**18, "sha256": ""}}, "is truncated"),
        ({"flatbuffer": {"bytes": -1, "sha256": ""}}, "flatbuffer must have"),
        ({"flatbuffer": {"bytes": 4, "sha256": "0" * 64}}, "is damaged"),
        ({"accuracy": {"held_out": {"+": 1}}}, "accuracy must have"),
        ({"accuracy": {"held_out": {}, "confidence": [{"of": 1}]}}, "confidence must be a list"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path: Path, changes: dict, reason: str):
    content = archive_of({"spec.json": SPEC.to_dict(), "card.json": whole_card(**changes)})
    assert reason in refusal(written(tmp_path, content))


def test_a_wrong_spec_is_refused(tmp_path: Path):
    spec = {**SPEC.to_dict(), "digits": 9}
    content = archive_of({"spec.json": spec, "card.json": whole_card()})
    assert "spec.json: digits must be" in refusal(written(tmp_path, content))


def test_what_is_no_file_is_refused(tmp_path: Path):
    assert "No such file" in refusal(tmp_path / "missing.tflite")
    assert "is a directory" in refusal(tmp_path)
    assert "not a regular file" in refusal(Path(os.devnull))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "not a regular file" in refusal(pipe)


def test_the_exporter_is_told_of_an_incomplete_card():
    with pytest.raises(ValueError, match="card: network is missing"):
        append_metadata(FLATBUFFER, SPEC, {k: v for k, v in CARD.items() if k != "network"})
    with pytest.raises(ValueError, match=r"card\.json is larger"):
        append_metadata(FLATBUFFER, SPEC, {**CARD, "training": {"log": "x" * (1 << 20)}})


def test_the_interpreter_never_sees_a_damaged_flatbuffer(
    tmp_path: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch
):
    content = bytearray(model_path.read_bytes())
    content[1000] ^= 1
    path = written(tmp_path, bytes(content))
    monkeypatch.setattr(
        "edgecalc.calculator.Predictor", lambda *arguments: pytest.fail("the interpreter saw it")
    )
    with pytest.raises(ModelError, match="is damaged"):
        Calculator(path)


def test_bytes_that_are_no_flatbuffer_are_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="its network is damaged: it is no TFLite model"):
        Calculator(written(tmp_path, CONTENT))


@pytest.mark.parametrize("spec", [CalculatorSpec(digits=3), CalculatorSpec(digits=2, places=1)])
def test_a_spec_that_does_not_fit_the_tensors_is_refused(
    tmp_path: Path, flatbuffer: bytes, spec: CalculatorSpec
):
    path = written(tmp_path, append_metadata(flatbuffer, spec, CARD))
    with pytest.raises(ModelError, match=r"does not fit its spec: the (in|out)put is"):
        Calculator(path)


def test_models_in_the_package_go_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(model_file, "MODELS", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="no model release came with the package, there are none"):
        Calculator()
    (tmp_path / "models").mkdir()
    for preset in ("release", "add-subtract"):
        (tmp_path / "models" / f"edgecalc-{preset}-int8.tflite").write_bytes(CONTENT)
    assert set(model_file.packaged_models()) == {"release", "add-subtract"}
    for name in (None, "release", "add-subtract"):
        model = model_file.find_model(name)
        assert (model.spec, model.packaged) == (SPEC, True)
    with pytest.raises(ModelError, match="there are add-subtract, release"):
        model_file.read_packaged_model("other")
    with pytest.raises(ModelError, match=r"^other: is no file, .* are add-subtract, release"):
        Calculator("other")
    with pytest.raises(ModelError, match=r"^other\.tflite: cannot be read: No such file"):
        Calculator("other.tflite")
    # Whoever means a file of such a name says that it is one.
    with pytest.raises(ModelError, match=r"^release: cannot be read"):
        Calculator(Path("release"))
    with pytest.raises(ModelError, match=r"^release: cannot be read"):
        Calculator("./release")
