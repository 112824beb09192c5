"""Where Ctrl-C does not end the command at once, as it does since `edgecalc.__main__`."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from edgecalc.network.native_output import quiet
from edgecalc.shell.leaving import leave


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """For work that tidies up after itself: Ctrl-C raises KeyboardInterrupt meanwhile."""
    if signal.getsignal(signal.SIGINT) is not leave:
        yield
        return
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
    finally:
        signal.signal(signal.SIGINT, leave)


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """For the making of interpreters: their announcements are dropped, and Ctrl-C waits.

    stderr is exchanged meanwhile, see `quiet`; what Ctrl-C says would be lost with it. A signal
    mask would not do: the system hands the signal to any thread, such as those of numpy.
    """
    handler = signal.getsignal(signal.SIGINT)
    if handler not in (leave, signal.default_int_handler):
        with quiet():
            yield
        return
    came: list[int] = []
    try:
        signal.signal(signal.SIGINT, lambda number, _: came.append(number))
        with quiet():
            yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)
