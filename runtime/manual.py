"""Writes the manual page of `edgecalc` and what three shells complete of it, from its parser.

The wheel takes them from `share`. The completions are shtab's. argparse-manpage was tried for the
page: it fills examples, and groff warns of what it escapes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import shtab
from edgecalc.shell.arguments import ABOUT, COMMANDS, parser_of, what_is_possible
from edgecalc.version import __version__

SHARE = Path(__file__).parent / "share"
_COMPLETIONS = {
    "bash": "bash-completion/completions/edgecalc",
    "zsh": "zsh/site-functions/_edgecalc",
    "fish": "fish/vendor_completions.d/edgecalc.fish",
}
_FILES = ("FILE", "OUT")
# What would be a command of roff, or another character where there are more than ASCII has.
_ESCAPES = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status is 0."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--out", type=Path, default=SHARE, metavar="FOLDER", help="where to (%(default)s)"
    )
    out = parser.parse_args(argv).out
    texts = {"man/man1/edgecalc.1": "\n".join(_page()) + "\n"}
    for shell, path in _COMPLETIONS.items():
        texts[path] = shtab.complete(_whole_parser(), shell)
    for path, text in texts.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_text(text, encoding="utf-8")
    return 0


class _Parser(argparse.ArgumentParser):
    """Tells shtab which values are files."""

    def add_argument(self, *names: Any, **options: Any) -> Any:
        action: Any = super().add_argument(*names, **options)
        if action.metavar in _FILES:
            action.complete = shtab.FILE
        return action


class _WholeParser(_Parser):
    """That of what is no command, but for the expressions: in their place shtab sees commands."""

    def add_argument(self, *names: Any, **options: Any) -> Any:
        return super().add_argument(*names, **options) if names[0].startswith("-") else None


def _whole_parser() -> argparse.ArgumentParser:
    whole = _WholeParser(prog="edgecalc")
    COMMANDS[""].add_options(whole)
    commands = whole.add_subparsers(parser_class=_Parser)
    for name, command in COMMANDS.items():
        if name:
            command.add_options(commands.add_parser(name, help=command.summary))
    return whole


def _page() -> Iterator[str]:
    """The page edgecalc(1), in lines of the language of man(7)."""
    yield '.\\" Written by make manual, from the parser of edgecalc.'
    yield f'.TH EDGECALC 1 "" "edgecalc {__version__}" "User Commands"'
    yield ".SH NAME"
    yield f"edgecalc \\- {_text(ABOUT[0].lower() + ABOUT[1:].rstrip('.'))}"
    yield ".SH SYNOPSIS"
    for name in COMMANDS:
        yield from (f".B {_text(f'edgecalc {name}'.strip())}", "[\\fIoptions\\fR]")
        for action in _actions(name):
            if not action.option_strings:
                yield f"[\\fI{_text(action.metavar)}\\fR ...]"
        yield ".br"
    yield from (".SH EXPRESSIONS", *_as_it_is(what_is_possible()), ".SH OPTIONS", *_options(""))
    yield from _as_it_is(COMMANDS[""].examples)
    for name, command in COMMANDS.items():
        if name:
            yield from (f'.SH "EDGECALC {name.upper()}"', _text(f"{command.summary}.".capitalize()))
            yield from (*_options(name), *_as_it_is(command.examples))


def _actions(command: str) -> list[Any]:
    # How argparse is asked by all who write such things from a parser; there is no other way.
    return list(parser_of(command)._actions)


def _options(command: str) -> Iterator[str]:
    prog = f"edgecalc {command}".strip()
    for action in _actions(command):
        name = action.metavar or "|".join(action.choices or ())
        value = f"\\fI{_text(name)}\\fR" if action.nargs != 0 else ""
        flags = ", ".join(
            f"\\fB{_text(flag)}\\fR {value}".strip() for flag in action.option_strings
        )
        yield from (".TP", flags or value, _text(action.help % {**vars(action), "prog": prog}))


def _as_it_is(text: str) -> Iterator[str]:
    """Lines that are not filled."""
    yield from (".PP", ".EX", *map(_text, text.rstrip().splitlines()), ".EE")


def _text(text: str) -> str:
    """A line in roff's ASCII: no command, and a minus is one that can be typed."""
    text = "".join(_ESCAPES.get(c, c if c.isascii() else f"\\[u{ord(c):04X}]") for c in text)
    return f"\\&{text}" if text.startswith(".") else text


if __name__ == "__main__":
    raise SystemExit(main())
