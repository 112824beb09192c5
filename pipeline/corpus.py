"""The pipeline: shard numbers fan out, a worker writes a whole shard, only counts come back.

No record travels through Beam. The stock sink would shuffle every one of them and leave their
order to chance; here a shard is a function of the corpus's settings and its own number.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import apache_beam as beam
import numpy as np
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics

from pipeline import manifest, shards
from pipeline.records import RecordFormat
from pipeline.settings import CorpusPlan
from tasks.splits import permute
from tasks.task import Feature, Task

METRICS = "corpus"
# Records that are made at a time: their arrays stay in the cache of a core. Four times as many take
# nearly twice the time.
_BATCH = 1 << 14


class WriteCorpus(beam.PTransform):
    """Writes all shards of a corpus and, when all are there, its manifest.

    From the beginning of a pipeline to a PCollection of one manifest, a dict.
    """

    def __init__(self, plan: CorpusPlan, folder: str) -> None:
        super().__init__()
        self._plan = plan
        self._folder = folder

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Applies the steps."""
        return (
            pipeline
            | "Number shards" >> beam.Create(range(self._plan.settings.shards))
            | "Spread over workers" >> beam.Reshuffle()
            | WriteShards(self._plan, self._folder)
            | WriteManifest(self._plan, self._folder)
        )


class WriteShards(beam.PTransform):
    """Writes the shards of these numbers; gives a report of each, see `write_shard`."""

    def __init__(self, plan: CorpusPlan, folder: str) -> None:
        super().__init__()
        self._plan = plan
        self._folder = folder

    def expand(self, shards: beam.PCollection[int]) -> beam.PCollection[dict]:
        """Applies the steps."""
        return shards | "Write a shard" >> beam.ParDo(_WriteShard(self._plan, self._folder))


class WriteManifest(beam.PTransform):
    """Brings the reports of all shards together and writes the manifest; gives it, a dict."""

    def __init__(self, plan: CorpusPlan, folder: str) -> None:
        super().__init__()
        self._plan = plan
        self._folder = folder

    def expand(self, reports: beam.PCollection[dict]) -> beam.PCollection[dict]:
        """Applies the steps."""
        return (
            reports
            | "Gather reports" >> beam.combiners.ToList()
            | "Write" >> beam.Map(_write_manifest, self._plan, self._folder)
        )


class _WriteShard(beam.DoFn):
    def __init__(self, plan: CorpusPlan, folder: str) -> None:
        self._plan = plan
        self._folder = folder
        self._shards_counter = Metrics.counter(METRICS, "shards")
        self._record_counters = {
            split: Metrics.counter(METRICS, f"records_{split}") for split in plan.splits.names
        }

    def setup(self) -> None:
        self._format = record_format(self._plan.task)

    def process(self, shard: int) -> Iterator[dict[str, Any]]:
        report = write_shard(self._plan, self._folder, shard, self._format)
        self._shards_counter.inc()
        for file in report["shards"]:
            self._record_counters[file["split"]].inc(file["records"])
        yield report


def _write_manifest(reports: list[dict], plan: CorpusPlan, folder: str) -> dict[str, Any]:
    written = manifest.make(plan, features(plan.task), reports)
    manifest.write(written, folder)
    return written


def features(task: Task[Any]) -> dict[str, Feature]:
    """What is in a record, by name; each feature is one string of bytes."""
    spec = task.spec
    return {
        "expression": Feature(spec.expression_length),
        "answer": Feature(spec.answer_length),
        "group": Feature(1),
        **task.working,
    }


def record_format(task: Task[Any]) -> RecordFormat:
    """The form of the records."""
    return RecordFormat(
        {
            name: feature.length * np.dtype(feature.dtype).itemsize
            for name, feature in features(task).items()
        }
    )


def batch(
    plan: CorpusPlan, positions: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """The examples at n positions of the corpus.

    Args:
        plan: what the corpus is made of.
        positions: integers (n,) from 0 to plan.examples - 1.

    Returns:
        For each feature the bytes of its values, little-endian, uint8 (n, bytes): expression and
        answer as ASCII symbols, the group, the working of the task; the splits, positions in
        `Splits.names`, uint8 (n,); and the groups, positions in `spec.groups`, uint8 (n,).
    """
    examples = plan.task.examples(permute(positions, plan.task.size, plan.settings.seed))
    groups = examples.groups()
    values = {
        "expression": examples.expressions(),
        "answer": examples.answers(),
        "group": groups[:, None],
        **examples.working(),
    }
    found = {
        name: array
        if array.dtype == np.uint8
        else np.ascontiguousarray(array, array.dtype.newbyteorder("<")).view(np.uint8)
        for name, array in values.items()
    }
    return found, plan.splits.of(examples), groups


def write_shard(
    plan: CorpusPlan, folder: str, shard: int, record_format: RecordFormat
) -> dict[str, Any]:
    """Writes one shard, a file for each split, in the order of the permutation.

    Writing it again, as Beam may, gives the same files.

    Args:
        plan: what the corpus is made of.
        folder: where the files go; must exist.
        shard: its number, from 0.
        record_format: the form of the records.

    Returns:
        `{"shards": [{"name", "split", "records", "bytes", "sha256"}, …], "records":
        {split: {group: count}}}`.

    Raises:
        OSError: if a file cannot be written; none is then left half under its name.
    """
    splits, groups = plan.splits.names, plan.task.spec.groups
    counts = np.zeros((len(splits), len(groups)), np.int64)
    with contextlib.ExitStack() as opened:
        sinks = []
        for split in splits:  # closed, and so named, in reverse: train is the last
            name = shards.shard_name(split, shard, plan.settings.shards)
            file = opened.enter_context(shards.replacing(FileSystems.join(folder, name)))
            sinks.append(_Sink(file, split, name))
        for positions in _batches(plan.block(shard)):
            values, split_of, group_of = batch(plan, positions)
            frames = record_format.frames(values)
            for number, sink in enumerate(sinks):
                chosen = split_of == number
                sink.write(frames[chosen])
                counts[number] += np.bincount(group_of[chosen], minlength=len(groups))
    return {
        "shards": [sink.report() for sink in sinks],
        "records": {
            split: dict(zip(groups, row, strict=True))
            for split, row in zip(splits, counts.tolist(), strict=True)
        },
    }


class _Sink:
    """Writes frames to an open file and keeps account of them."""

    def __init__(self, file: BinaryIO, split: str, name: str) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._account: dict[str, Any] = {"name": name, "split": split, "records": 0, "bytes": 0}

    def write(self, frames: np.ndarray) -> None:
        data = frames.ravel().data
        self._file.write(data)
        self._hash.update(data)
        self._account["records"] += len(frames)
        self._account["bytes"] += len(data)

    def report(self) -> dict[str, Any]:
        return {**self._account, "sha256": self._hash.hexdigest()}


def _batches(positions: range) -> Iterator[np.ndarray]:
    for start in range(positions.start, positions.stop, _BATCH):
        yield np.arange(start, min(start + _BATCH, positions.stop))
