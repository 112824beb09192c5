"""The service on a serial line, by the commands of its unit file, on a pseudo-terminal."""

from __future__ import annotations

import configparser
import fcntl
import os
import pty
import random
import select
import shlex
import shutil
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import COMMAND, user_environment

UNIT = Path(__file__).parents[1] / "docs" / "calculator.service"
PROGRAM = "/home/pi/calculator/bin/edgecalc"
DEVICE = "/dev/serial0"
# By kind of damage that they did: signals, end of input, stopped output, editing, next literal.
CONTROLS = b"\x03\x1c\x1a\x04\x13\x11\x08\x7f\x15\x17\x12\x16\x0f\x00\xff"

pytestmark = pytest.mark.skipif(shutil.which("stty") is None, reason="there is no stty")


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser


class Service:
    """What systemd does with the unit: a session of its own whose terminal is the line."""

    def __init__(self, model: Path, also: str = "") -> None:
        self._line, terminal = pty.openpty()
        path = os.ttyname(terminal)
        service = unit()["Service"]
        prepare = service["ExecStartPre"].replace(DEVICE, path) + f" {also}"
        stty, *settings = shlex.split(prepare)
        assert stty == "/usr/bin/stty"
        subprocess.run(["stty", *settings], check=True)
        program, *arguments = shlex.split(service["ExecStart"])
        assert program == PROGRAM
        assert service["TTYPath"] == DEVICE
        self.process: Any = subprocess.Popen(
            [*COMMAND, *arguments, "--model", str(model)],
            stdin=terminal,
            stdout=terminal,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env=user_environment(),
        )
        os.close(terminal)
        self._read = b""

    def send(self, content: bytes) -> None:
        while content:
            content = content[os.write(self._line, content[:512]) :]

    def receive(self) -> bytes:
        """The next answer, without its CR LF."""
        while b"\r\n" not in self._read:
            ready, _, _ = select.select([self._line], [], [], 60)
            assert ready, f"no answer, only {self._read!r}"
            self._read += os.read(self._line, 4096)
        answer, _, self._read = self._read.partition(b"\r\n")
        return answer

    def ask(self, line: bytes) -> bytes:
        self.send(line)
        return self.receive()

    def hang_up(self) -> int:
        """The line is lost; the exit status of the service."""
        os.close(self._line)
        self._line = -1
        return self.process.wait(timeout=60)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        if self._line >= 0:
            os.close(self._line)


@pytest.fixture
def service(model_path: Path) -> Iterator[Service]:
    started = Service(model_path)
    yield started
    started.end()


def test_every_line_has_one_answer_however_it_ends(service: Service):
    assert service.ask(b"55+49\n") == b"104"
    assert service.ask(b"55+49\r\n") == b"104"
    assert service.ask(b"\r\n") == service.ask(b"\n")
    assert service.ask(b"\n").startswith(b"error: ")
    assert service.ask(b"7*8\r\n") == b"56"


@pytest.mark.parametrize("control", CONTROLS)
def test_no_byte_ends_it_or_stops_it(service: Service, control: int):
    """Before a line, in it, at its end, and alone in one."""
    byte = bytes([control])
    for line in (byte + b"1+1\n", b"1" + byte + b"+1\n", b"1+1" + byte + b"\r\n", byte + b"\n"):
        service.send(line)
    answers = [service.receive() for _ in range(4)]
    # Some are white space, which may stand at either end.
    assert all(answer == b"2" or answer.startswith(b"error: ") for answer in answers)
    assert service.ask(b"1+1\n") == b"2"


def test_lines_of_any_bytes(service: Service):
    """Noise at the start, lines of all bytes but LF, long lines: as many answers, in order."""
    randomly = random.Random(11)
    service.ask(bytes(randomly.randrange(11, 256) for _ in range(3000)) + b"\n")
    for number in range(300):
        size = randomly.choice([1, 5, 60, 5000 if number % 50 == 0 else 200])
        noise = bytes(randomly.randrange(256) for _ in range(size)).replace(b"\n", b"\r")
        ending = randomly.choice([b"\n", b"\r\n"])
        service.send(noise + ending)
        service.receive()
        left, right = randomly.randrange(50), randomly.randrange(50)
        answer = service.ask(b"%d+%d%s" % (left, right, ending))
        assert answer == b"%d" % (left + right)
    assert service.process.poll() is None


def test_many_lines_at_once_are_answered_in_order(service: Service):
    service.send(b"".join(b"%d+1\r\n" % number for number in range(99)))
    assert [service.receive() for _ in range(99)] == [b"%d" % (n + 1) for n in range(99)]


def test_nothing_is_echoed_and_a_part_of_a_line_waits(service: Service):
    service.send(b"55")
    service.send(b"+4")
    assert service.ask(b"9\n") == b"104"


def test_a_peer_that_ends_its_lines_in_cr_alone(model_path: Path):
    """As a terminal program does: by the word that the unit file names."""
    assert "add icrnl at the end" in UNIT.read_text()
    service = Service(model_path, also="icrnl")
    assert [service.ask(b"1+1\r"), service.ask(b"7*8\r")] == [b"2", b"56"]
    service.end()


def test_it_ends_when_the_line_is_lost_and_starts_again_for_ever(service: Service):
    assert service.ask(b"1+1\n") == b"2"
    service.hang_up()
    assert b"Traceback" not in service.process.stderr.read()
    parsed = unit()
    assert parsed["Unit"]["StartLimitIntervalSec"] == "0"
    assert parsed["Service"]["Restart"] == "always"
    assert float(parsed["Service"]["RestartSec"]) > 0
