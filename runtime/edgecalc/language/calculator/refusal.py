"""Why a text is not `a OP b`, and what to type instead."""

from __future__ import annotations

import re
from itertools import islice

from edgecalc.language.calculator.expression import SPELLINGS, example, read_form, shown
from edgecalc.language.calculator.operators import OPERATORS
from edgecalc.language.calculator.spec import DIGITS, CalculatorSpec
from edgecalc.language.language import ExpressionError

_GAP = re.compile(r"[0-9](\s+)[0-9]")
_TOKENS = re.compile(r"[0-9]+|[^0-9]")
# Whoever types more than this has no single expression in mind that could be put in another way.
_LONGEST = 60

_OPERATOR = f"[{re.escape(''.join(OPERATORS))}]"
_NUMBER = r"(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)"
# A comma before three digits need not be a decimal one.
_THOUSANDS = re.compile(",[0-9]{3}")
_OPERATION = re.compile(f"([+-]?)({_NUMBER})({_OPERATOR})([+-]?)({_NUMBER})")
_CHAIN = re.compile(f"{_NUMBER}(?:{_OPERATOR}{_NUMBER}){{2,}}")
_BRACKETED = re.compile(f"(?:{_OPERATOR}|[0-9.,()])+")
_BRACKETS = re.compile(rf"\(({_NUMBER}{_OPERATOR}{_NUMBER})\)")


def refusal(text: str, spec: CalculatorSpec) -> ExpressionError:
    """What is wrong with a text, where, and what to type instead.

    Args:
        text: a text that is not `a OP b`.
        spec: the language.

    Returns:
        The error to raise.
    """
    if gap := _GAP.search(text):
        reason = "white space between two digits: type one number, or an operator between two"
        return ExpressionError(reason, gap.start(1) + 1)
    columns = [column for column, character in enumerate(text, 1) if not character.isspace()]
    kept = "".join(text.split()).translate(SPELLINGS).removesuffix("=")
    if not kept:
        return ExpressionError(f"nothing to calculate: type an expression such as {example(spec)}")
    reason, index = _familiar(kept, spec) or _first_surprise(kept, spec)
    return ExpressionError(reason, columns[index] if index < len(kept) else columns[index - 1] + 1)


def _first_surprise(kept: str, spec: CalculatorSpec) -> tuple[str, int]:
    """What is wrong first, read from the left, and the index where."""
    numbers, operators = _numbers(spec), " ".join(spec.operators)
    tokens = list(islice(_TOKENS.finditer(kept), 4))
    for place, token in enumerate(tokens[:3]):
        found = shown(token[0])
        if place == 1 and token[0] not in spec.operators:
            return f"expected an operator, found {found}: type one of {operators}", token.start()
        if place != 1 and token[0][0] not in DIGITS:
            return f"expected a number, found {found}: type one {numbers}", token.start()
    if len(tokens) == 1:
        return f"an operator is missing: type one of {operators} and a number", len(kept)
    if len(tokens) == 2:
        return f"a number is missing: type one {numbers} behind the {tokens[1][0]}", len(kept)
    end = tokens[3].start()
    alone = f": type {kept[:end]} alone" if _is_expression(kept[:end], spec) else ""
    return f"expected the end, found {shown(tokens[3][0])}{alone}", end


def _familiar(kept: str, spec: CalculatorSpec) -> tuple[str, int] | None:
    """What other calculators know and this one does not, and the index where; None for the rest."""
    if len(kept) > _LONGEST:
        return None
    if operation := _OPERATION.fullmatch(kept):
        sign, a, operator, other_sign, b = operation.groups()
        if sign or other_sign:
            instead = _without_signs(sign == "-", a, operator, other_sign == "-", b, spec)
            reason = f"numbers are {_numbers(spec)}, without a sign{instead}"
            return reason, 0 if sign else operation.start(4)
        if point := re.search("[.,]", kept):
            reason = f"numbers are whole, {_numbers(spec)}{_without_points(a, operator, b, spec)}"
            return reason, point.start()
    if _CHAIN.fullmatch(kept):
        operators = list(re.finditer(_OPERATOR, kept))
        # What a person would calculate first.
        first = next((n for n, operator in enumerate(operators) if operator[0] not in "+-"), 0)
        start = operators[first - 1].end() if first else 0
        end = operators[first + 1].start() if first + 1 < len(operators) else len(kept)
        return _one_at_a_time(kept[start:end], spec), operators[1].start()
    if _BRACKETED.fullmatch(kept) and (bracket := re.search("[()]", kept)):
        inner = _BRACKETS.search(kept)
        return _one_at_a_time(inner[1] if inner else "", spec), bracket.start()
    return None


def _one_at_a_time(first: str, spec: CalculatorSpec) -> str:
    if _is_expression(first, spec):
        return f"one operation at a time: type {first} first, then the rest with its answer"
    return f"one operation at a time, such as {example(spec)}"


def _without_signs(
    minus: bool, a: str, operator: str, other_minus: bool, b: str, spec: CalculatorSpec
) -> str:
    """What to type instead of `-5+3`: `3-5`. Empty if there is nothing."""
    if operator in "+-":
        taken_away = other_minus != (operator == "-")
        negated = minus and taken_away
        differ = f"{b}-{a}" if minus else f"{a}-{b}"
        instead = f"{a}+{b}" if minus == taken_away else differ
    elif operator in "*/":
        instead, negated = f"{a}{operator}{b}", minus != other_minus
    else:
        return ""
    if not _is_expression(instead, spec):
        return ""
    return f": type {instead}" + (", and put a minus before its answer" if negated else "")


def _without_points(a: str, operator: str, b: str, spec: CalculatorSpec) -> str:
    """What to type instead of `1.5+2`: `15+20`. Empty if there is nothing."""
    if _THOUSANDS.search(a) or _THOUSANDS.search(b):
        return ""
    (a, a_decimals), (b, b_decimals) = _digits(a), _digits(b)
    if operator == "*":
        larger = a_decimals + b_decimals
    elif operator in "+-/":
        decimals = max(a_decimals, b_decimals)
        a, b = a + "0" * (decimals - a_decimals), b + "0" * (decimals - b_decimals)
        larger = 0 if operator == "/" else decimals
    else:
        return ""
    instead = f"{a.lstrip('0') or '0'}{operator}{b.lstrip('0') or '0'}"
    if not _is_expression(instead, spec):
        return ""
    return f": type {instead}" + (
        f", whose answer is {10**larger} times as large" if larger else ""
    )


def _digits(number: str) -> tuple[str, int]:
    """The digits of a number without its point, and how many of them are decimals."""
    whole, _, decimals = number.replace(",", ".").partition(".")
    decimals = decimals.rstrip("0")
    return whole + decimals, len(decimals)


def _is_expression(text: str, spec: CalculatorSpec) -> bool:
    try:
        return read_form(text, spec) is not None
    except ExpressionError:
        return False


def _numbers(spec: CalculatorSpec) -> str:
    return f"from 0 to {spec.limit - 1}"
