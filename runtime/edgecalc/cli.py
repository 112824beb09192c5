"""The command `edgecalc`: arguments in, results on stdout, all else on stderr, an exit status."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence

from edgecalc import lines
from edgecalc.calculator import BATCH_SIZE, Calculator
from edgecalc.expression import ExpressionError
from edgecalc.model_file import ModelError, read_model, read_packaged_model
from edgecalc.version import __version__

FAILED = 1
INTERRUPTED = 128 + signal.SIGINT
BROKEN_PIPE = 141  # 128 + SIGPIPE, which not every system has

_VALUED = ("--model", "--threads")
# Cannot occur in an argument, so it can mark one.
_MARK = "\0"
_MINUS_FIRST = re.compile(r"-+[^-a-zA-Z]")

_ABOUT = "A calculator that is a neural network: every answer is a prediction."
_MAIN_HELP = """\
examples:
  edgecalc "55+49" "7/2"              one answer a line
  edgecalc                            a prompt; quit or Ctrl-D leaves it
  edgecalc predict in.txt -o out.txt  a file of expressions, a line each
  printf '2+2\\n' | edgecalc           the same from a pipe
  edgecalc --explain 842/37           the working too, as the network wrote it
  edgecalc info                       what the model is and how exact
  edgecalc --model other.tflite 1+1   another model, for any command

commands (edgecalc COMMAND --help says more):
  predict    answer every line of files
  info       describe the model
"""
_PREDICT_HELP = """\
examples:
  edgecalc predict in.txt > out.txt
  edgecalc predict a.txt b.txt.gz -o out.tsv --format tsv
  edgecalc predict --column task homework.csv     a column of CSV
  edgecalc predict --min-confidence 0.99 in.txt   ? instead of an unsure answer
  seq 1 999 | sed 's/$/*7/' | edgecalc predict --check > out.txt

Each line of input gives one line of output, in the same order:
  text    the answer alone, or "error: reason"
  tsv     expression, answer, confidence, error
  jsonl   the same as an object; what is absent is null
The confidence is the product over the answer's places of the probability of the symbol chosen.

exit status: 0; 1 if a line was no expression or something failed; 2 for wrong usage.
"""
_INFO_HELP = """\
examples:
  edgecalc info
  edgecalc info --model other.tflite --json
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments; None for those of the process.

    Returns:
        The exit status: 0, 1 for a failure, 130 for Ctrl-C, 141 for a broken pipe.

    Raises:
        SystemExit: with 2 for wrong usage, with 0 after `--help` and `--version`.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        command, rest = _split_command(arguments)
        try:
            return _COMMANDS[command](rest)
        finally:
            # Python flushes once more at its end, when an error could only be a traceback.
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        _say("edgecalc: interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _discard_stdout()
        return BROKEN_PIPE
    except OSError as error:
        _discard_stdout()
        _say(f"edgecalc: {error.filename or 'standard output'}: {error.strerror or error}")
        return FAILED
    except ModelError as error:
        _say(f"edgecalc: {error}")
        return FAILED


def _calculate(arguments: list[str]) -> int:
    """`edgecalc [EXPRESSION…]`: answers the arguments, or whoever is at standard input."""
    parser = _parser("edgecalc", _MAIN_HELP)
    parser.usage = (
        "edgecalc [--model FILE] [--threads N] [--explain] [EXPRESSION ... | COMMAND ...]"
    )
    parser.add_argument("--version", action="version", version=f"edgecalc {__version__}")
    parser.add_argument(
        "expressions",
        nargs="*",
        type=_unmarked,
        metavar="EXPRESSION",
        help='such as "55+49"; quote * from the shell',
    )
    parser.add_argument("--explain", action="store_true", help="show the network's working")
    _add_threads(parser)
    marked = [_MARK + text if _MINUS_FIRST.match(text) else text for text in arguments]
    options = parser.parse_args(marked)
    if options.explain:
        if not options.expressions:
            parser.error("--explain needs an expression")
        return _explain(Calculator(options.model, options.threads), options.expressions)
    if not options.expressions:
        if not (_is_terminal(sys.stdin) and _is_terminal(sys.stdout)):
            return _predict(arguments)
        from edgecalc import prompt

        prompt.run(Calculator(options.model, options.threads), _say)
        return 0
    return _answer(Calculator(options.model, options.threads), options.expressions)


def _answer(calculator: Calculator, expressions: list[str]) -> int:
    given = [lines.Line("argument", number, text) for number, text in enumerate(expressions, 1)]
    refused = 0
    with lines.open_output(lines.STANDARD) as out:
        for batch in lines.solve(calculator, given, BATCH_SIZE):
            lines.write(out, lines.STANDARD, [lines.as_text(*pair) for pair in batch])
            for line, outcome in batch:
                if isinstance(outcome, ExpressionError):
                    refused += 1
                    # On a terminal the line just written says it already.
                    if not _is_terminal(sys.stdout):
                        _say(f"edgecalc: {lines.escape(line.text)}: {outcome}")
    return FAILED if refused else 0


def _explain(calculator: Calculator, expressions: list[str]) -> int:
    shown = 0
    with lines.open_output(lines.STANDARD) as out:
        for text in expressions:
            try:
                working = calculator.explain(text).lines(calculator.spec)
            except ExpressionError as error:
                _say(f"edgecalc: {lines.escape(text)}: {error}")
                continue
            lines.write(out, lines.STANDARD, [""] * (shown > 0) + working)
            shown += 1
    return FAILED if shown < len(expressions) else 0


def _predict(arguments: list[str]) -> int:
    """`edgecalc predict [FILE…]`."""
    parser = _parser("edgecalc predict", _PREDICT_HELP)
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="expressions, a line each; - is standard input"
    )
    parser.add_argument(
        "-o", "--output", default=lines.STANDARD, metavar="OUT", help="where to (standard output)"
    )
    parser.add_argument(
        "--format", choices=lines.FORMATS, default="text", help="what a line says (%(default)s)"
    )
    parser.add_argument(
        "--batch-size",
        type=_positive,
        default=BATCH_SIZE,
        metavar="N",
        help="lines answered at once (%(default)s); 1 answers every line as it comes",
    )
    parser.add_argument(
        "--column",
        type=_column,
        metavar="NAME|N",
        help="the files are CSV, and this column has the expressions; a NAME stands in the first "
        "line, a number counts from 1",
    )
    parser.add_argument(
        "--min-confidence",
        type=_share,
        default=0.0,
        metavar="P",
        help="print ? instead of an answer less sure than this, from 0 to 1 (%(default)s)",
    )
    _add_threads(parser)
    parser.add_argument(
        "--check", action="store_true", help="compare with the true results, on stderr"
    )
    parser.add_argument(
        "--quiet", action="store_true", help="no progress, no reports of refused lines"
    )
    options = parser.parse_args(arguments)
    from edgecalc import predict

    refused = predict.predict(
        Calculator(options.model, options.threads),
        options.files or [lines.STANDARD],
        options.output,
        options.format,
        options.batch_size,
        options.column,
        options.min_confidence,
        options.check,
        options.quiet,
        _say,
    )
    return FAILED if refused else 0


def _info(arguments: list[str]) -> int:
    """`edgecalc info`."""
    parser = _parser("edgecalc info", _INFO_HELP)
    parser.add_argument("--json", action="store_true", help="spec and card as one JSON object")
    options = parser.parse_args(arguments)
    model = read_packaged_model() if options.model is None else read_model(options.model)
    if options.json:
        text = json.dumps({"spec": model.spec.to_dict(), "card": model.card}, indent=2)
    else:
        from edgecalc import report

        text = report.describe(model)
    with lines.open_output(lines.STANDARD) as out:
        lines.write(out, lines.STANDARD, [text])
    return 0


_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "": _calculate,
    "predict": _predict,
    "info": _info,
}


def _split_command(arguments: list[str]) -> tuple[str, list[str]]:
    """Takes the command out of the arguments; options may stand before it."""
    position = 0
    while position < len(arguments):
        argument = arguments[position]
        if argument in _VALUED:
            position += 2
        elif argument.startswith("-") and not _MINUS_FIRST.match(argument + " "):
            position += 1
        else:
            break
    if position < len(arguments) and arguments[position] and arguments[position] in _COMMANDS:
        return arguments[position], arguments[:position] + arguments[position + 1 :]
    return "", arguments


def _parser(name: str, examples: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=name,
        description=f"{_ABOUT}\n\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--model",
        type=_unmarked,
        metavar="FILE",
        help="an exported model file (the one in the package)",
    )
    return parser


def _add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads", type=_positive, metavar="N", help="threads of the interpreter (its default)"
    )


def _unmarked(text: str) -> str:
    return text.removeprefix(_MARK)


def _positive(text: str) -> int:
    text = _unmarked(text)
    if not (text.isascii() and text.isdigit() and 0 < int(text[:10]) < 2**31):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1: {text}")
    return int(text)


def _column(text: str) -> str:
    text = _unmarked(text)
    if text.isascii() and text.isdigit() and not 0 < int(text[:10]) < 10**9:
        raise argparse.ArgumentTypeError(f"must be a name, or a number from 1: {text}")
    return text


def _share(text: str) -> float:
    text = _unmarked(text)
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1: {text}")
    return share


def _is_terminal(stream: object) -> bool:
    return stream is not None and stream.isatty()


def _say(text: str) -> None:
    """Writes a line to stderr; a stderr that takes none is no reason to fail."""
    if sys.stderr is not None:
        try:
            sys.stderr.write(text + "\n")
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
