"""Holds back what native libraries announce on stderr, where only this program's words belong.

For command lines alone: whoever uses the Python API has other threads, and a stderr of their own.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import tempfile
import threading
from collections.abc import Iterator

# `INFO: Created TensorFlow Lite XNNPACK delegate`, `I0000 00:00:17… port.cc:153] …`, and abseil's
# remark on lines of that kind.
_ANNOUNCEMENT = re.compile(rb"INFO: |[IW]\d{4} |WARNING: All log messages before absl::")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drops the announcements that are written to stderr meanwhile; the rest follows at the end.

    These libraries have no switch in Python for it, so the file descriptor is exchanged, for the
    whole process: only while no other thread runs and no child is started.
    """
    with contextlib.ExitStack() as stack:
        try:
            kept = os.dup(2)
            stack.callback(os.close, kept)
            caught = stack.enter_context(tempfile.TemporaryFile())
        except OSError:  # stderr is closed, or there is no room for a temporary file
            yield
            return
        try:
            os.dup2(caught.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            caught.seek(0)
            rest = [line for line in caught if not _ANNOUNCEMENT.match(line)]
            with contextlib.suppress(OSError):
                os.write(2, b"".join(rest))


@contextlib.contextmanager
def slow_import() -> Iterator[None]:
    """For imports that take seconds: quiet, and Ctrl-C ends them without a traceback."""
    with contextlib.ExitStack() as stack:
        raises = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if raises and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            stack.callback(signal.signal, signal.SIGINT, signal.default_int_handler)
        stack.enter_context(quiet())
        yield
