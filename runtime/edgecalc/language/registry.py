"""What goes by a name: the project's own, or what an installed distribution brings.

A distribution brings a task by two entry points of the task's name: in the group
`edgecalc.languages` a class derived from `edgecalc.language.language.Language`, and in the group
`edgecalc.tasks` a class derived from `tasks.task.Task`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any


def registered(group: str, own: Mapping[str, str], name: str) -> Any:
    """The object that is registered under a name.

    Args:
        group: the group of entry points that others register theirs in.
        own: the project's own by name, `module:object`, as an entry point says it.
        name: what is asked for.

    Raises:
        ValueError: if there is none.
    """
    if name in own:
        module, _, attribute = own[name].partition(":")
        return getattr(import_module(module), attribute)
    from importlib.metadata import entry_points  # takes as long to load as a small model

    found = entry_points(group=group)
    for entry_point in found:
        if entry_point.name == name:
            return entry_point.load()
    names = ", ".join(sorted({*own, *(entry_point.name for entry_point in found)}))
    raise ValueError(f"no task {name!r:.100} in {group}; there are {names}")
