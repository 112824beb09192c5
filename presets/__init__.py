"""Named sizes of the job: a TOML file for each preset, a table in it for each dataclass.

Above its tables a preset names its `task`, and may name another preset that it `extends`: what it
does not say itself is as there.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

Settings = TypeVar("Settings")

_FOLDER = Path(__file__).parent
DEFAULT = "default"
_SUFFIX = ".toml"


class SettingsError(ValueError):
    """A preset or a flag that gives no valid settings; the message says which."""


def names() -> list[str]:
    """The presets there are."""
    return sorted(path.stem for path in _FOLDER.glob(f"*{_SUFFIX}"))


def load(preset: str) -> dict[str, Any]:
    """What a preset says, and what those that it extends say.

    Args:
        preset: a name, or the path of a file that ends in `.toml`.

    Returns:
        `task`, and its tables by name.

    Raises:
        SettingsError: if there is no such preset, its file is no TOML, or it names no task.
    """
    content: dict[str, Any] = {}
    seen: list[str] = []
    extended: Any = preset
    while extended is not None:
        if extended in seen:
            raise SettingsError(f"preset {preset!r}: {extended!r} extends itself")
        seen.append(extended)
        further = _read(extended)
        extended = further.pop("extends", None)
        for name, value in further.items():
            if isinstance(value, dict):
                content[name] = {**value, **content.get(name, {})}
            else:
                content.setdefault(name, value)
    if not isinstance(content.get("task"), str):
        raise SettingsError(f"preset {preset!r}: names no task")
    return content


def chosen(argv: Sequence[str] | None) -> str:
    """The preset that the arguments of a command name; its other flags depend on it."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    _add_preset(parser)
    return parser.parse_known_args(argv)[0].preset


def folder(preset: str, stage: str) -> Path:
    """Where a stage of a preset is built, by make and by default: `build/default/corpus`."""
    return Path("build", Path(preset).name.removesuffix(_SUFFIX), stage)


def add_flags(parser: argparse.ArgumentParser, *classes: type) -> None:
    """Adds `--preset`, and for every field of these dataclasses a flag that overrides it."""
    _add_preset(parser)
    for cls in classes:
        group = parser.add_argument_group(f"settings of the preset: {cls.__name__}")
        types = get_type_hints(cls)
        for field in fields(cls):
            group.add_argument(
                "--" + field.name.replace("_", "-"),
                type=types[field.name],
                default=argparse.SUPPRESS,
                metavar=types[field.name].__name__.upper(),
                help=field.metadata["help"].replace("%", "%%"),  # argparse formats it
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
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]  # a dataclass
    values = load(arguments.preset).get(table, {})
    if unknown := set(values) - known:
        unknown_fields = ", ".join(sorted(unknown))
        raise SettingsError(f"preset {arguments.preset!r}: [{table}] has no {unknown_fields}")
    given = {name: value for name, value in vars(arguments).items() if name in known}
    try:
        return cls(**{**values, **given})
    except (TypeError, ValueError) as error:
        raise SettingsError(str(error)) from error


def _read(preset: str) -> dict[str, Any]:
    path = Path(preset) if preset.endswith(_SUFFIX) else _FOLDER / f"{preset}{_SUFFIX}"
    if not path.exists():
        raise SettingsError(
            f"no preset {preset!r}; there are {', '.join(names())}, or name a {_SUFFIX} file"
        )
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"preset {preset!r}: {error}") from error


def _add_preset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preset",
        default=DEFAULT,
        metavar="NAME",
        help=f"one of {', '.join(names())}, or a {_SUFFIX} file (%(default)s)",
    )
