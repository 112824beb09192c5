"""Reads a corpus with tf.data: from TFRecord shards to batches of symbol ids."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from edgecalc.language.codec import id_table

from model.networks.network import Teach
from tasks.splits import Splits
from tasks.task import Feature, Task, task_of

_FORMAT = 3
_SHUFFLED_RECORDS = 65_536
_INTERLEAVED_SHARDS = 8


class CorpusError(ValueError):
    """A corpus that is missing, incomplete or damaged; the message names the file."""


@dataclass(frozen=True)
class Corpus:
    """A corpus on disk, checked.

    Attributes:
        folder: where its shards lie.
        task: what it has examples of.
        splits: how it was divided.
        manifest: what the pipeline wrote about it.
    """

    folder: Path
    task: Task[Any]
    splits: Splits
    manifest: dict[str, Any]

    def shards(self, split: str) -> list[str]:
        """The paths of a split's shards, in order."""
        return [str(self.folder / shard["name"]) for shard in self._entries(split)]

    def records(self, split: str) -> int:
        """The number of records of a split."""
        return sum(shard["records"] for shard in self._entries(split))

    def _entries(self, split: str) -> list[dict[str, Any]]:
        return [shard for shard in self.manifest["shards"] if shard["split"] == split]


def open_corpus(folder: Path) -> Corpus:
    """Opens a corpus and checks every shard against the manifest.

    Raises:
        CorpusError: if there is no manifest, or a shard is missing, cut short or changed.
    """
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["format"] != _FORMAT:
            raise CorpusError(f"{path}: format {manifest['format']}, {_FORMAT} is read here")
        task, splits = task_of(manifest["spec"]), Splits(**manifest["splits"])
        for shard in manifest["shards"]:
            _check_shard(folder / shard["name"], shard["bytes"], shard["sha256"])
    except FileNotFoundError as error:
        raise CorpusError(
            f"{error.filename}: no such file; `python -m pipeline` (`make data`) writes a corpus"
        ) from error
    except OSError as error:
        raise CorpusError(f"{error.filename}: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(f"{path}: not a manifest: {error!r}") from error
    return Corpus(folder, task, splits, manifest)


def training_batches(
    corpus: Corpus,
    teach: Teach,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    first_groups: Sequence[str] = (),
    first_group_steps: int = 0,
) -> tf.data.Dataset:
    """The endless stream of training batches, a function of the corpus and of these arguments.

    Each pass over the train split has an order of its own. A stream begun at `first_step` goes on
    exactly where another one stopped.

    Args:
        corpus: where the records come from.
        teach: what a network makes of a batch of features, see `model.networks.network`.
        batch_size: examples in a batch; a pass leaves out the records that fill no batch.
        seed: the order of the shards and within them.
        first_step: how many batches to leave out.
        first_groups: groups that the stream begins with, and nothing else.
        first_group_steps: for so many batches; then come records of all groups.

    Returns:
        Pairs: what `teach` gives.

    Raises:
        CorpusError: if the train split does not fill a single batch.
    """
    alone = max(0, first_group_steps - first_step)
    beyond = max(0, first_step - first_group_steps)
    batches = _passes(corpus, corpus.task.spec.groups, batch_size, seed, beyond)
    if alone:
        first = _passes(corpus, first_groups, batch_size, seed, first_step)
        batches = first.take(alone).concatenate(batches)
    parse = _parser(corpus)
    return batches.map(
        lambda records: teach(parse(records)), num_parallel_calls=1, deterministic=True
    ).prefetch(tf.data.AUTOTUNE)


def _passes(
    corpus: Corpus, groups: Sequence[str], batch_size: int, seed: int, first_step: int
) -> tf.data.Dataset:
    """Batches of serialised records of these groups, string (batch_size,), pass after pass."""
    records = sum(corpus.manifest["records"]["train"][group] for group in groups)
    steps = records // batch_size
    if steps == 0:
        raise CorpusError(
            f"{corpus.folder}: {records:,} training records fill no batch of {batch_size:,}"
        )
    shards = corpus.shards("train")
    wanted = tf.constant([group in groups for group in corpus.task.spec.groups])
    group_alone = {"group": tf.io.FixedLenFeature([], tf.string)}

    def one_pass(pass_number: tf.Tensor) -> tf.data.Dataset:
        # tf.data's own shuffling would mix in TensorFlow's global seed.
        key = tf.stack([tf.cast(seed, tf.int64), pass_number])

        def shuffled(index: tf.Tensor, records: tf.Tensor) -> tf.Tensor:
            if set(groups) < set(corpus.task.spec.groups):
                group = tf.io.parse_example(records, group_alone)["group"]
                number = tf.cast(tf.io.decode_raw(group, tf.uint8)[:, 0], tf.int32)
                records = tf.boolean_mask(records, tf.gather(wanted, number))
            return tf.random.experimental.stateless_shuffle(records, tf.random.fold_in(key, index))

        order = tf.random.experimental.stateless_shuffle(shards, key)
        return (
            tf.data.Dataset.from_tensor_slices(order)
            .interleave(
                tf.data.TFRecordDataset,
                cycle_length=min(_INTERLEAVED_SHARDS, len(shards)),
                block_length=batch_size // 8 + 1,
            )
            .batch(_SHUFFLED_RECORDS)
            .enumerate()
            .map(shuffled)
            .prefetch(1)
            .rebatch(batch_size, drop_remainder=True)
        )

    passes = tf.data.Dataset.range(first_step // steps, tf.int64.max)
    return passes.flat_map(one_pass).skip(first_step % steps)


def evaluation_batches(corpus: Corpus, split: str, batch_size: int) -> tf.data.Dataset:
    """A split in its order, once: dicts of features, int32 (n, length), the last batch smaller.

    `expression` and `answer` are symbol ids; `group` is a position in `spec.groups`; what else
    there is, the task's working.
    """
    return (
        tf.data.TFRecordDataset(corpus.shards(split))
        .batch(batch_size)
        .map(_parser(corpus), num_parallel_calls=1)
        .prefetch(tf.data.AUTOTUNE)
    )


def _parser(corpus: Corpus) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """A function from serialised records, string (n,), to features, int32 (n, length)."""
    forms = {name: Feature(**form) for name, form in corpus.manifest["features"].items()}
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in forms}
    table = tf.constant(id_table(corpus.task.spec), tf.int32)

    def parse(records: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(records, features)
        found = {}
        for name, (length, dtype) in forms.items():
            kind = tf.as_dtype(dtype)
            values = tf.io.decode_raw(parsed[name], kind, fixed_length=length * kind.size)
            found[name] = tf.ensure_shape(tf.cast(values, tf.int32), (None, length))
        for name in ("expression", "answer"):
            found[name] = tf.gather(table, found[name])
        return found

    return parse


def _check_shard(path: Path, size: int, sha256: str) -> None:
    with path.open("rb") as file:
        found = path.stat().st_size
        if found != size:
            raise CorpusError(f"{path}: {found} bytes, the manifest says {size}")
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise CorpusError(f"{path}: its content differs from the manifest's sha256")
