"""The working as a sequence of symbols, against exact arithmetic over whole small spaces."""

from __future__ import annotations

import numpy as np
import pytest
from edgecalc.language.calculator.sequence import Layout
from edgecalc.language.calculator.sequence_explanation import SequenceExplanation
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.codec import id_table
from edgecalc.language.language import SURE

from tasks.calculator.sequence import failed_parts
from tasks.calculator.task import CalculatorExamples, CalculatorTask
from tasks.task import SEQUENCE

SPEC = CalculatorSpec()


def expected(spec: CalculatorSpec, operator: str, a: int, b: int) -> list[int]:
    """The sequence, from whole numbers: a row is one, and a carry what its lower end leaves."""
    layout, ids = Layout(spec), id_table(spec)
    axis, digits = layout.axis, spec.digits

    def symbol(character: str, carry: int = 0) -> int:
        return int(ids[ord(character)]) if not carry else layout.carried(carry) + int(character)

    def digit(number: int, place: int) -> str:
        return str(number // 10**place % 10)

    blank = symbol(" ")
    written = [blank] * layout.length
    written[layout.operands] = [symbol(c) for c in f"{a:0{digits}}{b:0{digits}}"]
    hidden, rows = axis.hidden, layout.rows
    if operator in "*/":
        multiplier = b * 10**hidden if operator == "*" else -(-(10**axis.reciprocal_decimals) // b)
        text = f"{multiplier:0{axis.multiplier}}"
        if operator == "*":
            ones = axis.multiplier - hidden
            text = text[ones - digits : ones].rjust(ones).ljust(axis.multiplier)
        elif len(text) > axis.reciprocal_decimals + 1:
            text = text[-axis.reciprocal_decimals - 1 :].rjust(len(text))
        written[layout.multiplier] = [symbol(c) for c in text]
        before = 0
        for number, row in enumerate(rows[-digits:]):
            factor = int(f"{a:0{digits}}"[number])
            rounding = 5 * 10 ** (hidden - digits) if operator == "/" and number == 0 else 0
            for place in range(row.stop - row.start):
                if operator == "*" and place < hidden:
                    continue
                end = 10 ** (place + 1)
                carry = (factor * (multiplier % end) + 10 * before % end + rounding % end) // end
                total = factor * multiplier + 10 * before + rounding
                written[row.start + place] = symbol(digit(total, place), carry)
            before = total
    else:
        for place in range(digits):
            end = 10 ** (place + 1)
            lower = a % end + (b % end if operator == "+" else -(b % end))
            carry = abs(lower // end)
            result = a + b if operator == "+" else a - b
            written[rows[-2].start + hidden + place] = symbol(digit(result, place), carry)
            complement = result < 0 and -result % end > 0
            written[rows[-1].start + hidden + place] = symbol(
                digit(abs(result), place), int(complement)
            )
        sign = symbol("-") if result < 0 else symbol(digit(result, digits))
        written[rows[-1].start + hidden + digits] = sign
    return written


@pytest.mark.parametrize("digits", [1, 2])
@pytest.mark.parametrize("places", [0, 1, 3, 6])
@pytest.mark.parametrize("operators", ["+-*/", "+-", "/", "*", "-/"])
def test_it_is_true_of_every_expression_of_a_small_space(digits: int, places: int, operators: str):
    spec = CalculatorSpec(digits=digits, places=places, operators=operators)
    task = CalculatorTask(spec)
    examples = task.examples(np.arange(task.size))
    found = examples.working()[SEQUENCE]
    assert found.shape == (task.size, Layout(spec).length)
    assert found.max() < len(task.sequence_symbols) <= 256
    triples = zip(examples.operators, examples.a, examples.b, strict=True)
    for row, (operator, a, b) in zip(found.tolist(), triples, strict=True):
        assert row == expected(spec, spec.operators[operator], int(a), int(b)), (a, b)


def test_it_is_true_of_many_expressions_of_the_default_space():
    task = CalculatorTask(SPEC)
    examples = task.examples(np.arange(0, task.size, 997))
    found = examples.working()[SEQUENCE].tolist()
    triples = zip(examples.operators, examples.a, examples.b, strict=True)
    for row, (operator, a, b) in zip(found, triples, strict=True):
        assert row == expected(SPEC, SPEC.operators[operator], int(a), int(b)), (a, b)


def test_the_ids_follow_the_alphabet():
    spec = CalculatorSpec(digits=1, places=0, alphabet=" 9876543210.+-*/")
    task = CalculatorTask(spec)
    examples = task.examples(np.arange(task.size))
    triples = zip(examples.operators, examples.a, examples.b, strict=True)
    for row, (operator, a, b) in zip(examples.working()[SEQUENCE], triples, strict=True):
        assert row.tolist() == expected(spec, spec.operators[operator], int(a), int(b))


def one(a: int, operator: str, b: int) -> CalculatorExamples:
    return CalculatorExamples(SPEC, *np.array([[SPEC.operators.index(operator)], [a], [b]]))


def explanation(a: int, operator: str, b: int, answer: str, unsure: int = -1):
    """What a network writes that is right, and unsure of one symbol."""
    written = np.eye(len(Layout(SPEC).symbols))[one(a, operator, b).working()[SEQUENCE]]
    if unsure >= 0:
        written[0, unsure] *= 0.61
    return SequenceExplanation.of(SPEC, f"{a}{operator}{b}", answer, {"sequence": written})


@pytest.mark.parametrize(
    ("made", "lines"),
    [
        (
            explanation(842, "*", 37, "31154"),
            [
                "842*37 = 31154",
                "  842 × 037",
                "  place     10000   1000    100     10      1",
                "  8 ×           2     ²9     ⁵6",
                "  84 ×          3     ¹1     ²0     ²8",
                "  842 ×         3      1      1     ¹5     ¹4",
            ],
        ),
        (
            explanation(5, "-", 17, "-12", unsure=Layout(SPEC).rows[-1].start + 8),
            [
                "5-17 = -12",
                "  005 - 017",
                "  place     1000   100    10     1",
                "  carries           ¹9    ¹8    ¹8",
                "  digits       -    ¹0   ¹1?    ¹2",
                "  unsure of row 3, 9: ¹1 (61%)",
            ],
        ),
        (
            explanation(7, "+", 8, "15"),
            [
                "7+8 = 15",
                "  007 + 008",
                "  place     10   1",
                "  carries    1  ¹5",
                "  digits     1   5",
            ],
        ),
    ],
    ids=["product", "difference", "sum"],
)
def test_it_is_laid_out_as_on_paper(made: SequenceExplanation, lines: list[str]):
    assert made.lines() == lines


def test_a_quotient_shows_its_reciprocal():
    lines = explanation(842, "/", 37, "22.757").lines()
    assert lines[1] == "  842 × 0.0270270271    1/37, from memory"
    assert lines[2].split()[-1] == "e-10"
    assert lines[-1].split()[:7] == ["842", "×", "2", "2", "7", "5", "¹7"]


def test_another_shape_is_no_working_of_the_spec():
    layout = Layout(SPEC)
    for shape in ((1, layout.length, 16), (1, 3, len(layout.symbols)), (layout.length, 2)):
        assert SequenceExplanation.of(SPEC, "1+1", "2", {"sequence": np.zeros(shape)}) is None
    assert SequenceExplanation.of(SPEC, "1+1", "2", {"columns": np.zeros((1, 2))}) is None
    assert SURE < 1


def test_the_first_wrong_symbol_tells_the_part():
    true = one(842, "/", 37).working()[SEQUENCE]
    layout = Layout(SPEC)
    for name, place in (
        ("operands", 3),
        ("multiplier", layout.multiplier.start),
        ("row 2", layout.rows[1].start),
        ("row 3", layout.length - 1),
    ):
        wrong = true.copy()
        wrong[0, place:] = 15
        assert failed_parts(SPEC, wrong, true) == [name]
    assert failed_parts(SPEC, true, true) == ["answer"]
