"""Model files that somebody made to do harm, or badly: one sentence, whatever they hold."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from edgecalc.network.model_file import append_metadata, read_packaged_model
from edgecalc.shell import cli
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model_fixture import CARD, SPEC

ESCAPE = "\x1b]0;owned\x07\x9b\u202e\ud800"
COMMANDS = (["info"], ["info", "--json"], ["1+1"], ["--explain", "1+1"], ["predict"])


def with_metadata(flatbuffer: bytes, card: Any, spec: Any) -> bytes:
    """A model file whose metadata nobody has checked; the hash of its flatbuffer is right."""
    content = io.BytesIO()
    content.write(flatbuffer)
    with zipfile.ZipFile(content, "w") as archive:
        for name, value in (("spec.json", spec), ("card.json", card)):
            archive.writestr(name, value if isinstance(value, str) else json.dumps(value))
    return content.getvalue()


def card_of(flatbuffer: bytes, **changes: Any) -> dict[str, Any]:
    digest = {"bytes": len(flatbuffer), "sha256": hashlib.sha256(flatbuffer).hexdigest()}
    return {**CARD, "format": 2, "flatbuffer": digest, **changes}


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Runs every command on a model file; an error is one sentence that names the file."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))

    def run(content: bytes) -> list[tuple[int, str, str]]:
        path = tmp_path / "model.tflite"
        path.write_bytes(content)
        results = []
        for command in COMMANDS:
            status = cli.main([*command, "--model", str(path)])
            out, errors = capfd.readouterr()
            assert all(line.isprintable() for line in (out + errors).split("\n"))
            if status:
                assert (status, out) == (1, "")
                assert errors.startswith(f"edgecalc: {path}: ")
                assert errors.count("\n") == 1
                assert len(errors) < 1000
            results.append((status, out, errors))
        return results

    return run


def test_names_are_shown_and_do_nothing(run, flatbuffer: bytes):
    tally = {ESCAPE: {"exact": 1, "of": 2}}
    card = card_of(
        flatbuffer,
        name=ESCAPE,
        network=ESCAPE,
        variant=ESCAPE,
        training={ESCAPE: [ESCAPE]},
        accuracy={"held_out": tally, "exhaustive": tally},
    )
    (status, out, errors), *others = run(with_metadata(flatbuffer, card, SPEC.to_dict()))
    assert (status, errors) == (0, "")
    assert out.count("\\x1b]0;owned\\x07\\x9b\\u202e\\ud800") >= 6
    assert others[1][1] == "2\n"


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


TALLY = {"+": {"exact": 1, "of": 2}}
LONG = "1" + "0" * 4299


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"parameters": int(LONG)}, "an integer of 4,300 digits"),
        ({"training": {"steps": int(LONG)}}, "an integer of 4,300 digits"),
        ({"accuracy": {"held_out": {"+": {"exact": 0, "of": 2**63}}}}, "accuracy must have"),
        ({"accuracy": {"held_out": {"+": {"exact": 3, "of": 2}}}}, "accuracy must have"),
        ({"accuracy": {"held_out": {"+" * 101: TALLY["+"]}}}, "accuracy must have"),
        ({"accuracy": {"held_out": {str(n): TALLY["+"] for n in range(256)}}}, "accuracy must"),
        (
            {"accuracy": {"held_out": TALLY, "confidence": [{**TALLY["+"], "at_least": 2.0}]}},
            "confidence must be",
        ),
        ({"training": {"seconds": float("nan")}}, "NaN is no finite number"),
        ({"training": {"seconds": float("inf")}}, "Infinity is no finite number"),
        ({"training": nested(480)}, "nested more than 20 levels deep"),
        ({"corpus": nested(21)}, "nested more than 20 levels deep"),
        ({"format": nested(15)}, "the format of the file is"),
        ({"format": "x" * 9999}, "the format of the file is"),
        ({"minimum_runtime": "x" * 9999}, "minimum_runtime is no version"),
        ({"parameters": True}, "parameters is missing or no count"),
        ({"parameters": -1}, "parameters is missing or no count"),
    ],
)
def test_a_card_that_nobody_could_show(run, flatbuffer: bytes, changes: dict, reason: str):
    card = card_of(flatbuffer, **changes)
    results = run(with_metadata(flatbuffer, card, SPEC.to_dict()))
    assert all(status == 1 and reason in errors for status, _, errors in results)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({**SPEC.to_dict(), "operators": "+-*"}, "alphabet must be"),
        ({**SPEC.to_dict(), "operators": "+-*", "alphabet": ""}, "does not fit its spec"),
        ({**SPEC.to_dict(), "operators": "\ud800"}, "operators must be some of"),
        ({**SPEC.to_dict(), "operators": ["+"]}, "operators must be"),
        ({**SPEC.to_dict(), "digits": 10**18}, "digits must be"),
        ({**SPEC.to_dict(), "digits": "\x1b" * 9999}, "digits must be"),
        ({**SPEC.to_dict(), "\x1b" * 9999: 1}, "a spec has the fields"),
        ({"task": "\ud800" * 9999}, "no task "),
        ({"task": nested(15)}, "a spec is an object"),
        (nested(481), "nested more than 20 levels deep"),
        ("1e999", "1e999 is no finite number"),
    ],
)
def test_a_spec_that_nobody_could_use(run, flatbuffer: bytes, spec: Any, reason: str):
    results = run(with_metadata(flatbuffer, card_of(flatbuffer), spec))
    assert all(status == 1 and reason in errors for status, _, errors in results)


def test_a_model_that_the_interpreter_refuses_is_not_described(run):
    for status, _, errors in run(append_metadata(bytes(range(256)) * 4, SPEC, CARD)):
        assert status == 1
        assert "its network is damaged" in errors


def test_a_model_larger_than_memory_is_named(tmp_path, monkeypatch, capsys):
    def read(self: Any, *arguments: Any) -> bytes:
        raise MemoryError

    monkeypatch.setattr("edgecalc.network.model_file._read_metadata", read)
    (tmp_path / "model").write_bytes(b"")
    assert cli.main(["info", "--model", str(tmp_path / "model")]) == 1
    assert "model: is larger than the memory that there is\n" in capsys.readouterr().err


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in the metadata."""
    found = [path] if path else []
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            found += places(item, (*path, key))
    return found


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_metadata_is_shown_or_refused_in_a_sentence(tmp_path_factory, data: st.DataObject):
    model = read_packaged_model()
    metadata = copy.deepcopy({"card": model.card, "spec": model.spec.to_dict()})
    *path, last = data.draw(st.sampled_from(places(metadata)))
    parent: Any = metadata
    for key in path:
        parent = parent[key]
    parent[last] = data.draw(VALUES)
    file = tmp_path_factory.getbasetemp() / "metadata.tflite"
    file.write_bytes(with_metadata(model.flatbuffer, metadata["card"], metadata["spec"]))
    for command in (["info"], ["info", "--json"], ["--explain", "1+1"]):
        out, said = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdout", out)
            patch.setattr("sys.stderr", said)
            status = cli.main([*command, "--model", str(file)])
            text = out.buffer.getvalue().decode()
        assert status == (1 if said.getvalue() else 0)
        assert said.getvalue().count("\n") == status
        assert all(line.isprintable() for line in (text + said.getvalue()).split("\n"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((rb"columns", b"column_"), "its working is none that can be explained"),
        ((rb"operator\0", b"operatoR\0"), "its working is none that can be explained"),
        ((rb"digits", b"multip"), "its working is none that can be explained"),
        ((rb"answer", b"anwser"), "its working has no answer"),
        ((rb"expression", b"expresslon"), "TFLite fails on it"),
        ((rb"working\0", b"walking\0"), "this model does not show its working"),
    ],
)
def test_a_working_of_other_names(run, change: tuple[bytes, bytes], reason: str):
    model = read_packaged_model()
    flatbuffer = re.sub(*change, model.flatbuffer)
    assert flatbuffer != model.flatbuffer
    results = run(append_metadata(flatbuffer, model.spec, model.card))
    assert [status for status, *_ in results] == [0, 0, 0, 1, 0]
    assert results[2][1] == "2\n"
    assert reason in results[3][2]


def test_a_working_of_other_operators():
    """The network knows one more than the spec: its symbols would be looked up in vain."""
    import numpy as np
    from edgecalc.language.calculator.explanation import ColumnsExplanation
    from edgecalc.language.calculator.spec import CalculatorSpec
    from edgecalc.language.calculator.working import shapes

    spec = CalculatorSpec()
    outputs = {name: np.ones((1, *shape), np.float32) for name, shape in shapes(spec).items()}
    assert ColumnsExplanation.of(spec, "1+1", "2", outputs)
    for changes in (
        {"operator": np.ones((1, 5), np.float32)},
        {"operator": np.ones((), np.float32)},
        {"columns": np.ones((1, 13, 300), np.float32)},
        {"digits": np.ones((1, 9, 10), np.float32)},
        {"operands": np.ones((2, 6, 10), np.float32)},
        {"multiplier": np.ones((1, 11, 10), np.int8)},
    ):
        assert ColumnsExplanation.of(spec, "1+1", "2", {**outputs, **changes}) is None
