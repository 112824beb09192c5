import pytest
from edgecalc.spec import ALPHABET, Spec


@pytest.mark.parametrize(
    ("spec", "expression", "answer"),
    [
        (Spec(), "999/999", "142.714"),
        (Spec(operators="+-"), "999+999", "-999"),
        (Spec(operators="/", places=0), "999/999", "999"),
        (Spec(operators="*"), "999*999", "998001"),
        (Spec(digits=1, places=1), "9*9", "4.5"),
        (Spec(digits=6, places=6), "999999*999999", "333333.333333"),
    ],
)
def test_lengths_are_those_of_the_longest(spec: Spec, expression: str, answer: str):
    assert (spec.expression_length, spec.answer_length) == (len(expression), len(answer))


def test_a_spec_survives_json_types():
    spec = Spec(digits=2, places=1, operators="*+", alphabet=ALPHABET[::-1])
    assert Spec.from_dict(spec.to_dict()) == spec


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
        Spec.from_dict({**Spec().to_dict(), **change})


def test_a_missing_field_is_an_error():
    with pytest.raises(ValueError, match="a spec has the fields"):
        Spec.from_dict({"digits": 3})
