"""The network of the seed: an LSTM reads the expression, further LSTMs write the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import keras
from keras import layers

from model.networks.network import AnswerAlone, Built
from tasks.task import Task


@dataclass(frozen=True)
class Seq2Seq(AnswerAlone):
    """Sizes of the `seq2seq` network.

    Source of the shape: the tutorial "Building a calculator with seq2seq model (Keras)", 2018.

    Raises:
        ValueError: if a field is out of range; the message names it.
    """

    encoder_units: int = field(default=128, metadata={"help": "units of the LSTM that reads"})
    decoder_units: int = field(default=128, metadata={"help": "units of each LSTM that writes"})
    decoder_layers: int = field(default=1, metadata={"help": "LSTMs that write, one on another"})
    dropout: float = field(default=0.0, metadata={"help": "rate of the Dropout behind each"})

    def __post_init__(self) -> None:
        for name in ("encoder_units", "decoder_units", "decoder_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1: {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be from 0 to below 1: {self.dropout}")

    def build(self, task: Task[Any]) -> Built:
        """The untrained network; the training model is the model itself, taught the answer alone.

        Args:
            task: any; its spec gives the lengths and the number of symbols.
        """
        spec = task.spec
        expression = keras.Input((spec.expression_length,), dtype="int32", name="expression")
        symbols = len(spec.symbols)
        x = layers.CategoryEncoding(symbols, output_mode="one_hot", name="one_hot")(expression)
        # Read from the last digit, as one adds on paper: it makes the answer's end, on which all
        # the rest depends, the easiest part (Sutskever et al., 2014, reverse the source too).
        x = _lstm(self.encoder_units, "read", go_backwards=True, return_sequences=False)(x)
        x = layers.RepeatVector(spec.answer_length, name="repeat")(x)
        for i in range(self.decoder_layers):
            x = _lstm(self.decoder_units, f"write_{i}")(x)
            x = layers.Dropout(self.dropout, name=f"dropout_{i}")(x)
        dense = layers.Dense(symbols, activation="softmax")
        answer = layers.TimeDistributed(dense, name="answer")(x)
        model = keras.Model(expression, {"answer": answer}, name="seq2seq")
        return Built(model, model)


def _lstm(units: int, name: str, **options: Any) -> layers.LSTM:
    """An LSTM that gives its state at every step, or what `options` say otherwise.

    Unrolled, it becomes plain matrix products. TFLite cannot convert the loop with a dynamic
    batch, and with a fixed one the loop is slow in blocks (`benchmarks/lstm.py`).
    """
    options = {"return_sequences": True, **options}
    return layers.LSTM(units, unroll=True, use_cudnn=False, name=name, **options)
