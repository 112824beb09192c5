"""`python -m presets.recipe STAGE`: what a stage's output follows from beside its input, as a file.

It holds the settings of the stage and digests of its code. make compares nothing but times, so the
file is written only if something in it has changed: a comment is no reason to train anew, nor is a
setting of another stage.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import presets

_ROOT = Path(__file__).parents[1]


class Stage(NamedTuple):
    """A stage of the road.

    Attributes:
        tables: those of a preset that it reads; None for all of them.
        code: the folders, and files, of its code.
    """

    tables: tuple[str, ...] | None
    code: tuple[str, ...]


STAGES = {
    "corpus": Stage(
        ("task", "spec", "splits", "corpus"), ("pipeline", "tasks", "runtime/edgecalc/language")
    ),
    "model": Stage(None, ("model", "tasks", "runtime/edgecalc/language")),
    "export": Stage(
        (),
        (
            "export",
            "tasks",
            "runtime/edgecalc/calculator.py",
            "runtime/edgecalc/language",
            "runtime/edgecalc/network",
        ),
    ),
}


def recipe(stage: str, preset: str) -> dict[str, Any]:
    """What the output of a stage follows from.

    Args:
        stage: one of `STAGES`.
        preset: a name, or the path of a TOML file.

    Returns:
        `settings`, tables of the preset by name, and `code`, digests by path; JSON types.

    Raises:
        presets.SettingsError: if the preset cannot be read.
    """
    tables, folders = STAGES[stage]
    settings = presets.load(preset)
    if tables is not None:
        settings = {name: value for name, value in settings.items() if name in tables}
    paths = [path for folder in folders for path in python_files(_ROOT / folder)]
    return {
        "settings": settings,
        "code": {path.relative_to(_ROOT).as_posix(): digest(path) for path in paths},
    }


def python_files(path: Path) -> Iterable[Path]:
    """The Python files of a folder and those within, in order; a file is just itself."""
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def digest(path: Path) -> str:
    """The beginning of the SHA-256 of a Python file's code."""
    return hashlib.sha256(without_words(path).encode()).hexdigest()[:16]


def without_words(path: Path) -> str:
    """The code of a Python file as one text, without comments and docstrings."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                body[0] = ast.Expr(ast.Constant(""))  # a docstring
    return ast.dump(tree)


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        "python -m presets.recipe",
        description="Writes down what a stage's output follows from, if that has changed.",
        allow_abbrev=False,
    )
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--preset", default=presets.DEFAULT, metavar="NAME", help="(%(default)s)")
    parser.add_argument("--out", type=Path, required=True, metavar="JSON", help="the file")
    arguments = parser.parse_args(argv)
    out: Path = arguments.out
    try:
        text = json.dumps(recipe(arguments.stage, arguments.preset), indent=1) + "\n"
        if not out.exists() or out.read_text(encoding="utf-8") != text:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(text, encoding="utf-8")
    except (OSError, SyntaxError, ValueError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
