"""The manual page, in the language of man(7)."""

from __future__ import annotations

from collections.abc import Iterator

from edgecalc.shell.arguments import ABOUT, COMMANDS, what_is_possible
from edgecalc.version import __version__

from manual.options import commands, options_of

# What would be a command, or another character where there are more than ASCII has.
_ESCAPES = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}


def page() -> str:
    """The page `edgecalc(1)`."""
    lines = [
        '.\\" Written by make manual, from the parser of edgecalc.',
        f'.TH EDGECALC 1 "" "edgecalc {__version__}" "User Commands"',
        ".SH NAME",
        f"edgecalc \\- {_text(ABOUT[0].lower() + ABOUT[1:].rstrip('.'))}",
        ".SH SYNOPSIS",
    ]
    for name in COMMANDS:
        lines += [*_synopsis(name), ".br"]
    lines += [".SH EXPRESSIONS", *_as_it_is(what_is_possible()), ".SH OPTIONS", *_options("")]
    lines += [*_as_it_is(COMMANDS[""].examples)]
    for name, summary in commands().items():
        lines += [f'.SH "EDGECALC {name.upper()}"', _text(f"{summary}.".capitalize())]
        lines += [*_options(name), *_as_it_is(COMMANDS[name].examples)]
    return "\n".join(lines) + "\n"


def _synopsis(name: str) -> Iterator[str]:
    yield f".B {_text(f'edgecalc {name}'.strip())}"
    yield "[\\fIoptions\\fR]"
    for option in options_of(name):
        if not option.flags:
            yield f"[\\fI{_text(option.value)}\\fR{' ...' if option.repeated else ''}]"


def _options(name: str) -> Iterator[str]:
    for option in options_of(name):
        value = f" \\fI{_text(option.value)}\\fR" if option.value else ""
        flags = ", ".join(f"\\fB{_text(flag)}\\fR{value}" for flag in option.flags)
        yield from (".TP", flags or value.strip(), _text(option.help))


def _as_it_is(text: str) -> Iterator[str]:
    """Lines that are not filled."""
    yield from (".PP", ".EX", *map(_text, text.rstrip().splitlines()), ".EE")


def _text(text: str) -> str:
    """A line in roff's ASCII: no command, and a minus is one that can be typed."""
    text = "".join(_ESCAPES.get(c, c if c.isascii() else f"\\[u{ord(c):04X}]") for c in text)
    return f"\\&{text}" if text.startswith(".") else text
