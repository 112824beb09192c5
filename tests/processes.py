"""How the tests start `edgecalc` as a process."""

from __future__ import annotations

import os
import sys

COMMAND = [sys.executable, "-m", "edgecalc"]


def user_environment() -> dict[str, str]:
    """The environment as a user has it, with a module path for any working directory.

    Without PYTHONUNBUFFERED: what is buffered can fail late, at the very end.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    path = environment.get("PYTHONPATH")
    if path is None:
        return environment
    return {
        **environment,
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, path.split(os.pathsep))),
    }
