import re

import pytest
from edgecalc import ExpressionError
from edgecalc.language.calculator.expression import Expression, plain_form
from edgecalc.language.calculator.parser import parse
from edgecalc.language.calculator.spec import CalculatorSpec
from hypothesis import given
from hypothesis import strategies as st

SPEC = CalculatorSpec()


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("2+2", "2+2"),
        ("  12  + 3 ", "12+3"),
        ("\u20287\u2028*\r8 =\x1f", "7*8"),
        ("7\t*\u00a08", "7*8"),
        ("55+49=", "55+49"),
        ("55 + 49 = ", "55+49"),
        ("7×8", "7*8"),
        ("7·8", "7*8"),
        ("7x8", "7*8"),
        ("7X8", "7*8"),
        ("7÷2", "7/2"),
        ("7:2", "7/2"),
        ("7−2", "7-2"),
        ("007*0008", "7*8"),
        ("000-00", "0-0"),
        ("0/5", "0/5"),
    ],
)
def test_spellings(typed: str, text: str):
    assert parse(typed, SPEC).text == text


NUMBER = "type one from 0 to 999"
OPERATOR = "type one of + - * /"
GAP = "white space between two digits: type one number, or an operator between two"
UNSIGNED = "numbers are from 0 to 999, without a sign"
WHOLE = "numbers are whole, from 0 to 999"
FIRST = "first, then the rest with its answer"


@pytest.mark.parametrize(
    ("typed", "reason", "column"),
    [
        ("", "nothing to calculate: type an expression such as 55+49", None),
        ("  =", "nothing to calculate: type an expression such as 55+49", None),
        ("-5", f"expected a number, found '-': {NUMBER}", 1),
        ("5", f"an operator is missing: {OPERATOR} and a number", 2),
        (" 5 +", f"a number is missing: {NUMBER} behind the +", 5),
        ("5 ÷ =", f"a number is missing: {NUMBER} behind the /", 4),
        ("5^3", f"expected an operator, found '^': {OPERATOR}", 2),
        ("5==", f"expected an operator, found '=': {OPERATOR}", 2),
        ("1 + 1=2", "expected the end, found '=': type 1+1 alone", 6),
        ("1000+1x", "expected the end, found '*'", 7),
        ("1000+1", "'1000' has 4 digits, at most 3 are known", 1),
        ("1+ 01000", "'1000' has 4 digits, at most 3 are known", 4),
        ("7/0", "division by zero", 3),
        ("7 ÷ 00", "division by zero", 5),
        ("1\x00+1", f"expected an operator, found '\\x00': {OPERATOR}", 2),
        ("٣+1", f"expected a number, found '٣': {NUMBER}", 1),
        ("sin(5)", f"expected a number, found 's': {NUMBER}", 1),
        # White space between digits.
        ("7*8\t56", GAP, 4),
        ("1 2+3", GAP, 2),
        ("12+3  4", GAP, 5),
        ("1 2", GAP, 2),
        ("x 1 2", GAP, 4),
        # Signs.
        ("-5+3", f"{UNSIGNED}: type 3-5", 1),
        ("−5 + 3", f"{UNSIGNED}: type 3-5", 1),
        ("5+ -3", f"{UNSIGNED}: type 5-3", 4),
        ("5--3", f"{UNSIGNED}: type 5+3", 3),
        ("-5--3", f"{UNSIGNED}: type 3-5", 1),
        ("-5-3", f"{UNSIGNED}: type 5+3, and put a minus before its answer", 1),
        ("-5*3", f"{UNSIGNED}: type 5*3, and put a minus before its answer", 1),
        ("5/-3", f"{UNSIGNED}: type 5/3, and put a minus before its answer", 3),
        ("-5/-3", f"{UNSIGNED}: type 5/3", 1),
        ("+5+3", f"{UNSIGNED}: type 5+3", 1),
        ("-1000+3", UNSIGNED, 1),
        ("-1.5+3", UNSIGNED, 1),
        # Decimals.
        ("1.5+2", f"{WHOLE}: type 15+20, whose answer is 10 times as large", 2),
        ("1,5 - .25", f"{WHOLE}: type 150-25, whose answer is 100 times as large", 2),
        ("1.5*1.50", f"{WHOLE}: type 15*15, whose answer is 100 times as large", 2),
        ("1.5/2", f"{WHOLE}: type 15/20", 2),
        ("1.+2", f"{WHOLE}: type 1+2", 2),
        ("12.34+5.6", f"{WHOLE}", 3),
        ("1,000+1", f"{WHOLE}", 2),
        # More than one operation.
        ("2+3*4", f"one operation at a time: type 3*4 {FIRST}", 4),
        ("2 * 3 + 4", f"one operation at a time: type 2*3 {FIRST}", 7),
        ("1+2 + 3 =", f"one operation at a time: type 1+2 {FIRST}", 5),
        ("8-7+6÷5-4", f"one operation at a time: type 6/5 {FIRST}", 4),
        ("1000+1+2", "one operation at a time, such as 55+49", 7),
        ("2*(3+4)", f"one operation at a time: type 3+4 {FIRST}", 3),
        ("((1))", "one operation at a time, such as 55+49", 1),
    ],
)
def test_what_is_wrong_and_where(typed: str, reason: str, column: "int | None"):
    with pytest.raises(ExpressionError) as caught:
        parse(typed, SPEC)
    assert (caught.value.reason, caught.value.column) == (reason, column)


def test_an_operator_that_was_not_learned_is_named():
    with pytest.raises(ExpressionError, match=r"has not learned \*, only \+ - \(column 2\)"):
        parse("2*3", CalculatorSpec(operators="+-"))


@pytest.mark.parametrize("blank", [chr(c) for c in range(0x110000) if chr(c).isspace()])
def test_no_white_space_joins_two_numbers(blank: str):
    assert parse(f"{blank}12{blank}{blank}+{blank}3{blank}={blank}", SPEC).text == "12+3"
    for typed in (f"1{blank}2+3", f"1+2{blank}3", f"1+{blank}2{blank}{blank}3=", f"1{blank}2"):
        with pytest.raises(ExpressionError) as caught:
            parse(typed, SPEC)
        assert caught.value.reason == GAP
        column = caught.value.column
        assert column is not None
        assert typed[column - 2] in "12"
        assert typed[column - 1] == blank


@pytest.mark.parametrize(
    "spec", [CalculatorSpec(operators="+"), CalculatorSpec(digits=1, operators="/-")]
)
@given(text=st.from_regex(r"\A[-+(]?[0-9.,]{1,4}([-+*/]-?[0-9.]{1,3}){1,3}\)?\Z"))
def test_what_is_said_to_type_is_an_expression(spec: CalculatorSpec, text: str):
    try:
        parse(text, spec)
    except ExpressionError as error:
        for instead in re.findall(r"type (\S*[0-9]\S[0-9]+)|such as (\S+)", error.reason):
            parse("".join(instead).strip(","), spec)


def test_long_texts_are_refused_in_few_words():
    """And at once: whatever is quadratic takes minutes here."""
    for unit in (" ", "1", "1+", "-", "(", ".", "=", "1 ", "x", "1,000"):
        for text in (unit * 100_000, "1+1" + unit * 100_000 + "x"):
            with pytest.raises(ExpressionError) as caught:
                parse(text, SPEC)
            assert len(str(caught.value)) < 200


@given(st.sampled_from("+-*/"), st.integers(0, 999), st.integers(1, 999))
def test_every_expression_reads_as_itself(operator: str, a: int, b: int):
    assert parse(f"{a}{operator}{b}", SPEC) == Expression(operator, a, b)


@given(st.text(max_size=12) | st.text("0123456789+-*/x:= .", max_size=9))
def test_any_text_is_an_expression_or_an_error_in_one_line(text: str):
    try:
        expression = parse(text, SPEC)
    except ExpressionError as caught:
        expression, error = None, caught
    if expression:
        assert parse(expression.text, SPEC) == expression
    else:
        assert len(str(error).splitlines()) == 1
        assert error.column is None or 1 <= error.column <= len(text) + 1


@pytest.mark.parametrize(
    "spec", [SPEC, CalculatorSpec(digits=1), CalculatorSpec(digits=2, operators="-+")]
)
@given(text=st.text("0123456789+-*/\n", max_size=7) | st.from_regex(r"\A\d{1,4}[-+*/]\d{1,4}\Z"))
def test_the_plain_form_is_that_of_what_reads_as_itself(spec: CalculatorSpec, text: str):
    try:
        unchanged = parse(text, spec).text == text
    except ExpressionError:
        unchanged = False
    assert bool(plain_form(spec).fullmatch(text)) == unchanged
