"""`python -m model.evaluate`: counts exact answers, held-out and over the whole space."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from edgecalc.score import Score, blocks, count_exact, counted_expressions, format_score
from edgecalc.space import Splits, size
from edgecalc.spec import Spec

from model import files

_BATCH_EXPRESSIONS = 4096
_REPORT_SECONDS = 5.0


def answerer(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """A fast function from ids of expressions, int32 (n, L), to ids of answers, int32 (n, W)."""

    @tf.function(jit_compile=True)
    def answer(expressions: tf.Tensor) -> tf.Tensor:
        return tf.argmax(model(expressions, training=False), axis=-1, output_type=tf.int32)

    def answer_all(expressions: np.ndarray) -> np.ndarray:
        answers = []
        for start in range(0, len(expressions), _BATCH_EXPRESSIONS):
            batch = expressions[start : start + _BATCH_EXPRESSIONS]
            # One shape for every batch, or XLA would compile the last one anew.
            padded = np.pad(batch, ((0, _BATCH_EXPRESSIONS - len(batch)), (0, 0)))
            answers.append(answer(padded).numpy()[: len(batch)])
        return np.concatenate(answers)

    return answer_all


def evaluate(folder: Path) -> dict:
    """Evaluates the trained model of a folder and writes the result beside it.

    A space of more than ten million expressions is not counted whole; what the corpus drew of it
    is.

    Returns:
        `held_out` and `exhaustive`, counts by operator (`exhaustive` is None if the space was
        not counted whole), and `seconds`.

    Raises:
        TrainedModelError: if the folder holds no trained model.
    """
    training = files.read_json(folder / files.TRAINING)
    model = files.load_keras(folder)
    try:
        corpus = training["corpus"]
        spec, splits = Spec.from_dict(corpus["spec"]), Splits(**corpus["splits"])
        seed, count = corpus["seed"], counted_expressions(spec, corpus["examples"])
    except (KeyError, TypeError, ValueError) as error:
        raise files.TrainedModelError(f"{folder / files.TRAINING}: {error!r}") from error
    begun = reported = time.monotonic()
    answer = answerer(model)
    held_out, everything = Score(spec), Score(spec)
    for block in blocks(count):
        held_out_counts, counts, _ = count_exact(spec, splits, seed, block, answer)
        held_out.merge(held_out_counts)
        everything.merge(counts)
        if (now := time.monotonic()) - reported > _REPORT_SECONDS:
            reported, rate = now, block.stop / (now - begun)
            print(f"evaluate: {block.stop:,} of {count:,}, {rate:,.0f}/s", file=sys.stderr)
    result = {
        "held_out": held_out.to_dict(),
        "exhaustive": everything.to_dict() if count == size(spec) else None,
        "seconds": round(time.monotonic() - begun, 1),
    }
    files.write_json(folder / files.EVALUATION, result)
    return result


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        "python -m model.evaluate",
        description="Counts exact answers of a trained model, held-out and over the whole space.",
        allow_abbrev=False,
    )
    parser.add_argument("--model", type=Path, default=Path("build/model"), metavar="DIR")
    arguments = parser.parse_args(argv)
    try:
        result = evaluate(arguments.model)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except (files.TrainedModelError, OSError) as error:
        print(f"python -m model.evaluate: error: {error}", file=sys.stderr)
        return 1
    for name, title in (("held_out", "held-out test split"), ("exhaustive", "the whole space")):
        if result[name] is not None:
            print(f"exact match, {title}: {format_score(result[name])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
