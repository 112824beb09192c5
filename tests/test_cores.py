"""How many cores a process may use, on machines that are faked: affinity, and cgroup v2's files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from edgecalc.network import cores


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the control groups of a machine with 8 cores lie; there is no limit as yet."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(cores, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(cores, "_GROUP", tmp_path / "cgroup")
    (tmp_path / "groups/outer/inner").mkdir(parents=True)
    (tmp_path / "cgroup").write_text("0::/outer/inner\n")
    return tmp_path


def test_without_a_limit_it_is_the_affinity(machine: Path, monkeypatch: pytest.MonkeyPatch):
    assert cores.available_cores() == 8
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {5})
    assert cores.available_cores() == 1


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("150000 100000", 2),  # one and a half keep two busy
        ("10000 100000", 1),
        ("1600000 100000", 8),  # more than there are
        ("damaged", 8),
        ("1 0", 8),
    ],
)
def test_a_quota_is_rounded_up(machine: Path, limit: str, expected: int):
    (machine / "groups/outer/inner/cpu.max").write_text(f"{limit}\n")
    assert cores.available_cores() == expected


@pytest.mark.parametrize("group", ["", "outer", "outer/inner"])
def test_the_tightest_of_all_groups_above_counts(machine: Path, group: str):
    for folder in ("", "outer", "outer/inner"):
        quota = 300_000 if folder == group else 600_000
        (machine / "groups" / folder / "cpu.max").write_text(f"{quota} 100000\n")
    assert cores.available_cores() == 3


def test_what_lies_above_the_groups_is_none_of_them(machine: Path):
    (machine / "cpu.max").write_text("100000 100000\n")
    assert cores.available_cores() == 8


@pytest.mark.parametrize("content", [None, "", "nonsense\n", "0::/gone\n", "4:cpu:/v1\n0::/\n"])
def test_other_machines_have_no_such_files(machine: Path, content: str | None):
    (machine / "cgroup").unlink()
    if content is not None:
        (machine / "cgroup").write_text(content)
    assert cores.available_cores() == 8


def test_a_system_without_affinity(machine: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert cores.available_cores() == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores.available_cores() == 1
