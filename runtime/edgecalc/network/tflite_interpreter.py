"""Runs a model's networks with TFLite's interpreter, from whichever package it comes."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from edgecalc.network.contract import WORKING, check_tensor
from edgecalc.network.model_file import Model, ModelError


class TfliteInterpreter:
    """A model's networks, ready to run. Not safe to share between threads.

    Two interpreters are kept, one allocated for single expressions and one for blocks, so that
    answering one at a time and answering in batches do not undo each other's allocation. The
    first for blocks in a process has TFLite announce its XNNPACK delegate on stderr. A third one
    shows the working.

    A forked child makes its interpreters anew: their threads stay with its parent.

    Args:
        model: what to run.
        module: TFLite's interpreter.
        threads: threads of TFLite, at least 1; None for its default.

    Raises:
        ModelError: if the interpreter refuses the model, or the model's tensors do not fit its
            spec.
    """

    def __init__(self, model: Model, module: ModuleType, threads: int | None) -> None:
        self._model = model
        self._module = module
        self._threads = threads
        self._made = _Made()
        _interpreters.add(self)
        self._check_tensors()

    def run(self, ids: np.ndarray) -> np.ndarray:
        """Runs the network once over a batch; see `Predictor.run`."""
        n = len(ids)
        if n == 1:
            return self._invoke(self._single, ids)
        block = self._block(n)
        if n < block.rows:
            padded = np.zeros((block.rows, ids.shape[1]), np.int32)
            padded[:n] = ids
            ids = padded
        return self._invoke(block, ids)[:n]

    @property
    def prepared(self) -> bool:
        """Whether this process has an interpreter for blocks."""
        return self._made.block is not None

    def prepare(self, rows: int) -> None:
        """Makes an interpreter for blocks of so many rows, at least 2, as `run` does.

        Raises:
            ModelError: if the interpreter refuses the model.
        """
        self._block(rows)

    @cached_property
    def shows_working(self) -> bool:
        """Whether the model gives its working beside the answer."""
        return WORKING in self._single.interpreter.get_signature_list()

    def work(self, ids: np.ndarray) -> dict[str, np.ndarray]:
        """Runs the network that gives its working too; see `Predictor.work`."""
        try:
            # Kept, as `shows_working` is: tflite-runtime does not free what it lists of signatures.
            if self._made.runner is None:
                # Of an interpreter of its own: one that has a runner refuses to `invoke`.
                interpreter = self._create(delegate=False)
                self._made.runner = interpreter.get_signature_runner(WORKING)
            return self._made.runner(expression=ids)
        except (RuntimeError, ValueError, LookupError, TypeError) as error:
            raise ModelError(f"{self._model.name}: TFLite fails on it: {_line(error)}") from error

    @property
    def _single(self) -> _Allocated:
        if self._made.single is None:
            self._made.single = self._allocate(self._create(delegate=False), 1)
        return self._made.single

    def _block(self, rows: int) -> _Allocated:
        block = self._made.block
        if block is None or not block.fits(rows):
            old = block.interpreter if block else self._create(delegate=True)
            block = self._made.block = self._allocate(old, rows)
        return block

    def _forget(self) -> None:
        """Starts anew, in a forked child."""
        _abandoned.append(self._made)
        self._made = _Made()

    def _check_tensors(self) -> None:
        single = self._single.interpreter
        self._check_details("input", single.get_input_details()[0])
        # The shape of an output can be open until the network has run.
        self._invoke(self._single, np.zeros((1, self._model.spec.expression_length), np.int32))
        self._check_details("output", single.get_output_details()[0])

    def _check_details(self, side: str, details: dict[str, Any]) -> None:
        check_tensor(self._model, side, tuple(map(int, details["shape"])), details["dtype"])

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


class _Made:
    """What was made of a model so far, by this process."""

    def __init__(self) -> None:
        self.single: _Allocated | None = None
        self.block: _Allocated | None = None
        self.runner: Callable[..., dict[str, np.ndarray]] | None = None


_interpreters: weakref.WeakSet[TfliteInterpreter] = weakref.WeakSet()
# Kept for ever: to free an interpreter is to wait for its threads, which a child does not have.
_abandoned: list[_Made] = []


def _forget_interpreters() -> None:
    for interpreter in _interpreters:
        interpreter._forget()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget_interpreters)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
