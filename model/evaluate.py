"""`python -m model.evaluate`: counts exact answers to what was held out."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import presets
from model import folder
from model.answer import answerer, runner
from tasks.exact_match import (
    HELD_OUT_PART,
    Report,
    blocks,
    count_exact,
    counted_examples,
    summary,
)
from tasks.splits import Splits
from tasks.task import task_of

_REPORT_SECONDS = 5.0


def evaluate(path: Path) -> dict[str, Any]:
    """Evaluates the trained model of a folder and writes the result beside it.

    All there is, of files that ship, `export.verify` counts.

    Returns:
        What `tasks.exact_match.Report` gives, and `seconds`.

    Raises:
        TrainedModelError: if the folder holds no trained model.
    """
    training = folder.read_json(path / folder.TRAINING)
    model = folder.load_keras(path)
    try:
        corpus = training["corpus"]
        task, splits = task_of(corpus["spec"]), Splits(**corpus["splits"])
        seed, examples = corpus["seed"], counted_examples(task, corpus["examples"])
    except (KeyError, TypeError, ValueError) as error:
        raise folder.TrainedModelError(f"{path / folder.TRAINING}: {error!r}") from error
    begun = time.monotonic()
    answer, report = answerer(model), Report(task, splits)
    working = [name for name in model.output if name != "answer"]
    work = runner(model, *working) if working else None

    reported = begun
    for block in blocks(examples):
        report.add(count_exact(task, splits, seed, block, answer, work, HELD_OUT_PART))
        if (now := time.monotonic()) - reported > _REPORT_SECONDS:
            reported = now
            done = f"{block.stop:,} of {examples:,}"
            print(f"evaluate, {HELD_OUT_PART}: {done}, {now - begun:.0f} s", file=sys.stderr)
    result = report.to_dict(whole=False)
    result["seconds"] = round(time.monotonic() - begun, 1)
    folder.write_json(path / folder.EVALUATION, result)
    return result


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        "python -m model.evaluate",
        description="Counts exact answers of a trained model to what was held out.",
        allow_abbrev=False,
    )
    default = presets.folder(presets.DEFAULT, "model")
    parser.add_argument("--model", type=Path, default=default, metavar="DIR", help="(%(default)s)")
    arguments = parser.parse_args(argv)
    try:
        result = evaluate(arguments.model)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except (folder.TrainedModelError, OSError) as error:
        print(f"python -m model.evaluate: error: {error}", file=sys.stderr)
        return 1
    print(summary(result), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
