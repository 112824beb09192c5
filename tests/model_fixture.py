"""A model without training: a table of answers as a TFLite graph, so that tests know every answer.

Where a test wants a wrong or an unsure answer, the table holds one.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.codec import encode_symbols
from edgecalc.network.model_file import append_metadata

from tasks.calculator.task import CalculatorTask

SPEC = CalculatorSpec(digits=2)
# 99-98 is answered wrongly, 12*12 rightly but unsurely, and every other expression rightly.
WRONG = ("99-98", "2")
UNSURE = ("12*12", "144")
SURE_PROBABILITY = 0.999
UNSURE_PROBABILITY = 0.4

CARD: dict[str, Any] = {
    "name": "edgecalc-test-float32",
    "preset": "test",
    "variant": "float32",
    "network": "table",
    "parameters": 0,
    "minimum_runtime": "0.1.0",
    "accuracy": {
        "held_out": {"+": {"exact": 1999, "of": 2000}, "-": {"exact": 500, "of": 1000}},
        "exhaustive": {"+": {"exact": 10000, "of": 10000}, "-": {"exact": 9999, "of": 10000}},
        "confidence": [
            {"at_least": 0.0, "exact": 2499, "of": 3000},
            {"at_least": 0.9, "exact": 2400, "of": 2400},
        ],
    },
    "training": {"steps": 12345, "seconds": 60.0},
    "corpus": {"sha256": "0" * 64, "seed": 2018, "splits": {"train": 0.8, "validation": 0.1}},
}


def confidence(probability: float, spec: CalculatorSpec = SPEC) -> float:
    """The confidence of an answer whose every symbol has this probability."""
    return probability**spec.answer_length


def flatbuffer(spec: CalculatorSpec = SPEC) -> bytes:
    """The table as a TFLite model with the contract's input and output."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    task = CalculatorTask(spec)
    examples = task.examples(np.arange(task.size))
    answers = encode_symbols(examples.answers(), spec)
    ids = encode_symbols(examples.expressions(), spec)
    symbols = len(spec.alphabet)
    radix = symbols ** np.arange(spec.expression_length)
    answer_of = np.zeros((symbols**spec.expression_length, spec.answer_length), np.int8)
    answer_of[ids @ radix] = answers
    for (expression, answer), offset in ((WRONG, 0), (UNSURE, symbols)):
        if expression[2] in spec.operators:
            row = _ids(expression, spec.expression_length, spec) @ radix
            # Codes from `symbols` on stand for the same symbols, unsurely.
            answer_of[row] = _ids(answer, spec.answer_length, spec) + offset
    probabilities = np.concatenate(
        [_distributions(symbols, SURE_PROBABILITY), _distributions(symbols, UNSURE_PROBABILITY)]
    )

    @tf.function(input_signature=[tf.TensorSpec((None, spec.expression_length), tf.int32)])
    def network(ids: tf.Tensor) -> tf.Tensor:
        rows = tf.reduce_sum(ids * tf.constant(radix, tf.int32), axis=1)
        codes = tf.cast(tf.gather(tf.constant(answer_of), rows), tf.int32)
        return tf.gather(tf.constant(probabilities), codes)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([network.get_concrete_function()])
    return converter.convert()


def model_content(spec: CalculatorSpec = SPEC, **changes: Any) -> bytes:
    """A whole model file, with changes to its card."""
    return append_metadata(flatbuffer(spec), spec, {**CARD, **changes})


def _ids(text: str, width: int, spec: CalculatorSpec) -> np.ndarray:
    padded = np.frombuffer(text.rjust(width).encode("ascii"), np.uint8)
    return encode_symbols(padded, spec)


def _distributions(symbols: int, probability: float) -> np.ndarray:
    rest = (1 - probability) / (symbols - 1)
    return (np.eye(symbols) * (probability - rest) + rest).astype(np.float32)
