"""The command as a shell sees it: stdout, stderr and exit status of a process."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.model_fixture import UNSURE, WRONG
from tests.processes import COMMAND, user_environment


@pytest.fixture(scope="session")
def edgecalc(model_path: Path):
    """Runs `edgecalc --model TABLE …`, and checks that there is never a traceback."""

    def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
        defaults: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "env": user_environment(),
        }
        options = defaults | options
        if "input" in options:
            del options["stdin"]
        finished = subprocess.run(
            [*COMMAND, "--model", str(model_path), *map(str, arguments)],
            stderr=subprocess.PIPE,
            timeout=60,
            **options,
        )
        assert b"Traceback" not in finished.stderr
        return finished

    return run


def result(finished: subprocess.CompletedProcess[bytes]) -> tuple[int, str, str]:
    return finished.returncode, (finished.stdout or b"").decode(), finished.stderr.decode()


def test_one_answer_a_line(edgecalc):
    assert result(edgecalc("55+49", "7/2", " 12 × 3 =")) == (0, "104\n3.5\n36\n", "")


def test_bad_expressions_do_not_keep_the_good_ones_from_an_answer(edgecalc):
    assert result(edgecalc("1+1", "-5+3", "1/0", "--5", "2+2")) == (
        1,
        "2\n"
        "error: numbers are from 0 to 99, without a sign: type 3-5 (column 1)\n"
        "error: division by zero (column 3)\n"
        "error: expected a number, found '-': type one from 0 to 99 (column 1)\n"
        "4\n",
        "edgecalc: -5+3: numbers are from 0 to 99, without a sign: type 3-5 (column 1)\n"
        "edgecalc: 1/0: division by zero (column 3)\n"
        "edgecalc: --5: expected a number, found '-': type one from 0 to 99 (column 1)\n",
    )


def test_no_answer_to_a_program(edgecalc):
    code, out, _ = result(edgecalc("__import__('os').getpid()"))
    assert (code, out[:7]) == (1, "error: ")


def test_standard_input_without_arguments(edgecalc):
    assert result(edgecalc(input=b"2+2\n3*3")) == (0, "4\n9\n", "")


def test_one_line_for_each_line_in_order(edgecalc, tmp_path: Path):
    content = b"2+2\r\n\n9*9\n\xff+1\n1\x00+1\n" + b"1" * 5000 + b"\n5+\n" + b"7-9"
    (tmp_path / "in.txt").write_bytes(b"\xef\xbb\xbf" + content)
    code, out, err = result(
        edgecalc("predict", "in.txt", "-", "--batch-size", 2, cwd=tmp_path, input=b"8/4\nx\n")
    )
    assert code == 1
    assert out.splitlines() == [
        "4",
        "error: nothing to calculate: type an expression such as 55+49",
        "81",
        "error: not UTF-8 (column 1)",
        "error: expected an operator, found '\\x00': type one of + - * / (column 2)",
        "error: longer than any expression: over 1000 bytes",
        "error: a number is missing: type one from 0 to 99 behind the + (column 3)",
        "-2",
        "2",
        "error: expected a number, found '*': type one from 0 to 99 (column 1)",
    ]
    assert err.splitlines() == [
        "in.txt:2: nothing to calculate: type an expression such as 55+49",
        "in.txt:4: not UTF-8 (column 1)",
        "in.txt:5: expected an operator, found '\\x00': type one of + - * / (column 2)",
        "in.txt:6: longer than any expression: over 1000 bytes",
        "in.txt:7: a number is missing: type one from 0 to 99 behind the + (column 3)",
        "<stdin>:2: expected a number, found '*': type one from 0 to 99 (column 1)",
    ]


TSV_FIELDS = ["expression", "answer", "confidence", "error"]


def test_the_formats(edgecalc):
    lines = f"07 ÷ 2=\n{UNSURE[0]}\na\tb\\\n".encode()
    code, out, _ = result(edgecalc("predict", "--format", "tsv", input=lines))
    assert code == 1
    assert out.splitlines() == [
        "7/2\t3.5\t0.994015\t",
        f"{UNSURE[0]}\t{UNSURE[1]}\t0.004096\t",
        "a\\tb\\\\\t\t\texpected a number, found 'a': type one from 0 to 99 (column 1)",
    ]
    _, out, _ = result(edgecalc("predict", "--format", "jsonl", input=lines))
    assert [list(json.loads(line).values()) for line in out.splitlines()] == [
        ["7/2", "3.5", 0.994015, None],
        [UNSURE[0], UNSURE[1], 0.004096, None],
        ["a\tb\\", None, None, "expected a number, found 'a': type one from 0 to 99 (column 1)"],
    ]


def test_check_compares_with_the_truth(edgecalc):
    lines = f"1-1\n{WRONG[0]}\n2+2\nbad\n".encode()
    code, out, err = result(edgecalc("predict", "--check", "--quiet", input=lines))
    assert (code, out.splitlines()[:3]) == (1, ["0", WRONG[1], "4"])
    assert "integer arithmetic" in err.splitlines()[0]
    assert [line.split() for line in err.splitlines()[1:]] == [
        ["+", "100%", "1", "of", "1"],
        ["-", "50.00%", "1", "of", "2"],
        ["all", "66.66%", "2", "of", "3"],
    ]


def test_quiet_says_nothing_but_the_status_stays(edgecalc):
    assert result(edgecalc("predict", "--quiet", input=b"x\n"))[::2] == (1, "")


def test_output_to_a_file(edgecalc, tmp_path: Path):
    out = tmp_path / "out.txt"
    assert result(edgecalc("predict", "-o", out, input=b"1+1\n" * 1000)) == (0, "", "")
    assert out.read_text() == "2\n" * 1000
    edgecalc("predict", "-o", out, input=b"")
    assert out.read_text() == ""


def test_an_input_is_not_overwritten(edgecalc, tmp_path: Path):
    path = tmp_path / "in.txt"
    path.write_text("1+1\n")
    os.link(path, tmp_path / "link.txt")
    code, _, err = result(edgecalc("predict", path, "-o", tmp_path / "link.txt"))
    assert code == 1
    assert "is an input" in err
    assert path.read_text() == "1+1\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["predict", "missing.txt"], "missing.txt: No such file"),
        (["predict", "."], ".: is a directory"),
        (["predict", "-", "-o", "no/such/folder"], "no/such/folder: No such file"),
        (["predict", "--model", "missing.tflite"], "missing.tflite: "),
        (["--model=.", "1+1"], ".: is a directory"),
        (["info", "--model", os.devnull], "not a regular file"),
    ],
)
def test_files_that_cannot_be_used_are_named_in_one_line(
    edgecalc, tmp_path: Path, arguments: list[str], named: str
):
    code, out, err = result(edgecalc(*arguments, cwd=tmp_path))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("edgecalc: ")
    assert named in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--threads", "0", "1+1"],
        ["predict", "--threads", "-1"],
        ["predict", "--batch-size", "0"],
        ["predict", "--batch-size", "many"],
        ["predict", "--format", "xml"],
        ["predict", "--no-such-option"],
        ["--no-such-option"],
        ["info", "extra"],
    ],
)
def test_wrong_usage(edgecalc, arguments: list[str]):
    code, out, err = result(edgecalc(*arguments))
    assert (code, out) == (2, "")
    assert "usage: edgecalc" in err


@pytest.mark.parametrize("arguments", [["1+1"], ["predict"], ["info"], ["--help"]])
def test_a_full_disk(edgecalc, arguments: list[str]):
    with open("/dev/full", "wb") as full:
        code, _, err = result(edgecalc(*arguments, input=b"1+1\n", stdout=full))
    assert (code, err) == (1, "edgecalc: standard output: No space left on device\n")


def test_a_full_disk_behind_o(edgecalc):
    finished = edgecalc("predict", "-o", "/dev/full", input=b"1+1\n" * 1000)
    assert result(finished) == (1, "", "edgecalc: /dev/full: No space left on device\n")


def test_a_broken_pipe_ends_quietly(model_path: Path):
    command: Any = subprocess.Popen(
        [*COMMAND, "predict", "--model", str(model_path), "/dev/stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=user_environment(),
    )
    feeder = subprocess.Popen(["yes", "1+1"], stdout=command.stdin, stderr=subprocess.DEVNULL)
    command.stdin.close()
    assert command.stdout.readline() == b"2\n"
    command.stdout.close()
    assert (command.wait(timeout=30), command.stderr.read()) == (141, b"")
    assert feeder.wait(timeout=30) != 0


def test_info_is_read_from_the_file(edgecalc):
    code, out, err = result(edgecalc("info"))
    assert (code, err) == (0, "")
    assert out.startswith("edgecalc-test-float32\n")
    rows = [line.split() for line in out.splitlines()]
    assert ["+", "99.95%", "1,999", "of", "2,000", "100%", "10,000", "of", "10,000"] in rows
    assert ["-", "50.00%", "500", "of", "1,000", "99.99%", "9,999", "of", "10,000"] in rows
    _, out, _ = result(edgecalc("info", "--json"))
    assert json.loads(out)["card"]["training"]["steps"] == 12345


def test_version_and_help():
    for arguments, expected in (
        (["--version"], "edgecalc 0.2.0\n"),
        (["--help"], "usage: edgecalc"),
        (["predict", "--help"], "usage: edgecalc predict"),
        (["info", "--help"], "usage: edgecalc info"),
    ):
        finished = subprocess.run(
            [*COMMAND, *arguments], capture_output=True, text=True, check=True
        )
        assert finished.stdout.startswith(expected)


def test_unsure_answers_are_withheld(edgecalc, tmp_path):
    (tmp_path / "in").write_text(f"1+1\n{UNSURE[0]}\n5+\n")
    status, out, errors = result(edgecalc("predict", "--min-confidence", "0.5", tmp_path / "in"))
    assert (status, out) == (
        1,
        "2\n?\nerror: a number is missing: type one from 0 to 99 behind the + (column 3)\n",
    )
    assert errors.endswith("1 answers withheld, less sure than 0.5\n")
    finished = edgecalc("predict", "--min-confidence=0.5", "--check", tmp_path / "in")
    assert "1 of 1" in result(finished)[2]


@pytest.mark.parametrize("share", ["-1", "1.5", "half", "nan"])
def test_a_confidence_is_from_0_to_1(edgecalc, share):
    status, _, errors = result(edgecalc("predict", f"--min-confidence={share}"))
    assert (status, "must be a number from 0 to 1" in errors) == (2, True)


def test_compressed_files_are_read(edgecalc, tmp_path):
    (tmp_path / "in.gz").write_bytes(gzip.compress(b"1+1\n2+2\n"))
    (tmp_path / "in").write_text("3+3\n")
    done = edgecalc("predict", tmp_path / "in.gz", tmp_path / "in")
    assert result(done) == (0, "2\n4\n6\n", "")


@pytest.mark.parametrize(
    "content", [b"1+1\n", gzip.compress(b"1+1\n" * 9999)[:-9], b"\x1f\x8b\x08\0damaged"]
)
def test_a_damaged_compressed_file_is_one_line(edgecalc, tmp_path, content):
    (tmp_path / "in.gz").write_bytes(content)
    status, _, errors = result(edgecalc("predict", "--quiet", tmp_path / "in.gz"))
    assert (status, errors.count("\n")) == (1, 1)
    assert f"edgecalc: {tmp_path / 'in.gz'}: " in errors
