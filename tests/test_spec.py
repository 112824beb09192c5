import pytest
from edgecalc.language.calculator.spec import CalculatorSpec

ALPHABET = CalculatorSpec().alphabet


@pytest.mark.parametrize(
    ("spec", "expression", "answer"),
    [
        (CalculatorSpec(), "999/999", "142.714"),
        (CalculatorSpec(operators="+-"), "999+999", "-999"),
        (CalculatorSpec(operators="/", places=0), "999/999", "999"),
        (CalculatorSpec(operators="*"), "999*999", "998001"),
        (CalculatorSpec(digits=1, places=1), "9*9", "4.5"),
        (CalculatorSpec(digits=6, places=6), "999999*999999", "333333.333333"),
    ],
)
def test_lengths_are_those_of_the_longest(spec: CalculatorSpec, expression: str, answer: str):
    assert (spec.expression_length, spec.answer_length) == (len(expression), len(answer))


def test_a_spec_survives_json_types():
    spec = CalculatorSpec(digits=2, places=1, operators="*+", alphabet="987654321 0+.*")
    assert CalculatorSpec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    "change",
    [
        {"digits": 0},
        {"digits": 7},
        {"digits": True},
        {"digits": 2.0},
        {"places": -1},
        {"operators": ""},
        {"operators": "++"},
        {"operators": "^"},
        {"alphabet": ALPHABET[1:]},
        {"alphabet": ALPHABET[1:] + ALPHABET[1]},
        {"unknown": 1},
    ],
)
def test_a_wrong_field_is_named(change: dict):
    with pytest.raises(ValueError, match=next(iter(change))):
        CalculatorSpec.from_dict({**CalculatorSpec().to_dict(), **change})


def test_a_missing_field_is_an_error():
    with pytest.raises(ValueError, match="a spec has the fields"):
        CalculatorSpec.from_dict({"task": "calculator", "digits": 3})


def test_the_alphabet_is_that_of_the_operators_unless_given():
    assert ALPHABET == "0123456789+-*/. "
    assert CalculatorSpec(operators="/+").alphabet == "0123456789+/. "
