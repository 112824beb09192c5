"""The options of a command, as its parser has them."""

from __future__ import annotations

from typing import NamedTuple

from edgecalc.shell.arguments import COMMANDS, parser_of

FILES = ("FILE", "OUT")


class Option(NamedTuple):
    """An option, or an argument that is none.

    Attributes:
        flags: how it is given, `-o` and `--output`; empty for an argument.
        value: what its value is called; empty if it has none.
        choices: the values that there are; empty if any is taken.
        help: what it does.
        repeated: whether any number of values is taken.
    """

    flags: tuple[str, ...]
    value: str
    choices: tuple[str, ...]
    help: str
    repeated: bool

    @property
    def is_file(self) -> bool:
        """Whether its value is the name of a file."""
        return self.value in FILES


def options_of(command: str) -> list[Option]:
    """The options and arguments of a command; without a name, those of what is no command."""
    parser = parser_of(command)
    found = []
    # How argparse is asked for it by all who write completions from it; there is no other way.
    for action in parser._actions:
        choices = tuple(action.choices or ())
        value = str(action.metavar or "|".join(choices)) if action.nargs != 0 else ""
        text = (action.help or "") % {**vars(action), "prog": parser.prog}
        repeated = action.nargs == "*"
        found.append(Option(tuple(action.option_strings), value, choices, text, repeated))
    return found


def flags_of(command: str) -> list[Option]:
    """The options of a command without its arguments."""
    return [option for option in options_of(command) if option.flags]


def commands() -> dict[str, str]:
    """What each command does, by its name."""
    return {name: command.summary for name, command in COMMANDS.items() if name}
