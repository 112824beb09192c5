"""Exact answers counted by group, and how such counts are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

Counts = Mapping[str, Mapping[str, int]]


class Score:
    """Exact answers counted by group.

    Args:
        groups: the names of the groups.
    """

    def __init__(self, groups: Sequence[str]) -> None:
        self._groups = groups
        self._counts = np.zeros((2, len(groups)), np.int64)

    def add(self, groups: np.ndarray, exact: np.ndarray) -> None:
        """Counts n answers: their groups, uint8 (n,), positions in the names, and bool (n,)."""
        for row, chosen in enumerate((groups[exact], groups)):
            self._counts[row] += np.bincount(chosen, minlength=len(self._groups))

    def to_dict(self) -> dict[str, dict[str, int]]:
        """`{"+": {"exact": 1998, "of": 2000}, …}`, without groups of which none was counted."""
        return {
            group: {"exact": exact, "of": of}
            for group, exact, of in zip(self._groups, *self._counts.tolist(), strict=True)
            if of
        }

    def __str__(self) -> str:
        return format_score(self.to_dict())


def format_score(counts: Counts) -> str:
    """Counts by group in one line: `+ 99.90%  - 100%`."""
    return "  ".join(
        f"{group} {format_percentage(count['exact'], count['of'])}"
        for group, count in counts.items()
    )


def format_percentage(exact: int, of: int) -> str:
    """A percentage that says 100% only if nothing was missed: floored, not rounded."""
    return "100%" if exact == of else f"{exact * 10_000 // of / 100:.2f}%"


def exact_match_table(columns: Mapping[str, Counts]) -> list[str]:
    """Exact match by group, a line for each and one for all.

    Args:
        columns: counts by group under the title of their column.
    """
    groups = list(dict.fromkeys(group for counts in columns.values() for group in counts))
    name, width = max([5, *(len(group) + 2 for group in groups)]), 36
    table = [" " * (4 + name) + "".join(f"{title:<{width}}" for title in columns)]
    for group in [*groups, "all"]:
        cells = []
        for counts in columns.values():
            chosen = (
                counts.values() if group == "all" else [counts.get(group, {"exact": 0, "of": 0})]
            )
            exact, of = (sum(count[key] for count in chosen) for key in ("exact", "of"))
            share = format_percentage(exact, of) if of else "-"
            cells.append(f"{share:>7}  {f'{exact:,} of {of:,}':<{width - 9}}")
        table.append(f"    {group:<{name}}" + "".join(cells))
    return [line.rstrip() for line in table if line.strip()]
