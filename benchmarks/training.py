"""What a step of training takes: `python -m benchmarks.training --preset general`.

Trains a preset's network on one batch over and over as `model.train` does, and in turns with that
without XLA, in bfloat16, and in smaller and larger batches. Beside it stands the arithmetic: how
long the products of matrices alone would take, at the speed at which numpy multiplies two of 1,024
by 1,024 on the same cores. Medians of several rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from edgecalc.language.codec import encode_symbols

import presets
from benchmarks import preset_task, save
from model.networks import NETWORKS
from model.run import compiled
from model.settings import Training
from tasks.splits import permute
from tasks.task import Task

_ROUNDS = 5
_SECONDS = 2.0
_SIDE = 1024


class Way(NamedTuple):
    """A way to train.

    Attributes:
        times: how much larger a batch is than the preset's.
        xla: whether XLA compiles the step.
        policy: Keras's for numbers.
    """

    times: float = 1.0
    xla: bool = True
    policy: str = "float32"


_WAYS = {
    "as model.train does": Way(),
    "without XLA": Way(xla=False),
    "in bfloat16": Way(policy="mixed_bfloat16"),
    "in bfloat16, without XLA": Way(xla=False, policy="mixed_bfloat16"),
    "batches of half the size": Way(times=0.5),
    "batches of twice the size": Way(times=2.0),
}


def batch(task: Task[Any], teach: Any, size: int) -> tuple[Any, Any]:
    """Inputs and targets of so many examples, drawn from all over a task."""
    examples = task.examples(permute(np.arange(size) % task.size, task.size, 0))
    features = {
        "expression": encode_symbols(examples.expressions(), task.spec),
        "answer": encode_symbols(examples.answers(), task.spec),
        **examples.working(),
    }
    return teach({name: tf.constant(values, tf.int32) for name, values in features.items()})


def operations(model: keras.Model, inputs: Any) -> int:
    """Floating-point operations in the products of matrices of a step of training.

    Those of the network once forward, and twice as many backward: for what comes in, and for the
    weights.
    """
    graph = tf.function(model).get_concrete_function(inputs).graph
    products = 0
    for op in graph.get_operations():
        if op.type in ("MatMul", "BatchMatMulV2"):
            *_, inner = op.inputs[0].shape
            turned = op.type == "MatMul" and op.get_attr("transpose_a")
            depth = op.inputs[0].shape[-2] if turned else inner
            products += 2 * int(np.prod(op.outputs[0].shape)) * int(depth)
    return 3 * products


def products_per_second() -> float:
    """Floating-point operations a second of numpy's product of two matrices, on all cores."""
    a = np.random.default_rng(0).random((_SIDE, _SIDE), np.float32)
    return 2 * _SIDE**3 / _seconds(lambda: a @ a)


def _seconds(function: Callable[[], object]) -> float:
    count, begun = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begun) < _SECONDS:
        function()
        count += 1
    return elapsed / count


def main() -> int:
    """Runs the benchmark; returns its exit status."""
    parser = argparse.ArgumentParser("python -m benchmarks.training", description=__doc__)
    parser.add_argument("--preset", default=presets.DEFAULT, metavar="NAME")
    arguments = parser.parse_args()
    training = presets.settings(Training, "training", arguments)
    network = presets.settings(NETWORKS[training.network], training.network, arguments)
    task = preset_task(arguments.preset)
    steps: dict[str, Callable[[], object]] = {}
    sizes, flop = {}, 0
    for name, way in _WAYS.items():
        keras.config.set_dtype_policy(way.policy)
        sizes[name] = round(training.batch_size * way.times)
        inputs, targets = batch(task, network.teach(task), sizes[name])
        model = network.build(task).training_model
        if not steps:
            flop = operations(model, inputs)
        model = compiled(model, network.losses(task), training)
        if not way.xla:
            model.compile(model.optimizer, network.losses(task), jit_compile=False)
        model.train_on_batch(inputs, targets)  # compiles
        steps[name] = partial(model.train_on_batch, inputs, targets)
    rounds = [
        (products_per_second(), {name: _seconds(step) for name, step in steps.items()})
        for _ in range(_ROUNDS)
    ]
    speed = statistics.median(products for products, _ in rounds)
    seconds = {name: statistics.median(turn[name] for _, turn in rounds) for name in steps}
    rates = {name: sizes[name] / taken for name, taken in seconds.items()}
    first = next(iter(rates))
    share = flop / speed / seconds[first]
    for name, rate in rates.items():
        print(f"{name:<26}{rate:>8,.0f} examples/s  {rate / rates[first]:.2f} of the first")
    print(
        f"products of matrices: {flop / 1e9:.1f} GFLOP a step of {sizes[first]}, {share:.0%} of "
        f"its time at {speed / 1e9:.0f} GFLOP/s"
    )
    result = {"preset": arguments.preset, "rates": rates, "products_share": share}
    save("training", {**result, "gflop": flop / 1e9, "gflop_per_second": speed / 1e9})
    return 0


if __name__ == "__main__":
    sys.exit(main())
