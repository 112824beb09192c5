"""The built wheel on the machines it is for, against the answers of this one.

`make test-pi` runs it. What takes long, a machine's tree and what is installed there, stays in
build/pi, so that the next run only asks for answers.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from edgecalc.language.codec import decode, encode_symbols
from edgecalc.network.model_file import read_packaged_model

from tasks.task import task_of
from tests.pi.machines import MACHINES, Machine

REPOSITORY = Path(__file__).parents[2]
MODELS = [*REPOSITORY.glob("runtime/edgecalc/models/*.tflite")]
LINES = 2000
ODD_LINES = ["  007 × 8 =", "842 ÷ 37", "5+", "1000+1", "7/0", "", "x" * 2000, "999−1"]
MAX_INSTALLED_BYTES = 100e6


@pytest.fixture(scope="session")
def wheel() -> Path:
    (wheel,) = REPOSITORY.glob("build/wheel/edgecalc-*.whl")
    return wheel


@pytest.fixture(scope="session")
def lines() -> bytes:
    spec = read_packaged_model().spec
    task = task_of(spec.to_dict())
    indices = np.linspace(0, task.size - 1, LINES - len(ODD_LINES)).astype(np.int64)
    even = decode(encode_symbols(task.examples(indices).expressions(), spec), spec)
    return "".join(f"{line}\n" for line in [*even, *ODD_LINES]).encode()


@pytest.fixture(scope="module", params=MACHINES, ids=lambda machine: machine.name)
def machine(request: pytest.FixtureRequest, wheel: Path) -> Machine:
    """A machine on which the wheel is installed."""
    machine = request.param
    if machine.missing:
        pytest.skip(machine.missing)
    if not machine.has_installed(wheel, "venv"):
        request.getfixturevalue("package_index")
        machine.build()
        installed = machine.install(wheel, "venv")
        assert installed.returncode == 0, installed.stderr
    return machine


def here(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgecalc", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_it_calculates(machine: Machine):
    finished = machine.run("venv/bin/edgecalc", "55+49")
    assert (finished.stdout, finished.stderr, finished.returncode) == ("104\n", "", 0)


def test_it_describes_its_model(machine: Machine):
    finished = machine.run("venv/bin/edgecalc", "info", "--json")
    expected = here("info", "--json", folder=machine.home)
    assert (finished.stdout, finished.stderr) == (expected.stdout, "")


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.name)
def test_it_answers_as_here(machine: Machine, model: Path, lines: bytes):
    (machine.home / "lines.txt").write_bytes(lines)
    shutil.copyfile(model, machine.home / "model.tflite")
    arguments = ("predict", "--model", "model.tflite", "lines.txt")
    expected = here(*arguments, folder=machine.home)
    finished = machine.run("venv/bin/edgecalc", *arguments)
    answers = finished.stdout.splitlines()
    assert len(answers) == LINES
    assert answers == expected.stdout.splitlines()
    assert (finished.stderr, finished.returncode) == (expected.stderr, expected.returncode)


def test_the_right_interpreter_runs(machine: Machine):
    finished = machine.run("venv/bin/edgecalc", "info")
    assert f"\n  interpreter  {machine.runs} " in finished.stdout


def test_it_shows_its_working(machine: Machine):
    arguments = ("--explain", "842/37")
    finished = machine.run("venv/bin/edgecalc", *arguments)
    assert (finished.stdout, finished.stderr) == (here(*arguments, folder=machine.home).stdout, "")


def test_it_installs_little(machine: Machine):
    (packages,) = machine.home.glob("venv/lib/python3.*/site-packages")
    # pip and what it came with are not needed to run it.
    size = sum(
        path.lstat().st_size
        for path in packages.rglob("*")
        if path.relative_to(packages).parts[0].split("-")[0]
        not in ("pip", "setuptools", "pkg_resources", "_distutils_hack")
    )
    print(f"{machine.name}: {size / 1e6:.0f} MB installed")
    if machine.name == "bookworm-arm64":
        assert size < MAX_INSTALLED_BYTES


def test_it_installs_without_internet(
    machine: Machine, wheel: Path, request: pytest.FixtureRequest
):
    bits = {"bookworm-arm64": "aarch64", "bookworm-armhf": "armv7l"}.get(machine.name)
    if bits is None:
        pytest.skip("asked of two machines that have this one's version of Python")
    if not machine.has_installed(wheel, "offline"):
        request.getfixturevalue("package_index")  # what is installed was downloaded before
        commands = re.findall(
            r"^    pip (.*)$", (REPOSITORY / "docs" / "pi.md").read_text("utf-8"), re.M
        )
        (download,) = (command for command in commands if bits in command)
        command = [sys.executable, "-m", "pip", *download.split()]
        collected = subprocess.run(command, cwd=machine.home, capture_output=True, text=True)
        assert collected.returncode == 0, collected.stderr
        options = ("--no-index", "--find-links", "wheels")
        installed = machine.install(wheel, "offline", *options)
        assert installed.returncode == 0, installed.stderr
    assert machine.run("offline/bin/edgecalc", "55+49").stdout == "104\n"
