"""The finite space of expressions: its order, its keyed permutations, its splits.

Index i of a spec's space stands for one expression: operator by operator in the spec's order, then
by first, then by second operand. Divisions by zero have no index.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from edgecalc.arithmetic import write_numbers
from edgecalc.spec import Spec

SPLITS = ("train", "validation", "test")
_COMMUTATIVE = b"+*"
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FEISTEL_ROUNDS = 6


def size(spec: Spec) -> int:
    """The number of expressions: 3,999,000 for 3 digits and four operators."""
    return sum(_block_sizes(spec))


def expressions(spec: Spec, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The expressions at these indices.

    Args:
        spec: the language.
        indices: integers (n,) from 0 to size(spec) - 1.

    Returns:
        ASCII codes of the operators, uint8 (n,), and both operands, int64 (n,) each.
    """
    ends = np.cumsum(_block_sizes(spec))
    indices = np.asarray(indices, np.int64)
    block = np.searchsorted(ends, indices, side="right")
    operators = np.frombuffer(spec.operators.encode("ascii"), np.uint8)[block]
    divides = operators == ord("/")
    inner = indices - np.concatenate([[0], ends])[block]
    a, b = np.divmod(inner, spec.limit - divides)
    return operators, a, b + divides


def write_expressions(
    spec: Spec, operators: np.ndarray, a: np.ndarray, b: np.ndarray
) -> np.ndarray:
    """Writes n expressions padded from the left: ASCII symbols, uint8 (n, expression_length)."""
    width = spec.expression_length
    symbols = np.empty((len(a), width), np.uint8)
    for digits in range(1, spec.digits + 1):
        shorter = 10 ** (digits - 1) if digits > 1 else 0
        rows = np.flatnonzero((b >= shorter) & (b < 10**digits))
        place = width - digits - 1
        symbols[rows, :place] = write_numbers(a[rows], place)
        symbols[rows, place] = operators[rows]
        symbols[rows, place + 1 :] = write_numbers(b[rows], digits)
    return symbols


@dataclass(frozen=True)
class Splits:
    """How the space is divided: by a hash of the expression's content, and of nothing else.

    The same expression falls into the same split in every corpus with the same fractions, whatever
    the seed and the number of digits, and so does its commuted twin (`55+49`, `49+55`). A smaller
    train fraction leaves a subset of the larger one's train split.

    Raises:
        ValueError: if the fractions are negative or leave nothing for the test split.
    """

    train: float = field(default=0.8, metadata={"help": "fraction of the space to train on"})
    validation: float = field(default=0.1, metadata={"help": "fraction to validate on"})

    def __post_init__(self) -> None:
        if min(self.train, self.validation) < 0 or self.train + self.validation >= 1:
            raise ValueError(
                "the fractions train and validation must leave something for the test split: "
                f"{self.train} and {self.validation}"
            )

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON types."""
        return asdict(self)

    def of(self, operators: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The split of each of n expressions: positions in `SPLITS`, uint8 (n,)."""
        commute = np.isin(operators, np.frombuffer(_COMMUTATIVE, np.uint8))
        first = np.where(commute, np.minimum(a, b), a)
        second = np.where(commute, np.maximum(a, b), b)
        content = np.zeros(len(a), np.uint64)
        for part in (operators, first, second):
            content = _mix(content + part.astype(np.uint64) + _GOLDEN)
        fraction = (content >> np.uint64(11)) * 2.0**-53
        return np.where(
            fraction < self.train, 0, np.where(fraction < self.train + self.validation, 1, 2)
        ).astype(np.uint8)


def permute(positions: np.ndarray, count: int, seed: int) -> np.ndarray:
    """A permutation of 0 … count-1 without a table: what stands at each position.

    A Feistel network over the next even power of two, walked until it falls inside (Black and
    Rogaway, "Ciphers with Arbitrary Finite Domains", 2002).

    Args:
        positions: integers (n,) from 0 to count - 1.
        count: the size of the permuted range.
        seed: the key; any integer of 64 bits.

    Returns:
        int64 (n,), each value of the range at one position.
    """
    half = max(1, ((count - 1).bit_length() + 1) // 2)
    keys = _mix(
        np.arange(1, _FEISTEL_ROUNDS + 1, dtype=np.uint64) * _GOLDEN
        + np.uint64(seed & 0xFFFFFFFFFFFFFFFF)
    )
    values = _feistel(np.asarray(positions, np.uint64), half, keys)
    while (outside := values >= np.uint64(count)).any():
        values[outside] = _feistel(values[outside], half, keys)
    return values.astype(np.int64)


def _block_sizes(spec: Spec) -> list[int]:
    return [spec.limit * (spec.limit - (operator == "/")) for operator in spec.operators]


def _feistel(values: np.ndarray, half: int, keys: np.ndarray) -> np.ndarray:
    bits, mask = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = values >> bits, values & mask
    for key in keys:
        left, right = right, left ^ (_mix(right + key) & mask)
    return (left << bits) | right


def _mix(values: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): uint64 to uint64, bijective."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
