"""What is typed behind `edgecalc`: expressions that a shell took apart, names of files, numbers."""

from __future__ import annotations

import contextlib
import gzip
import subprocess
from pathlib import Path

import pytest
from edgecalc.language.language import ExpressionError
from edgecalc.shell import arguments, cli, joined, lines

from tests.processes import COMMAND, user_environment


@pytest.fixture
def run(model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary):
    """Runs `edgecalc` in this process, in a folder of its own: exit status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", None)

    def run(*given: str) -> tuple[int, str, str]:
        try:
            status = cli.main([*given, "--model", str(model_path)])
        except SystemExit as exit:
            status = int(exit.code or 0)
        out, errors = capfdbinary.readouterr()
        return status, out.decode(), errors.decode()

    return run


def shell(command: str, model_path: Path, folder: Path):
    return subprocess.run(
        ["bash", "-c", command, "bash", *COMMAND, "--model", str(model_path)],
        cwd=folder,
        env=user_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("given", "out"),
    [
        (["5", "+", "3"], "8\n"),
        (["5", "+3"], "8\n"),
        (["5+", "3"], "8\n"),
        (["5", "-3"], "2\n"),
        (["5", "-", "3", "="], "2\n"),
        (["8", "/", "2"], "4\n"),
        (["7", "x", "8"], "56\n"),
        (["1+1", "2+2"], "2\n4\n"),
        (["1+1", " 2 + 2 "], "2\n4\n"),
    ],
)
def test_an_expression_may_come_in_several_arguments(run, given, out):
    assert run(*given) == (0, out, "")


@pytest.mark.parametrize(
    ("given", "refusals"),
    [
        (["-5", "+", "3"], ["type 3-5 (column 1)"]),
        (["1.5", "+", "2"], ["type 15+20, whose answer is 10 times as large (column 2)"]),
        (["2", "+", "3", "*", "4"], ["type 3*4 first, then the rest with its answer (column 7)"]),
        (["5", "+"], ["type one from 0 to 99 behind the + (column 4)"]),
        (["5", "/", "3", "/", "2"], ["type 5/3 first, then the rest with its answer (column 7)"]),
        (["5", "3"], ["and a number (column 2)"] * 2),
        (["", ""], ["such as 55+49"] * 2),
    ],
)
def test_one_in_several_arguments_is_refused_as_one(run, given, refusals):
    status, out, errors = run(*given)
    assert status == 1
    found = out.splitlines()
    assert len(found) == len(errors.splitlines()) == len(refusals)
    assert all(line.endswith(end) for line, end in zip(found, refusals, strict=True))


def test_what_is_an_expression_alone_is_answered_alone(run):
    status, out, _ = run("1+1", "=", "x")
    assert (status, out.splitlines()[0], out.count("\n")) == (1, "2", 3)


def test_an_explanation_may_come_in_several_arguments(edgecalc_explains):
    out = edgecalc_explains("--explain 5 + 3")
    assert out.startswith("5+3 = 8\n")
    assert edgecalc_explains("--explain 5+3") == out
    assert edgecalc_explains("5 + 3 --explain") == out


@pytest.fixture
def edgecalc_explains(tmp_path: Path):
    """Runs the model of the package, which shows its working."""

    def run(given: str) -> str:
        return subprocess.run(
            [*COMMAND, *given.split()],
            cwd=tmp_path,
            env=user_environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    return run


def test_names_of_files_in_the_place_of_an_operator(model_path: Path, tmp_path: Path):
    assert shell('"$@" 2 * 3', model_path, tmp_path).stdout == "6\n"  # nothing to put in its place
    (tmp_path / "a.txt").touch()
    (tmp_path / "b \x1b.txt").touch()
    done = shell('"$@" 2 * 3', model_path, tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("edgecalc: a.txt is the name of a file: put an expression in quo")
    done = shell('"$@" --explain b*', model_path, tmp_path)
    assert done.stderr.startswith("edgecalc: b \\x1b.txt is the name of a file: ")
    assert shell('"$@" "2 * 3"', model_path, tmp_path).stdout == "6\n"


def test_expressions_go_by_what_the_language_reads():
    def read(text: str) -> str:
        if text not in ("black swan", "swan"):
            raise ExpressionError("no bird")
        return text

    assert joined.expressions_in(["swan", "goose"], read) == ["swan", "goose"]
    assert joined.expressions_in(["black", "swan"], read) == ["black", "swan"]
    assert joined.expressions_in(["black", "sw", "an"], read) == ["black", "sw", "an"]


LONG = "1" + "0" * 5000


@pytest.mark.parametrize("option", ["--batch-size", "--threads", "--column"])
@pytest.mark.parametrize("number", [LONG, "0" * 5000, f"000000{2**31}", "00000000019999999999999"])
def test_no_number_is_too_long_to_be_refused(run, option, number):
    status, out, errors = run("predict", option, number)
    assert (status, out) == (2, "")
    assert "number, from 1 to 2,147,483,647" in errors.replace("number from", "number, from")
    assert len(errors) < 1000


def test_zeros_in_front_count_for_nothing(run, tmp_path):
    (tmp_path / "in").write_text("a,1+1\n")
    given = ["--column", "0" * 5000 + "2", "--batch-size", "0" * 5000 + "2", "--threads=01"]
    assert run("predict", *given, "in") == (0, "2\n", "")


@pytest.mark.parametrize(
    "given",
    [["predict", ""], ["predict", "-o", ""], ["predict", "--output="], ["info", "--model", ""]],
)
def test_a_file_has_a_name(given):
    with pytest.raises(SystemExit) as caught:
        arguments.parse(given)
    assert caught.value.code == 2


def test_names_that_begin_with_minus_and_a_digit(run, tmp_path: Path):
    (tmp_path / "-5.txt").write_text("1+1\n")
    assert run("predict", "-5.txt", "-o", "-6.txt", "--quiet") == (0, "", "")
    assert (tmp_path / "-6.txt").read_text() == "2\n"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["info", "-5\x1b"], "unrecognized arguments: -5\\x1b"),
        (["predict", "--form\x1b]0;"], "unrecognized arguments: --form\\x1b]0;"),
        (["predict", "--threads", "\x1b\n"], "\\x1b\\n"),
        (["predict", "a\x1b]0;\n\x9b"], "edgecalc: a\\x1b]0;\\n\\x9b: No such file"),
        (["--model", "a\x1b]0;\n\u202e", "1+1"], "a\\x1b]0;\\n\\u202e: is no file"),
        (["predict", "--column", "\x1b", "in\x1b"], "in\\x1b: has no column '\\x1b'"),
        (["predict", "in\x1b"], "in\\x1b:1: expected a number"),
        (["predict", "-o", "no\x1b/out", "in\x1b"], "no\\x1b/out: No such file"),
        (["in\x1b", "+"], "edgecalc: in\\x1b is the name of a file"),
    ],
)
def test_no_name_does_to_the_terminal_as_it_likes(tmp_path, monkeypatch, capfd, given, named):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in\x1b").write_text("x\n")
    with contextlib.suppress(SystemExit):
        cli.main(given)
    errors = capfd.readouterr().err
    assert named in errors
    assert all(line.isprintable() for line in errors.split("\n"))


def test_what_can_be_shown_is_shown_as_it_is():
    assert lines.printable("a\\b é×") == "a\\b é×"
    assert lines.printable("\udcff\t\0") == "\\udcff\\t\\x00"
    assert lines.escape("a\\b\t") == "a\\\\b\\t"


def test_answers_are_compressed_if_the_name_says_so(run, tmp_path: Path):
    (tmp_path / "in.txt").write_text("1+1\n" * 1000 + "x\n")
    assert run("predict", "in.txt", "-o", "out.gz", "--quiet")[0] == 1
    content = (tmp_path / "out.gz").read_bytes()
    refusal = b"error: expected a number, found '*': type one from 0 to 99 (column 1)\n"
    assert gzip.decompress(content) == b"2\n" * 1000 + refusal
    run("predict", "in.txt", "-o", "out.gz", "--quiet")
    assert (tmp_path / "out.gz").read_bytes() == content
    (tmp_path / "1.gz").write_bytes(gzip.compress(b"1+1\n"))
    assert run("predict", "1.gz", "-o", "2.gz") == (0, "", "")
    assert gzip.decompress((tmp_path / "2.gz").read_bytes()) == b"2\n"


def test_a_full_disk_behind_compression_is_named(run, tmp_path: Path):
    (tmp_path / "full.gz").symlink_to("/dev/full")
    (tmp_path / "in.txt").write_text("1+1\n" * 1000)
    failed = (1, "", "edgecalc: full.gz: No space left on device\n")
    assert run("predict", "in.txt", "-o", "full.gz") == failed


def test_too_little_memory_is_one_line(model_path: Path, tmp_path: Path):
    """A batch of all lines there are, in an address space that they do not fit into."""
    command = (
        'ulimit -v 800000; yes "$(printf %990s 1+1)" | '
        '"$@" predict --batch-size 2147483647 --threads 1'
    )
    done = shell(command, model_path, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "edgecalc: out of memory\n")


@pytest.mark.parametrize("name", ["", "predict", "info"])
def test_help_says_what_is_possible(name: str, monkeypatch: pytest.MonkeyPatch):
    text = " ".join(arguments.parser_of(name).format_help().split())
    assert "a OP b with + - * / and up to 3 digits" in text
    assert "no negative numbers or decimals in a and b" in text
    assert "× · x X for *" in text
    monkeypatch.setattr("edgecalc.network.model_file.MODELS", Path("/nowhere"))
    assert "as edgecalc info tells" in arguments.parser_of(name).format_help()
