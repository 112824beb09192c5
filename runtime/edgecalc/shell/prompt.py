"""The prompt: a line in, an answer out, until the user leaves."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from edgecalc.calculator import Calculator
from edgecalc.language.language import SURE, ExpressionError
from edgecalc.network.model_file import ModelError
from edgecalc.shell import interrupts

_PROMPT = "> "
_LEAVE = ("quit", "exit")
_EXPLAIN = "explain "
_HISTORY_LINES = 1000
_SECONDS_UNNOTICED = 0.5
_HELP = """\
  {example:<16} an expression{hint}
  explain {example:<8} the network's working too
  help             this
  quit, exit       leave, as Ctrl-D does
Expressions are {language}. Arrow keys bring back earlier lines."""


def run(calculator: Calculator, say: Callable[[str], None]) -> None:
    """Answers what is typed, until `quit`, `exit` or the end of input. Errors do not end it.

    Args:
        calculator: what answers.
        say: writes a line to the user, not among the results.
    """
    language = calculator.language
    example, hint = language.example(), language.hint()
    say(f"{calculator.card['name']}: type an expression such as {example}, help or quit")
    with _leaving_in_order(), _history(), interrupts.raised():
        while True:
            try:
                text = input(_PROMPT).strip()
            except EOFError:
                print()
                return
            except KeyboardInterrupt:
                print()  # what was typed is dropped, as in a shell
                continue
            except ValueError:  # not UTF-8, or a NUL among it
                say("error: not a line of text")
                continue
            word = text.lower()
            if word in _LEAVE:
                return
            if word == "help":
                also = f"; also {hint}" if hint else ""
                print(_HELP.format(example=example, hint=also, language=language.describe()))
            elif text:
                _answer(calculator, text, say)


def _answer(calculator: Calculator, text: str, say: Callable[[str], None]) -> None:
    begun = time.perf_counter()
    try:
        if text.lower().startswith(_EXPLAIN):
            explanation = calculator.explain(text[len(_EXPLAIN) :])
            print("\n".join(explanation.lines()))
            return
        answer = calculator.answer(text)
    except (ExpressionError, ModelError) as error:
        say(f"error: {error}")
        return
    milliseconds = f"{(time.perf_counter() - begun) * 1e3:.1f} ms"
    unsure = "" if answer.confidence >= SURE else f"unsure: {answer.confidence:.0%}, "
    print(f"{answer.text}    ({unsure}{milliseconds})")


@contextlib.contextmanager
def _leaving_in_order() -> Iterator[None]:
    """Lets what ends a process, a terminal that is closed among it, leave the prompt first."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    with contextlib.ExitStack() as stack:
        for ending in (signal.SIGTERM, signal.SIGHUP):
            # What is ignored, by nohup for one, stays so.
            if signal.getsignal(ending) == signal.SIG_DFL:
                stack.callback(signal.signal, ending, signal.signal(ending, leave))
        # A signal that comes just before input() begins to wait is only noticed at the next one.
        stack.callback(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, _nothing))
        stack.callback(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, _SECONDS_UNNOTICED, _SECONDS_UNNOTICED)
        yield


def _nothing(number: int, frame: FrameType | None) -> None:
    """Handles a signal that is only to interrupt what waits."""


@contextlib.contextmanager
def _history() -> Iterator[None]:
    """Arrow keys, and lines that are remembered from one run to the next."""
    try:
        import readline  # importing it gives input() a history and arrow keys
    except ImportError:  # some builds of Python have none
        yield
        return
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    path = Path(state) / "edgecalc" / "history"
    # A home that cannot be read or written is no reason to refuse to calculate.
    with contextlib.suppress(OSError):
        if path.is_file():  # a pipe could be waited for without end
            readline.read_history_file(path)
    try:
        yield
    finally:
        readline.set_history_length(_HISTORY_LINES)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_file() or not path.exists():
                readline.write_history_file(path)
