"""`edgecalc predict`: files of expressions in, one line of output for each line of input."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import numpy as np

from edgecalc import lines
from edgecalc.calculator import Answer, Calculator
from edgecalc.expression import ExpressionError, parse

_SECONDS_BETWEEN_DRAWINGS = 0.2


def predict(
    calculator: Calculator,
    inputs: list[str],
    output: str,
    style: str,
    batch_size: int,
    column: str | None,
    min_confidence: float,
    check: bool,
    quiet: bool,
    say: Callable[[str], None],
) -> int:
    """Answers every line of the inputs, in order and in constant memory.

    Args:
        calculator: what answers.
        inputs: files; `-` is standard input.
        output: a file, written as the answers come; `-` is standard output.
        style: one of `lines.FORMATS`.
        batch_size: lines answered, and written, at once.
        column: the column of CSV files that has the expressions, see `edgecalc.csv_column`; None
            if a whole line is one.
        min_confidence: answers that are less sure are withheld: `?` is written in their place.
        check: whether to compare the answers that are given with the true results.
        quiet: whether to leave out reports of refused lines and progress.
        say: writes a line to the user, not among the results.

    Returns:
        How many lines were refused.

    Raises:
        ModelError: if the network fails.
        OSError: if a file cannot be read or written.
    """
    lines.check_files(inputs, output)
    write_line = lines.FORMATS[style]
    truth = Truth(calculator) if check else None
    refused = kept_back = 0
    with ExitStack() as stack:
        out = stack.enter_context(lines.open_output(output))
        progress = Progress(inputs, drawn=not quiet and _can_draw(output))
        # Runs on the way out of an interrupt, too: the shell's prompt gets a line of its own.
        stack.callback(progress.clear)
        for batch in lines.solve(
            calculator, _read(inputs, column, progress.count_bytes), batch_size
        ):
            given = lines.withhold(batch, min_confidence) if min_confidence else batch
            # What is answered is written: an interrupt or a full disk loses no more than a batch.
            lines.write(out, output, [write_line(*pair) for pair in given])
            errors = [pair for pair in batch if isinstance(pair[1], ExpressionError)]
            refused += len(errors)
            for line, error in [] if quiet else errors:
                progress.clear()
                say(f"{line.file}:{line.number}: {error}")
            if min_confidence or truth:
                answers = [outcome for _, outcome in given if isinstance(outcome, Answer)]
                told = [answer for answer in answers if answer.text != lines.WITHHELD]
                kept_back += len(answers) - len(told)
                if truth:
                    truth.add(told)
            progress.draw(len(batch))
    if kept_back and not quiet:
        say(f"{kept_back:,} answers withheld, less sure than {min_confidence:g}")
    if truth:
        say(truth.report())
    return refused


def _read(
    inputs: list[str], column: str | None, count_bytes: Callable[[int], None]
) -> Iterator[lines.Line]:
    if column is None:
        return lines.read_lines(inputs, count_bytes)
    from edgecalc import csv_column

    read = lines.read_lines(inputs, count_bytes, csv_column.MAX_LINE_BYTES)
    return csv_column.cells(read, column)


class Truth:
    """Counts exact answers. Of all commands only `--check` computes a result itself."""

    def __init__(self, calculator: Calculator) -> None:
        from edgecalc.score import Score

        self._spec = calculator.spec
        self._score = Score(self._spec)

    def add(self, answers: list[Answer]) -> None:
        """Compares answers, as the network wrote them, with the true ones."""
        from edgecalc.arithmetic import true_answers

        if not answers:
            return
        expressions = [parse(answer.expression, self._spec) for answer in answers]
        operators = np.array([ord(expression.operator) for expression in expressions], np.uint8)
        a = np.array([expression.a for expression in expressions], np.int64)
        b = np.array([expression.b for expression in expressions], np.int64)
        truth = true_answers(self._spec, operators, a, b)
        exact = [
            answer.written == bytes(symbols).decode("ascii").lstrip()
            for answer, symbols in zip(answers, truth, strict=True)
        ]
        self._score.add(operators, np.array(exact))

    def report(self) -> str:
        """Exact match by operator, a line each."""
        from edgecalc.report import exact_match_table

        counts = self._score.to_dict()
        title = "exact match (the true results were computed by integer arithmetic):"
        if not counts:
            return f"{title} no expression to compare"
        return "\n".join([title, *exact_match_table({"": counts})])


class Progress:
    """A line on a terminal that says how far the work is."""

    def __init__(self, inputs: list[str], drawn: bool) -> None:
        self._drawn = drawn
        self._visible = False
        self._bytes = self._lines = 0
        self._start = self._last = time.monotonic()
        regular = all(
            path != lines.STANDARD and not path.endswith(lines.COMPRESSED) and os.path.isfile(path)
            for path in inputs
        )
        self._total = sum(map(os.path.getsize, inputs)) if regular else 0

    def count_bytes(self, size: int) -> None:
        """Counts what was read."""
        self._bytes += size

    def draw(self, new_lines: int) -> None:
        """Counts what was answered, and draws if the last drawing is old enough."""
        self._lines += new_lines
        now = time.monotonic()
        if not self._drawn or now - self._last < _SECONDS_BETWEEN_DRAWINGS:
            return
        self._last = now
        rate = f"{self._lines:,} lines, {self._lines / (now - self._start):,.0f}/s"
        if self._total:
            # A file can grow while it is read.
            share = min(1.0, self._bytes / self._total)
            bar = "#" * int(30 * share)
            rate = f"[{bar:<30}] {share:4.0%}  {rate}"
        sys.stderr.write(f"\r{rate}\x1b[K")
        sys.stderr.flush()
        self._visible = True

    def clear(self) -> None:
        """Takes the line away, if there is one."""
        if self._visible:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._visible = False


def _can_draw(output: str) -> bool:
    """Whether stderr is a terminal that the results do not go to themselves."""
    to_terminal = output == lines.STANDARD and sys.stdout is not None and sys.stdout.isatty()
    return sys.stderr is not None and sys.stderr.isatty() and not to_terminal
