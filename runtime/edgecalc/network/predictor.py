"""The network on this machine: ids in, probabilities out, by whichever interpreter there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecalc.network.contract import WORKING_ANSWER, check_tensor
from edgecalc.network.model_file import Model, ModelError
from edgecalc.network.native_output import quiet

if TYPE_CHECKING:
    from edgecalc.network.numpy_interpreter import NumpyInterpreter

WORKING = "working"
ANSWER = "answer"
TFLITE, NUMPY = INTERPRETERS = ("tflite", "numpy")
_MODULES = ("tflite_runtime.interpreter", "ai_edge_litert.interpreter")


class Predictor:
    """A model's network, ready to run. Not safe to share between threads.

    Two interpreters of TFLite are kept, one allocated for single expressions and one for blocks,
    so that answering one at a time and answering in batches do not undo each other's allocation.

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
        self._threads = threads
        self._numpy: NumpyInterpreter | None = None
        module = find_interpreter(interpreter)
        flatbuffer = unknown = None
        if not model.packaged:
            from edgecalc.network.verification import unknown_operator, verify

            flatbuffer = verify(model)
            unknown = unknown_operator(flatbuffer)
        if module is None:
            from edgecalc.network.numpy_interpreter import NumpyInterpreter

            self._numpy = NumpyInterpreter(model, flatbuffer)
            return
        if unknown:
            from edgecalc.network.trial import try_unknown

            try_unknown(model, unknown, module.__name__)
        self._module = module
        self._single = self._allocate(self._create(delegate=False), 1)
        self._block: _Allocated | None = None
        self._check_tensors()

    def run(self, ids: np.ndarray) -> np.ndarray:
        """Runs the network once over a batch.

        Args:
            ids: symbol ids of padded expressions, int32 (n, expression_length), n > 0.

        Returns:
            Probabilities over the symbol ids, float32 (n, answer_length, symbols).

        Raises:
            ModelError: if the interpreter fails on the model.
        """
        if self._numpy is not None:
            return self._numpy.run(ids)
        n = len(ids)
        if n == 1:
            return self._invoke(self._single, ids)
        if self._block is None or not self._block.fits(n):
            old = self._block.interpreter if self._block else self._create(delegate=True)
            self._block = self._allocate(old, n)
        if n < self._block.rows:
            padded = np.zeros((self._block.rows, ids.shape[1]), np.int32)
            padded[:n] = ids
            ids = padded
        return self._invoke(self._block, ids)[:n]

    @property
    def shows_working(self) -> bool:
        """Whether the model gives its working beside the answer."""
        if self._numpy is not None:
            return self._numpy.shows_working
        return WORKING in self._single.interpreter.get_signature_list()

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
        if self._numpy is not None:
            return self._numpy.work(ids)
        try:
            # A runner has tensors of its own and so leaves those of `run` as they are.
            with quiet():
                run = self._single.interpreter.get_signature_runner(WORKING)
                working: dict[str, np.ndarray] = run(expression=ids)
        except (RuntimeError, ValueError, LookupError, TypeError) as error:
            raise ModelError(f"{self._model.name}: TFLite fails on it: {_line(error)}") from error
        answer = working.get(ANSWER)
        if answer is None:
            raise ModelError(f"{self._model.name}: its working has no {ANSWER}")
        check_tensor(self._model, WORKING_ANSWER, answer.shape, answer.dtype, len(ids))
        return working

    def _check_tensors(self) -> None:
        single = self._single.interpreter
        _check_details(self._model, "input", single.get_input_details()[0])
        # The shape of an output can be open until the network has run.
        self._invoke(self._single, np.zeros((1, self._model.spec.expression_length), np.int32))
        _check_details(self._model, "output", single.get_output_details()[0])

    def _create(self, delegate: bool) -> Any:
        """Makes an interpreter, with TFLite's XNNPACK delegate or without.

        In blocks it multiplies the rate; one expression at a time it is slower than TFLite's own
        kernels, and takes longer to start than these take to answer.
        """
        resolver = self._module.OpResolverType
        kind = resolver.AUTO if delegate else resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        with self._refusals():
            return self._module.Interpreter(
                model_content=self._model.flatbuffer,
                num_threads=self._threads,
                experimental_op_resolver_type=kind,
            )

    def _allocate(self, interpreter: Any, rows: int) -> _Allocated:
        with self._refusals():
            return _Allocated(interpreter, rows)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            # The delegate greets the user on stderr, where only this program's words belong.
            with quiet():
                yield
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{self._model.name}: is refused by TFLite: {_line(error)}") from error

    def _invoke(self, allocated: _Allocated, ids: np.ndarray) -> np.ndarray:
        try:
            allocated.interpreter.set_tensor(allocated.input, ids)
            allocated.interpreter.invoke()
            probabilities: np.ndarray = allocated.interpreter.get_tensor(allocated.output)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{self._model.name}: TFLite fails on it: {_line(error)}") from error
        if len(probabilities) != len(ids):
            raise ModelError(
                f"{self._model.name}: answers {len(probabilities)} expressions of {len(ids)}"
            )
        return probabilities


class _Allocated:
    """An interpreter with tensors for a fixed number of rows."""

    def __init__(self, interpreter: Any, rows: int) -> None:
        self.interpreter = interpreter
        self.rows = rows
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ValueError(f"{len(inputs)} inputs and {len(outputs)} outputs instead of one each")
        self.input = inputs[0]["index"]
        interpreter.resize_tensor_input(self.input, [rows, *inputs[0]["shape"][1:]])
        interpreter.allocate_tensors()
        self.output = outputs[0]["index"]

    def fits(self, n: int) -> bool:
        """Whether n rows are to run in what is allocated.

        Allocating anew costs 0.2 ms, running half a block of padding more.
        """
        return self.rows / 2 < n <= self.rows


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


def _check_details(model: Model, side: str, details: dict[str, Any]) -> None:
    check_tensor(model, side, tuple(map(int, details["shape"])), details["dtype"])


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
