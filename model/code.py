"""Which code made a model: a digest that changes when the code does, and not with its comments."""

from __future__ import annotations

from pathlib import Path

import edgecalc.language

import model
import tasks
from presets.recipe import digest, python_files
from presets.recipe import without_words as _without_words  # noqa: F401

# What a trained model depends on: how it is built and taught, and what it learns.
_PACKAGES = (edgecalc.language, model, tasks)


def digests() -> dict[str, str]:
    """Of each module that makes a model the beginning of its SHA-256, by the name of its file."""
    found = {}
    for package in _PACKAGES:
        folder = Path(package.__path__[0])
        for path in python_files(folder):
            name = Path(*package.__name__.split("."), path.relative_to(folder)).as_posix()
            found[name] = digest(path)
    return found
