"""Batches answered by several processes: the same answers in the same order, no process left."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from edgecalc import Answer, Calculator, ExpressionError
from edgecalc.network import cores, jobs
from edgecalc.network.batches import Rows, in_batches
from edgecalc.network.jobs import Jobs
from edgecalc.network.model_file import ModelError
from edgecalc.shell import cli, predict

from tests.processes import COMMAND, user_environment

# Of all kinds, in an order that tells what is where; enough for several processes.
LINES = [
    [f"{n % 100}+{n * 7 % 100}", f" {n % 90} × {n % 7} =", f"x{n}", "12*12"][n % 4 if n % 9 else 0]
    for n in range(6000)
]


OTHERS: set[int] = set()


@pytest.fixture(autouse=True)
def others() -> None:
    """Children that other tests have left behind."""
    OTHERS.clear()
    OTHERS.update(children())


def children() -> set[int]:
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {int(pid) for pid in listed} - OTHERS


@pytest.mark.parametrize("batch_size", [16, 100, 256])
@pytest.mark.parametrize("style", ["text", "tsv", "jsonl"])
def test_the_output_is_that_of_one(
    model_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    style: str,
    batch_size: int,
):
    (tmp_path / "in").write_text("\n".join(LINES))
    written = []
    for number in ("1", "3"):
        out = tmp_path / f"out{number}"
        arguments = ["--format", style, "--check", "--min-confidence=0.5", "--jobs", number]
        arguments += ["-o", str(out), "--batch-size", str(batch_size), str(tmp_path / "in")]
        assert cli.main(["predict", "--model", str(model_path), *arguments]) == 1
        written.append((out.read_text(), capsys.readouterr()))
    assert written[0] == written[1]
    assert written[0][0].count("\n") == len(LINES)
    assert children() == set()


def test_the_answers_are_those_of_one(model_path: Path):
    calculator = Calculator(model_path)
    good = [text for text in LINES if not text.startswith("x")]
    answers = list(calculator.answers(good, batch_size=64, jobs=3))
    assert answers == list(calculator.answers(good, batch_size=64))
    assert all(type(answer) is Answer for answer in answers)
    told = calculator.answers([*good, "5 +", *good], batch_size=64, jobs=2)
    for answer in answers:
        assert next(told) == answer
    with pytest.raises(ExpressionError, match=rf"^item {len(good)}: a number is missing") as error:
        next(told)
    assert error.value.column == 4
    assert children() == set()


def test_answers_before_a_failure_of_whoever_asks_come_first(model_path: Path):
    def failing() -> Iterator[str]:
        yield from ["1+1"] * 5000
        raise LookupError

    for number in (1, 2):
        answers = Calculator(model_path).answers(failing(), batch_size=100, jobs=number)
        assert [next(answers).text for _ in range(5000)] == ["2"] * 5000
        with pytest.raises(LookupError):
            next(answers)


def test_an_iterator_that_is_left_ends_its_processes(model_path: Path):
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "1+1"

    answers: Any = Calculator(model_path).answers(endless(), batch_size=20, jobs=2)
    for _ in range(1000):
        assert next(answers).text == "2"
    assert len(children()) == 2
    assert taken <= 1000 + 20 * 10
    answers.close()
    assert children() == set()


def test_wrong_jobs(model_path: Path):
    with pytest.raises(ValueError, match="jobs must be at least 1: 0"):
        Calculator(model_path).answers([], jobs=0)


def double(batch: list[str]) -> list[str]:
    """Takes longer for the first ones, so that they would come last."""
    time.sleep(0.05 / (1 + int(batch[0])))
    if batch[0] == "50":
        raise ModelError("fifty")
    if batch[0] == "60":
        os._exit(1)
    return [text * 2 for text in batch]


def numbers(first: int, last: int) -> Iterator[list[str]]:
    return ([str(n)] * 16 for n in range(first, last))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch):
    """Processes from the first batch on."""
    monkeypatch.setattr(jobs, "_ALONE", 0)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_are_in_order(count: int):
    with Jobs(double, count) as shared:
        assert [one[0] for one in shared.stream(numbers(0, 40))] == [str(n) * 2 for n in range(40)]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("failing", "message"), [(50, "fifty"), (60, "process .* died")])
def test_results_before_a_failure_come_first(failing: int, message: str):
    with Jobs(double, 3) as shared:
        results = shared.stream(numbers(failing - 8, failing + 40))
        found = [next(results)[0] for _ in range(8)]
        assert found == [str(n) * 2 for n in range(failing - 8, failing)]
        with pytest.raises(ModelError, match=message):
            next(results)
    assert children() == set()


@pytest.mark.usefixtures("at_once")
def test_where_there_can_be_no_other_process_there_is_none(monkeypatch: pytest.MonkeyPatch):
    def fork() -> int:
        raise BlockingIOError("too many")

    monkeypatch.setattr(os, "fork", fork)
    with Jobs(double, 4) as shared:
        assert len(list(shared.stream(numbers(0, 5)))) == 5
    monkeypatch.delattr(os, "fork")
    with Jobs(double, 4) as shared:
        assert len(list(shared.stream(numbers(0, 5)))) == 5


@pytest.mark.usefixtures("at_once")
def test_batches_and_results_of_any_size_pass():
    with Jobs(double, 2) as shared:
        batches = [[str(n) * size for _ in range(16)] for n in (7, 8, 9) for size in (1, 9, 1)]
        batches = [[*batch, "x" * size] for batch in batches for size in (1, 3_000_000)]
        assert [one[0] for one in shared.stream(batches)] == [batch[0] * 2 for batch in batches]


def test_a_small_input_starts_no_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(jobs, "_Worker")
    with Jobs(double, 4) as shared:
        assert len(list(shared.stream(numbers(0, 8)))) == 8
        # Nor do batches that are answered sooner than handed over.
        assert len(list(shared.stream([["1"]] * 50))) == 50


@pytest.mark.usefixtures("at_once")
def test_what_is_on_its_way_does_not_wait():
    taken: list[int] = []

    def batches() -> Iterator[list[str]]:
        for n in range(6):
            taken.append(n)
            yield [str(n)] * 16
        yield []
        taken.append(-1)

    with Jobs(double, 4) as shared:
        results = shared.stream(batches())
        assert [next(results)[0] for _ in range(6)] == [str(n) * 2 for n in range(6)]
        assert taken == [*range(6)]
        assert list(results) == []


def test_in_batches():
    assert list(in_batches("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(in_batches("", 2)) == []
    nothing = object()
    assert list(in_batches(["a", nothing, "b", nothing], 2, nothing)) == [[], ["a", "b"], []]


class Pair(NamedTuple):
    a: int
    b: str | None


def test_rows_pass_as_they_are():
    for rows in (Rows[Pair](), Rows([Pair(1, "x"), Pair(2, None)])):
        loaded = pickle.loads(pickle.dumps(rows))
        assert loaded == rows
        assert [type(row) for row in loaded] == [type(row) for row in rows]


def start(model_path: Path, *arguments: str, **options: Any) -> Any:
    command = [*COMMAND, "predict", "--model", str(model_path), "--jobs=2", *arguments]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE} | options
    return subprocess.Popen(command, stderr=subprocess.PIPE, env=user_environment(), **options)


def group(process: Any) -> list[int]:
    """The processes that are left of a group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(pgrp) == process.pid and state != "Z":
            found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize(("ending", "status"), [("SIGINT", 130), ("SIGTERM", -15), ("SIGKILL", -9)])
def test_no_process_outlives_the_command(model_path: Path, ending: str, status: int):
    process = start(model_path, "--batch-size=100", start_new_session=True)
    process.stdin.write(b"1+1\n" * 2000)
    process.stdin.flush()
    assert process.stdout.read(4000) == b"2\n" * 2000  # all, while it waits for more
    assert len(group(process)) == 3
    # As Ctrl-C does, to all of them; another one is for the command alone.
    os.kill(-process.pid if ending == "SIGINT" else process.pid, getattr(signal, ending))
    assert process.wait(timeout=30) == status
    assert process.stderr.read() == (b"edgecalc: interrupted\n" if ending == "SIGINT" else b"")
    deadline = time.monotonic() + 30
    while group(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert group(process) == []


def test_a_broken_pipe_ends_quietly(model_path: Path):
    feeder: Any = subprocess.Popen(
        ["yes", "1+1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    process = start(model_path, stdin=feeder.stdout)
    feeder.stdout.close()
    assert process.stdout.read(100_000) == b"2\n" * 50_000
    process.stdout.close()
    assert (process.wait(timeout=30), process.stderr.read()) == (141, b"")
    feeder.wait(timeout=30)


def test_every_line_as_it_comes(model_path: Path):
    process = start(model_path, "--batch-size=1")
    for n in range(40):
        process.stdin.write(f"{n}+1\n".encode())
        process.stdin.flush()
        assert process.stdout.readline() == f"{n + 1}\n".encode()
    process.communicate()
    assert process.returncode == 0


def test_a_process_that_dies_is_one_line(model_path: Path):
    process = start(model_path, "--batch-size=100", start_new_session=True)
    process.stdin.write(b"1+1\n" * 2000)
    process.stdin.flush()
    assert process.stdout.read(4000) == b"2\n" * 2000
    for pid in group(process):
        if pid != process.pid:
            os.kill(pid, signal.SIGKILL)
    _, said = process.communicate(b"1+1\n" * 2000)
    assert process.returncode == 1
    assert said == b"edgecalc: a process that ran the model died; --jobs 1 needs none\n"


def test_threads_of_an_interpreter_and_processes_get_along():
    """Asked of the packaged model: threads share out products of matrices, a table has none."""
    code = (
        "from edgecalc import Calculator\n"
        "texts = [f'{n % 1000}+{n % 77}' for n in range(400)]\n"
        "two = Calculator(threads=2).answers(texts, 20, jobs=2)\n"
        "one = Calculator().answers(texts)\n"
        "assert [a.text for a in one] == [a.text for a in two]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)


@pytest.mark.parametrize("number", ["0", "1025", "x", "-1"])
def test_wrong_usage(number: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        cli.main(["predict", "--jobs", number])
    assert ended.value.code == 2
    assert "--jobs: must be" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [([], 4), (["--jobs=3"], 3), (["--threads=2"], 2), (["--threads=8"], 1)],
)
def test_by_default_all_cores(
    monkeypatch: pytest.MonkeyPatch, model_path: Path, arguments: list[str], expected: int
):
    asked = []

    def note(calculator: Calculator, options: predict.PredictOptions, say: Any) -> int:
        asked.append(options.jobs)
        return 0

    monkeypatch.setattr(cores, "available_cores", lambda: 4)
    monkeypatch.setattr(predict, "predict", note)
    assert cli.main(["predict", "--model", str(model_path), *arguments]) == 0
    assert asked == [expected]
