"""The runtime as its users have it: installed by pip, without TensorFlow and this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

RUNTIME = Path(__file__).parent.parent / "runtime"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, package_index: None) -> Path:
    """The `bin` of a virtual environment that has the runtime and nothing else."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder, with_pip=True)
    # A copy: a build leaves its files in the source, and takes in those that a former one left.
    leftovers = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    source = shutil.copytree(RUNTIME, folder / "source", ignore=leftovers)
    run(folder / "bin/python", "-m", "pip", "install", "--quiet", source)
    return folder / "bin"


def run(*command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    finished = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=environment, cwd="/"
    )
    assert not check or finished.returncode == 0, finished.stderr
    return finished


def test_it_calculates_without_tensorflow(installed: Path, model_path: Path, tmp_path: Path):
    missing = run(installed / "python", "-c", "import tensorflow", check=False)
    assert "ModuleNotFoundError" in missing.stderr
    finished = run(installed / "edgecalc", "--model", model_path, "55+49", "7/2")
    assert (finished.stdout, finished.stderr) == ("104\n3.5\n", "")
    lines = tmp_path / "in.txt"
    lines.write_text("2+2\n9*9\n")
    finished = run(installed / "edgecalc", "predict", "--check", "--model", model_path, lines)
    assert finished.stdout == "4\n81\n"


def test_it_installs_little(installed: Path):
    listed = run(installed / "python", "-m", "pip", "list", "--format", "freeze").stdout.split()
    names = {line.split("==")[0].lower().replace("_", "-") for line in listed}
    assert names - {"pip", "setuptools"} <= {
        *("edgecalc", "numpy", "tflite-runtime"),
        *("ai-edge-litert", "backports.strenum", "backports-strenum", "flatbuffers", "ml-dtypes"),
        *("protobuf", "tqdm", "typing-extensions"),
    }
    assert ("tflite-runtime" in names) == (sys.version_info < (3, 12))
    typed = "import edgecalc, pathlib; print(pathlib.Path(edgecalc.__file__).with_name('py.typed'))"
    assert Path(run(installed / "python", "-c", typed).stdout.strip()).exists()


def test_the_packaged_model_answers(installed: Path):
    assert run(installed / "edgecalc", "55+49").stdout == "104\n"
