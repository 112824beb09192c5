"""`python -m benchmarks.pipeline`: the corpus pipeline beside two plainer ones.

One is made of Beam's own parts, `Create`, `FlatMap`, `Map`, `WriteToTFRecord`. The other writes
whole shards as ours does, but with TensorFlow's own Example and TFRecordWriter. Both make examples
by numpy as ours does, so what is compared is how records are serialised, moved and written. Every
run is a process of its own, so start-up counts, and runs of all take turns. From two sizes follow
the records per second while running and the seconds of start-up.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from edgecalc.network.cores import available_cores

import presets
from benchmarks import save
from pipeline.settings import CorpusPlan, CorpusSettings
from tasks.splits import Splits
from tasks.task import task_class

BAR_RATIO = 10
BAR_SECONDS = 40
_SMALLER = 4  # how much smaller the small one of the two sizes is
_PLAIN_SHARDS = 8
_CHUNK = 1000  # examples that numpy makes at once for Beam's own parts


def default_plan(examples: int = 0, shards: int = _PLAIN_SHARDS) -> CorpusPlan:
    """The corpus of the default preset, with so many examples and shards."""
    preset = presets.load(presets.DEFAULT)
    task = task_class(preset["task"])
    settings = CorpusSettings(preset["corpus"]["seed"], shards, examples)
    return CorpusPlan(task(task.language.spec_class(**preset["spec"])), Splits(), settings)


def records(plan: CorpusPlan, positions: range) -> Iterator[dict[str, bytes]]:
    """The features of the examples at these positions, one after the other."""
    from pipeline.corpus import batch

    values, _, _ = batch(plan, np.arange(positions.start, positions.stop))
    for row in range(len(positions)):
        yield {name: column[row].tobytes() for name, column in values.items()}


def to_example(features: dict[str, bytes]) -> Any:
    """Features as a `tf.train.Example`."""
    import tensorflow as tf

    values = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in features.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=values))


def write_with_beam(folder: str, examples: int, flags: list[str]) -> None:
    """Writes the first so many examples as one would with Beam's own parts."""
    import apache_beam as beam
    import tensorflow as tf
    from apache_beam.options.pipeline_options import PipelineOptions

    plan = default_plan(examples)
    chunks = [range(i, min(i + _CHUNK, examples)) for i in range(0, examples, _CHUNK)]
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner", *flags])) as pipeline:
        _ = (
            pipeline
            | beam.Create(chunks)
            | beam.FlatMap(lambda chunk: records(plan, chunk))
            | beam.Map(to_example)
            | beam.io.WriteToTFRecord(
                str(Path(folder, "plain")),
                coder=beam.coders.ProtoCoder(tf.train.Example),
                num_shards=_PLAIN_SHARDS,
            )
        )


def write_shards(folder: str, examples: int, flags: list[str]) -> None:
    """Writes them shard by shard, with TensorFlow's own writer."""
    import apache_beam as beam
    import tensorflow as tf
    from apache_beam.options.pipeline_options import PipelineOptions

    plan = default_plan(examples)

    def write(shard: int) -> None:
        with tf.io.TFRecordWriter(str(Path(folder, f"plain-{shard}"))) as writer:
            for start in range(plan.block(shard).start, plan.block(shard).stop, 1 << 14):
                chunk = range(start, min(start + (1 << 14), plan.block(shard).stop))
                for features in records(plan, chunk):
                    writer.write(to_example(features).SerializeToString())

    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner", *flags])) as pipeline:
        _ = pipeline | beam.Create(range(_PLAIN_SHARDS)) | beam.Reshuffle() | beam.Map(write)


def _plain(
    function: Callable[..., None], mode: str, workers: int
) -> Callable[[str, int], list[str]]:
    flags = [f"--direct_running_mode={mode}", f"--direct_num_workers={workers}"]

    def command(folder: str, records: int) -> list[str]:
        call = f"pipeline.{function.__name__}({folder!r}, {records}, {flags!r})"
        return [sys.executable, "-c", f"from benchmarks import pipeline; {call}"]

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

    cores = available_cores()
    whole = default_plan().examples
    processes = "multi_processing", cores
    contestants = {
        "Beam's parts, in memory": (_plain(write_with_beam, "in_memory", 1), given.records),
        f"Beam's parts, {cores} processes": (_plain(write_with_beam, *processes), given.records),
        "TFRecordWriter, in memory": (_plain(write_shards, "in_memory", 1), given.records),
        f"TFRecordWriter, {cores} processes": (_plain(write_shards, *processes), given.records),
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
    rate = results["ours, default"]["records_per_second"]
    ratios = {
        kind: rate / max(r["records_per_second"] for n, r in results.items() if n.startswith(kind))
        for kind in ("Beam's parts", "TFRecordWriter")
    }
    for name, result in results.items():
        print(
            f"{name:<28} {result['records']:>9,} records  {result['seconds']:6.2f} s"
            f"  start-up {result['startup_seconds']:5.2f} s"
            f"  then {result['records_per_second']:>11,.0f} records/s"
        )
    seconds = results["ours, default"]["seconds"]
    met = ratios["Beam's parts"] >= BAR_RATIO and seconds < BAR_SECONDS
    for kind, ratio in ratios.items():
        print(f"ours / {kind}, the faster of both: {ratio:.1f} times the records/s")
    print(f"the whole default corpus: {seconds:.1f} s (bar {BAR_SECONDS}); medians of {given.runs}")
    report = {"cores": cores, "runs": given.runs, "ratios": ratios, "met": met, "results": results}
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


if __name__ == "__main__":
    sys.exit(main())
