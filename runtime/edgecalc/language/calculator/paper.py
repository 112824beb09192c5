"""A working laid out as on paper: what is done with which numbers, then rows, place under place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edgecalc.language.calculator.spec import POINT, CalculatorSpec
from edgecalc.language.calculator.working import Axis
from edgecalc.language.language import SURE

_UNSURE = "?"


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


def operation(
    spec: CalculatorSpec, operator: str, operands: list[str], multiplier: list[str]
) -> str:
    """What is done with which numbers: `842 × 037`, from their symbols."""
    a, b = "".join(operands[: spec.digits]), "".join(operands[spec.digits :])
    if operator in "+-" or not multiplier:
        return f"{a} {operator} {b}"
    if operator == "/":
        decimals = Axis(spec).reciprocal_decimals
        whole, rest = "".join(multiplier[:-decimals]), "".join(multiplier[-decimals:])
        return f"{a} × {whole.strip()}{POINT}{rest}    1/{b.lstrip('0')}, from memory"
    return f"{a} × {''.join(multiplier).strip()}"


def table(axis: Axis, operator: str, rows: list[Row]) -> list[str]:
    """The rows under the names of their places, from the first one that tells something on."""
    divides = operator == "/"
    units = axis.units - axis.spec.places * divides
    places = range(axis.places if divides else axis.shown)
    first = next(p for p in places if p == units or any(any(row.tells[p : p + 1]) for row in rows))
    titled = [("place", [_place(units - place) for place in places])]
    titled += [(row.title, row.cells[: len(places)]) for row in rows]
    width = 2 + max(len(cell) for _, cells in titled for cell in cells[first:])
    left = max(8, 1 + max(len(title) for title, _ in titled))
    return [
        f"  {title:<{left}}{''.join(cell.rjust(width) for cell in cells[first:])}".rstrip()
        for title, cells in titled
    ]


def marked(symbols: Iterable[str], probabilities: Iterable[float]) -> list[str]:
    """Symbols, with a mark where the network was unsure."""
    pairs = zip(symbols, probabilities, strict=True)
    return [symbol + _UNSURE * (probability < SURE) for symbol, probability in pairs]


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
