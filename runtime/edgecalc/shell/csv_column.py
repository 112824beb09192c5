"""One column of CSV files, as lines of expressions."""

from __future__ import annotations

import csv
import errno
from collections.abc import Iterable, Iterator

from edgecalc.language.language import ExpressionError
from edgecalc.shell.lines import MAX_LINE_BYTES, NOTHING_YET, Line, refused, too_long

# A line of CSV has other columns too; no more of one is ever held, and of its cell no more than
# of a line that has nothing else.
MAX_CSV_BYTES = 1 << 20


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
        yield line if line.error or line is NOTHING_YET else _cell(line, index)


def _cell(line: Line, index: int) -> Line:
    try:
        fields = _fields(line)
    except csv.Error as error:
        return refused(line, ExpressionError(f"not CSV: {error}"))
    if index >= len(fields):
        return refused(line, ExpressionError(f"the line ends before column {index + 1}"))
    cell = line._replace(text=fields[index])
    return cell if len(cell.text) <= MAX_LINE_BYTES else too_long(cell)


def _index(line: Line, column: str) -> int:
    try:
        names = [name.strip() for name in _fields(line)]
        return names.index(column)
    except (csv.Error, ValueError) as error:
        raise OSError(
            errno.EINVAL, f"has no column {column!r} in its first line", line.file
        ) from error


def _fields(line: Line) -> list[str]:
    return next(csv.reader([line.text], strict=True), [])
