"""The runtime, and beside it its peers with the same network: `python -m benchmarks.runtime`.

Every step is a process of its own, on one core but for the steps that count threads and jobs, and
what is compared takes turns in it. All numbers are medians.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import edgecalc
import numpy as np
from edgecalc.calculator import BATCH_SIZE, Calculator
from edgecalc.language.codec import decode, encode, encode_symbols
from edgecalc.language.spec import Spec
from edgecalc.network.cores import available_cores
from edgecalc.network.model_file import read_model
from edgecalc.network.predictor import NUMPY, TFLITE, Predictor
from edgecalc.shell.predict import PredictOptions, predict

from benchmarks import save
from tasks.splits import permute
from tasks.task import task_of

_BATCHES = (1, 16, 64, 256, 1024)
_ROUNDS = 9
_SECONDS = 0.2  # how long one is measured until it is the next one's turn
_STARTS = 21
_ANSWERS = 5000
_LINES = 200_000
_SHARED_LINES = 400_000
_COMPARED = 64  # the batch of the bars against peers
_AT_LEAST = {
    "batch, times the tf.function": 2.0,
    "batch, times ONNX Runtime": 1.0,
    "batch, share of the float floor": 0.5,
    "predict, share of the bare interpreter": 0.8,
    "blocks by numpy, share of TFLite": 0.185,
    "predict on all cores, times --jobs 1": 1.7,
}
_AT_MOST = {"one warm answer, ms": 0.2, "cold start, s": 0.4, "cold start, MB": 100.0}

Runner = Callable[[np.ndarray], Any]


def rates(runners: Mapping[str, Runner], ids: np.ndarray) -> dict[str, int]:
    """Expressions per second of each, measured in turns."""
    for run in runners.values():
        run(ids)
    measured: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(_ROUNDS):
        for name, run in runners.items():
            count, begun = 0, time.perf_counter()
            while (elapsed := time.perf_counter() - begun) < _SECONDS:
                run(ids)
                count += len(ids)
            measured[name].append(count / elapsed)
    return {name: round(statistics.median(values)) for name, values in measured.items()}


def expressions(spec: Spec, count: int) -> list[str]:
    """Expressions from all over a task, in their plain form."""
    task = task_of(spec.to_dict())
    examples = task.examples(permute(np.arange(count) % task.size, task.size, seed=1))
    return decode(encode_symbols(examples.expressions(), spec), spec)


def step_alone(file: Path, folder: Path) -> dict[str, Any]:
    """Latency of one answer, and files beside the bare interpreter."""
    calculator = Calculator(file, threads=1)
    texts = expressions(calculator.spec, _LINES)
    milliseconds = []
    for text in texts[:_ANSWERS]:
        begun = time.perf_counter()
        calculator.answer(text)
        milliseconds.append((time.perf_counter() - begun) * 1e3)
    with tempfile.TemporaryDirectory() as scratch:
        whole = file_to_file(calculator, Path(scratch), texts)
        predictor = Predictor(read_model(file), threads=1)
        ids = encode(texts, calculator.spec)
        blocks = [ids[start : start + BATCH_SIZE] for start in range(0, _LINES, BATCH_SIZE)]

        def bare() -> None:
            for block in blocks:
                predictor.run(block)

        turns = [(seconds(bare), seconds(lambda: whole(1))) for _ in range(_ROUNDS)]
    shares = [alone / together for alone, together in turns]
    return {
        "answer_ms": {
            "p50": statistics.median(milliseconds),
            "p99": statistics.quantiles(milliseconds, n=100)[98],
        },
        "predict_lines_per_second": round(_LINES / statistics.median(turn[1] for turn in turns)),
        "predict_share_of_bare": statistics.median(shares),
    }


def file_to_file(calculator: Calculator, folder: Path, texts: list[str]) -> Callable[[int], object]:
    """`edgecalc predict --jobs N` of a file with these lines, to call with N."""
    source, target = folder / "in.txt", folder / "out.txt"
    source.write_text("".join(f"{text}\n" for text in texts))

    def run(jobs: int) -> None:
        options = PredictOptions([str(source)], str(target), quiet=True, jobs=jobs)
        predict(calculator, options, print)

    return run


def step_jobs(file: Path, folder: Path) -> dict[str, Any]:
    """Files with one job and with as many as there are cores, in turns, on all cores."""
    calculator = Calculator(file, threads=1)
    jobs = available_cores()
    with tempfile.TemporaryDirectory() as scratch:
        run = file_to_file(calculator, Path(scratch), expressions(calculator.spec, _SHARED_LINES))
        turns = [(seconds(lambda: run(1)), seconds(lambda: run(jobs))) for _ in range(_ROUNDS)]
    return {
        "jobs": jobs,
        "lines_per_second": {
            str(n): round(_SHARED_LINES / statistics.median(turn[i] for turn in turns))
            for i, n in enumerate((1, jobs))
        },
        "times_one": statistics.median(one / several for one, several in turns),
    }


def step_threads(file: Path, folder: Path) -> dict[str, Any]:
    """Rates over batch sizes and threads, on all cores."""
    model = read_model(file)
    runners = {str(n): Predictor(model, n).run for n in range(1, available_cores() + 1)}
    ids = encode(expressions(model.spec, _BATCHES[-1]), model.spec)
    return {str(n): rates(runners, ids[:n]) for n in _BATCHES}


def step_peers(file: Path, folder: Path) -> dict[str, Any]:
    """Rates of peers that have the same weights, over batch sizes."""
    # TFLite before TensorFlow: the other way round they do not get along in one process.
    model = read_model(file)
    tflite, by_numpy = (Predictor(model, 1, interpreter) for interpreter in (TFLITE, NUMPY))
    from benchmarks import peers

    runners: dict[str, Runner] = {"edgecalc": tflite.run, "edgecalc, numpy": by_numpy.run}
    runners |= peers.runners(folder)
    ids = encode(expressions(model.spec, _BATCHES[-1]), model.spec)
    answers = {name: run(ids).argmax(axis=-1) for name, run in runners.items()}
    return {
        "rates": {str(n): rates(runners, ids[:n]) for n in _BATCHES},
        "answers_as_edgecalc": {
            name: float((answer == answers["edgecalc"]).all(axis=-1).mean())
            for name, answer in answers.items()
        },
        "floor": peers.floor(model.flatbuffer, _COMPARED),
    }


def step_start(file: Path, folder: Path) -> dict[str, Any]:
    """Seconds and memory of `edgecalc 55+49`, start to exit, also with a file that is verified."""
    script = str(Path(sys.executable).with_name("edgecalc"))
    asking = "from edgecalc.shell.cli import main; main(); print(open('/proc/self/status').read())"
    # As a user has it: what was compiled is kept.
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    ways: dict[str, list[str]] = {
        "seconds": [],
        "of_a_model_file": ["--model", str(file)],
        "by_numpy": ["--interpreter", NUMPY],
    }
    measured: dict[str, list[float]] = {way: [] for way in ways}
    peaks = []
    for turn in range(_STARTS + 1):
        for way, options in ways.items():
            command = [script, *options, "55+49"]
            taken = seconds(partial(subprocess.check_output, command, env=kept))
            if turn:  # before the first one nothing is compiled
                measured[way].append(taken)
        # What the kernel tells a parent of its child's peak includes its own.
        told = subprocess.check_output([sys.executable, "-c", asking, "55+49"], text=True)
        (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", told)
        peaks.append(int(peak) * 1024 / 1e6)
    medians = {way: statistics.median(times) for way, times in measured.items()}
    return {**medians, "peak_mb": statistics.median(peaks)}


def installed_mb() -> dict[str, float]:
    """Megabytes of what the runtime needs, by distribution."""
    files = {"edgecalc": list(Path(edgecalc.__file__).parent.rglob("*"))}
    for name in ("numpy", "tflite-runtime"):
        files[name] = [Path(file.locate()) for file in importlib.metadata.files(name) or []]
    return {
        name: sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
        for name, paths in files.items()
    }


def seconds(function: Callable[[], object]) -> float:
    """How long a call takes."""
    begun = time.perf_counter()
    function()
    return time.perf_counter() - begun


STEPS = {
    "start": step_start,
    "alone": step_alone,
    "jobs": step_jobs,
    "threads": step_threads,
    "peers": step_peers,
}


def in_a_process(step: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Runs a step on one core, or on all for those that count threads and jobs."""
    command = [sys.executable, "-m", "benchmarks.runtime", "--step", step]
    command += ["--model", str(arguments.model), "--file", str(arguments.file)]
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores if step in ("threads", "jobs") else {max(cores)})
    try:
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    finally:
        os.sched_setaffinity(0, cores)
    return json.loads(done.stdout)


def against_bars(result: dict[str, Any]) -> dict[str, float]:
    """What the bars are about, by their names."""
    compared = result["peers"]["rates"][str(_COMPARED)]
    blocks = result["peers"]["rates"][str(BATCH_SIZE)]
    return {
        "batch, times the tf.function": compared["edgecalc"] / compared["tf.function"],
        "batch, times ONNX Runtime": compared["edgecalc"] / compared["ONNX Runtime"],
        "batch, share of the float floor": compared["edgecalc"] / result["peers"]["floor"]["rate"],
        "predict, share of the bare interpreter": result["alone"]["predict_share_of_bare"],
        "blocks by numpy, share of TFLite": blocks["edgecalc, numpy"] / blocks["edgecalc"],
        "predict on all cores, times --jobs 1": result["jobs"]["times_one"],
        "one warm answer, ms": result["alone"]["answer_ms"]["p50"],
        "cold start, s": result["start"]["seconds"],
        "cold start, MB": result["start"]["peak_mb"],
    }


def table(rows: Mapping[str, Mapping[str, int]], title: str) -> str:
    """Rates by batch size, as Markdown has it."""
    names = list(next(iter(rows.values())))
    text = [f"| {title} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for batch, row in rows.items():
        text.append(f"| {batch} | " + " | ".join(f"{rate:,}" for rate in row.values()) + " |")
    return "\n".join(text)


def main() -> int:
    """Runs the benchmark; returns its exit status."""
    parser = argparse.ArgumentParser("python -m benchmarks.runtime", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of a trained model")
    parser.add_argument("--file", type=Path, required=True, help="a file exported from it")
    parser.add_argument("--step", choices=STEPS, help="this step alone, as JSON")
    arguments = parser.parse_args()
    for path in (arguments.model, arguments.file):
        if not path.exists():
            parser.error(f"{path}: no such file or folder; `make export` writes both")
    if arguments.step:
        print(json.dumps(STEPS[arguments.step](arguments.file, arguments.model)))
        return 0
    result = {step: in_a_process(step, arguments) for step in STEPS}
    result["installed_mb"] = installed_mb()
    print(table(result["peers"]["rates"], "expressions/s, one core, in batches of"))
    print(table(result["threads"], "expressions/s of edgecalc, with threads"))
    for key in ("floor", "answers_as_edgecalc"):
        print(f"{key}: {result['peers'][key]}")
    print(f"installed, MB: {result['installed_mb']}")
    for key in ("start", "alone", "jobs"):
        print(f"{key}: {result[key]}")
    result["bars"] = against_bars(result)
    for name, value in result["bars"].items():
        if name in _AT_LEAST:
            bound, met = f"at least {_AT_LEAST[name]:g}", value >= _AT_LEAST[name]
        else:
            bound, met = f"at most {_AT_MOST[name]:g}", value <= _AT_MOST[name]
        print(f"{name}: {value:.3g} ({bound}{'' if met else ': missed'})")
    save("runtime", result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
