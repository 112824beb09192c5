"""Measurements that the documentation quotes; each module but `peers` is a command."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import presets
from tasks.task import Task, task_class


def preset_task(name: str) -> Task[Any]:
    """The task of a preset."""
    preset = presets.load(name)
    chosen = task_class(preset["task"])
    return chosen(chosen.language.spec_class(**preset["spec"]))


def save(name: str, result: Mapping[str, Any]) -> None:
    """Writes what was measured to `build/bench/NAME.json`."""
    path = Path("build/bench", f"{name}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
