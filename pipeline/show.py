"""`python -m pipeline.show --corpus DIR`: prints some records of a corpus in words.

A corpus describes itself: all that is needed to read its records stands in its manifest.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from edgecalc.language.spec import PADDING

import presets
from pipeline.records import RecordFormat
from tasks.task import SEQUENCE, task_of

_FORMAT = 3  # `pipeline.manifest` has it too, and imports Beam, which takes a second
_RECORDS = 5
# These are symbols, and so are the ids of `SEQUENCE`; `group` is the position of a name; all else
# is numbers.
_TEXTS = ("expression", "answer")
_BLANK = "␣"  # a symbol of a sequence that is padding


class ShowError(ValueError):
    """A corpus that is none, or a record that it does not have; the message is one sentence."""


class Record(NamedTuple):
    """A record of a corpus.

    Attributes:
        split: the name of its split.
        position: how many records of the split stand before it.
        features: by name a text, or numbers.
    """

    split: str
    position: int
    features: dict[str, str | list[int]]


class Records:
    """The records of a corpus on disk.

    Args:
        folder: where the corpus lies.

    Attributes:
        counts: the number of records by split.

    Raises:
        ShowError: if there is no corpus, or one of another format.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = folder / "manifest.json"
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if manifest["format"] != _FORMAT:
                raise ShowError(f"{path}: format {manifest['format']}, {_FORMAT} is read here")
            self._features: dict[str, dict[str, Any]] = manifest["features"]
            records: dict[str, dict[str, int]] = manifest["records"]
            self._shards: list[dict[str, Any]] = manifest["shards"]
            self._form = RecordFormat(
                {
                    name: feature["length"] * np.dtype(feature["dtype"]).itemsize
                    for name, feature in self._features.items()
                }
            )
            self._groups = list(next(iter(records.values())))
            self._symbols = task_of(manifest["spec"]).sequence_symbols
            self.counts = {split: sum(groups.values()) for split, groups in records.items()}
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ShowError(f"{folder}: no corpus there; `make data` writes one") from error
        except (AttributeError, KeyError, StopIteration, TypeError, ValueError) as error:
            if isinstance(error, ShowError):
                raise
            raise ShowError(f"{path}: not a manifest: {error!r}") from error

    def record(self, split: str, position: int) -> Record:
        """The record at a position of a split.

        Raises:
            OSError: if its file cannot be read.
            ShowError: if its file is damaged.
        """
        first = 0
        for shard in self._of(split):
            if position < first + shard["records"]:
                frames = self._frames(shard)[position - first :][:1]
                return self._decode(split, position, shard, frames)
            first += shard["records"]
        raise IndexError(f"no record {position} in {split}")

    def find(self, expression: str) -> Record:
        """The record of an expression.

        Raises:
            OSError: if a file cannot be read.
            ShowError: if there is none, or its file is damaged.
        """
        length = self._features["expression"]["length"]
        wanted = np.frombuffer(expression.rjust(length).encode("utf-8", "replace"), np.uint8)
        for split in self.counts if len(wanted) == length else ():
            first = 0
            for shard in self._of(split):
                frames = self._frames(shard)
                found = (self._values(shard, frames)["expression"] == wanted).all(axis=1)
                if found.any():
                    row = int(found.argmax())
                    return self._decode(split, first + row, shard, frames[row : row + 1])
                first += shard["records"]
        raise ShowError(f"{self._folder}: no record of {expression!r}")

    def _of(self, split: str) -> Iterator[dict[str, Any]]:
        return (shard for shard in self._shards if shard["split"] == split)

    def _frames(self, shard: dict[str, Any]) -> np.ndarray:
        path = self._folder / shard["name"]
        content = np.memmap(path, np.uint8, "r") if shard["records"] else np.empty(0, np.uint8)
        if len(content) != shard["records"] * self._form.frame_length:
            raise ShowError(f"{path}: damaged: not as long as the manifest says")
        return content.reshape(-1, self._form.frame_length)

    def _values(self, shard: dict[str, Any], frames: np.ndarray) -> dict[str, np.ndarray]:
        try:
            return self._form.values(frames)
        except ValueError as error:
            raise ShowError(f"{self._folder / shard['name']}: {error}") from error

    def _decode(
        self, split: str, position: int, shard: dict[str, Any], frame: np.ndarray
    ) -> Record:
        values = self._values(shard, frame)
        features: dict[str, str | list[int]] = {}
        for name, feature in self._features.items():
            data = values[name][0].tobytes()
            if name in _TEXTS:
                features[name] = data.decode("ascii")
            elif name == "group":
                features[name] = self._groups[data[0]]
            elif name == SEQUENCE:
                features[name] = " ".join(
                    self._symbols[number].replace(PADDING, _BLANK) for number in data
                )
            else:
                dtype = np.dtype(feature["dtype"]).newbyteorder("<")
                features[name] = np.frombuffer(data, dtype).tolist()
        return Record(split, position, features)


def some(records: Records, count: int) -> Iterator[Record]:
    """Some records, from each split in turn and from all over it."""
    splits = [split for split, size in records.counts.items() if size]
    for number in range(count):
        split = splits[number % len(splits)]
        yield records.record(split, number * records.counts[split] // count)


def describe(chosen: Sequence[Record], counts: Mapping[str, int]) -> str:
    """Records in lines, their features below each other.

    Args:
        chosen: the records.
        counts: how many there are, by split.
    """
    values = [value for record in chosen for value in record.features.values()]
    numbers = [number for value in values if not isinstance(value, str) for number in value]
    width = max([len(str(number)) for number in numbers], default=0)
    return "\n\n".join(_describe(record, counts[record.split], width) for record in chosen)


def _describe(record: Record, of: int, width: int) -> str:
    name_width = max(map(len, record.features))
    lines = [f"{record.split}, record {record.position:,} of {of:,}, counted from 0"]
    for name, value in record.features.items():
        if name in _TEXTS:
            text = f'"{value}"'
        elif isinstance(value, str):
            text = value
        else:
            text = " ".join(str(number).rjust(width) for number in value)
        lines.append(f"  {name:<{name_width}}  {text}")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        "python -m pipeline.show",
        description=f"Prints {_RECORDS} records of a corpus in words, from each split in turn.",
        allow_abbrev=False,
    )
    default = presets.folder(presets.DEFAULT, "corpus")
    parser.add_argument("--corpus", type=Path, default=default, metavar="DIR", help="(%(default)s)")
    parser.add_argument("--expression", metavar="TEXT", help="the record of this expression alone")
    arguments = parser.parse_args(argv)
    try:
        records = Records(arguments.corpus)
        if arguments.expression is None:
            chosen = list(some(records, _RECORDS))
        else:
            chosen = [records.find(arguments.expression)]
    except (OSError, ShowError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 1
    print(describe(chosen, records.counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
