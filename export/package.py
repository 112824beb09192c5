"""`python -m export.package FILE`: puts a verified export into the package.

It takes the place of what ships of its preset.

Only what is at least as good gets there: a whole training, counted on all there is, as exact in
every group as the model before it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import edgecalc
from edgecalc import Calculator, ModelError
from edgecalc.language.counts import format_percentage, format_score
from edgecalc.network.model_file import Model, packaged_name, read_model

MAX_BYTES = 2_000_000  # of a file that every device gets
_MODELS = Path(edgecalc.__file__).parent / "models"
_TITLES = {"held_out": "held-out", "exhaustive": "all"}


class PackageError(ValueError):
    """A file that is not to ship; the message is one sentence that says why."""


def package(path: Path, folder: Path = _MODELS) -> tuple[Model, list[str]]:
    """Puts a model file into the package; what shipped of its preset is gone then.

    Args:
        path: the file.
        folder: where the package has its models.

    Returns:
        The model that ships now, and notes for whoever reads along.

    Raises:
        ModelError: if the runtime cannot use the file.
        OSError: if it cannot be copied.
        PackageError: if it is not to ship.
    """
    model = read_model(path)
    name = packaged_name(path)
    files = [other for other in sorted(folder.glob("*.tflite")) if packaged_name(other) == name]
    formers, notes = _formers(files)
    _check(model, path)
    for former in formers:
        _compare(model, former)
    calculator = Calculator(path)
    calculator.answer(calculator.language.example())
    target = folder / path.name
    partial = target.with_suffix(".partial")  # no model as yet
    shutil.copyfile(path, partial)
    os.replace(partial, target)
    for other in files:
        if other != target:
            other.unlink()
    return read_model(target), notes


def _formers(files: list[Path]) -> tuple[list[Model], list[str]]:
    """The models that can be read, and notes on the others."""
    models, notes = [], []
    for path in files:
        try:
            models.append(read_model(path))
        except ModelError as error:
            notes.append(f"what ships cannot be read, so nothing is compared with it: {error}")
    return models, notes


def _check(model: Model, path: Path) -> None:
    """Refuses a model that no other needs to be compared with."""
    size = path.stat().st_size
    if model.card["training"].get("completed") is not True:
        raise PackageError(f"{path}: its training did not come to its end")
    if not model.card["accuracy"].get("exhaustive"):
        raise PackageError(
            f"{path}: it was not counted on all there is, so nobody knows how exact it is"
        )
    if size >= MAX_BYTES:
        raise PackageError(f"{path}: {size:,} bytes are not under {MAX_BYTES:,}")


def _compare(model: Model, former: Model) -> None:
    """Refuses a model that is in any group less exact than the one that ships."""
    if model.spec != former.spec:
        raise PackageError(
            f"{model.name}: its expressions are not those of {former.name}, which ships: "
            f"{model.spec} instead of {former.spec}"
        )
    for key, title in _TITLES.items():
        before = former.card["accuracy"].get(key) or {}
        for group, count in before.items():
            now = model.card["accuracy"][key].get(group, {"exact": 0, "of": 0})
            if now["exact"] * count["of"] < count["exact"] * now["of"] or not now["of"]:
                raise PackageError(
                    f"{model.name}: is less exact than what ships: {group} {_share(now)} instead "
                    f"of {_share(count)} of {title} expressions"
                )


def _share(count: Mapping[str, int]) -> str:
    exact, of = count["exact"], count["of"]
    return f"{format_percentage(exact, of)} ({exact:,} of {of:,})" if of else "none"


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        "python -m export.package",
        description="Puts a verified export into the package, if it is at least as good as what "
        "ships.",
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="an exported model")
    parser.add_argument(
        "--models", type=Path, default=_MODELS, metavar="DIR", help="the package's (%(default)s)"
    )
    arguments = parser.parse_args(argv)
    if not arguments.file.exists():
        print(
            f"{parser.prog}: error: {arguments.file}: no such file; `make data train export` "
            "writes one",
            file=sys.stderr,
        )
        return 1
    try:
        model, notes = package(arguments.file, arguments.models)
    except (ModelError, OSError, PackageError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 1
    for note in notes:
        print(note, file=sys.stderr)
    exact = format_score(model.card["accuracy"]["exhaustive"])
    print(f"ships now: {model.name}, exact on all there is: {exact}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
