"""Streams of items cut into batches, and batches that are quick to hand to another process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, cast

_Item = TypeVar("_Item")


class Rows(list[_Item]):
    """Named tuples of one kind, by columns for pickle: a third of the time."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            (_rows, (type(self[0]), tuple(zip(*cast(Any, self), strict=True))))
            if self
            else (Rows, ())
        )


def _rows(kind: Any, columns: tuple[Any, ...]) -> Rows[Any]:
    return Rows(map(kind._make, zip(*columns, strict=True)))


def in_batches(
    items: Iterable[_Item], size: int, nothing_yet: object = object()
) -> Iterator[list[_Item]]:
    """Cuts items into lists of a size, the last one as long as it gets.

    If the items end with an exception, those before it come first.

    Args:
        items: any number of them.
        size: at least 1.
        nothing_yet: in place of an item, says that the next may take a while; for it there is
            an empty list.
    """
    batch: list[_Item] = []
    try:
        for item in items:
            if item is nothing_yet:
                yield []
                continue
            batch.append(item)
            if len(batch) == size:
                yield batch
                batch = []
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
