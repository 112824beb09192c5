"""Keras callbacks of the training: exact match, checkpoints, a line for each epoch, Ctrl-C.

What Keras calls, and when, is documented in `keras.callbacks.Callback`.
"""

# ruff: noqa: D102

from __future__ import annotations

import signal
import sys
import time
from types import FrameType
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from edgecalc.language.counts import Score

from tasks.exact_match import AnswerFunction

_REDRAW_SECONDS = 0.25
_CLEAR_LINE = "\r\033[K"


class ExactMatch(keras.callbacks.Callback):
    """Adds exact match by group on validation examples to the logs of every epoch.

    The logs get `val_exact_` and the name of each group, fractions from 0 to 1.

    Args:
        groups: their names.
        answer: asks the network.
        batches: features, see `model.dataset.evaluation_batches`.

    Attributes:
        score: what was counted last.
    """

    def __init__(
        self, groups: tuple[str, ...], answer: AnswerFunction, batches: tf.data.Dataset
    ) -> None:
        super().__init__()
        self._groups = groups
        self._answer = answer
        self._batches = list(batches.as_numpy_iterator())
        self.score = Score(groups)

    def count(self) -> Score:
        """Asks the network for all of the validation examples."""
        self.score = Score(self._groups)
        for features in self._batches:
            answers, _ = self._answer(features["expression"])
            exact = (answers == features["answer"]).all(axis=1)
            self.score.add(features["group"][:, 0].astype(np.uint8), exact)
        return self.score

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        counts = self.count().to_dict()
        if logs is not None:
            for group, count in counts.items():
                logs[f"val_exact_{group}"] = count["exact"] / count["of"]


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

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        now, self._steps = time.monotonic(), batch + 1
        if self._live and now - self._redrawn > _REDRAW_SECONDS:
            self._redrawn = now
            step = f"step {self._steps}/{self.params['steps']}"
            line = f"{_CLEAR_LINE}{self._name()}  {step}  loss {logs['loss']:.4f}"
            print(line, end="", file=sys.stderr, flush=True)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
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
