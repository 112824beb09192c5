"""How Ctrl-C ends the command. Nothing is loaded here that takes time."""

import os
import sys

INTERRUPTED = 130  # 128 + SIGINT, as shells say it
MESSAGE = "edgecalc: interrupted"


def leave(*_: object) -> None:
    """Ends the process with a line on stderr, as a handler of Ctrl-C."""
    try:
        if sys.stderr is not None:  # else another file may have the number 2
            os.write(2, f"{MESSAGE}\n".encode())
    except OSError:  # a stderr that takes nothing is no reason to go on
        pass
    os._exit(INTERRUPTED)
