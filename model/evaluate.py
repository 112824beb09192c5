"""`python -m model.evaluate`: counts exact answers, held-out and over the whole space."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from edgecalc.score import (
    Report,
    blocks,
    count_exact,
    counted_expressions,
    format_score,
    format_stages,
)
from edgecalc.space import Splits, size
from edgecalc.spec import Spec

from model import files
from model.answer import answerer, runner

_REPORT_SECONDS = 5.0


def evaluate(folder: Path) -> dict:
    """Evaluates the trained model of a folder and writes the result beside it.

    A space of more than ten million expressions is not counted whole; what the corpus drew of it
    is.

    Returns:
        What `edgecalc.score.Report` gives, and `seconds`.

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
    answer, report = answerer(model), Report(spec)
    working = [name for name in model.output if name != "answer"]
    work = runner(model, *working) if working else None
    for block in blocks(count):
        report.add(count_exact(spec, splits, seed, block, answer, work))
        if (now := time.monotonic()) - reported > _REPORT_SECONDS:
            reported, rate = now, block.stop / (now - begun)
            print(f"evaluate: {block.stop:,} of {count:,}, {rate:,.0f}/s", file=sys.stderr)
    result = report.to_dict(count == size(spec))
    result["seconds"] = round(time.monotonic() - begun, 1)
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
    print(format_stages(result["stages"]), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
