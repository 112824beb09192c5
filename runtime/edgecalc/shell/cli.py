"""The command `edgecalc`: arguments in, results on stdout, all else on stderr, an exit status."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import TextIO

from edgecalc.calculator import BATCH_SIZE, Calculator
from edgecalc.language.language import ExpressionError
from edgecalc.network.batches import in_batches
from edgecalc.network.model_file import ModelError, find_model
from edgecalc.network.predictor import Predictor
from edgecalc.shell import arguments, files, interrupts, joined, lines
from edgecalc.shell.leaving import INTERRUPTED, MESSAGE

FAILED = 1
USAGE = 2
BROKEN_PIPE = 141  # 128 + SIGPIPE, which not every system has


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments; None for those of the process.

    Returns:
        The exit status: 0, 1 for a failure, 2 for wrong usage, 130 for Ctrl-C, 141 for a broken
        pipe.

    Raises:
        SystemExit: with 2 for unknown options, with 0 after `--help` and `--version`.
    """
    try:
        try:
            command, options = arguments.parse(sys.argv[1:] if argv is None else argv)
            return _COMMANDS[command](options)
        finally:
            # Python flushes once more at its end, when an error could only be a traceback.
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        _say(MESSAGE)
        return INTERRUPTED
    except BrokenPipeError:
        _discard_stdout()
        return BROKEN_PIPE
    except OSError as error:
        _discard_stdout()
        name = "standard output" if error.filename is None else error.filename
        _say(f"edgecalc: {name}: {error.strerror or error}")
        return FAILED
    except MemoryError:
        _discard_stdout()
        _say("edgecalc: out of memory")
        return FAILED
    except joined.UsageError as error:
        _say(f"edgecalc: {error}")
        return USAGE
    except ModelError as error:
        _say(f"edgecalc: {error}")
        return FAILED


def _calculate(options: argparse.Namespace) -> int:
    """`edgecalc [EXPRESSION…]`: answers the arguments, or whoever is at standard input."""
    if not options.expressions and not (_is_terminal(sys.stdin) and _is_terminal(sys.stdout)):
        return _predict(options)
    calculator = _load(options)
    if options.expressions:
        expressions = joined.expressions_in(options.expressions, calculator.language.read)
        return (_explain if options.explain else _answer)(calculator, expressions)
    from edgecalc.shell import prompt

    prompt.run(calculator, _say)
    return 0


def _load(options: argparse.Namespace) -> Calculator:
    with interrupts.hushed():
        return Calculator(options.model, options.threads, options.interpreter)


def _answer(calculator: Calculator, expressions: list[str]) -> int:
    given = [lines.Line("argument", number, text) for number, text in enumerate(expressions, 1)]
    refused = 0
    with files.open_output(files.STANDARD) as out:
        for asked in in_batches(given, BATCH_SIZE):
            batch = lines.solve(calculator, asked)
            files.write(out, files.STANDARD, [lines.as_text(*pair) for pair in batch])
            for line, outcome in batch:
                if isinstance(outcome, ExpressionError):
                    refused += 1
                    # On a terminal the line just written says it already.
                    if not _is_terminal(sys.stdout):
                        _say(f"edgecalc: {lines.escape(line.text)}: {outcome}")
    return FAILED if refused else 0


def _explain(calculator: Calculator, expressions: list[str]) -> int:
    shown = 0
    with files.open_output(files.STANDARD) as out:
        for text in expressions:
            try:
                working = calculator.explain(text).lines()
            except ExpressionError as error:
                _say(f"edgecalc: {lines.escape(text)}: {error}")
                continue
            files.write(out, files.STANDARD, [""] * (shown > 0) + working)
            shown += 1
    return FAILED if shown < len(expressions) else 0


def _predict(options: argparse.Namespace) -> int:
    """`edgecalc predict [FILE…]`; also what reads standard input where there is no command."""
    from edgecalc.network.cores import available_cores
    from edgecalc.shell import predict

    names = {field.name for field in fields(predict.PredictOptions)}
    given = {name: value for name, value in vars(options).items() if name in names}
    # Threads of an interpreter keep cores busy, too.
    given["jobs"] = given.get("jobs") or max(1, available_cores() // (options.threads or 1))
    calculator = _load(options)
    with interrupts.raised():
        refused = predict.predict(calculator, predict.PredictOptions(**given), _say)
    return FAILED if refused else 0


def _info(options: argparse.Namespace) -> int:
    """`edgecalc info`."""
    model = find_model(options.model)
    with interrupts.hushed():
        # What a card says of a network that cannot run is not worth a word.
        Predictor(model, interpreter=options.interpreter)
    if options.json:
        text = json.dumps({"spec": model.spec.to_dict(), "card": model.card}, indent=2)
    else:
        from edgecalc.network.predictor import interpreter_name
        from edgecalc.shell import info

        text = info.describe(model, interpreter_name(options.interpreter))
    with files.open_output(files.STANDARD) as out:
        files.write(out, files.STANDARD, [text])
    return 0


_COMMANDS = {"": _calculate, "predict": _predict, "info": _info}


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _say(text: str) -> None:
    """Writes a line to stderr; a stderr that takes none is no reason to fail.

    Names of files and models are in it, which must not do to the terminal as they like.
    """
    if sys.stderr is not None:
        try:
            sys.stderr.write(lines.printable(text) + "\n")
            sys.stderr.flush()
        except OSError:
            pass


def _discard_stdout() -> None:
    """Lets what stdout still holds go nowhere: Python's flush at its end would fail again."""
    if sys.stdout is None:
        return
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass
