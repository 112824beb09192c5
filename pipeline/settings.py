"""What a corpus is made of: its settings, its size and how it is cut into shards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tasks.splits import Splits
from tasks.task import LARGEST_WHOLE, Task

MAX_SHARDS = 99_999  # five digits in the name of a shard
_SEED_BITS = 64


@dataclass(frozen=True)
class CorpusSettings:
    """The table `[corpus]` of a preset.

    Raises:
        ValueError: if a field is out of range; the message names the field.
    """

    seed: int = field(default=2018, metadata={"help": "key of the order of the examples"})
    shards: int = field(default=64, metadata={"help": "number of files for each split"})
    examples: int = field(
        default=0,
        metadata={
            "help": "only the first so many in that order; 0 is all there are, or "
            f"{LARGEST_WHOLE:,} of a task that has more"
        },
    )

    def __post_init__(self) -> None:
        if not -(2 ** (_SEED_BITS - 1)) <= self.seed < 2**_SEED_BITS:
            raise ValueError(f"seed must be a whole number of {_SEED_BITS} bits: {self.seed}")
        if not 1 <= self.shards <= MAX_SHARDS:
            raise ValueError(f"shards must be from 1 to {MAX_SHARDS:,}: {self.shards}")
        if self.examples < 0:
            raise ValueError(f"examples must be 0 (as many as there are) or more: {self.examples}")


@dataclass(frozen=True)
class CorpusPlan:
    """All that decides which bytes are in which shard; a plain value that Beam sends to workers.

    Raises:
        ValueError: if there are more examples than the task has, or more shards than examples, or
            parts are to be held out of a task that has none.
    """

    task: Task[Any]
    splits: Splits
    settings: CorpusSettings

    def __post_init__(self) -> None:
        whole = self.task.size
        if self.settings.examples > whole:
            raise ValueError(
                f"examples must be at most {whole:,}, all there are: {self.settings.examples:,}"
            )
        if self.settings.shards > self.examples:
            raise ValueError(
                f"shards must be at most {self.examples:,}, the number of examples: "
                f"{self.settings.shards:,}"
            )
        if self.splits.unseen and not self.task.parts:
            raise ValueError(
                f"the examples of the task {self.task.spec.task} have no parts that the split "
                "unseen could hold out"
            )

    @property
    def examples(self) -> int:
        """The number of records over all splits."""
        return self.settings.examples or min(self.task.size, LARGEST_WHOLE)

    def block(self, shard: int) -> range:
        """The positions in the corpus that a shard holds; shards differ by at most one."""
        return range(
            shard * self.examples // self.settings.shards,
            (shard + 1) * self.examples // self.settings.shards,
        )
