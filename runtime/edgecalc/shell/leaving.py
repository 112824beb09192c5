"""How Ctrl-C ends the command: with one line and status 130, at once.

Python makes an exception of Ctrl-C, and while modules load there is no place to catch it: in an
extension module it becomes an ImportError, in a callback of the import system it is printed and
forgotten. So Ctrl-C ends the process at once, but for what `edgecalc.shell.interrupts` surrounds.

Nothing is loaded here that takes time.
"""

import os
import sys

INTERRUPTED = 130  # 128 + SIGINT, as shells say it
MESSAGE = "edgecalc: interrupted"


def leave_at_interrupt() -> None:
    """Lets Ctrl-C end the process from here on.

    Raises:
        KeyboardInterrupt: if it came before that.
    """
    import signal

    # Whoever starts a command in the background lets it ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)


def leave(*_: object) -> None:
    """Ends the process with a line on stderr, as a handler of Ctrl-C."""
    try:
        if sys.stderr is not None:  # else another file may have the number 2
            os.write(2, f"{MESSAGE}\n".encode())
    except OSError:  # a stderr that takes nothing is no reason to go on
        pass
    os._exit(INTERRUPTED)
