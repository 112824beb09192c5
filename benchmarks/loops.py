"""Loops written out against while loops in TFLite: `python -m benchmarks.loops`.

Converts two untrained networks both ways, the LSTMs of `seq2seq` and the decoder of `transformer`,
and runs all on one core, in turns, in a process without TensorFlow (it cannot share one with
tflite-runtime). A while loop converts with a fixed batch only; the network that is written out is
measured with one too, and as it is exported, with a dynamic batch. All give the answer alone.
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
from benchmarks import preset_task, save

_NETWORKS = ("seq2seq", "transformer")
_BATCHES = (1, 64)
_ROUNDS = 9
_SECONDS = 0.5


def convert(folder: Path) -> None:
    """Writes `seq2seq-written_out-1.tflite` and so on into a folder."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    from benchmarks.looped import looped
    from export.convert import answer_alone, keras, tf
    from export.convert import convert as convert_dynamic
    from model.networks import NETWORKS

    task = preset_task(presets.DEFAULT)
    for network in _NETWORKS:
        answer = answer_alone(NETWORKS[network]().build(task).model)
        written_out = keras.Model(answer.input, {"answer": answer.output})
        exported = convert_dynamic(written_out, "float32")
        for batch in _BATCHES:
            (folder / f"{network}-exported-{batch}.tflite").write_bytes(exported)
        for name, model in (("written_out", written_out), ("loop", looped(written_out))):
            for batch in _BATCHES:
                shape = tf.TensorSpec((batch, task.spec.expression_length), tf.int32)
                function = tf.function(model).get_concrete_function(shape)
                frozen = convert_variables_to_constants_v2(function)
                converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], model)
                (folder / f"{network}-{name}-{batch}.tflite").write_bytes(converter.convert())


def run(folder: Path) -> None:
    """Prints, as JSON, the size of each file and its rate on one core."""
    try:
        from tflite_runtime.interpreter import Interpreter, OpResolverType
    except ImportError:  # where LiteRT alone is installed
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreters: dict[Path, Any] = {}
    rates: dict[Path, list[float]] = {}
    for path in sorted(folder.glob("*.tflite")):
        batch = int(path.stem.split("-")[-1])
        # As the runtime does: XNNPACK is for blocks.
        kind = (
            OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if batch == 1 else OpResolverType.AUTO
        )
        interpreter = Interpreter(str(path), num_threads=1, experimental_op_resolver_type=kind)
        interpreters[path] = interpreter
        ids = interpreter.get_input_details()[0]
        shape = [batch, *ids["shape"][1:]]
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
            command = [sys.executable, "-m", "benchmarks.loops", step, folder]
            done = subprocess.run(command, check=True, capture_output=True)
    result = json.loads(done.stdout)
    for name, measured in result.items():
        network, _, batch = name.split("-")
        ratio = measured["rate"] / result[f"{network}-loop-{batch}"]["rate"]
        size = f"{measured['bytes']:,} bytes"
        print(f"{name:<26} {measured['rate']:>7,}/s  {ratio:5.2f} of the loop's rate  {size}")
    save("loops", result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
