"""Which code made a model: digests that change when the code does, and not with its comments."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import edgecalc.language

import model
import tasks
from presets.recipe import digest, python_files
from tasks.task import Task

# What a trained model depends on: how it is built and taught, and what it learns.
_PACKAGES = (edgecalc.language, model, tasks)


def digests(task: Task[Any]) -> dict[str, str]:
    """Of each module that makes a model the beginning of its SHA-256, by the name of its file.

    Args:
        task: what is learned; it can come from another distribution.
    """
    found = {}
    for package in _PACKAGES:
        folder = Path(package.__path__[0])
        for path in python_files(folder):
            name = Path(*package.__name__.split("."), path.relative_to(folder)).as_posix()
            found[name] = digest(path)
    for cls in (type(task), type(task).language, type(task.spec)):
        name = cls.__module__.replace(".", "/") + ".py"
        found.setdefault(name, digest(Path(inspect.getfile(cls))))
    return found
