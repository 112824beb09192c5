"""Runs a trained network in Keras, fast: compiled, a large batch at a time."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tasks.exact_match import AnswerFunction

_BATCH_EXAMPLES = 4096


def answerer(model: keras.Model) -> AnswerFunction:
    """A function from ids of expressions to ids of answers and the confidence in each."""
    run = runner(model, "answer")

    def answer(expressions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        probabilities = run(expressions)["answer"]
        return probabilities.argmax(axis=-1), probabilities.max(axis=-1).prod(axis=-1)

    return answer


def runner(model: keras.Model, *names: str) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """A function from ids of expressions to outputs of the model by name.

    Args:
        model: a network, see `model.networks.network.Built`.
        names: the outputs that are asked for.
    """

    @tf.function(jit_compile=True)
    def run(expressions: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = model(expressions, training=False)
        return {name: outputs[name] for name in names}

    def run_all(expressions: np.ndarray) -> dict[str, np.ndarray]:
        batches = []
        for start in range(0, len(expressions), _BATCH_EXAMPLES):
            batch = expressions[start : start + _BATCH_EXAMPLES]
            # One shape for every batch, or XLA would compile the last one anew.
            padded = np.pad(batch, ((0, _BATCH_EXAMPLES - len(batch)), (0, 0)))
            outputs = run(padded)
            batches.append({name: outputs[name].numpy()[: len(batch)] for name in names})
        return {name: np.concatenate([batch[name] for batch in batches]) for name in names}

    return run_all
