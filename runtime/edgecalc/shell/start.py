"""Where the command `edgecalc` starts: from here on Ctrl-C ends it with one line and status 130.

Python makes an exception of Ctrl-C, and while modules load there is no place to catch it: in an
extension module it becomes an ImportError, in a callback of the import system it is printed and
forgotten. So Ctrl-C ends the process at once, but for what `edgecalc.shell.interrupts` surrounds.

This module loads nothing that takes time before it handles Ctrl-C.
"""

from edgecalc.shell.leaving import leave


def main() -> int:
    """Runs the command with the arguments of the process; the entry point of the package.

    Returns:
        The exit status, see `edgecalc.shell.cli.main`.
    """
    try:
        import signal

        # Whoever starts a command in the background lets it ignore Ctrl-C.
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, leave)
    except KeyboardInterrupt:
        leave()
    from edgecalc.shell import cli

    return cli.main()
