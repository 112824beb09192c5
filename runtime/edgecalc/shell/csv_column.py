"""One column of CSV files, as lines of expressions."""

from __future__ import annotations

import csv
import errno
from collections.abc import Iterable, Iterator

from edgecalc.language.language import ExpressionError
from edgecalc.shell.lines import Line

# A line of CSV has other columns too; no more of one is ever held.
MAX_LINE_BYTES = 1 << 20


def cells(lines: Iterable[Line], column: str) -> Iterator[Line]:
    """Takes a column out of lines of CSV; what is no CSV, or too short, gets an error instead.

    A field with a line break in it is not understood: a line is a record.

    Args:
        lines: the lines of the files, one file after the other.
        column: its name in the first line of each file, which is then left out; or its number,
            counted from 1, and there is no such line.

    Raises:
        OSError: if the first line of a file does not have the name.
    """
    by_number = column.isascii() and column.isdigit()
    index = int(column) - 1 if by_number else 0
    for line in lines:
        if line.number == 1 and not by_number:
            index = _index(line, column)
            continue
        yield line if line.error else _cell(line, index)


def _cell(line: Line, index: int) -> Line:
    try:
        fields = _fields(line)
        if index < len(fields):
            return line._replace(text=fields[index])
        raise ExpressionError(f"the line ends before column {index + 1}")
    except ExpressionError as error:
        return line._replace(error=error)


def _index(line: Line, column: str) -> int:
    try:
        names = [name.strip() for name in _fields(line)]
        return names.index(column)
    except (ExpressionError, ValueError) as error:
        raise OSError(
            errno.EINVAL, f"has no column {column!r} in its first line", line.file
        ) from error


def _fields(line: Line) -> list[str]:
    try:
        return next(csv.reader([line.text], strict=True), [])
    except csv.Error as error:
        raise ExpressionError(f"not CSV: {error}") from error
