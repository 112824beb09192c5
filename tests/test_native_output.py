"""Native announcements are held back, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from edgecalc.network.native_output import quiet, slow_import


def test_warnings_and_errors_follow_the_announcements_do_not(capfd: pytest.CaptureFixture[str]):
    with quiet():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nWARNING: hot\n")
        os.write(2, b"I0000 00:00:17.9 1 port.cc:153] oneDNN\nE0000 00:00:17.9 1 a.cc:1] broken\n")
    assert capfd.readouterr().err == "WARNING: hot\nE0000 00:00:17.9 1 a.cc:1] broken\n"


def test_ctrl_c_ends_a_slow_import_without_a_traceback():
    code = (
        "import os, signal; from edgecalc.network.native_output import slow_import\n"
        "with slow_import(): os.kill(os.getpid(), signal.SIGINT)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, "")


def test_ctrl_c_raises_again_after_an_import():
    with slow_import():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
