import numpy as np
import pytest
from edgecalc.language.calculator.language import CalculatorLanguage
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.codec import NOT_A_SYMBOL, decode, encode, encode_symbols, id_table
from hypothesis import given
from hypothesis import strategies as st

ALPHABET = CalculatorSpec().alphabet
PERMUTED = CalculatorSpec(alphabet=ALPHABET[3:] + ALPHABET[:3])


def test_ids_of_an_expression():
    ids = encode(["2+2", "999/999"], CalculatorSpec())
    assert ids.dtype == np.int32
    assert ids.tolist() == [[15, 15, 15, 15, 2, 10, 2], [9, 9, 9, 13, 9, 9, 9]]


def test_the_alphabet_decides_the_ids():
    assert encode(["2+2"], PERMUTED)[0].tolist() == [12, 12, 12, 12, 15, 7, 15]


def test_no_expressions_give_no_rows():
    assert encode([], CalculatorSpec()).shape == (0, 7)
    assert decode(np.zeros((0, 7), np.int32), CalculatorSpec()) == []


@pytest.mark.parametrize("spec", [CalculatorSpec(), PERMUTED])
@given(texts=st.lists(st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{1,3})?", fullmatch=True), min_size=1))
def test_what_is_encoded_is_decoded(spec: CalculatorSpec, texts: "list[str]"):
    padded = "".join(text.rjust(8) for text in texts).encode()
    symbols = np.frombuffer(padded, np.uint8).reshape(-1, 8)
    assert decode(encode_symbols(symbols, spec), spec) == texts


def test_only_leading_padding_is_taken_away():
    assert decode(np.array([[15, 1, 15, 2, 15], [15] * 5]), CalculatorSpec()) == ["1 2 ", ""]


def test_bytes_outside_the_alphabet_have_no_id():
    table = id_table(CalculatorSpec())
    outside = [byte for byte in range(256) if chr(byte) not in ALPHABET]
    assert set(table[outside]) == {NOT_A_SYMBOL}
    assert sorted(table[np.frombuffer(ALPHABET.encode(), np.uint8)]) == list(range(16))


@pytest.mark.parametrize(
    ("written", "shown"),
    [("3.500", "3.5"), ("4.000", "4"), ("0.000", "0"), ("100", "100"), ("-70", "-70"), ("", "")],
)
def test_an_answer_as_a_person_expects_it(written: str, shown: str):
    assert CalculatorLanguage(CalculatorSpec()).present(written) == shown
