"""Unrolled LSTM layers against the while loop in TFLite: `python -m benchmarks.lstm`.

Converts the untrained seq2seq network of the seed both ways and runs all on one core, in turns, in
a process without TensorFlow (it cannot share one with tflite-runtime). The while loop converts with
a fixed batch only; the unrolled network is measured with one too, and as it is exported, with a
dynamic batch.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import presets
from benchmarks import save
from tasks.task import Task, task_class

_BATCHES = (1, 64)
_ROUNDS = 9
_SECONDS = 0.5


def task() -> Task[Any]:
    """The task of the default preset."""
    preset = presets.load(presets.DEFAULT)
    chosen = task_class(preset["task"])
    return chosen(chosen.language.spec_class(**preset["spec"]))


def convert(folder: Path) -> None:
    """Writes `unrolled-1.tflite` and so on into a folder."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    from export.convert import convert as convert_dynamic
    from export.convert import keras, tf
    from model.networks.seq2seq import Seq2Seq

    unrolled = Seq2Seq().build(task()).model
    config = unrolled.get_config()
    for layer in config["layers"]:
        if layer["class_name"] == "LSTM":
            layer["config"]["unroll"] = False
    exported = convert_dynamic(unrolled, "float32")
    for batch in _BATCHES:
        (folder / f"exported-{batch}.tflite").write_bytes(exported)
    for name, model in (("unrolled", unrolled), ("loop", keras.Model.from_config(config))):
        for batch in _BATCHES:
            shape = tf.TensorSpec((batch, task().spec.expression_length), tf.int32)
            function = tf.function(model).get_concrete_function(shape)
            frozen = convert_variables_to_constants_v2(function)
            converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], model)
            (folder / f"{name}-{batch}.tflite").write_bytes(converter.convert())


def run(folder: Path) -> None:
    """Prints, as JSON, the size of each file and its rate on one core."""
    from tflite_runtime.interpreter import Interpreter

    interpreters: dict[Path, Any] = {}
    rates: dict[Path, list[float]] = {}
    for path in sorted(folder.glob("*.tflite")):
        interpreter = interpreters[path] = Interpreter(str(path), num_threads=1)
        ids = interpreter.get_input_details()[0]
        shape = [int(path.stem.split("-")[1]), *ids["shape"][1:]]
        interpreter.resize_tensor_input(ids["index"], shape)
        interpreter.allocate_tensors()
        rates[path] = []
    for _ in range(_ROUNDS):
        for path, interpreter in interpreters.items():
            ids = interpreter.get_input_details()[0]
            interpreter.set_tensor(ids["index"], np.zeros(ids["shape"], np.int32))
            count, begun = 0, time.perf_counter()
            while (elapsed := time.perf_counter() - begun) < _SECONDS:
                interpreter.invoke()
                count += int(ids["shape"][0])
            rates[path].append(count / elapsed)
    result = {
        path.stem: {"bytes": path.stat().st_size, "rate": round(statistics.median(rates[path]))}
        for path in interpreters
    }
    print(json.dumps(result))


def main() -> int:
    """Runs the benchmark, or with two arguments one step of it; returns its exit status."""
    if sys.argv[1:]:
        {"convert": convert, "run": run}[sys.argv[1]](Path(sys.argv[2]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for step in ("convert", "run"):
            command = [sys.executable, "-m", "benchmarks.lstm", step, folder]
            done = subprocess.run(command, check=True, capture_output=True)
    result = json.loads(done.stdout)
    for name, measured in result.items():
        ratio = measured["rate"] / result[f"loop-{name.split('-')[1]}"]["rate"]
        size = f"{measured['bytes']:,} bytes"
        print(f"{name:<12} {measured['rate']:>7,}/s  {ratio:5.2f} of the loop's rate  {size}")
    save("lstm", result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
