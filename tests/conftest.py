from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests import model_fixture

# In one process, tflite-runtime works with TensorFlow only if it is loaded first; the other way
# round their symbols clash and it refuses every model ("vector::reserve").
with contextlib.suppress(ImportError):
    import tflite_runtime.interpreter  # noqa: F401


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
