"""The command `edgecalc`. Nothing is loaded at first, so that it can say a word at Ctrl-C."""

import sys


def main() -> int:
    """Runs the command with the arguments of the process; the entry point of the package.

    Returns:
        The exit status, see `edgecalc.shell.cli.main`.
    """
    try:
        from edgecalc.shell.leaving import leave_at_interrupt

        leave_at_interrupt()
    except KeyboardInterrupt:
        from edgecalc.shell.leaving import leave

        leave()
    from edgecalc.shell import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
