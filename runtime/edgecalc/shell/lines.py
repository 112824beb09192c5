"""Lines of expressions: read from files of any length, answered in order, written in a format."""

from __future__ import annotations

import errno
import gzip
import json
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import BufferedIOBase
from itertools import islice
from typing import BinaryIO, NamedTuple, cast

from edgecalc.calculator import Answer, Calculator
from edgecalc.language.language import ExpressionError

STANDARD = "-"
WITHHELD = "?"
COMPRESSED = ".gz"
# Longer than any expression with blanks that a person types; no more of a line is kept.
MAX_LINE_BYTES = 1000
_SHOWN_CHARACTERS = 60
_CHUNK_BYTES = 1 << 16


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


Outcome = tuple[Line, Answer | ExpressionError]


def check_files(inputs: Iterable[str], output: str) -> None:
    """Looks at all files before the first is read, so that no late surprise wastes the work.

    Raises:
        OSError: if an input cannot be read, or the output is one of the inputs.
    """
    for path in inputs:
        if path == STANDARD:
            continue
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory", path)
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, "cannot be read: permission denied", path)
        if (
            output != STANDARD
            and stat.S_ISREG(status.st_mode)
            and os.path.exists(output)
            and os.path.samefile(path, output)
        ):
            raise FileExistsError(
                errno.EEXIST, "is an input; the output would overwrite it", output
            )


def read_lines(
    inputs: Iterable[str], count_bytes: Callable[[int], None], max_bytes: int = MAX_LINE_BYTES
) -> Iterator[Line]:
    """Reads files one after the other; `-` is standard input, and `.gz` files are gzip's.

    A line ends with LF or CRLF, the last one with the file. A byte order mark is no part of it.

    Args:
        inputs: the files.
        count_bytes: called with the size of whatever was read.
        max_bytes: how much of a line is held; a longer one gets an error.

    Raises:
        OSError: if a file cannot be read.
    """
    for path in inputs:
        name = "<stdin>" if path == STANDARD else path
        try:
            with _open(path) as file:
                for number, raw in enumerate(_split(file, count_bytes, max_bytes), 1):
                    yield _line(name, number, raw, max_bytes)
        except (OSError, EOFError, zlib.error) as error:  # the latter two from a damaged gzip file
            reason = getattr(error, "strerror", None) or str(error)
            raise OSError(getattr(error, "errno", None) or errno.EIO, reason, name) from error


def _open(path: str) -> AbstractContextManager[BufferedIOBase]:
    if path.endswith(COMPRESSED):
        return gzip.open(path, "rb")
    if path != STANDARD:
        return open(path, "rb")
    if sys.stdin is None:
        raise OSError(errno.EBADF, "is closed")
    return nullcontext(cast(BufferedIOBase, sys.stdin.buffer))


def open_output(path: str) -> AbstractContextManager[BinaryIO]:
    """The file to write results to, in gzip's format if it is called so; `-` is standard output.

    Raises:
        OSError: if it cannot be written.
    """
    if path.endswith(COMPRESSED):
        return _open_compressed(path)
    if path != STANDARD:
        # Unbuffered: closing it after a failed write must not try to write once more.
        return open(path, "wb", buffering=0)
    if sys.stdout is None:
        raise OSError(errno.EBADF, "is closed", "standard output")
    return nullcontext(sys.stdout.buffer)


@contextmanager
def _open_compressed(path: str) -> Iterator[BinaryIO]:
    try:
        # Without the time in its header: the same answers are the same bytes.
        with gzip.GzipFile(path, "wb", mtime=0) as file:
            yield cast(BinaryIO, file)
    except OSError as error:
        # Closing it after a failed write tries once more, and then does not name the file.
        if error.filename is None and not isinstance(error, BrokenPipeError):
            raise OSError(error.errno, error.strerror, path) from error
        raise


def write(output: BinaryIO, path: str, texts: Iterable[str]) -> None:
    """Writes lines to what `open_output` gave for a path, as far as the system.

    Raises:
        OSError: naming the path, if they cannot be written.
    """
    rest = memoryview("".join([text + "\n" for text in texts]).encode("utf-8"))
    try:
        while rest:
            rest = rest[output.write(rest) :]
        output.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "standard output" if path == STANDARD else path
        raise OSError(error.errno, error.strerror, name) from error


def _split(
    file: BufferedIOBase, count_bytes: Callable[[int], None], max_bytes: int
) -> Iterator[bytes]:
    """Lines without their LF; of one longer than `max_bytes` its beginning, a byte longer."""
    rest = b""
    while chunk := file.read1(_CHUNK_BYTES):
        count_bytes(len(chunk))
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        rest = rest[: max_bytes + 1]
    if rest:
        yield rest


def _line(file: str, number: int, raw: bytes, max_bytes: int) -> Line:
    if len(raw) > max_bytes:
        error = ExpressionError(f"longer than any expression: over {max_bytes} bytes")
        return Line(file, number, _decode(raw[:_SHOWN_CHARACTERS]) + "…", error)
    if number == 1:
        raw = raw.removeprefix(b"\xef\xbb\xbf")
    raw = raw.removesuffix(b"\r")
    try:
        return Line(file, number, raw.decode())
    except UnicodeDecodeError as problem:
        column = len(raw[: problem.start].decode()) + 1
        return Line(file, number, _decode(raw), ExpressionError("not UTF-8", column))


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def solve(
    calculator: Calculator, lines: Iterable[Line], batch_size: int
) -> Iterator[list[Outcome]]:
    """Answers lines in their order, a batch at a time; what is no expression gets its error."""
    lines = iter(lines)
    while batch := list(islice(lines, batch_size)):
        outcomes = iter(calculator.outcomes([line.text for line in batch if line.error is None]))
        yield [(line, line.error or next(outcomes)) for line in batch]


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
    """A text in one line and without tabs, escaped with backslashes as in Python."""
    return printable(text.replace("\\", "\\\\"))


def printable(text: str) -> str:
    """A text in one line that does to a terminal nothing but show; backslashes stay as they are."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )
