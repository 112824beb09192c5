"""Files that `edgecalc predict` reads and writes: none destroyed, none half written or read."""

from __future__ import annotations

import gzip
import os
import pty
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.processes import COMMAND, user_environment

BROKEN = gzip.compress(b"1+1\n" * 9999)[:-9]


@pytest.fixture
def predict(model_path: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs `edgecalc predict …` where the test has its files."""

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        defaults: dict[str, Any] = {
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
            "cwd": tmp_path,
        }
        finished = subprocess.run(
            [*COMMAND, "predict", "--model", str(model_path), *arguments],
            env=user_environment(),
            timeout=60,
            **(defaults | options),
        )
        assert b"Traceback" not in (finished.stderr or b"")
        return finished

    return run


@pytest.fixture
def start(model_path: Path, tmp_path: Path) -> Callable[..., Any]:
    """Starts `edgecalc predict …` and goes on."""

    def run(*arguments: str, **options: Any) -> Any:
        return subprocess.Popen(
            [*COMMAND, "predict", "--model", str(model_path), *arguments],
            env=user_environment(),
            cwd=tmp_path,
            **({"stderr": subprocess.PIPE} | options),
        )

    return run


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_output_that_is_standard_input_is_not_emptied(predict, tmp_path: Path):
    path = tmp_path / "b.txt"
    path.write_text("1+1\n")
    (tmp_path / "soft").symlink_to("b.txt")
    (tmp_path / "hard").hardlink_to(path)
    for out in ("b.txt", "soft", "hard"):
        with open(path) as given:
            finished = predict("-o", out, stdin=given)
        assert finished.returncode == 1
        assert finished.stderr.startswith(f"edgecalc: {out}: is an input; ".encode())
        assert path.read_text() == "1+1\n"
    with open(path) as given:
        assert predict("/dev/stdin", "-o", "b.txt", stdin=given).returncode == 1
    assert sorted(os.listdir(tmp_path)) == ["b.txt", "hard", "soft"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("name", ["app.txt", "link", "-"])
def test_an_input_that_a_shell_appends_to_does_not_grow(
    predict, tmp_path: Path, stream: str, name: str
):
    path = tmp_path / "app.txt"
    path.write_text("1+1\nx\n")
    (tmp_path / "link").symlink_to("app.txt")
    with open(path, "ab") as appended, open(path, "rb") as given:
        finished = predict(name, **{"stdin": given, stream: appended})
    assert finished.returncode == 1
    complaint = path.read_bytes() if stream == "stderr" else finished.stderr
    assert b"standard " in complaint
    assert complaint.count(b"is an input; the output would") == 1
    assert path.read_bytes().count(b"\n") == (3 if stream == "stderr" else 2)


def test_an_empty_file_as_both_ends_at_once(predict, tmp_path: Path):
    path = tmp_path / "b.txt"
    path.write_text("1+1\n")
    with open(path, "r+b") as given, open(path, "wb") as out:  # as `edgecalc < b.txt > b.txt`
        assert predict(stdin=given, stdout=out).returncode == 0
    # Read first it is harmless. Read after something else it would have grown.
    (tmp_path / "a.txt").write_text("1+1\n")
    with open(path, "ab") as out:
        assert predict("a.txt", "b.txt", stdout=out).returncode == 1
    assert path.read_text() == ""


def test_what_is_no_regular_file_may_be_both(predict):
    with open(os.devnull, "r+b") as null:
        assert predict("-", os.devnull, "-o", os.devnull, stdin=null, stdout=null).returncode == 0
    # Both ends of a pipe are one inode, and so is a terminal.
    read, write = os.pipe()
    os.write(write, b"1+1\n")
    os.close(write)
    assert predict(stdin=read).stdout == b"2\n"
    os.close(read)
    controller, terminal = pty.openpty()
    os.write(controller, b"1+1\n\x04")
    assert predict("-", "-o", "/dev/stdout", stdin=terminal, stdout=terminal).returncode == 0
    shown = b""
    while b"\n2" not in shown:
        shown += os.read(controller, 100)
    os.close(controller)
    os.close(terminal)


def test_a_failing_run_leaves_an_older_result_as_it_was(predict, tmp_path: Path):
    (tmp_path / "a.csv").write_text("task\n1+1\n")
    (tmp_path / "b.csv").write_text("other\n2+2\n")
    (tmp_path / "bad.gz").write_bytes(BROKEN)
    out = tmp_path / "out.txt"
    out.write_text("older\n")
    for arguments in (["--column", "nope", "a.csv"], ["missing"], ["."], ["--check", "missing"]):
        assert predict(*arguments, "-o", "out.txt").returncode == 1
        assert sorted(os.listdir(tmp_path)) == ["a.csv", "b.csv", "bad.gz", "out.txt"]
    finished = predict("--column=task", "a.csv", "b.csv", "-o", "out.txt")
    assert finished.returncode == 1
    assert finished.stderr.decode().splitlines() == [
        "edgecalc: the answers so far are in out.txt.part",
        "edgecalc: b.csv: has no column 'task' in its first line",
    ]
    assert (tmp_path / "out.txt.part").read_text() == "2\n"
    assert predict("--column=1", "a.csv", "bad.gz", "-o", "out.txt", "--quiet").returncode == 1
    # Nor is what another run has left, or is writing.
    assert (tmp_path / "out.txt.part").read_text() == "2\n"
    assert (tmp_path / "out.txt.2.part").read_text().startswith("error: ")
    assert out.read_text() == "older\n"


def test_a_new_result_has_its_name_when_it_is_whole(start, tmp_path: Path):
    process = start("-o", "out.txt", "--batch-size=1", stdin=subprocess.PIPE)
    process.stdin.write(b"1+1\n")
    process.stdin.flush()
    part = tmp_path / "out.txt.part"
    until(lambda: part.exists() and part.read_text() == "2\n")
    assert not (tmp_path / "out.txt").exists()
    process.communicate(b"2+2\n")
    assert process.returncode == 0
    assert os.listdir(tmp_path) == ["out.txt"]
    assert (tmp_path / "out.txt").read_text() == "2\n4\n"


def test_a_result_is_the_file_that_it_replaces(predict, tmp_path: Path):
    folder = tmp_path / "folder"
    folder.mkdir()
    real = folder / "real.txt"
    real.write_text("older and longer\n")
    real.chmod(0o640)
    (tmp_path / "link").symlink_to("folder/real.txt")
    (tmp_path / "dangling").symlink_to("folder/new.txt")
    for name in ("link", "dangling"):
        assert predict("-", "-o", name, input=b"1+1\n", stdin=None).returncode == 0
        assert (tmp_path / name).is_symlink()
    assert (real.read_text(), stat.S_IMODE(real.stat().st_mode)) == ("2\n", 0o640)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((folder / "new.txt").stat().st_mode) == 0o666 & ~mask
    # To replace one of several hard links would part it from the others.
    (tmp_path / "hard").hardlink_to(real)
    predict("-", "-o", "hard", input=b"2+2\n", stdin=None)
    assert real.read_text() == "4\n"
    assert sorted(os.listdir(folder)) == ["new.txt", "real.txt"]
    assert sorted(os.listdir(tmp_path)) == ["dangling", "folder", "hard", "link"]


def test_a_name_too_long_for_more_is_written_as_it_is(predict, tmp_path: Path):
    name = "n" * 254
    assert predict("-", "-o", name, input=b"1+1\n", stdin=None).returncode == 0
    assert (tmp_path / name).read_text() == "2\n"


def test_what_is_no_regular_file_is_written_as_it_is(predict, start, tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "in").write_text("1+1\n")
    process = start("in", "-o", "fifo")
    assert (tmp_path / "fifo").read_text() == "2\n"
    assert process.wait(timeout=30) == 0
    (tmp_path / "stdout").symlink_to("/dev/stdout")
    log = tmp_path / "log"
    log.write_text("before\n")
    for name in ("/dev/stdout", "/dev/fd/1", "stdout"):
        with open(log, "ab") as out:
            assert predict("in", "-o", name, stdout=out).returncode == 0
    assert log.read_text() == "before\n2\n2\n2\n"
    assert sorted(os.listdir(tmp_path)) == ["fifo", "in", "log", "stdout"]


@pytest.mark.parametrize("name", ["folder/", "folder", "no/such", "in/x"])
def test_an_output_that_cannot_be_is_one_line(predict, tmp_path: Path, name: str):
    (tmp_path / "folder").mkdir()
    (tmp_path / "in").write_text("1+1\n")
    finished = predict("in", "-o", name)
    assert (finished.returncode, finished.stderr.count(b"\n")) == (1, 1)
    assert sorted(os.listdir(tmp_path)) == ["folder", "in"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_leaves_an_older_result_and_the_answers_so_far(
    start, tmp_path: Path, jobs: str
):
    out = tmp_path / "out.txt"
    out.write_text("older\n")
    process = start("-o", "out.txt", "--jobs", jobs, stdin=subprocess.PIPE)
    process.stdin.write(b"1+1\n" * 256 * 20)
    process.stdin.flush()
    part = tmp_path / "out.txt.part"
    # Whatever is whole is answered and written while it waits for more.
    until(lambda: part.exists() and part.read_text() == "2\n" * 256 * 20)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert process.stderr.read().decode().splitlines() == [
        "edgecalc: the answers so far are in out.txt.part",
        "edgecalc: interrupted",
    ]
    assert (out.read_text(), part.read_text()) == ("older\n", "2\n" * 256 * 20)
    process.stdin.close()


@pytest.mark.parametrize("blocking", ["in", "out", "both"])
def test_who_shares_a_pipe_can_make_it_non_blocking(start, blocking: str):
    given, feed = os.pipe()
    result, out = os.pipe()
    os.set_blocking(given, blocking == "out")
    os.set_blocking(out, blocking == "in")
    process = start("--format", "jsonl", stdin=given, stdout=out)
    os.close(given)
    os.close(out)
    count = 4000  # more than a pipe holds, and nobody reads as yet
    time.sleep(0.5)  # there is nothing to read, which is not the end
    with open(feed, "wb", buffering=0) as file:
        for _ in range(4):
            file.write(b"1+1\n" * (count // 4))
            time.sleep(0.1)
    with open(result, "rb") as file:
        written = file.read()
    assert (process.wait(timeout=30), process.stderr.read()) == (0, b"")
    assert written.count(b'"answer": "2"') == count


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("lines", [1, 5000])
def test_what_stands_before_a_broken_file_is_answered(
    predict, tmp_path: Path, jobs: str, lines: int
):
    (tmp_path / "a.txt").write_text("1+1\n" * lines)
    (tmp_path / "broken.gz").write_bytes(BROKEN)
    (tmp_path / "b.csv").write_text("other\n2+2\n")
    finished = predict("a.txt", "broken.gz", "--jobs", jobs)
    assert finished.returncode == 1
    assert finished.stderr.startswith(b"edgecalc: broken.gz: ")
    # Of the broken file, too, what could be read.
    assert finished.stdout[: 2 * lines] == b"2\n" * lines
    assert len(finished.stdout) > 2 * lines
    (tmp_path / "a.csv").write_text("task\n" + "1+1\n" * lines)
    finished = predict("--column=task", "a.csv", "b.csv", "--jobs", jobs)
    assert finished.returncode == 1
    assert finished.stdout == b"2\n" * lines


@pytest.mark.skipif(os.geteuid() != 0, reason="the owner of a file is changed")
def test_a_file_keeps_its_owner(predict, tmp_path: Path):
    out = tmp_path / "out.txt"
    out.write_text("older\n")
    os.chown(out, 12345, 23456)
    assert predict("-", "-o", "out.txt", input=b"1+1\n", stdin=None).returncode == 0
    assert (out.stat().st_uid, out.stat().st_gid) == (12345, 23456)
    assert out.read_text() == "2\n"
