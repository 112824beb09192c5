"""What every network has in common: what it is built into, and how it is taught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import keras
import tensorflow as tf
from edgecalc.spec import Spec

Examples = Callable[[dict[str, tf.Tensor], tf.Tensor], tuple[dict, dict]]


class Built(NamedTuple):
    """An untrained network.

    Attributes:
        model: from symbol ids, int32 (n, expression_length), to a dict with `answer`, the
            probability of every symbol at every place, float32 (n, answer_length, 16), and by
            other names what the network gives on the way, its working.
        lesson: the model to train; it has the same layers, maybe other inputs and outputs.
    """

    model: keras.Model
    lesson: keras.Model


class Network(Protocol):
    """The sizes of a network, a dataclass, that builds it and knows how to teach it."""

    def build(self, spec: Spec) -> Built:
        """The untrained network."""

    def examples(self, spec: Spec) -> Examples:
        """A function from what a batch of records says to a batch of the lesson.

        From features (`model.dataset`) and a seed, int64 (2,), to what the lesson takes and what
        it should give, both by name.
        """

    def losses(self, spec: Spec) -> dict[str, Any]:
        """The loss of each output of the lesson, by name."""
