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
from edgecalc import space
from edgecalc.arithmetic import true_answers, true_working
from edgecalc.space import SPLITS
from edgecalc.spec import Spec
from edgecalc.working import Axis

from pipeline import files, manifest
from pipeline.records import RecordFormat
from pipeline.settings import Corpus

METRICS = "corpus"
# Records that are made at a time: their arrays stay in the cache of a core. Four times as many take
# nearly twice the time.
_BATCH = 1 << 14


class WriteCorpus(beam.PTransform):
    """Writes all shards of a corpus and, when all are there, its manifest.

    From the beginning of a pipeline to a PCollection of one manifest, a dict.
    """

    def __init__(self, corpus: Corpus, folder: str) -> None:
        super().__init__()
        self._corpus = corpus
        self._folder = folder

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Applies the steps."""
        return (
            pipeline
            | "Number shards" >> beam.Create(range(self._corpus.settings.shards))
            | "Spread over workers" >> beam.Reshuffle()
            | WriteShards(self._corpus, self._folder)
            | WriteManifest(self._corpus, self._folder)
        )


class WriteShards(beam.PTransform):
    """Writes the shards of these numbers; gives a report of each, see `write_shard`."""

    def __init__(self, corpus: Corpus, folder: str) -> None:
        super().__init__()
        self._corpus = corpus
        self._folder = folder

    def expand(self, shards: beam.PCollection[int]) -> beam.PCollection[dict]:
        """Applies the steps."""
        return shards | "Write a shard" >> beam.ParDo(_WriteShard(self._corpus, self._folder))


class WriteManifest(beam.PTransform):
    """Brings the reports of all shards together and writes the manifest; gives it, a dict."""

    def __init__(self, corpus: Corpus, folder: str) -> None:
        super().__init__()
        self._corpus = corpus
        self._folder = folder

    def expand(self, reports: beam.PCollection[dict]) -> beam.PCollection[dict]:
        """Applies the steps."""
        return (
            reports
            | "Gather reports" >> beam.combiners.ToList()
            | "Write" >> beam.Map(_write_manifest, self._corpus, self._folder)
        )


class _WriteShard(beam.DoFn):
    def __init__(self, corpus: Corpus, folder: str) -> None:
        self._corpus = corpus
        self._folder = folder
        self._shards_counter = Metrics.counter(METRICS, "shards")
        self._record_counters = {s: Metrics.counter(METRICS, f"records_{s}") for s in SPLITS}

    def setup(self) -> None:
        self._format = record_format(self._corpus.spec)

    def process(self, shard: int) -> Iterator[dict[str, Any]]:
        report = write_shard(self._corpus, self._folder, shard, self._format)
        self._shards_counter.inc()
        for file in report["shards"]:
            self._record_counters[file["split"]].inc(file["records"])
        yield report


def _write_manifest(reports: list[dict], corpus: Corpus, folder: str) -> dict[str, Any]:
    written = manifest.make(corpus, reports)
    manifest.write(written, folder)
    return written


def record_format(spec: Spec) -> RecordFormat:
    """The form of the records: each feature that `batch` makes, and its length in bytes."""
    axis = Axis(spec)
    lengths = {
        "expression": spec.expression_length,
        "answer": spec.answer_length,
        "operands": 2 * spec.digits,
        "multiplier": axis.multiplier,
        "columns": 2 * axis.places,
    }
    return RecordFormat(lengths)


def batch(
    corpus: Corpus, positions: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """The examples at n positions of the corpus.

    Args:
        corpus: the corpus.
        positions: integers (n,) from 0 to corpus.examples - 1.

    Returns:
        For each feature its values, uint8 (n, length): expression and answer as ASCII symbols,
        the working as in `edgecalc.working`, columns as little-endian int16; the splits,
        positions in `SPLITS`, uint8 (n,); and the ASCII codes of the operators, uint8 (n,).
    """
    spec = corpus.spec
    indices = space.permute(positions, space.size(spec), corpus.settings.seed)
    operators, a, b = space.expressions(spec, indices)
    working = true_working(spec, operators, a, b)
    values = {
        "expression": space.write_expressions(spec, operators, a, b),
        "answer": true_answers(spec, operators, a, b),
        "operands": working.operands,
        "multiplier": working.multiplier,
        "columns": working.columns.astype("<i2").view(np.uint8),
    }
    return values, corpus.splits.of(operators, a, b), operators


def write_shard(
    corpus: Corpus, folder: str, shard: int, record_format: RecordFormat
) -> dict[str, Any]:
    """Writes one shard, a file for each split, in the order of the permutation.

    Writing it again, as Beam may, gives the same files.

    Args:
        corpus: the corpus.
        folder: where the files go; must exist.
        shard: its number, from 0.
        record_format: the form of the records.

    Returns:
        `{"shards": [{"name", "split", "records", "bytes", "sha256"}, …], "records":
        {split: {operator: count}}}`.

    Raises:
        OSError: if a file cannot be written; none is then left half under its name.
    """
    codes = np.frombuffer(corpus.spec.operators.encode("ascii"), np.uint8)
    counts = np.zeros((len(SPLITS), len(codes)), np.int64)
    with contextlib.ExitStack() as opened:
        sinks = []
        for split in SPLITS:  # closed, and so named, in reverse: train is the last
            name = files.shard_name(split, shard, corpus.settings.shards)
            file = opened.enter_context(files.replacing(FileSystems.join(folder, name)))
            sinks.append(_Sink(file, split, name))
        for positions in _batches(corpus.block(shard)):
            values, splits, operators = batch(corpus, positions)
            frames = record_format.frames(values)
            for number, sink in enumerate(sinks):
                chosen = splits == number
                sink.write(frames[chosen])
                counts[number] += (operators[chosen, None] == codes).sum(axis=0)
    return {
        "shards": [sink.report() for sink in sinks],
        "records": {
            split: dict(zip(corpus.spec.operators, row, strict=True))
            for split, row in zip(SPLITS, counts.tolist(), strict=True)
        },
    }


class _Sink:
    """Writes frames to an open file and keeps account of them."""

    def __init__(self, file: BinaryIO, split: str, name: str) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._account = {"name": name, "split": split, "records": 0, "bytes": 0}

    def write(self, frames: np.ndarray) -> None:
        data = frames.tobytes()
        self._file.write(data)
        self._hash.update(data)
        self._account["records"] += len(frames)
        self._account["bytes"] += len(data)

    def report(self) -> dict[str, Any]:
        return {**self._account, "sha256": self._hash.hexdigest()}


def _batches(positions: range) -> Iterator[np.ndarray]:
    for start in range(positions.start, positions.stop, _BATCH):
        yield np.arange(start, min(start + _BATCH, positions.stop))
