"""Keras callbacks of the training: exact match, checkpoints, a line for each epoch, Ctrl-C.

What Keras calls, and when, is documented in `keras.callbacks.Callback`.
"""

# ruff: noqa: D102

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import keras
import tensorflow as tf
from edgecalc.codec import operators_of
from edgecalc.score import Answerer, Score
from edgecalc.spec import Spec

OPERATOR_NAMES = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
_REDRAW_SECONDS = 0.25
_CLEAR_LINE = "\r\033[K"


class ExactMatch(keras.callbacks.Callback):
    """Adds exact match by operator on validation expressions to the logs of every epoch.

    The logs get `val_exact_add` and so on, fractions from 0 to 1.
    """

    def __init__(self, spec: Spec, answer: Answerer, batches: tf.data.Dataset) -> None:
        super().__init__()
        self._spec = spec
        self._answer = answer
        self._batches = list(batches.as_numpy_iterator())
        self.score = Score(spec)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.score = Score(self._spec)
        for features in self._batches:
            expressions = features["expression"]
            answers, _ = self._answer(expressions)
            exact = (answers == features["answer"]).all(axis=1)
            self.score.add(operators_of(expressions, self._spec), exact)
        if logs is not None:
            for operator, count in self.score.to_dict().items():
                logs[f"val_exact_{OPERATOR_NAMES[operator]}"] = count["exact"] / count["of"]


class EpochEnd(keras.callbacks.Callback):
    """Calls a function with the number of finished epochs: to write a checkpoint."""

    def __init__(self, function: Callable[[int], None]) -> None:
        super().__init__()
        self._function = function

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._function(epoch + 1)


class ProgressLine(keras.callbacks.Callback):
    """Prints a line for each epoch on stderr, and on a terminal the steps in between."""

    def __init__(self, exact_match: ExactMatch, batch_size: int) -> None:
        super().__init__()
        self._exact_match = exact_match
        self._batch_size = batch_size
        self._live = sys.stderr.isatty()
        self._redrawn = self._begun = self._epoch_begun = 0.0
        self._epoch = self._steps = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._begun = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch, self._epoch_begun = epoch + 1, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now, self._steps = time.monotonic(), batch + 1
        if self._live and now - self._redrawn > _REDRAW_SECONDS:
            self._redrawn = now
            step = f"step {self._steps}/{self.params['steps']}"
            line = f"{_CLEAR_LINE}{self._name()}  {step}  loss {logs['loss']:.4f}"
            print(line, end="", file=sys.stderr, flush=True)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.monotonic()
        rate = self._steps * self._batch_size / (now - self._epoch_begun)
        minutes, seconds = divmod(round(now - self._begun), 60)
        print(
            f"{_CLEAR_LINE if self._live else ''}{self._name()}  loss {logs['loss']:.4f}  "
            f"exact on validation: {self._exact_match.score}  {rate:,.0f}/s  "
            f"{minutes}:{seconds:02d}",
            file=sys.stderr,
            flush=True,
        )

    def _name(self) -> str:
        return f"epoch {self._epoch}/{self.params['epochs']}"


class StopOnInterrupt(keras.callbacks.Callback):
    """Turns the first Ctrl-C into an orderly end after the step under way; the second one raises.

    Attributes:
        interrupted: whether there was one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.interrupted = False
        self._previous: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._previous = signal.signal(signal.SIGINT, self._interrupt)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.interrupted:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        self.interrupted = True
        signal.signal(signal.SIGINT, self._previous)
