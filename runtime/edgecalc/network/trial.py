"""A network whose operators are not known here is run in another process first, which may crash."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from importlib import import_module
from typing import Any

import numpy as np

from edgecalc.network.model_file import Model, ModelError

_ROWS = (1, 256)
_SECONDS = 120.0


def try_unknown(model: Model, unknown: str, module: str) -> None:
    """Lets another process run a network that verification knows too little of.

    A new process, not a fork: another thread of this one may hold a lock that TFLite needs.

    Args:
        model: the model.
        unknown: the operator that is not known.
        module: TFLite's interpreter.

    Raises:
        ModelError: if the other process dies, or comes to no end.
    """
    # It imports from where this one does, and not from the folder in which it happens to start.
    folders = [os.path.abspath(folder) for folder in sys.path]
    code = f"import sys; sys.path[:] = {folders!r}; from {__name__} import main; main()"
    try:
        tried = subprocess.run(
            [sys.executable or "python3", "-I", "-c", code, module],
            input=b"%d %s" % (len(model.spec.symbols), model.flatbuffer),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{model.name}: its network comes to no end") from error
    except OSError as error:
        raise ModelError(
            f"{model.name}: its operator {unknown} is not known, and cannot be tried: {error}"
        ) from error
    if tried.returncode < 0:
        name = signal.strsignal(-tried.returncode) or str(-tried.returncode)
        raise ModelError(f"{model.name}: makes TFLite crash ({name}), with its operator {unknown}")


def main() -> None:
    """Runs the network that standard input gives in every way that a `Predictor` does.

    What TFLite refuses in words it will refuse again in the other process.
    """
    symbols, _, content = sys.stdin.buffer.read().partition(b" ")
    module = import_module(sys.argv[1])
    resolvers = module.OpResolverType
    for kind in (resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES, resolvers.AUTO):
        for rows in _ROWS:
            with contextlib.suppress(RuntimeError, ValueError):
                interpreter = module.Interpreter(
                    model_content=content, experimental_op_resolver_type=kind
                )
                _run(interpreter, rows, int(symbols))


def _run(interpreter: Any, rows: int, symbols: int) -> None:
    """Runs each signature of a network for a number of rows, and its first subgraph by itself."""
    given = interpreter.get_input_details()[0]
    ids = np.resize(np.arange(symbols, dtype=np.int32), (rows, *given["shape"][1:]))
    interpreter.resize_tensor_input(given["index"], ids.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], ids)
    interpreter.invoke()
    interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    for name, sides in interpreter.get_signature_list().items():
        interpreter.get_signature_runner(name)(**dict.fromkeys(sides["inputs"], ids))
