"""The arguments of `edgecalc`: which there are, what they mean, and what is refused."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from edgecalc.calculator import BATCH_SIZE
from edgecalc.network.model_file import ModelError, read_packaged_model
from edgecalc.network.predictor import INTERPRETERS
from edgecalc.shell import files, lines
from edgecalc.version import __version__

# Cannot occur in an argument, so it can mark one.
_MARK = "\0"
_MOST = 2**31 - 1
_COUNTED = f"from 1 to {_MOST:,}"
# More threads than the largest machine has cores.
_MOST_JOBS = 1024
_MINUS_FIRST = re.compile(r"-+[^-a-zA-Z]")

ABOUT = "A calculator that is a neural network: every answer is a prediction."
_MAIN_HELP = """\
examples:
  edgecalc "55+49" "7/2"              one answer a line
  edgecalc                            a prompt; quit or Ctrl-D leaves it
  edgecalc predict in.txt -o out.txt  a file of expressions, a line each
  printf '2+2\\n' | edgecalc           the same from a pipe
  edgecalc --explain 842/37           the working too, as the network wrote it
  edgecalc info                       what the model is and how exact
  edgecalc --model other.tflite 1+1   another model, for any command

Model files are code: take them from whom you trust.
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
OUT gets its name when all is answered: a failure or Ctrl-C leaves an older OUT as it was, and the
answers so far in OUT.part.
The confidence is the product over the answer's places of the probability of the symbol chosen.

exit status: 0; 1 if a line was no expression or something failed; 2 for wrong usage.
"""
_INFO_HELP = """\
examples:
  edgecalc info
  edgecalc info --model other.tflite --json
"""


def parse(argv: Sequence[str]) -> tuple[str, argparse.Namespace]:
    """Reads a command line; options may stand before the command as well as behind it.

    Args:
        argv: the arguments.

    Returns:
        The name of the command, empty where there is none, and its options.

    Raises:
        SystemExit: with 2 for wrong usage, with 0 after `--help` and `--version`.
    """
    # An expression such as -5+3 is no option.
    arguments = [_Argument(_MARK + text if _MINUS_FIRST.match(text) else text) for text in argv]
    scanner = _Scanner(
        add_help=False, allow_abbrev=False, conflict_handler="resolve", exit_on_error=False
    )
    for command in COMMANDS.values():
        command.add_options(scanner)
    try:
        rest = scanner.parse_known_args(arguments)[1]
    except argparse.ArgumentError:  # an option without its value, as the command's parser will say
        rest = []
    word = next((argument for argument in rest if not argument.startswith("-")), "")
    name = str(word) if word in COMMANDS else ""
    parser = parser_of(name)
    given = [argument for argument in arguments if not name or argument is not word]
    options = parser.parse_args(given)
    if name == "" and options.explain and not options.expressions:
        parser.error("--explain needs an expression")
    return name, options


def parser_of(name: str) -> argparse.ArgumentParser:
    """The parser of a command; without a name, that of what is no command."""
    description = [ABOUT, COMMANDS[name].examples]
    if not name:
        title = "commands (edgecalc COMMAND --help says more):"
        commands = [f"  {other:<9}  {COMMANDS[other].summary}" for other in COMMANDS if other]
        description.append("\n".join([title, *commands]))
    parser = _Parser(
        prog=f"edgecalc {name}".strip(),
        description="\n\n".join(text.rstrip() for text in description),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    COMMANDS[name].add_options(parser)
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        type=_file,
        metavar="FILE",
        help="an exported model file, or the name of a model in the package (the first choice)",
    )
    parser.add_argument(
        "--interpreter",
        choices=INTERPRETERS,
        help="what runs the network (tflite where it is installed, else numpy)",
    )


def _add_calculate(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.usage = (
        "edgecalc [--model FILE] [--interpreter NAME] [--threads N] [--explain] "
        "[EXPRESSION ... | COMMAND ...]"
    )
    parser.add_argument("--version", action="version", version=f"edgecalc {__version__}")
    parser.add_argument(
        "expressions",
        nargs="*",
        type=_unmarked,
        metavar="EXPRESSION",
        help='such as "55+49"; in quotes, since * means files to the shell',
    )
    parser.add_argument("--explain", action="store_true", help="show the network's working")
    _add_threads(parser)


def _add_predict(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument(
        "inputs",
        nargs="*",
        type=_file,
        default=[files.STANDARD],
        metavar="FILE",
        help="expressions, a line each, compressed by gzip if its name ends in .gz; - is standard "
        "input",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=_file,
        default=files.STANDARD,
        metavar="OUT",
        help="where to, compressed if its name ends in .gz (standard output)",
    )
    parser.add_argument(
        "--format",
        dest="style",
        type=_unmarked,
        choices=lines.FORMATS,
        default="text",
        help="what a line says (%(default)s)",
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
    parser.add_argument(
        "--jobs",
        type=_jobs,
        metavar="N",
        help="batches answered at once, by an interpreter each (as many as there are cores)",
    )
    _add_threads(parser)
    parser.add_argument(
        "--check", action="store_true", help="compare with the true results, on stderr"
    )
    parser.add_argument(
        "--quiet", action="store_true", help="no progress, no reports of refused lines"
    )


def _add_info(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument("--json", action="store_true", help="spec and card as one JSON object")


def _add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads", type=_positive, metavar="N", help="threads of TFLite (its default)"
    )


class Command(NamedTuple):
    """A command.

    Attributes:
        add_options: adds them to a parser.
        summary: what it does, in a few words.
        examples: how it is called, and what else there is to know of it.
    """

    add_options: Callable[[argparse.ArgumentParser], None]
    summary: str
    examples: str


COMMANDS = {
    "": Command(_add_calculate, "answer expressions", _MAIN_HELP),
    "predict": Command(_add_predict, "answer every line of files", _PREDICT_HELP),
    "info": Command(_add_info, "describe the model", _INFO_HELP),
}


class _Parser(argparse.ArgumentParser):
    """Helps with what can be calculated, too, and refuses in a line that a terminal can show."""

    def format_help(self) -> str:
        """Looks into the packaged model, which nothing but help has to wait for."""
        self.epilog = what_is_possible()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Ends with the usage and what is wrong."""
        super().error(lines.printable(message.replace(_MARK, "")))


def what_is_possible() -> str:
    """The expressions of the packaged model, in lines."""
    import textwrap  # for help alone

    title = "expressions of the model in the package (edgecalc info tells those of another):"
    try:
        language = read_packaged_model().language
    except ModelError:
        return "expressions: those of the model, as edgecalc info tells"
    texts = [language.describe(), f"also {language.hint()}" if language.hint() else ""]
    return "\n".join([title, *(textwrap.indent(textwrap.fill(t, 76), "  ") for t in texts if t)])


class _Scanner(argparse.ArgumentParser):
    """Tells words from options and their values, and neither checks nor does anything else."""

    def add_argument(self, *names: Any, **options: Any) -> Any:
        """Takes of an option no more than whether it has a value."""
        if names[0].startswith("-"):
            kind = "store_true" if "action" in options else "store"
            return super().add_argument(*names, action=kind)
        return None


class _Argument(str):
    """An argument, equal to others of the same text and yet one of its own."""


def _unmarked(text: str) -> str:
    return text.removeprefix(_MARK)


def _file(text: str) -> str:
    text = _unmarked(text)
    if not text or _MARK in text:
        raise argparse.ArgumentTypeError(f"is no name of a file: {text!r}")
    return text


def _positive(text: str) -> int:
    text = _unmarked(text)
    number = _counted(text)
    if not number:
        raise argparse.ArgumentTypeError(f"must be a whole number, {_COUNTED}: {text:.100}")
    return number


def _jobs(text: str) -> int:
    jobs = _positive(text)
    if jobs > _MOST_JOBS:
        raise argparse.ArgumentTypeError(f"must be no more than {_MOST_JOBS}: {_unmarked(text)}")
    return jobs


def _column(text: str) -> str:
    text = _unmarked(text)
    if not (text.isascii() and text.isdigit()):
        return text
    number = _counted(text)
    if not number:
        raise argparse.ArgumentTypeError(f"must be a name, or a number {_COUNTED}: {text:.100}")
    return str(number)


def _counted(text: str) -> int:
    """The number that is written, if it is one that the interpreter can take; 0 else."""
    digits = text.lstrip("0")
    # Python refuses to read a number of thousands of digits.
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(_MOST))):
        return 0
    return int(digits) if int(digits) <= _MOST else 0


def _share(text: str) -> float:
    text = _unmarked(text)
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1: {text:.100}")
    return share
