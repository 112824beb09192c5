"""The `transformer` network: a plain decoder that writes the working and then the answer.

Nothing of a task is built in. It knows how many symbols there are and how long the parts of a text
are: the expression, the working as a sequence of symbols (Nye et al., "Show Your Work", 2021), the
answer. Of a task without such a sequence it writes the answer alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from model.networks.network import Built, Teach
from model.networks.transformer.decoder import Decoder, Lengths, Writer
from tasks.task import SEQUENCE, Task


@dataclass(frozen=True)
class Transformer:
    """Sizes of the `transformer` network.

    Raises:
        ValueError: if a field is out of range; the message names it.
    """

    width: int = field(default=96, metadata={"help": "numbers for a symbol at its position"})
    heads: int = field(default=4, metadata={"help": "heads of attention in each block"})
    head_width: int = field(default=24, metadata={"help": "numbers in a key and in a value"})
    blocks: int = field(default=2, metadata={"help": "blocks, one on another"})
    units: int = field(default=384, metadata={"help": "units of the dense layer in each block"})

    def __post_init__(self) -> None:
        for name in ("width", "heads", "head_width", "blocks", "units"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1: {getattr(self, name)}")

    def build(self, task: Task[Any]) -> Built:
        """The untrained network, and the training model.

        Args:
            task: any.

        Returns:
            A model from symbol ids, int32 (n, expression_length), to probabilities: `answer` (n,
            answer_length, symbols), and if the task has a sequence `sequence` (n, length, its
            sequence_symbols). A training model from all of a text but for its last symbol to the
            logits of all that is to be written, `written`.
        """
        lengths = _lengths(task)
        decoder = Decoder(
            lengths,
            len(task.sequence_symbols),
            len(task.spec.symbols),
            task.drawn_symbols,
            self.width,
            self.heads,
            self.head_width,
            self.blocks,
            self.units,
            name="decoder",
        )
        text = keras.Input((sum(lengths) - 1,), dtype="int32", name="text")
        training_model = keras.Model(text, {"written": decoder(text)}, name="transformer_training")
        expression = keras.Input((lengths.expression,), dtype="int32", name="expression")
        model = keras.Model(expression, Writer(decoder, name="writer")(expression))
        return Built(model, training_model)

    def teach(self, task: Task[Any]) -> Teach:
        """See `Network`: each symbol is a target, and those before it are inputs."""
        lengths = _lengths(task)

        def teach(features: dict[str, tf.Tensor]) -> tuple[Any, dict[str, tf.Tensor]]:
            parts = [features["expression"], features["answer"]]
            if lengths.working:
                parts.insert(1, features[SEQUENCE])
            text = tf.concat(parts, axis=1)
            return text[:, :-1], {"written": text[:, lengths.expression :]}

        return teach

    def losses(self, task: Task[Any]) -> dict[str, Any]:
        """The loss of each output of the training model, by name."""
        return {"written": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}


def _lengths(task: Task[Any]) -> Lengths:
    working = task.working[SEQUENCE].length if SEQUENCE in task.working else 0
    return Lengths(task.spec.expression_length, working, task.spec.answer_length)
