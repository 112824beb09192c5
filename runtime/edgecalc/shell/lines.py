"""Lines of expressions: read from files of any length, answered in order, written in a format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, repeat
from typing import NamedTuple

from edgecalc.calculator import Answer, Calculator
from edgecalc.language.language import ExpressionError
from edgecalc.shell import files
from edgecalc.shell.interrupts import hushed

WITHHELD = "?"
# Longer than any expression with blanks that a person types; no more of a line is kept.
MAX_LINE_BYTES = 1000
_SHOWN_CHARACTERS = 60


class Line(NamedTuple):
    """A line of input.

    Attributes:
        file: where it stands, as messages name it.
        number: counted from 1 in its file.
        text: the line without its end; only its beginning if it is too long.
        error: why it cannot even be read as text, or None.
    """

    file: str
    number: int
    text: str
    error: ExpressionError | None = None


# In place of a line: there is none as yet, and what was read before should not wait for it.
NOTHING_YET = Line("", 0, "")

Outcome = tuple[Line, Answer | ExpressionError]


def read_lines(
    inputs: Iterable[str],
    count_bytes: Callable[[int], None],
    max_bytes: int = MAX_LINE_BYTES,
) -> Iterator[Line]:
    """Reads files one after the other; `-` is standard input, and `.gz` files are gzip's.

    A line ends with LF or CRLF, the last one with the file. A byte order mark is no part of it.
    Before it waits for more to read, `NOTHING_YET` comes in place of a line.

    Args:
        inputs: the files.
        count_bytes: called with the size of whatever was read.
        max_bytes: how much of a line is held; a longer one gets an error.

    Raises:
        OSError: if a file cannot be read.
    """
    for path in inputs:
        name = "<stdin>" if path == files.STANDARD else path
        with files.open_source(path, name) as source:
            number = 1
            for raws in _raw_lines(source, count_bytes, max_bytes):
                yield from _lines(name, number, raws, max_bytes) if raws else [NOTHING_YET]
                number += len(raws)


def _raw_lines(
    source: files.Source, count_bytes: Callable[[int], None], max_bytes: int
) -> Iterator[list[bytes]]:
    """Lines without their LF, as many as come at once, and none before a wait.

    Of a line longer than `max_bytes` it is the beginning, a byte longer.
    """
    rest = b""
    while True:
        if source.would_wait():
            yield []
        chunk = source.next_bytes()
        if not chunk:
            break
        count_bytes(len(chunk))
        *whole, rest = (rest + chunk).split(b"\n")
        if whole:
            yield whole
        rest = rest[: max_bytes + 1]
    if rest:
        yield [rest]


def _lines(file: str, number: int, raws: list[bytes], max_bytes: int) -> Iterator[Line]:
    content = b"\n".join(raws)
    # All at once, in half the time, where there is nothing special about any of them.
    if content.isascii() and b"\r" not in content and max(map(len, raws)) <= max_bytes:
        texts = content.decode("ascii").split("\n")
        return map(Line._make, zip(repeat(file), count(number), texts, repeat(None)))
    return (_line(file, at, raw, max_bytes) for at, raw in enumerate(raws, number))


def _line(file: str, number: int, raw: bytes, max_bytes: int) -> Line:
    if len(raw) > max_bytes:
        return too_long(Line(file, number, _decode(raw[: MAX_LINE_BYTES + 1])), max_bytes)
    if number == 1:
        raw = raw.removeprefix(b"\xef\xbb\xbf")
    raw = raw.removesuffix(b"\r")
    try:
        return Line(file, number, raw.decode())
    except UnicodeDecodeError as problem:
        column = len(raw[: problem.start].decode()) + 1
        return refused(Line(file, number, _decode(raw)), ExpressionError("not UTF-8", column))


def too_long(line: Line, max_bytes: int = MAX_LINE_BYTES) -> Line:
    """A line refused for its length."""
    return refused(line, ExpressionError(f"longer than any expression: over {max_bytes} bytes"))


def refused(line: Line, error: ExpressionError) -> Line:
    """A line with its error, and no more of its text than anybody wants to see."""
    return line._replace(text=_shortened(line.text), error=error)


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_LINE_BYTES else text[:_SHOWN_CHARACTERS] + "…"


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def solve(calculator: Calculator, lines: Sequence[Line]) -> list[Outcome]:
    """Answers lines; what is no expression gets its error."""
    if len(lines) > 1 and not calculator.prepared:
        with hushed():
            calculator.prepare(len(lines))
    outcomes = iter(calculator.outcomes([line.text for line in lines if line.error is None]))
    return [(line, line.error or next(outcomes)) for line in lines]


def as_text(line: Line, outcome: Answer | ExpressionError) -> str:
    """The answer alone, or `error: reason`."""
    return outcome.text if isinstance(outcome, Answer) else f"error: {outcome}"


def as_tsv(line: Line, outcome: Answer | ExpressionError) -> str:
    """Expression, answer, confidence and error between tabs, those of a refused line escaped."""
    if isinstance(outcome, Answer):
        return f"{outcome.expression}\t{outcome.text}\t{outcome.confidence:.6f}\t"
    return f"{escape(line.text)}\t\t\t{outcome}"


def as_json(line: Line, outcome: Answer | ExpressionError) -> str:
    """An object with the keys expression, answer, confidence, error; null where absent."""
    values: tuple[object, ...]
    if isinstance(outcome, Answer):
        values = (outcome.expression, outcome.text, round(outcome.confidence, 6), None)
    else:
        values = (line.text, None, None, str(outcome))
    return json.dumps(
        dict(zip(("expression", "answer", "confidence", "error"), values, strict=True))
    )


def withhold(outcomes: list[Outcome], least: float) -> list[Outcome]:
    """The outcomes, with `WITHHELD` as the text of every answer less sure than `least`."""
    if not least:
        return outcomes
    return [
        (line, outcome._replace(text=WITHHELD))
        if isinstance(outcome, Answer) and outcome.confidence < least
        else (line, outcome)
        for line, outcome in outcomes
    ]


FORMATS = {"text": as_text, "tsv": as_tsv, "jsonl": as_json}


def escape(text: str) -> str:
    """A text in one line and without tabs, escaped with backslashes as in Python, and not long."""
    return printable(_shortened(text).replace("\\", "\\\\"))


def printable(text: str) -> str:
    """A text in one line that does to a terminal nothing but show; backslashes stay as they are."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )
