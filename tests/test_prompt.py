"""The prompt, in a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from pathlib import Path

import pytest

from tests.model_fixture import UNSURE
from tests.processes import COMMAND, user_environment


def test_the_prompt(model_path: Path, tmp_path: Path):
    """A terminal: errors and Ctrl-C do not end it, an unsure answer is marked, `quit` leaves."""
    session = Terminal([*COMMAND, "--model", str(model_path)], tmp_path)
    session.expect("> ")
    session.say("55+49\n", "104    (")
    session.expect(" ms)\r\n> ")
    session.say(
        "5+\n", "error: a number is missing: type one from 0 to 99 behind the + (column 3)\r\n> "
    )
    session.say("explain 5+4\n", "this model does not show its working\r\n> ")
    session.say("help\n", "a OP b with + - * / and up to 2 digits")
    session.expect("\r\n> ")
    session.say(f"{UNSURE[0]}\n", "144    (unsure: 0%, ")
    session.expect(" ms)\r\n> ")
    session.say("12+", "12+")
    time.sleep(0.3)  # Python loses a Ctrl-C until the next key if it is not yet waiting for one
    session.say("\x03", "\r\n> ")
    session.say("\n", "> ")
    session.say("\x1b[A\n", "144")  # the arrow brings the last expression back
    session.say("quit\n", "")
    assert session.status() == 0


def test_pasted_lines_are_answered_one_after_the_other(model_path: Path, tmp_path: Path):
    session = Terminal([*COMMAND, "--model", str(model_path)], tmp_path)
    session.expect("> ")
    session.say("1+1\n2+2\n3+3\nquit\n", "2    (")
    session.expect("4    (")
    session.expect("6    (")
    assert session.status() == 0


def test_the_next_run_remembers_what_was_typed(model_path: Path, tmp_path: Path):
    first = Terminal([*COMMAND, "--model", str(model_path)], tmp_path)
    first.expect("> ")
    first.say("55+44\n", "99    (")
    first.expect("> ")
    first.say("\x04", "")
    assert first.status() == 0
    assert "55+44" in (tmp_path / "edgecalc" / "history").read_text()
    second = Terminal([*COMMAND, "--model", str(model_path)], tmp_path)
    second.expect("> ")
    second.say("\x1b[A\n", "99    (")
    second.say("quit\n", "")
    assert second.status() == 0


def test_a_home_that_cannot_be_written_is_no_error(model_path: Path, tmp_path: Path):
    (tmp_path / "file").touch()
    session = Terminal([*COMMAND, "--model", str(model_path)], tmp_path / "file")
    session.expect("> ")
    session.say("1+1\n", "2    (")
    session.say("quit\n", "")
    assert session.status() == 0


# Now and then the signal comes before input() waits, so not only once.
@pytest.mark.parametrize("ending", [signal.SIGHUP, signal.SIGTERM] * 3)
def test_what_ends_the_prompt_leaves_its_history(model_path: Path, tmp_path: Path, ending):
    session = Terminal([*COMMAND, "--model", str(model_path)], tmp_path)
    session.expect("> ")
    session.say("55+44\n", "99    (")
    session.expect("> ")
    session.kill(ending)
    assert session.status() == 128 + ending
    assert "55+44" in (tmp_path / "edgecalc" / "history").read_text()


def test_a_terminal_that_is_closed_leaves_its_history(model_path: Path, tmp_path: Path):
    session = Terminal([*COMMAND, "--model", str(model_path)], tmp_path)
    session.expect("> ")
    session.say("55+44\n", "99    (")
    session.expect("> ")
    session.close()
    assert "55+44" in (tmp_path / "edgecalc" / "history").read_text()


def test_what_is_ignored_does_not_end_the_prompt(model_path: Path, tmp_path: Path):
    ignoring = ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh"]
    session = Terminal([*ignoring, *COMMAND, "--model", str(model_path)], tmp_path)
    session.expect("> ")
    session.kill(signal.SIGHUP)
    session.say("1+1\n", "2    (")
    session.say("quit\n", "")
    assert session.status() == 0


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_keeps_no_history(model_path: Path, tmp_path: Path, kind: str):
    history = tmp_path / "edgecalc" / "history"
    history.parent.mkdir()
    match kind:
        case "pipe":
            os.mkfifo(history)
        case "device":
            history.symlink_to("/dev/zero")
        case "folder":
            history.mkdir()
    mode = history.stat().st_mode
    session = Terminal([*COMMAND, "--model", str(model_path)], tmp_path)
    session.expect("> ")
    session.say("1+1\n", "2    (")
    session.say("quit\n", "")
    assert session.status() == 0
    assert history.stat().st_mode == mode


def test_the_end_of_input_leaves_the_prompt(model_path: Path, tmp_path: Path):
    session = Terminal([*COMMAND, "--model", str(model_path)], tmp_path)
    session.expect("> ")
    session.say("\x04", "")
    assert session.status() == 0


class Terminal:
    """A process in a terminal of its own."""

    def __init__(self, command: list[str], state: Path) -> None:
        self._shown = ""
        self._process, self._terminal = pty.fork()
        if self._process == 0:
            own = {"TERM": "dumb", "XDG_STATE_HOME": str(state)}
            os.execve(command[0], command, {**user_environment(), **own})

    def expect(self, text: str) -> None:
        """Reads until the text was shown; what comes behind it is left for the next time."""
        while text not in self._shown:
            ready, _, _ = select.select([self._terminal], [], [], 20)
            try:
                part = os.read(self._terminal, 1024).decode() if ready else ""
            except OSError:  # how Linux says that the other side was left
                part = ""
            assert part, f"{text!r} was not shown but {self._shown!r}"
            self._shown += part
        self._shown = self._shown.partition(text)[2]

    def say(self, typed: str, answer: str) -> None:
        """Types, and reads until the answer was shown."""
        os.write(self._terminal, typed.encode())
        if answer:
            self.expect(answer)

    def kill(self, number: int) -> None:
        """Sends a signal."""
        os.kill(self._process, number)

    def close(self) -> None:
        """Closes the terminal, as a window is closed, and waits for the end."""
        os.close(self._terminal)
        os.waitpid(self._process, 0)

    def status(self) -> int:
        """Waits for the end; the exit status."""
        try:
            while os.read(self._terminal, 1024):
                pass
        except OSError:
            pass
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
