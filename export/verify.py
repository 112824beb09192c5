"""`python -m export.verify`: counts exact answers of an exported file, through the runtime itself.

TensorFlow is not needed, and not imported: what is counted here is what a device will answer.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from edgecalc import ModelError
from edgecalc.calculator import BATCH_SIZE
from edgecalc.language.codec import encode_symbols
from edgecalc.network.cores import available_cores
from edgecalc.network.model_file import read_model
from edgecalc.network.native_output import quiet
from edgecalc.network.predictor import Predictor

from export.micro import MICRO, MicroNetwork, describe
from tasks.exact_match import (
    BLOCK_EXAMPLES,
    HELD_OUT_PART,
    REST,
    Counted,
    Report,
    blocks,
    count_exact,
    counted_examples,
    summary,
)
from tasks.splits import Splits, permute
from tasks.task import task_of

_REPORT_SECONDS = 5.0
_RATE_SECONDS = 3.0
# So many of a file for microcontrollers, which run one at a time; a tenth of them is held out.
_MICRO_EXAMPLES = 4 * BLOCK_EXAMPLES

_counter: FileCounter


class FileCounter:
    """A file's network, and what is counted with it in one process."""

    def __init__(self, path: Path) -> None:
        self.model = read_model(path)
        self.task = task_of(self.model.spec.to_dict())
        corpus = self.model.card["corpus"]
        self.splits, self.seed = Splits(**corpus["splits"]), corpus["seed"]
        self._predictor: MicroNetwork | Predictor
        if self.model.card["variant"] == MICRO:
            self._predictor = MicroNetwork(self.model)
            return
        with quiet():
            self._predictor = Predictor(self.model, threads=1)
            self._predictor.prepare(BATCH_SIZE)

    @property
    def micro(self) -> dict[str, Any] | None:
        """What a file for microcontrollers was found to need, and by what; None for others."""
        if not isinstance(self._predictor, MicroNetwork):
            return None
        network = self._predictor
        return {"arena_bytes": network.arena_bytes, "interpreter": network.interpreter}

    def answer(self, expressions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From ids of expressions to ids of answers and how sure they are."""
        answers, confidences = [], []
        for start in range(0, len(expressions), BATCH_SIZE):
            probabilities = self._predictor.run(expressions[start : start + BATCH_SIZE])
            answers.append(probabilities.argmax(axis=-1))
            confidences.append(probabilities.max(axis=-1).prod(axis=-1))
        return np.concatenate(answers), np.concatenate(confidences)

    def work(self, expressions: np.ndarray) -> dict[str, np.ndarray]:
        """From ids of expressions to the working, by name."""
        assert isinstance(self._predictor, Predictor)  # the other shows none
        starts = range(0, len(expressions), BATCH_SIZE)
        batches = [self._predictor.work(expressions[i : i + BATCH_SIZE]) for i in starts]
        return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}

    def count(self, block: range, asked: str) -> Counted:
        """Counts a block of the corpus, see `tasks.exact_match.count_exact`."""
        work = self.work if self._predictor.shows_working else None
        return count_exact(self.task, self.splits, self.seed, block, self.answer, work, asked)

    def rate(self) -> float:
        """Expressions a second on one core, from ids to ids: the median over some seconds."""
        rates, size = [], self.task.size
        examples = self.task.examples(permute(np.arange(BATCH_SIZE) % size, size, 0))
        ids = encode_symbols(examples.expressions(), self.task.spec)
        self.answer(ids)
        end = time.perf_counter() + _RATE_SECONDS
        while (begun := time.perf_counter()) < end:
            self.answer(ids)
            rates.append(len(ids) / (time.perf_counter() - begun))
        return statistics.median(rates)


def verify(path: Path, held_out_only: bool = False) -> tuple[dict[str, Any], np.ndarray]:
    """Counts the exact answers of a file on all cores.

    What was held out comes first. The rest follows if nine tenths of that were answered exactly;
    of a task with more than ten million examples, what the corpus drew of it. Of a file for
    microcontrollers, what was held out of the first 262,144 examples is all.

    Args:
        path: an exported file; its card says which expressions were held out.
        held_out_only: whether to leave alone what was not held out.

    Returns:
        What `tasks.exact_match.Report` gives, `expressions_per_second` on one core, and of a file
        for microcontrollers `micro`, see `FileCounter`; and the answers to the held-out expressions
        in the order of the corpus: ids, uint8 (n, answer_length).

    Raises:
        ModelError: if the file cannot be used.
    """
    counter = FileCounter(path)
    rate = counter.rate()
    examples = counted_examples(counter.task, counter.model.card["corpus"]["examples"])
    if counter.micro:
        examples, held_out_only = min(examples, _MICRO_EXAMPLES), True
    report, answers = Report(counter.task, counter.splits), []
    begun = time.monotonic()
    pool = ProcessPoolExecutor(available_cores(), get_context("spawn"), _start_counter, (path,))

    def count(asked: str) -> Iterator[Counted]:
        reported = time.monotonic()
        counts = pool.map(_count, blocks(examples), repeat(asked))
        for block, counted in zip(blocks(examples), counts, strict=True):
            report.add(counted)
            yield counted
            if (now := time.monotonic()) - reported > _REPORT_SECONDS:
                reported = now
                done = f"{block.stop:,} of {examples:,}"
                print(f"verify {path.name}, {asked}: {done}", file=sys.stderr, flush=True)

    try:
        for counted in count(HELD_OUT_PART):
            answers.append(counted.answers)
        if worth_it := not held_out_only and report.is_worth_asking():
            deque(count(REST), maxlen=0)
    finally:
        pool.shutdown(cancel_futures=True)
    result = {
        **report.to_dict(whole=worth_it and examples == counter.task.size),
        "expressions_per_second": round(rate),
        "seconds": round(time.monotonic() - begun, 1),
    }
    if counter.micro:
        result["micro"] = counter.micro
    return result, np.concatenate(answers)


def _start_counter(path: Path) -> None:
    global _counter
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked
    _counter = FileCounter(path)


def _count(block: range, asked: str) -> Counted:
    return _counter.count(block, asked)


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        "python -m export.verify",
        description="Counts exact answers of an exported file, through the runtime itself.",
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--held-out-only", action="store_true", help="count nothing but what was held out"
    )
    parser.add_argument("--out", type=Path, metavar="JSON", help="write the counts there")
    parser.add_argument(
        "--answers", type=Path, metavar="NPY", help="write the held-out answers' ids there"
    )
    arguments = parser.parse_args(argv)
    try:
        result, answers = verify(arguments.file, arguments.held_out_only)
        if arguments.out:
            arguments.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        if arguments.answers:
            np.save(arguments.answers, answers)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except (ModelError, OSError, KeyError, TypeError, ValueError) as error:
        print(f"python -m export.verify: error: {error}", file=sys.stderr)
        return 1
    print(summary(result), end="")
    print(f"{result['expressions_per_second']:,} expressions/s on one core")
    if "micro" in result:
        print(describe(result["micro"]), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
