"""`edgecalc predict`: files of expressions in, one line of output for each line of input."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from edgecalc.calculator import BATCH_SIZE, Answer, Calculator
from edgecalc.language.counts import Score, exact_match_table
from edgecalc.language.language import ExpressionError
from edgecalc.network.batches import Rows, in_batches
from edgecalc.network.jobs import Jobs
from edgecalc.network.model_file import ModelError
from edgecalc.shell import files, lines

_SECONDS_BETWEEN_DRAWINGS = 0.2


@dataclass(frozen=True)
class PredictOptions:
    """What `edgecalc predict` was told.

    Attributes:
        inputs: files; `-` is standard input.
        output: a file, see `files.open_output`; `-` is standard output.
        style: one of `lines.FORMATS`.
        batch_size: lines answered, and written, at once.
        column: the column of CSV files that has the expressions, see `edgecalc.shell.csv_column`;
            None if a whole line is one.
        min_confidence: answers that are less sure are withheld: `?` is written in their place.
        check: whether to compare the answers that are given with the true results.
        quiet: whether to leave out reports of refused lines and progress.
        jobs: batches answered at once, see `edgecalc.network.jobs`.
    """

    inputs: Sequence[str] = (files.STANDARD,)
    output: str = files.STANDARD
    style: str = "text"
    batch_size: int = BATCH_SIZE
    column: str | None = None
    min_confidence: float = 0.0
    check: bool = False
    quiet: bool = False
    jobs: int = 1


def predict(calculator: Calculator, options: PredictOptions, say: Callable[[str], None]) -> int:
    """Answers every line of the inputs, in order and in constant memory.

    Args:
        calculator: what answers.
        options: what to read, and what to write where.
        say: writes a line to the user, not among the results.

    Returns:
        How many lines were refused.

    Raises:
        ModelError: if the network fails, or a device cannot tell the truth of its language.
        OSError: if a file cannot be read or written.
    """
    files.check_files(options.inputs, options.output)
    score = _score(calculator) if options.check else None
    refused = withheld = 0
    with ExitStack() as stack:
        out = stack.enter_context(files.open_output(options.output, say))
        progress = ProgressBar(options.inputs, not options.quiet and _can_draw(options.output))
        # Runs on the way out of an interrupt, too: the shell's prompt gets a line of its own.
        stack.callback(progress.clear)
        given = _read(options.inputs, options.column, progress.count_bytes)
        batches = map(Rows, in_batches(given, options.batch_size, lines.NOTHING_YET))
        shared = stack.enter_context(Jobs(partial(_work, options, calculator), options.jobs))
        for done in shared.stream(batches):
            # What is answered is written: an interrupt or a full disk loses no more than what is
            # being answered.
            files.write_bytes(out, options.output, done.content)
            refused += done.refused
            withheld += done.withheld
            for report in done.reports:
                progress.clear()
                say(report)
            if score and done.exact:
                score.add(*done.exact)
            progress.draw(done.lines)
    if withheld and not options.quiet:
        say(f"{withheld:,} answers withheld, less sure than {options.min_confidence:g}")
    if score:
        for text in _report(score).splitlines():
            say(text)
    return refused


class _Done(NamedTuple):
    """What came of a batch of lines.

    Attributes:
        content: what is written of it.
        lines: how many there were.
        refused: how many of them were no expression.
        withheld: how many answers were not sure enough.
        reports: what is said of refused lines.
        exact: of the answers that were given, their groups, uint8 (n,), and whether each is the
            true one, bool (n,); None if nobody asked.
    """

    content: bytes
    lines: int
    refused: int
    withheld: int
    reports: list[str]
    exact: tuple[np.ndarray, np.ndarray] | None


def _work(options: PredictOptions, calculator: Calculator, batch: Sequence[lines.Line]) -> _Done:
    outcomes = lines.solve(calculator, batch)
    told = lines.withhold(outcomes, options.min_confidence)
    write_line = lines.FORMATS[options.style]
    content = files.encoded([write_line(*pair) for pair in told])
    errors = [pair for pair in outcomes if isinstance(pair[1], ExpressionError)]
    reports = [] if options.quiet else [f"{at.file}:{at.number}: {error}" for at, error in errors]
    withheld, exact = 0, None
    if options.min_confidence or options.check:
        answers = [outcome for _, outcome in told if isinstance(outcome, Answer)]
        kept = [answer for answer in answers if answer.text != lines.WITHHELD]
        withheld = len(answers) - len(kept)
        if options.check:
            exact = _exact(calculator, kept)
    return _Done(content, len(batch), len(errors), withheld, reports, exact)


def _read(
    inputs: Sequence[str], column: str | None, count_bytes: Callable[[int], None]
) -> Iterator[lines.Line]:
    if column is None:
        return lines.read_lines(inputs, count_bytes)
    from edgecalc.shell import csv_column

    read = lines.read_lines(inputs, count_bytes, csv_column.MAX_CSV_BYTES)
    return csv_column.cells(read, column)


def _score(calculator: Calculator) -> Score:
    """Counts exact answers. Of all commands only `--check` computes a result itself.

    Raises:
        ModelError: if a device cannot tell the truth of the calculator's language.
    """
    if calculator.language.truth([]) is None:
        raise ModelError(
            f"--check: the true answers of the task {calculator.spec.task} are not known here"
        )
    return Score(calculator.spec.groups)


def _exact(
    calculator: Calculator, answers: Sequence[Answer]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Compares answers, as the network wrote them, with the true ones."""
    known = calculator.language.truth([answer.expression for answer in answers])
    if known is None:
        return None
    groups, truths = known
    pairs = zip(answers, truths, strict=True)
    return groups, np.array([answer.written == truth for answer, truth in pairs], bool)


def _report(score: Score) -> str:
    """Exact match by group, a line each."""
    counts = score.to_dict()
    title = "exact match (the true results were computed by integer arithmetic):"
    if not counts:
        return f"{title} no expression to compare"
    return "\n".join([title, *exact_match_table({"": counts})])


class ProgressBar:
    """A line on a terminal that says how far the work is."""

    def __init__(self, inputs: Sequence[str], drawn: bool) -> None:
        self._drawn = drawn
        self._visible = False
        self._bytes = self._lines = 0
        self._start = self._last = time.monotonic()
        regular = all(
            path != files.STANDARD and not path.endswith(files.COMPRESSED) and os.path.isfile(path)
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
    to_terminal = output == files.STANDARD and sys.stdout is not None and sys.stdout.isatty()
    return sys.stderr is not None and sys.stderr.isatty() and not to_terminal
