"""How the examples of a task are divided, and in which order a corpus holds them.

Both are functions of an example's content or index and of nothing else, so whoever generates an
example knows its split and its place.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from tasks.task import Examples

SPLITS = ("train", "validation", "test")
# The examples that hold a part which no other split has; there are some if `Splits.unseen` says so.
UNSEEN = "unseen"
HELD_OUT = SPLITS.index("test")
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FEISTEL_ROUNDS = 6


@dataclass(frozen=True)
class Splits:
    """How a task's examples are divided: by a hash of their content, and of nothing else.

    The same example falls into the same split in every corpus with the same fractions, whatever
    the seed and the sizes of the task, and so does its twin. A smaller train fraction leaves a
    subset of the larger one's train split.

    Raises:
        ValueError: if the fractions are negative or leave nothing for the test split.
    """

    train: float = field(default=0.8, metadata={"help": "fraction of the examples to train on"})
    validation: float = field(default=0.1, metadata={"help": "fraction to validate on"})
    unseen: float = field(
        default=0.0,
        metadata={
            "help": "fraction of the parts (of the calculator: the numbers) that are held out: "
            "whatever holds one is in a split of its own"
        },
    )

    def __post_init__(self) -> None:
        if min(self.train, self.validation) < 0 or self.train + self.validation >= 1:
            raise ValueError(
                "the fractions train and validation must leave something for the test split: "
                f"{self.train} and {self.validation}"
            )
        if not 0 <= self.unseen < 1:
            raise ValueError(f"the fraction unseen must be from 0 to below 1: {self.unseen}")

    @property
    def names(self) -> tuple[str, ...]:
        """The splits there are, in the order of their numbers."""
        return (*SPLITS, UNSEEN) if self.unseen else SPLITS

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON types."""
        return asdict(self)

    def of(self, examples: Examples) -> np.ndarray:
        """The split of each of n examples: positions in `names`, uint8 (n,)."""
        fraction = _fraction(examples.keys())
        split = (fraction >= self.train).astype(np.uint8)
        split += fraction >= self.train + self.validation
        if self.unseen:
            split[self.holds_unseen(examples.parts()).any(axis=1)] = len(SPLITS)
        return split

    def holds_unseen(self, parts: np.ndarray) -> np.ndarray:
        """Which parts are held out, bool of the shape of `parts`."""
        return _fraction(mix(parts)) < self.unseen


def content_key(*content: np.ndarray) -> np.ndarray:
    """A key of n examples' content, uint64 (n,).

    Args:
        content: what tells an example from another, non-negative integers (n,) each.
    """
    key = np.zeros(len(content[0]), np.uint64)
    for part in content:
        key = mix(key + part.astype(np.uint64) + _GOLDEN)
    return key


def mix(values: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): uint64 to uint64, bijective."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    values = values ^ (values >> np.uint64(31))
    return values


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
    keys = mix(
        np.arange(1, _FEISTEL_ROUNDS + 1, dtype=np.uint64) * _GOLDEN
        + np.uint64(seed & 0xFFFFFFFFFFFFFFFF)
    )
    values = _feistel(np.asarray(positions, np.uint64), half, keys)
    while (outside := values >= np.uint64(count)).any():
        values[outside] = _feistel(values[outside], half, keys)
    return values.astype(np.int64)


def _fraction(keys: np.ndarray) -> np.ndarray:
    return (keys >> np.uint64(11)) * 2.0**-53


def _feistel(values: np.ndarray, half: int, keys: np.ndarray) -> np.ndarray:
    bits, mask = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = values >> bits, values & mask
    for key in keys:
        left, right = right, left ^ (mix(right + key) & mask)
    return (left << bits) | right
