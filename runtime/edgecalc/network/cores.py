"""How many cores there are for this process, which need not be all that the machine has."""

from __future__ import annotations

import math
import os
from pathlib import Path

_GROUP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def available_cores() -> int:
    """The cores that this process may use: by affinity, and by the quota of its control groups."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _quota())))


def _quota() -> float:
    """Processors that the control groups allow, the tightest of them; infinite without a limit."""
    quota = math.inf
    try:
        paths = [line.split(":", 2)[2].strip("/") for line in _GROUP.read_text().splitlines()]
    except (OSError, IndexError):
        return quota
    for path in paths:
        group = _GROUPS / path
        for folder in (group, *group.parents):
            quota = min(quota, _limit(folder))
            if folder == _GROUPS:
                break
    return quota


def _limit(folder: Path) -> float:
    """The limit of one group: `cpu.max` says `150000 100000` for one and a half, or `max`."""
    try:
        allowed, period = (folder / "cpu.max").read_text().split()
        return int(allowed) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf
