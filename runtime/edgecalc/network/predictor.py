"""The network on this machine: ids in, probabilities out, by whichever interpreter there is."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from edgecalc.network.contract import ANSWER, WORKING_ANSWER, check_tensor
from edgecalc.network.model_file import Model, ModelError

if TYPE_CHECKING:
    from edgecalc.network.numpy_interpreter import NumpyInterpreter
    from edgecalc.network.tflite_interpreter import TfliteInterpreter

TFLITE, NUMPY = INTERPRETERS = ("tflite", "numpy")
_MODULES = ("tflite_runtime.interpreter", "ai_edge_litert.interpreter")


class Predictor:
    """A model's network, ready to run. Not safe to share between threads.

    Args:
        model: what to run. If it did not come with the package, it is verified first.
        threads: threads of TFLite, at least 1; None for its default.
        interpreter: one of `INTERPRETERS`; None for TFLite where it is installed, else numpy.

    Raises:
        ModelError: if the interpreter is not installed or refuses the model, or the model's
            tensors do not fit its spec.
    """

    def __init__(
        self, model: Model, threads: int | None = None, interpreter: str | None = None
    ) -> None:
        self._model = model
        self._interpreter: NumpyInterpreter | TfliteInterpreter
        module = find_interpreter(interpreter)
        flatbuffer = unknown = None
        if not model.packaged:
            from edgecalc.network.verification import unknown_operator, verify

            flatbuffer = verify(model)
            unknown = unknown_operator(flatbuffer)
        if module is None:
            from edgecalc.network.numpy_interpreter import NumpyInterpreter

            self._interpreter = NumpyInterpreter(model, flatbuffer)
            return
        from edgecalc.network.tflite_interpreter import TfliteInterpreter

        if unknown:
            from edgecalc.network.trial import try_unknown

            try_unknown(model, unknown, module.__name__)
        self._interpreter = TfliteInterpreter(model, module, threads)

    def run(self, ids: np.ndarray) -> np.ndarray:
        """Runs the network once over a batch.

        Args:
            ids: symbol ids of padded expressions, int32 (n, expression_length), n > 0.

        Returns:
            Probabilities over the symbol ids, float32 (n, answer_length, symbols).

        Raises:
            ModelError: if the interpreter fails on the model.
        """
        return self._interpreter.run(ids)

    @property
    def prepared(self) -> bool:
        """Whether this process has made what blocks of expressions take."""
        return self._interpreter.prepared

    def prepare(self, rows: int) -> None:
        """Makes what blocks of expressions take, as `run` does.

        Args:
            rows: expressions that will be run at once, at least 2.

        Raises:
            ModelError: if the interpreter refuses the model.
        """
        self._interpreter.prepare(rows)

    @property
    def shows_working(self) -> bool:
        """Whether the model gives its working beside the answer."""
        return self._interpreter.shows_working

    def work(self, ids: np.ndarray) -> dict[str, np.ndarray]:
        """Runs the network and returns its working; slower than `run`.

        Args:
            ids: as `run` takes them.

        Returns:
            The working by name, float32 (n, ...), and `answer`, as `run` returns it.

        Raises:
            ModelError: if the model has no working, the interpreter fails on it, or its answer does
                not fit the spec.
        """
        if not self.shows_working:
            raise ModelError(f"{self._model.name}: this model does not show its working")
        working = self._interpreter.work(ids)
        answer = working.get(ANSWER)
        if answer is None:
            raise ModelError(f"{self._model.name}: its working has no {ANSWER}")
        check_tensor(self._model, WORKING_ANSWER, answer.shape, answer.dtype, len(ids))
        return working


def find_interpreter(name: str | None = None) -> ModuleType | None:
    """Imports an interpreter.

    Args:
        name: one of `INTERPRETERS`; None for TFLite where it is installed, else numpy.

    Returns:
        The module of TFLite's interpreter; None if the one in `numpy_interpreter` is to run.

    Raises:
        ModelError: if TFLite is asked for and cannot be imported.
        ValueError: if there is no such interpreter.
    """
    if name not in (None, *INTERPRETERS):
        raise ValueError(f"interpreter must be one of {', '.join(INTERPRETERS)}: {name}")
    if name == NUMPY:
        return None
    failures = []
    for module in _MODULES:
        try:
            return import_module(module)
        except ModuleNotFoundError as error:
            if error.name not in (module, module.partition(".")[0]):
                failures.append(f"{module} is installed but fails: {_line(error)}")
        except (ImportError, AttributeError) as error:  # numpy 2 with tflite-runtime, for one
            failures.append(f"{module} is installed but fails: {_line(error)}")
    if name is None:
        return None
    raise ModelError(
        "; ".join(failures)
        or "no TFLite interpreter is installed: pip install tflite-runtime, or ai-edge-litert"
    )


def interpreter_name(name: str | None = None) -> str:
    """What runs a model on this machine, with its version: `tflite-runtime 2.14.0`.

    Args:
        name: as `find_interpreter` takes it.

    Raises:
        ModelError: as `find_interpreter`.
    """
    from importlib.metadata import version

    module = find_interpreter(name)
    package = "numpy" if module is None else module.__name__.partition(".")[0]
    distribution = package.replace("_", "-")
    return f"{distribution} {version(distribution)}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
