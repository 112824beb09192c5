"""Whatever bytes come in: a line out for each line in, in little memory, and no traceback."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from edgecalc.shell import cli
from edgecalc.shell.lines import read_lines
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.processes import COMMAND, user_environment

COLUMNS = ["expression", "answer", "confidence", "error"]


@pytest.mark.parametrize("style", ["text", "tsv", "jsonl"])
@settings(deadline=None, max_examples=60)
@given(
    content=st.binary(max_size=200)
    | st.text("12+/\t\r\n\\ é\u2028", max_size=60).map(str.encode)
    | st.lists(st.sampled_from([b"1+1", b"\0", b"\xff", b"9" * 1200, b"\r", b"\n"])).map(b"".join),
    batch_size=st.integers(1, 5),
)
def test_a_line_for_each_line(model_path: Path, style: str, content: bytes, batch_size: int):
    out, said = io.BytesIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        stdout = io.TextIOWrapper(out)
        patch.setattr(sys, "stdout", stdout)
        patch.setattr(sys, "stderr", said)
        arguments = ["--format", style, "--batch-size", str(batch_size)]
        status = cli.main(["predict", "--model", str(model_path), *arguments])
        stdout.detach()  # or it would close `out`
    written = out.getvalue().decode().splitlines()
    assert len(written) == content.count(b"\n") + (content[-1:] not in (b"", b"\n"))
    assert status == (1 if said.getvalue() else 0)
    for text in written:
        assert style != "tsv" or text.count("\t") == 3
        assert style != "jsonl" or list(json.loads(text)) == COLUMNS
    refused = {"text": "error: ", "tsv": "\t\t\t", "jsonl": '"answer": null'}[style]
    assert sum(refused in text for text in written) == said.getvalue().count("\n")


@pytest.mark.parametrize("length", [999, 1000, 1001, 70_000])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_long_lines_are_one_line_each(length: int, end: bytes, tmp_path: Path):
    path = tmp_path / "in.txt"
    path.write_bytes(b" " * (length - 3) + b"1+1" + end + (b"2+2" if end else b""))
    sizes: list[int] = []
    found = list(read_lines([str(path)], sizes.append))
    assert [line.number for line in found] == ([1, 2] if end else [1])
    assert (found[0].error is None) == (length + end.count(b"\r") <= 1000)
    assert sum(sizes) == path.stat().st_size


def test_a_line_of_100_megabytes_is_not_held(model_path: Path):
    command: Any = subprocess.Popen(
        [*COMMAND, "predict", "--model", str(model_path), "--quiet"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=user_environment(),
    )
    command.stdin.write(b"1+1\n")
    for _ in range(100):
        command.stdin.write(b"1" * 1_000_000)
    status = Path(f"/proc/{command.pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    assert int(peak.split()[1]) * 1024 < 100e6
    out, _ = command.communicate(b"\n2+2")
    assert out == b"2\nerror: longer than any expression: over 1000 bytes\n4\n"
    assert command.returncode == 1
