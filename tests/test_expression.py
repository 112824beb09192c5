import pytest
from edgecalc import ExpressionError
from edgecalc.language.calculator.expression import Expression, parse, plain_form
from edgecalc.language.calculator.spec import CalculatorSpec
from hypothesis import given
from hypothesis import strategies as st

SPEC = CalculatorSpec()


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("2+2", "2+2"),
        ("  12  + 3 ", "12+3"),
        ("1 2+3", "12+3"),
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


@pytest.mark.parametrize(
    ("typed", "reason", "column"),
    [
        ("", "nothing to calculate", None),
        ("  =", "nothing to calculate", None),
        ("-5+3", "expected a number, found '-'", 1),
        ("5", "an operator is missing", 2),
        (" 5 +", "a number is missing", 5),
        ("5+ -3", "expected a number, found '-'", 4),
        ("5^3", "expected an operator, found '^'", 2),
        ("5==", "expected an operator, found '='", 2),
        ("1+2 + 3", "expected the end, found '+'", 5),
        ("1.5+2", "expected an operator, found '.'", 2),
        ("1000+1", "'1000' has 4 digits, at most 3 are known", 1),
        ("1+ 01000", "'1000' has 4 digits, at most 3 are known", 4),
        ("7/0", "division by zero", 3),
        ("7 ÷ 00", "division by zero", 5),
        ("1\x00+1", "expected an operator, found '\\x00'", 2),
        ("٣+1", "expected a number, found '٣'", 1),
    ],
)
def test_what_is_wrong_and_where(typed: str, reason: str, column: "int | None"):
    with pytest.raises(ExpressionError) as caught:
        parse(typed, SPEC)
    assert (caught.value.reason, caught.value.column) == (reason, column)


def test_an_operator_that_was_not_learned_is_named():
    with pytest.raises(ExpressionError, match=r"has not learned \*, only \+ - \(column 2\)"):
        parse("2*3", CalculatorSpec(operators="+-"))


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
