"""Which code made a model: a digest that changes when the code does, and not with its comments."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import edgecalc.language

import model
import tasks

# What a trained model depends on: how it is built and taught, and what it learns.
_PACKAGES = (edgecalc.language, model, tasks)


def digests() -> dict[str, str]:
    """Of each module that makes a model the beginning of its SHA-256, by the name of its file."""
    found = {}
    for package in _PACKAGES:
        folder = Path(package.__file__).parent
        for path in sorted(folder.rglob("*.py")):
            name = Path(*package.__name__.split("."), path.relative_to(folder)).as_posix()
            found[name] = hashlib.sha256(_without_words(path).encode()).hexdigest()[:16]
    return found


def _without_words(path: Path) -> str:
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                body[0] = ast.Expr(ast.Constant(""))  # a docstring
    return ast.dump(tree)
