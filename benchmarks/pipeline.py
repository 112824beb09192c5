"""`python -m benchmarks.pipeline`: the corpus pipeline beside a plain one of Beam's own parts.

Every run is a process of its own, so start-up counts, and runs of both take turns. From two sizes
follow the records per second while running and the seconds of start-up.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edgecalc import space
from edgecalc.spec import PADDING, Spec
from edgecalc.working import ABSENT, Axis

from benchmarks import save

BAR_RATIO = 10
BAR_SECONDS = 40
_SMALLER = 4  # how much smaller the small one of the two sizes is
_PLAIN_SHARDS = 8


def plain_features(index: int, spec: Spec) -> Iterator[dict[str, bytes]]:
    """The features of the example at an index of the space, in plain Python."""
    for operator in spec.operators:
        seconds = spec.limit - (operator == "/")
        if index < spec.limit * seconds:
            break
        index -= spec.limit * seconds
    a, b = divmod(index, seconds)
    if operator == "/":
        b += 1
        scaled = (2 * a * 10**spec.places + b) // (2 * b)
        whole, rest = divmod(scaled, 10**spec.places)
        answer = f"{whole}.{rest:0{spec.places}d}" if spec.places else str(whole)
    else:
        answer = str(a + b if operator == "+" else a - b if operator == "-" else a * b)
    yield {
        "expression": f"{a}{operator}{b}".rjust(spec.expression_length, PADDING).encode(),
        "answer": answer.rjust(spec.answer_length, PADDING).encode(),
        **plain_working(operator, a, b, spec),
    }


def plain_working(operator: str, a: int, b: int, spec: Spec) -> dict[str, bytes]:
    """The features of the working, see `edgecalc.working`, in plain Python."""
    axis = Axis(spec)
    first, second = (list(map(int, str(number).zfill(spec.digits))) for number in (a, b))
    multiplier, columns = [ABSENT] * axis.multiplier, [0] * axis.places
    if operator in "+-":
        for place, (x, y) in enumerate(zip(first, second, strict=True), axis.shown - spec.digits):
            columns[place] = x + y if operator == "+" else x - y
    elif operator == "*":
        end = axis.multiplier_units + 1
        multiplier[end - spec.digits : end] = second
    else:
        width = axis.reciprocal_decimals + 1
        reciprocal = str(-(-(10**axis.reciprocal_decimals) // b)).zfill(width)
        multiplier[-width:] = map(int, reciprocal)
        columns[axis.shown] = 5
    for j, y in enumerate(multiplier):
        if y != ABSENT:
            for i, x in enumerate(first):
                columns[axis.first_diagonal + i + j] += x * y
    return {
        "operands": bytes(first + second),
        "multiplier": bytes(multiplier),
        "columns": b"".join(column.to_bytes(2, "little", signed=True) for column in columns),
    }


def to_example(features: dict[str, bytes]) -> Any:
    """Features as a `tf.train.Example`."""
    import tensorflow as tf

    values = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in features.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=values))


def write_plainly(folder: str, records: int, flags: list[str]) -> None:
    """Writes the first so many expressions as one would with Beam's own parts."""
    import apache_beam as beam
    import tensorflow as tf
    from apache_beam.options.pipeline_options import PipelineOptions

    spec = Spec()
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner", *flags])) as pipeline:
        _ = (
            pipeline
            | beam.Create(range(records))
            | beam.FlatMap(plain_features, spec)
            | beam.Map(to_example)
            | beam.io.WriteToTFRecord(
                str(Path(folder, "plain")),
                coder=beam.coders.ProtoCoder(tf.train.Example),
                num_shards=_PLAIN_SHARDS,
            )
        )


def _plain(mode: str, workers: int) -> Callable[[str, int], list[str]]:
    flags = [f"--direct_running_mode={mode}", f"--direct_num_workers={workers}"]

    def command(folder: str, records: int) -> list[str]:
        call = f"write_plainly({folder!r}, {records}, {flags!r})"
        return [sys.executable, "-c", f"from benchmarks.pipeline import write_plainly; {call}"]

    return command


def _ours(*flags: str) -> Callable[[str, int], list[str]]:
    def command(folder: str, records: int) -> list[str]:
        settings = ["--preset=default", f"--examples={records}", f"--out={folder}"]
        return [sys.executable, "-m", "pipeline", *settings, *flags]

    return command


def _seconds(command: Callable[[str, int], list[str]], records: int) -> float:
    folder = tempfile.mkdtemp(prefix="benchmark-")
    try:
        began = time.perf_counter()
        subprocess.run(command(folder, records), check=True, capture_output=True)
        return time.perf_counter() - began
    finally:
        shutil.rmtree(folder)


def main(arguments: list[str] | None = None) -> int:
    """Measures, prints a table and writes the report; returns 1 if the bar is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pipeline", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--records", type=int, default=200_000, help="of the plain (%(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="of each, for the median (%(default)s)")
    given = parser.parse_args(arguments)
    if given.records < _SMALLER * _PLAIN_SHARDS or given.runs < 1:
        parser.error(f"needs {_SMALLER * _PLAIN_SHARDS} records and a run at least")

    cores = os.cpu_count() or 1
    whole = space.size(Spec())
    contestants = {
        "plain, in memory": (_plain("in_memory", 1), given.records),
        f"plain, {cores} processes": (_plain("multi_processing", cores), given.records),
        "ours, default": (_ours(), whole),
        f"ours, {cores} processes": (_ours("--direct_running_mode=multi_processing"), whole),
    }
    sizes = {name: (size // _SMALLER, size) for name, (_, size) in contestants.items()}
    times: dict[str, dict[int, list[float]]] = {n: {s: [] for s in sizes[n]} for n in contestants}
    for run in range(given.runs):
        for name, (command, _) in contestants.items():
            for size in sizes[name]:
                times[name][size].append(_seconds(command, size))
        print(f"run {run + 1} of {given.runs} done", file=sys.stderr)

    results = {name: _result(*sizes[name], times[name]) for name in contestants}
    plain = max((n for n in results if n.startswith("plain")), key=_rate_of(results))
    ratio = results["ours, default"]["records_per_second"] / results[plain]["records_per_second"]
    for name, result in results.items():
        print(
            f"{name:<20} {result['records']:>9,} records  {result['seconds']:6.2f} s"
            f"  start-up {result['startup_seconds']:5.2f} s"
            f"  then {result['records_per_second']:>11,.0f} records/s"
        )
    seconds = results["ours, default"]["seconds"]
    met = ratio >= BAR_RATIO and seconds < BAR_SECONDS
    print(f"ours / best plain: {ratio:.1f} times the records/s (bar {BAR_RATIO})")
    print(f"the whole default corpus: {seconds:.1f} s (bar {BAR_SECONDS}); medians of {given.runs}")
    report = {"cores": cores, "runs": given.runs, "ratio": ratio, "met": met, "results": results}
    save("pipeline", report)
    return 0 if met else 1


def _result(small: int, large: int, times: dict[int, list[float]]) -> dict[str, Any]:
    """Medians of the two sizes, and the line through them."""
    small_seconds, large_seconds = (statistics.median(times[size]) for size in (small, large))
    rate = (large - small) / (large_seconds - small_seconds)
    return {
        "records": large,
        "seconds": large_seconds,
        "startup_seconds": large_seconds - large / rate,
        "records_per_second": rate,
        "all_seconds": {str(size): values for size, values in times.items()},
    }


def _rate_of(results: dict[str, dict[str, Any]]) -> Callable[[str], float]:
    return lambda name: results[name]["records_per_second"]


if __name__ == "__main__":
    sys.exit(main())
