"""Flatbuffers, read with numpy alone, and no offset in them trusted.

Tables of one kind are read together, an array for each field: the 3,000 tables of the packaged
model take some milliseconds so, and many times as long one by one.

Source: "FlatBuffer Internals", flatbuffers.dev.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class FlatbufferError(ValueError):
    """A flatbuffer that cannot be used; the message says what is wrong, not in which file."""


class Bytes:
    """The bytes, as arrays of numbers of each kind that begin at the first byte."""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self._content = content
        self._arrays: dict[str, np.ndarray] = {}

    def take(self, kind: str, at: np.ndarray) -> np.ndarray:
        """The numbers of one kind at positions, int64 (n,); as int64 but for floats."""
        array = self._arrays.get(kind)
        if array is None:
            dtype = np.dtype(kind).newbyteorder("<")
            array = np.frombuffer(self._content, dtype, self.size // dtype.itemsize)
            self._arrays[kind] = array
        size = array.itemsize
        index = at // size
        if at.size and (at.min() < 0 or index.max() >= len(array) or (index * size != at).any()):
            raise FlatbufferError("an offset leads out of it, or to no multiple of a number's size")
        taken: np.ndarray = array[index]
        return taken if array.dtype.kind == "f" else taken.astype(np.int64)


class Tables:
    """Tables of one kind, to be read field by field, all of them at a time.

    Args:
        data: what they are in.
        at: their positions, int64 (n,).
    """

    def __init__(self, data: Bytes, at: np.ndarray) -> None:
        self._data, self.at = data, at
        self._vtable = at - data.take("i4", at)
        self._slots_end = data.take("u2", self._vtable)
        self._end = data.take("u2", self._vtable + 2)
        wrong = (self._slots_end < 4) | (self._vtable + self._slots_end > data.size)
        if (wrong | (self._end < 4) | (at + self._end > data.size)).any():
            raise FlatbufferError("a table does not end within it")

    def __len__(self) -> int:
        return len(self.at)

    def each(self) -> list[Tables]:
        """The same tables, one by one."""
        return [self[i : i + 1] for i in range(len(self))]

    def __getitem__(self, chosen: slice | np.ndarray) -> Tables:
        return Tables(self._data, self.at[chosen])

    def scalars(self, slot: int, kind: str, default: int) -> np.ndarray:
        """A number of each table."""
        at, there = self._fields(slot, np.dtype(kind).itemsize)
        found = self._data.take(kind, at[there])
        values = np.full(len(self), default, found.dtype)
        values[there] = found
        return values

    def has(self, slot: int) -> np.ndarray:
        """Whether a field is there, bool (n,)."""
        return self._fields(slot, 1)[1]

    def tables(self, slot: int) -> Tables:
        """The tables in a vector, of all these tables together."""
        starts, lengths = self._vectors(slot, 4)
        at = _ranges(starts, lengths, 4)
        return Tables(self._data, at + self._data.take("u4", at))

    def counts(self, slot: int) -> np.ndarray:
        """How many items a vector of offsets has, int64 (n,)."""
        return self._vectors(slot, 4)[1]

    def table(self, slot: int) -> tuple[Tables, np.ndarray]:
        """The table in a field, of those that have one, and which these are: indices."""
        at, there = self._fields(slot, 4)
        at = at[there]
        return Tables(self._data, at + self._data.take("u4", at)), np.flatnonzero(there)

    def lists(self, slot: int, kind: str) -> list[tuple[Any, ...]]:
        """The numbers in a vector of each table; nothing where there is none."""
        size = np.dtype(kind).itemsize
        starts, lengths = self._vectors(slot, size)
        numbers = self._data.take(kind, _ranges(starts, lengths, size)).tolist()
        ends = lengths.cumsum().tolist()
        return [tuple(numbers[a:b]) for a, b in zip([0, *ends], ends, strict=False)]

    def spans(self, slot: int) -> tuple[np.ndarray, np.ndarray]:
        """Where a vector of bytes starts, and how many there are; 0 where there is none."""
        return self._vectors(slot, 1)

    def strings(self, slot: int) -> list[str]:
        """A text of each table; empty where there is none."""
        starts, lengths = self._vectors(slot, 1)
        ends = (starts + lengths)[starts > 0]
        if self._data.take("u1", ends).any():
            raise FlatbufferError("a text does not end")
        texts = self.lists(slot, "u1")
        return [bytes(text).decode("utf-8", "replace") for text in texts]

    def _fields(self, slot: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """The positions of a field, and which tables have it."""
        entry = 4 + 2 * slot
        has = np.flatnonzero(self._slots_end >= entry + 2)
        offset = np.zeros(len(self), np.int64)
        offset[has] = self._data.take("u2", self._vtable[has] + entry)
        there = offset > 0
        if (there & ((offset < 4) | (offset + size > self._end))).any():
            raise FlatbufferError("a field lies outside of its table")
        return self.at + offset, there

    def _vectors(self, slot: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Where the items of a vector start, and how many there are; 0 where there is none."""
        at, there = self._fields(slot, 4)
        at = at[there]
        at = at + self._data.take("u4", at)
        starts, lengths = np.zeros(len(self), np.int64), np.zeros(len(self), np.int64)
        starts[there], lengths[there] = at + 4, self._data.take("u4", at)
        if (starts + lengths * size > self._data.size).any():
            raise FlatbufferError("a vector does not end within it")
        # Some that lie in one place could unfold to more than there is memory.
        if lengths.sum() * size > self._data.size:
            raise FlatbufferError("its vectors overlap")
        return starts, lengths


def _ranges(starts: np.ndarray, lengths: np.ndarray, step: int) -> np.ndarray:
    """start, start + step, …, as many as each length says, one behind another."""
    before = lengths.cumsum() - lengths
    ranges: np.ndarray = np.repeat(starts - before * step, lengths.astype(np.intp))
    ranges += np.arange(len(ranges)) * step
    return ranges
