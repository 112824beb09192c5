"""Reads a corpus with tf.data: from TFRecord shards to batches of symbol ids."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from edgecalc.codec import id_table
from edgecalc.space import Splits
from edgecalc.spec import Spec
from edgecalc.working import Axis

from model.network import Examples

_FORMAT = 2
_SHUFFLE_RECORDS = 65_536
_INTERLEAVED_SHARDS = 8


class CorpusError(ValueError):
    """A corpus that is missing, incomplete or damaged; the message names the file."""


@dataclass(frozen=True)
class Corpus:
    """A corpus on disk, checked.

    Attributes:
        folder: where its shards lie.
        spec: the language it is written in.
        splits: how it was divided.
        manifest: what the pipeline wrote about it.
    """

    folder: Path
    spec: Spec
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
        spec, splits = Spec.from_dict(manifest["spec"]), Splits(**manifest["splits"])
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
    return Corpus(folder, spec, splits, manifest)


def training_batches(
    corpus: Corpus, examples: Examples, batch_size: int, seed: int, first_step: int = 0
) -> tf.data.Dataset:
    """The endless stream of training batches, the same for the same corpus, size and seed.

    Each pass over the train split has an order of its own. A stream begun at `first_step` goes on
    exactly where another one stopped.

    Args:
        corpus: where the records come from.
        examples: what a network makes of a batch of features, see `model.network`.
        batch_size: expressions in a batch; a pass leaves out the records that fill no batch.
        seed: the order of the shards and within them, and what is drawn at random.
        first_step: how many batches to leave out.

    Returns:
        Pairs of dicts: what `examples` gives.

    Raises:
        CorpusError: if the train split does not fill a single batch.
    """
    steps = corpus.records("train") // batch_size
    if steps == 0:
        raise CorpusError(
            f"{corpus.folder}: {corpus.records('train')} training records fill no batch of "
            f"{batch_size}"
        )
    shards = corpus.shards("train")

    def one_pass(number: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(shards, [tf.cast(seed, tf.int64), number])
        return (
            tf.data.Dataset.from_tensor_slices(order)
            .interleave(
                tf.data.TFRecordDataset,
                cycle_length=min(_INTERLEAVED_SHARDS, len(shards)),
                block_length=batch_size // 8 + 1,
            )
            .shuffle(_SHUFFLE_RECORDS, seed=seed + number, reshuffle_each_iteration=False)
            .batch(batch_size, drop_remainder=True)
        )

    parse = _parser(corpus.spec)

    def make(step: tf.Tensor, records: tf.Tensor) -> tuple[dict, dict]:
        return examples(parse(records), tf.stack([tf.cast(seed, tf.int64), step]))

    passes = tf.data.Dataset.range(first_step // steps, tf.int64.max)
    return (
        passes.flat_map(one_pass)
        .skip(first_step % steps)
        .enumerate(first_step)
        .map(make, num_parallel_calls=1, deterministic=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def evaluation_batches(corpus: Corpus, split: str, batch_size: int) -> tf.data.Dataset:
    """A split in its order, once: dicts of features, int32 each, the last batch smaller.

    `expression` and `answer` are symbol ids (n, expression_length) and (n, answer_length);
    `operands`, `multiplier` (if anything multiplies) and `columns` as in `edgecalc.working`.
    """
    return (
        tf.data.TFRecordDataset(corpus.shards(split))
        .batch(batch_size)
        .map(_parser(corpus.spec), num_parallel_calls=1)
        .prefetch(tf.data.AUTOTUNE)
    )


def _parser(spec: Spec) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """A function from a batch of serialised records, string (n,), to features, int32 (n, …)."""
    axis = Axis(spec)
    texts = {"expression": spec.expression_length, "answer": spec.answer_length}
    digits = {"operands": 2 * spec.digits, "multiplier": axis.multiplier}
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in (*texts, *digits, "columns")}
    table = tf.constant(id_table(spec), tf.int32)

    def parse(records: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(records, features)

        def numbers(name: str, kind: tf.DType, width: int) -> tf.Tensor:
            decoded = tf.io.decode_raw(parsed[name], kind, fixed_length=width * kind.size)
            return tf.cast(decoded, tf.int32)

        found = {n: tf.gather(table, numbers(n, tf.uint8, w)) for n, w in texts.items()}
        found |= {n: numbers(n, tf.uint8, w) for n, w in digits.items() if w}
        found["columns"] = tf.ensure_shape(
            numbers("columns", tf.int16, axis.places), (None, axis.places)
        )
        return found

    return parse


def _check_shard(path: Path, size: int, sha256: str) -> None:
    with path.open("rb") as file:
        found = path.stat().st_size
        if found != size:
            raise CorpusError(f"{path}: {found} bytes, the manifest says {size}")
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise CorpusError(f"{path}: its content differs from the manifest's sha256")
