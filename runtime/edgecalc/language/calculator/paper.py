"""A working laid out as on paper: rows of symbols, place under place, and what was unsure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edgecalc.language.calculator.spec import POINT
from edgecalc.language.language import SURE

UNSURE = "?"  # behind what a network was unsure of


class Row(NamedTuple):
    """What is written under the places.

    Attributes:
        title: of the row.
        cells: what stands under the first place and those behind it; there may be fewer.
        tells: by place, whether there is something that must not be left out; there may be fewer.
    """

    title: str
    cells: list[str]
    tells: Sequence[object]


def table(places: int, units: int, rows: list[Row]) -> list[str]:
    """The rows under the names of their places, from the first one that tells something on.

    Args:
        places: how many there are.
        units: which of them, counted from 0, is that of the ones.
        rows: what stands under them.
    """
    told = (
        p for p in range(places) if p == units or any(any(row.tells[p : p + 1]) for row in rows)
    )
    first = next(told)
    titled = [("place", [_place(units - place) for place in range(places)])]
    titled += [(row.title, row.cells[:places]) for row in rows]
    width = 2 + max(len(cell) for _, cells in titled for cell in cells[first:])
    left = max(8, 1 + max(len(title) for title, _ in titled))
    return [
        f"  {title:<{left}}{''.join(cell.rjust(width) for cell in cells[first:])}".rstrip()
        for title, cells in titled
    ]


def marked(symbols: Iterable[str], probabilities: Iterable[float]) -> list[str]:
    """Symbols, with a mark where the network was unsure."""
    pairs = zip(symbols, probabilities, strict=True)
    return [symbol + UNSURE * (probability < SURE) for symbol, probability in pairs]


def doubts(name: str, symbols: list[str], probabilities: list[float]) -> list[str]:
    """The symbols that the network was unsure of, in words: `columns 3: 163 (61%)`."""
    return [
        f"{name} {number}: {symbol} ({probability:.0%})"
        for number, (symbol, probability) in enumerate(zip(symbols, probabilities, strict=True), 1)
        if probability < SURE
    ]


def _place(exponent: int) -> str:
    """The value of a place: `100`, `10`, `1`, `.1`; from the fourth decimal on, `e-4`."""
    if exponent >= 0:
        return "1" + "0" * exponent
    return POINT + "0" * (-exponent - 1) + "1" if exponent >= -3 else f"e{exponent}"
