"""What every network has in common: what it is built into, and how it is taught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import keras
import tensorflow as tf

from tasks.task import Task

# From a batch of features (`model.dataset`) to what the training model takes, its inputs, and what
# it should give, its targets by name.
Teach = Callable[[dict[str, tf.Tensor]], tuple[Any, dict[str, tf.Tensor]]]


class Built(NamedTuple):
    """An untrained network.

    Attributes:
        model: from symbol ids, int32 (n, expression_length), to a dict with `answer`, the
            probability of every symbol at every place, float32 (n, answer_length, symbols), and by
            other names what the network gives on the way, its working.
        training_model: the model to train; it has the same layers, maybe other inputs and outputs.
    """

    model: keras.Model
    training_model: keras.Model


class Network(Protocol):
    """The sizes of a network, a dataclass, that builds it and knows how to teach it.

    Each method raises `ValueError` if the network is not made for the task.
    """

    def build(self, task: Task[Any]) -> Built:
        """The untrained network."""

    def teach(self, task: Task[Any]) -> Teach:
        """What makes the inputs and targets of the training model from a batch of records."""

    def losses(self, task: Task[Any]) -> dict[str, Any]:
        """The loss of each output of the training model, by name."""


class AnswerAlone:
    """What networks have in common that are taught the answer alone, whatever the task.

    Their training model is the model itself, from expressions to answers.
    """

    def teach(self, task: Task[Any]) -> Teach:
        """See `Network`."""
        return lambda features: (features["expression"], {"answer": features["answer"]})

    def losses(self, task: Task[Any]) -> dict[str, Any]:
        """See `Network`."""
        return {"answer": keras.losses.SparseCategoricalCrossentropy()}
