"""The prompt: a line in, an answer out, until the user leaves."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from edgecalc.calculator import Calculator
from edgecalc.explain import SURE
from edgecalc.expression import ExpressionError

_PROMPT = "> "
_LEAVE = ("quit", "exit")


def run(calculator: Calculator, say: Callable[[str], None]) -> None:
    """Answers what is typed, until `quit`, `exit` or the end of input. Errors do not end it.

    Args:
        calculator: what answers.
        say: writes a line to the user, not among the results.
    """
    with contextlib.suppress(ImportError):  # some builds of Python have none
        import readline  # noqa: F401  importing it gives input() a history and arrow keys
    say(f"{calculator.card['name']}: type an expression such as {_example(calculator)}, or quit")
    while True:
        try:
            text = input(_PROMPT)
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()  # what was typed is dropped, as in a shell
            continue
        except ValueError:  # not UTF-8, or a NUL among it
            say("error: not a line of text")
            continue
        if text.strip().lower() in _LEAVE:
            return
        if text.strip():
            _answer(calculator, text, say)


def _answer(calculator: Calculator, text: str, say: Callable[[str], None]) -> None:
    try:
        answer = calculator.answer(text)
    except ExpressionError as error:
        say(f"error: {error}")
        return
    unsure = "" if answer.confidence >= SURE else f"    (unsure: {answer.confidence:.0%})"
    print(answer.text + unsure)


def _example(calculator: Calculator) -> str:
    digits = calculator.spec.digits
    return f"{'5' * min(digits, 2)}{calculator.spec.operators[0]}{'49'[-digits:]}"
