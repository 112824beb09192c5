"""Whatever the lines are, no more of them is kept or shown than a person would look at."""

from __future__ import annotations

import gc
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from edgecalc import Calculator, ExpressionError
from edgecalc.shell import cli

from tests.processes import user_environment

MB = 1 << 20
# More than is held of a batch, and much less than a batch of lines of a megabyte.
ROOM = 64 * MB
LIMITED = """
import re, resource, sys
from edgecalc.shell import cli, predict

before = predict.predict
def limited(*given):
    now = int(re.search(r"VmSize:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (now + int(sys.argv[1]), resource.RLIM_INFINITY))
    return before(*given)
predict.predict = limited
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.fixture
def predict(model_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs `edgecalc predict` with little more memory than it has when it begins to read."""

    def run(*arguments: object) -> subprocess.CompletedProcess[bytes]:
        given = ["predict", "--model", str(model_path), "--quiet", *map(str, arguments)]
        return subprocess.run(
            [sys.executable, "-c", LIMITED, str(ROOM), *given],
            env=user_environment(),
            capture_output=True,
            timeout=100,
        )

    return run


def write_gzip(path: Path, lines: Iterable[bytes]) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        for line in lines:
            file.write(line)


CELLS = {
    "unparsable": b"1" * MB,
    "blank": b" " * MB,
    "an operator each": b"+" * MB,
    "not UTF-8": b"\xff" * MB,
    "not CSV": b'"' + b"1" * (MB - 2),
    "too short": b"1" * (MB - 20),
    "many": b"1," * (MB // 2 - 1),
    "blanks and an expression": b"1 + 1" + b" " * (MB - 5),
    "quotes": b'"' + b'""' * (MB // 2 - 1) + b'"',
}


@pytest.mark.parametrize(
    ("style", "column", "compressed"),
    [
        ("text", (), True),
        ("jsonl", (), False),
        ("text", ("--column=1",), True),
        ("tsv", ("--column=1",), False),
        ("jsonl", ("--column=2",), True),
    ],
)
def test_lines_of_a_megabyte(
    predict, tmp_path: Path, style: str, column: tuple[str, ...], compressed: bool
):
    path = tmp_path / ("in.gz" if compressed else "in")
    # Of one kind more than there is room for, of the others one of each.
    content = [*[CELLS["unparsable"][:130_000] + b"\n"] * 700, *[c + b"\n" for c in CELLS.values()]]
    content += [b"1+1\n", b"2+2,3+3"]
    if compressed:
        write_gzip(path, content)
    else:
        path.write_bytes(b"".join(content))
    finished = predict("--format", style, *column, path)
    assert (finished.returncode, finished.stderr) == (1, b"")
    written = finished.stdout.decode().splitlines()
    assert len(written) == len(content)
    assert max(map(len, written)) < 8000
    if style == "jsonl":
        assert json.loads(written[0])["expression"] == "1" * 60 + "…"
        good = {(): "2", ("--column=1",): "4", ("--column=2",): "6"}[column]
        assert good in [json.loads(line)["answer"] for line in written[-2:]]


def test_a_long_cell_is_refused_as_a_long_line_is(
    model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "in"
    path.write_text(" " * 997 + "1+1\n" + " " * 998 + "1+1\n")
    for column in ([], ["--column=1"]):
        assert cli.main(["predict", "--model", str(model_path), *column, str(path)]) == 1
        assert capsys.readouterr().out.splitlines() == [
            "2",
            "error: longer than any expression: over 1000 bytes",
        ]


def test_an_argument_is_not_echoed_whole(model_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["--model", str(model_path), "1" * 100_000]) == 1
    assert len(capsys.readouterr().err) < 200


def test_an_error_keeps_nothing_but_itself(model_path: Path):
    calculator = Calculator(model_path)
    (error,) = calculator.outcomes(["1" * 100])
    assert isinstance(error, ExpressionError)
    assert (error.__traceback__, error.__context__, error.__cause__) == (None, None, None)
    assert not [one for one in gc.get_referents(error) if type(one).__name__ == "frame"]
