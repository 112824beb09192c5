"""Ctrl-C while the command starts: one line and status 130, whatever is loading just then."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import COMMAND, user_environment

LINE = "edgecalc: interrupted\n"
# Sends Ctrl-C when a module is about to be loaded.
AT_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(name, path, target=None):
        if name == {module!r}:
            sys.meta_path.remove(Finder)  # once is enough
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder)
sys.argv[1:] = {arguments!r}
from edgecalc.__main__ import main
sys.exit(main())
"""
MODULES = [
    "edgecalc.shell.leaving",
    "edgecalc.shell.cli",
    "argparse",
    "edgecalc.calculator",
    "numpy",
    "numpy.linalg",
]


def run(code: str) -> tuple[int, str, str]:
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=user_environment(),
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize("module", MODULES)
def test_it_ends_the_command_at_any_import(module: str):
    assert run(AT_IMPORT.format(module=module, arguments=["55+49"])) == (130, "", LINE)


def test_it_ends_the_command_while_an_interpreter_is_looked_for():
    """There an ImportError says that one does not work, and the next is tried."""
    module = importlib.import_module("edgecalc.network.predictor").find_interpreter().__name__
    assert run(AT_IMPORT.format(module=module, arguments=["55+49"])) == (130, "", LINE)


def test_it_waits_while_stderr_is_exchanged():
    """An interrupt there would write its line into what is dropped."""
    code = """
import os, signal, sys
from edgecalc.__main__ import main
from edgecalc.shell import cli
def calculator(*_):
    os.kill(os.getpid(), signal.SIGINT)
    os.write(2, b"INFO: an announcement\\n")
    print("made", flush=True)
cli.Calculator = calculator
sys.argv[1:] = ["1+1"]
sys.exit(main())
"""
    assert run(code) == (130, "made\n", LINE)


@pytest.mark.parametrize("closed", [True, False])
def test_it_needs_no_stderr(closed: bool):
    code = AT_IMPORT.format(module="numpy", arguments=["55+49"])
    redirection = "2>&-" if closed else "2>/dev/full"
    ended = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {redirection}', sys.executable, code],
        capture_output=True,
        check=False,
        env=user_environment(),
    )
    assert (ended.returncode, ended.stdout) == (130, b"")


def test_where_it_is_ignored_it_stays_ignored(model_path: Path):
    """As for whatever a shell started in the background."""
    code = AT_IMPORT.format(module="numpy", arguments=["--model", str(model_path), "1+1"])
    assert run(f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{code}") == (
        0,
        "2\n",
        "",
    )


def test_work_that_tidies_up_gets_an_exception_and_nothing_else_does():
    code = """
import signal
from edgecalc.shell import interrupts, leaving
signal.signal(signal.SIGINT, leaving.leave)
try:
    with interrupts.raised():
        signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("raised", flush=True)
signal.raise_signal(signal.SIGINT)
print("not reached")
"""
    assert run(code) == (130, "raised\n", LINE)


def test_whoever_runs_the_command_in_python_keeps_their_handler():
    code = """
import signal
from edgecalc.shell import cli, interrupts
mine = lambda *_: print("mine", flush=True)
signal.signal(signal.SIGINT, mine)
with interrupts.raised(), interrupts.hushed():
    signal.raise_signal(signal.SIGINT)
cli.main(["1+1"])
print(signal.getsignal(signal.SIGINT) is mine)
"""
    assert run(code) == (0, "mine\n2\nTrue\n", "")


def test_the_script_and_the_module_start_in_the_same_place():
    pyproject = Path(__file__).parents[1] / "runtime/pyproject.toml"
    assert 'edgecalc = "edgecalc.__main__:main"' in pyproject.read_text()


def test_nothing_of_size_is_loaded_before_it_is_handled():
    code = """
import os, signal, sys
before = set(sys.modules)
seen = []
signal.signal = lambda *_: seen.append(set(sys.modules)) or os._exit(print(
    sorted(set(sys.modules) - before), flush=True) or 0)
from edgecalc.__main__ import main
main()
"""
    assert run(code) == (
        0,
        "['edgecalc', 'edgecalc.__main__', 'edgecalc.shell', 'edgecalc.shell.leaving']\n",
        "",
    )


@pytest.mark.slow
def test_at_no_moment_is_there_a_traceback_of_ours(model_path: Path):
    """Ctrl-C at moments 2 ms apart; what Python says of its own start is not ours."""
    for milliseconds in range(0, 300, 2):
        command = subprocess.Popen(
            [*COMMAND, "--model", str(model_path), "1+1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=user_environment(),
        )
        time.sleep(milliseconds / 1000)
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=60)
        assert out in ("", "2\n")
        assert err in ("", LINE) or f"{os.sep}edgecalc{os.sep}" not in err, (milliseconds, err)
