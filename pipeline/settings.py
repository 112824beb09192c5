"""What a corpus is made of: its settings, its size and how it is cut into shards."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgecalc import space
from edgecalc.space import Splits
from edgecalc.spec import Spec

MAX_SHARDS = 99_999  # five digits in the name of a shard
_SEED_BITS = 64


@dataclass(frozen=True)
class CorpusSettings:
    """The table `[corpus]` of a preset.

    Raises:
        ValueError: if a field is out of range; the message names the field.
    """

    seed: int = field(default=2018, metadata={"help": "key of the order of the expressions"})
    shards: int = field(default=64, metadata={"help": "number of files for each split"})
    examples: int = field(
        default=0,
        metadata={"help": "only the first so many expressions in that order; 0 is the whole space"},
    )

    def __post_init__(self) -> None:
        if not -(2 ** (_SEED_BITS - 1)) <= self.seed < 2**_SEED_BITS:
            raise ValueError(f"seed must be a whole number of {_SEED_BITS} bits: {self.seed}")
        if not 1 <= self.shards <= MAX_SHARDS:
            raise ValueError(f"shards must be from 1 to {MAX_SHARDS:,}: {self.shards}")
        if self.examples < 0:
            raise ValueError(f"examples must be 0 (the whole space) or more: {self.examples}")


@dataclass(frozen=True)
class Corpus:
    """All that decides which bytes are in which shard; a plain value that Beam sends to workers.

    Raises:
        ValueError: if there are more examples than expressions, or more shards than examples.
    """

    spec: Spec
    splits: Splits
    settings: CorpusSettings

    def __post_init__(self) -> None:
        whole = space.size(self.spec)
        if self.settings.examples > whole:
            raise ValueError(
                f"examples must be at most {whole:,}, the size of the space: "
                f"{self.settings.examples:,}"
            )
        if self.settings.shards > self.examples:
            raise ValueError(
                f"shards must be at most {self.examples:,}, the number of examples: "
                f"{self.settings.shards:,}"
            )

    @property
    def examples(self) -> int:
        """The number of records over all splits."""
        return self.settings.examples or space.size(self.spec)

    def block(self, shard: int) -> range:
        """The positions in the permuted space that a shard holds; blocks differ by at most one."""
        return range(
            shard * self.examples // self.settings.shards,
            (shard + 1) * self.examples // self.settings.shards,
        )
