"""What feeding costs beside training: `python -m benchmarks.feeding`.

Takes batches from the corpus of a preset with nothing behind them, then trains the preset's network
on one batch over and over; the bar is a tenth. Measured in turns, medians of several rounds.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import presets
from benchmarks import save
from model.dataset import open_corpus, training_batches
from model.networks import NETWORKS
from model.run import compiled
from model.settings import Training

_ROUNDS = 5
_FEED_BATCHES = 500
_TRAIN_STEPS = 40


def milliseconds(function: Callable[[], object], times: int) -> dict[str, float]:
    """Wall-clock and processor time of one call in milliseconds, over so many calls."""
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(times):
        function()
    return {
        "wall": (time.perf_counter() - wall) / times * 1e3,
        "processor": (time.process_time() - processor) / times * 1e3,
    }


def main() -> int:
    """Runs the benchmark; returns its exit status."""
    parser = argparse.ArgumentParser("python -m benchmarks.feeding", description=__doc__)
    parser.add_argument("--preset", default=presets.DEFAULT, metavar="NAME")
    arguments = parser.parse_args()
    training = presets.settings(Training, "training", arguments)
    network = presets.settings(NETWORKS[training.network], training.network, arguments)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pipeline", "--preset", arguments.preset, "--out", folder]
        subprocess.run(command, check=True, capture_output=True)
        corpus = open_corpus(Path(folder))
        task = corpus.task
        teach = network.teach(task)
        batches = iter(training_batches(corpus, teach, training.batch_size, training.seed))
        model = compiled(network.build(task).training_model, network.losses(task), training)
        inputs, targets = next(batches)
        model.train_on_batch(inputs, targets)  # compiles
        rounds = [
            (
                milliseconds(lambda: next(batches), _FEED_BATCHES),
                milliseconds(lambda: model.train_on_batch(inputs, targets), _TRAIN_STEPS),
            )
            for _ in range(_ROUNDS)
        ]
    result: dict[str, object] = {"preset": arguments.preset, "batch": training.batch_size}
    for clock in ("wall", "processor"):
        feed, step = (statistics.median(turn[i][clock] for turn in rounds) for i in (0, 1))
        result[clock] = {"feed_ms": feed, "step_ms": step, "share": feed / step}
        print(
            f"{clock:>9} time of a batch of {training.batch_size}: feeding {feed:.2f} ms, "
            f"training {step:.2f} ms, {feed / step:.1%} of it"
        )
    save("feeding", result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
