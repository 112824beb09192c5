from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests import model_fixture

# In the background of a shell this process ignores Ctrl-C, and so would all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# In one process, tflite-runtime works with TensorFlow only if it is loaded first; the other way
# round their symbols clash and it refuses every model ("vector::reserve").
with contextlib.suppress(ImportError):
    import tflite_runtime.interpreter  # noqa: F401


@pytest.fixture(scope="session")
def package_index() -> None:
    """Skips what needs an index of packages if pip finds none; asked once, of a small one."""
    asked = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    asked += ["--disable-pip-version-check", "--retries=0", "--timeout=10", "--dest"]
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(
            [*asked, folder, "flatbuffers"], capture_output=True, text=True, check=False
        )
    if tried.returncode:
        reason = tried.stderr.strip().splitlines()[-1:] or ["pip says nothing"]
        pytest.skip(f"no index of packages within reach: {reason[0]}")


@pytest.fixture(scope="session")
def flatbuffer() -> bytes:
    return model_fixture.flatbuffer()


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory, flatbuffer: bytes) -> Path:
    """A model file that answers 2 digits and all operators from a table."""
    path = tmp_path_factory.mktemp("model") / "table.tflite"
    content = model_fixture.append_metadata(flatbuffer, model_fixture.SPEC, model_fixture.CARD)
    path.write_bytes(content)
    return path
