"""A local worker process: Beam's own, but quiet on stderr, and gone when its launcher is."""

import logging
import os
import signal
import sys
import threading
import time

_LOOK_SECONDS = 0.5


def _leave_with(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    # A terminal sends Ctrl-C to the workers too, but it is for the launcher to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    # What they log goes to the launcher, which decides what to show. Without a handler of ours
    # Beam's import would add one that writes to stderr.
    logging.getLogger().addHandler(logging.NullHandler())

    from apache_beam.runners.worker import sdk_worker_main

    # From here on errors are logged; what is still printed are only complaints, in the moment
    # before it leaves, that the launcher is gone.
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    try:
        sdk_worker_main.main([])
    except BaseException:  # which main has logged
        os._exit(1)
