"""Named sizes of the job: a TOML file for each preset, a table in it for each dataclass."""

from __future__ import annotations

import argparse
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

Settings = TypeVar("Settings")

_FOLDER = Path(__file__).parent
DEFAULT = "default"
_TYPES = {"int": int, "float": float, "str": str}


class SettingsError(ValueError):
    """A preset or a flag that gives no valid settings; the message says which."""


def names() -> list[str]:
    """The presets there are."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load(name: str) -> dict[str, dict[str, Any]]:
    """The tables of a preset.

    Raises:
        SettingsError: if there is no such preset, or its file is no TOML.
    """
    if name not in names():
        raise SettingsError(f"no preset {name!r}; there are {', '.join(names())}")
    try:
        return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"preset {name!r}: {error}") from error


def add_flags(parser: argparse.ArgumentParser, *classes: type) -> None:
    """Adds `--preset`, and for every field of these dataclasses a flag that overrides it."""
    parser.add_argument(
        "--preset",
        default=DEFAULT,
        metavar="NAME",
        help=f"one of {', '.join(names())} (%(default)s)",
    )
    for cls in classes:
        group = parser.add_argument_group(f"settings of the preset: {cls.__name__}")
        for field in fields(cls):
            group.add_argument(
                "--" + field.name.replace("_", "-"),
                type=_TYPES[field.type],
                default=argparse.SUPPRESS,
                metavar=field.type.upper(),
                help=field.metadata["help"],
            )


def settings(cls: type[Settings], table: str, arguments: argparse.Namespace) -> Settings:
    """A dataclass filled from its table of the preset, overridden by the flags that were given.

    Args:
        cls: a dataclass whose flags `add_flags` added.
        table: the name of its table; fields it lacks keep the dataclass's default.
        arguments: the parsed flags.

    Raises:
        SettingsError: if the table has a field that `cls` does not, or a value is refused.
    """
    known = {field.name for field in fields(cls)}
    values = load(arguments.preset).get(table, {})
    if unknown := set(values) - known:
        unknown_fields = ", ".join(sorted(unknown))
        raise SettingsError(f"preset {arguments.preset!r}: [{table}] has no {unknown_fields}")
    given = {name: value for name, value in vars(arguments).items() if name in known}
    try:
        return cls(**{**values, **given})
    except (TypeError, ValueError) as error:
        raise SettingsError(str(error)) from error
