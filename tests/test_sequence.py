"""The working as a sequence of symbols, against exact arithmetic over whole small spaces."""

from __future__ import annotations

import numpy as np
import pytest
from edgecalc.language.calculator.sequence import TIMES, Layout
from edgecalc.language.calculator.sequence_explanation import SequenceExplanation
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.codec import id_table
from edgecalc.language.language import SURE

from tasks.calculator.sequence import failed_parts, true_sequence
from tasks.calculator.task import CalculatorExamples, CalculatorTask
from tasks.task import SEQUENCE

SPEC = CalculatorSpec()


def expected(spec: CalculatorSpec, operator: str, a: int, b: int, found: list[int]) -> list[int]:
    """The sequence from whole numbers: a carry is what the lower end of a number leaves.

    The digits of a quotient are those found, which leave less than the divisor.
    """
    layout, ids, digits = Layout(spec), id_table(spec), spec.digits

    def symbol(digit: int, carry: int = 0) -> int:
        return int(ids[ord(str(digit))]) if not carry else layout.carried(carry) + digit

    def row(places: int, *terms: tuple[int, int]) -> list[int]:
        """The sum of terms, each a digit times a number, from the lowest place."""
        written = []
        for place in range(places):
            end = 10 ** (place + 1)
            carry = sum(digit * (number % end) for digit, number in terms) // end
            total = sum(digit * number for digit, number in terms)
            written.append(symbol(total % end // 10**place, abs(carry)))
        return written

    parts = [[symbol(int(digit)) for digit in f"{a:0{digits}}{b:0{digits}}"]]
    if operator == "+":
        parts += [row(digits, (1, a), (1, b)), row(digits + 1, (1, a + b))]
    elif operator == "-":
        parts.append(row(digits, (1, a), (-1, b)))
        # A complement, whose own is the difference.
        read = row(digits, (-1, (a - b) % 10**digits)) if a < b else row(digits, (1, a - b))
        parts.append([*read, int(ids[ord("-")]) if a < b else symbol(0)])
    elif operator == "*":
        heads = [a // 10 ** (digits - number) for number in range(digits + 1)]
        for number in range(digits):
            places, head = digits + 1 + number, 10 * heads[number]
            parts.append(row(places, (1, b * head), (heads[number + 1] - head, b)))
    else:
        larger = 10 ** (digits - len(str(b)))
        b *= larger
        parts.append([symbol(int(digit)) for digit in str(b)])
        scaled, half = a * larger * 10**spec.places, b // 2
        parts.append(row(layout.dividend, (1, scaled), (1, half)))
        text = f"{scaled + half:0{layout.dividend}}"
        rest, quotient = int(text[: -layout.steps] or 0), []
        for number, digit in enumerate(text[-layout.steps :], 1):
            rest = 10 * rest + int(digit)
            written_there = found[layout.parts("/")[f"digit {number}"]]
            near = [times for times in range(-9, 10) if abs(rest - times * b) < b]
            symbols = {layout.multiples[times + 9]: times for times in near}
            times = symbols[written_there[0]]
            parts.append(written_there)
            *lower, _ = row(digits + 1, (1, rest), (-times, b))
            rest -= times * b
            parts.append([*lower, symbol(9 if rest < 0 else 0)])
            quotient.append(times)
        value = (scaled + half) // b
        digit_values = [value // 10**place % 10 for place in range(layout.steps)]
        known = [0] * layout.steps
        for place, times in enumerate(reversed(quotient)):
            known[place] = int(digit_values[place] > times)  # it has borrowed
        parts.append([symbol(*pair) for pair in zip(digit_values, known, strict=True)])
    written = [symbol for part in parts for symbol in part]
    return written + [int(ids[ord(" ")])] * (layout.length - len(written))


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
        assert row == expected(spec, spec.operators[operator], int(a), int(b), row), (a, b)


def test_it_is_true_of_many_expressions_of_the_default_space():
    task = CalculatorTask(SPEC)
    examples = task.examples(np.arange(0, task.size, 997))
    found = examples.working()[SEQUENCE].tolist()
    triples = zip(examples.operators, examples.a, examples.b, strict=True)
    for row, (operator, a, b) in zip(found, triples, strict=True):
        assert row == expected(SPEC, SPEC.operators[operator], int(a), int(b), row), (a, b)


def test_the_ids_follow_the_alphabet():
    spec = CalculatorSpec(digits=1, places=0, alphabet=" 9876543210.+-*/")
    task = CalculatorTask(spec)
    examples = task.examples(np.arange(task.size))
    triples = zip(examples.operators, examples.a, examples.b, strict=True)
    for row, (operator, a, b) in zip(examples.working()[SEQUENCE].tolist(), triples, strict=True):
        assert row == expected(spec, spec.operators[operator], int(a), int(b), row)


def one(a: int, operator: str, b: int, spec: CalculatorSpec = SPEC) -> CalculatorExamples:
    return CalculatorExamples(spec, *np.array([[spec.operators.index(operator)], [a], [b]]))


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
            explanation(842, "/", 37, "22.757", unsure=Layout(SPEC).parts("/")["rest 4"].start),
            [
                "842/37 = 22.757",
                "  842 ÷ 037, taken as 8420.185 ÷ 370",
                "  place       100    10     1    .1   .01  .001",
                "  down          4     2     0     1     8     5",
                "  times         0     2     3    -3     6    -3",
                "  rest         84   102   -90  211?  -102    95",
                "  quotient      0     2     2    ¹7     5    ¹7",
                "  unsure of rest 4, 1: 1 (61%)",
            ],
        ),
        (
            explanation(5, "-", 17, "-12", unsure=Layout(SPEC).parts("-")["digits"].start + 1),
            [
                "5-17 = -12",
                "  005 - 017",
                "  place     1000   100    10     1",
                "  carries           ¹9    ¹8    ¹8",
                "  digits       -    ¹0   ¹1?    ¹2",
                "  unsure of digits 2: ¹1 (61%)",
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
    ids=["product", "quotient", "difference", "sum"],
)
def test_it_is_laid_out_as_on_paper(made: SequenceExplanation, lines: list[str]):
    assert made.lines() == lines


def test_a_dividend_without_decimals_is_shown_without_what_it_carries():
    spec = CalculatorSpec(digits=2, places=0)
    written = np.eye(len(Layout(spec).symbols))[one(99, "/", 7, spec).working()[SEQUENCE]]
    made = SequenceExplanation.of(spec, "99/7", "14", {"sequence": written})
    assert made is not None
    assert made.lines()[1:] == [
        "  99 ÷ 07, taken as 1025 ÷ 70",
        "  place       10    1",
        "  down         2    5",
        "  times        2   -5",
        "  rest       -38  -25",
        "  quotient     1   ¹4",
    ]


def test_a_choice_between_multiples_is_no_doubt():
    layout = Layout(SPEC)
    place = layout.parts("/")["digit 4"].start
    written = np.eye(len(layout.symbols))[one(842, "/", 37).working()[SEQUENCE]]
    two = [layout.symbols.index(f"{TIMES}{times}") for times in (-3, -2)]
    written[0, place] = 0
    written[0, place, two] = 0.6, 0.4
    made = SequenceExplanation.of(SPEC, "842/37", "22.757", {"sequence": written})
    assert made is not None
    assert made.unsure() == []
    assert "?" not in "".join(made.lines())
    written[0, place, two] = 0.6, 0
    made = SequenceExplanation.of(SPEC, "842/37", "22.757", {"sequence": written})
    assert made is not None
    assert made.unsure() == ["digit 4, 1: ×-3 (60%)"]
    assert "-3?" in "".join(made.lines())


@pytest.mark.parametrize("operator", SPEC.operators)
def test_whatever_a_network_wrote_is_shown(operator: str):
    layout = Layout(SPEC)
    for symbol in np.eye(len(layout.symbols)):
        written = np.tile(symbol, (1, layout.length, 1))
        made = SequenceExplanation.of(SPEC, f"1{operator}1", "?", {"sequence": written})
        assert made is not None
        assert made.lines()[0] == f"1{operator}1 = ?"


def test_another_shape_is_no_working_of_the_spec():
    layout = Layout(SPEC)
    for shape in ((1, layout.length, 16), (1, 3, len(layout.symbols)), (layout.length, 2)):
        assert SequenceExplanation.of(SPEC, "1+1", "2", {"sequence": np.zeros(shape)}) is None
    assert SequenceExplanation.of(SPEC, "1+1", "2", {"columns": np.zeros((1, 2))}) is None
    assert SURE < 1


@pytest.mark.parametrize("operator", SPEC.operators)
def test_the_first_wrong_symbol_tells_the_part(operator: str):
    chosen = one(842, operator, 37)
    true, numbers = chosen.working()[SEQUENCE], (chosen.operators, chosen.a, chosen.b)
    assert failed_parts(SPEC, *numbers, true) == ["answer"]
    for name, part in Layout(SPEC).parts(operator).items():
        wrong = true.copy()
        wrong[0, part.stop - 1 :] = (true[0, part.stop - 1 :] + 5) % len(Layout(SPEC).symbols)
        assert failed_parts(SPEC, *numbers, wrong) == [name]
    if part.stop < true.shape[1]:
        wrong = true.copy()
        wrong[0, -1] = 0
        assert failed_parts(SPEC, *numbers, wrong) == ["blanks"]


def test_a_digit_of_a_quotient_that_will_do_is_no_failure():
    """Twins in all but what was drawn for them: what one wrote is true of the other."""
    task = CalculatorTask(SPEC)
    chosen = task.examples(np.arange(3_500_000, 3_500_200))
    numbers = (chosen.operators, chosen.a, chosen.b)
    true, other = (true_sequence(SPEC, *numbers, keys) for keys in (chosen.keys(), ~chosen.keys()))
    assert (true != other).any(axis=1).mean() > 0.3
    assert failed_parts(SPEC, *numbers, other) == ["answer"] * 200


def test_whatever_was_written_failed_in_some_part():
    """Also where what is left grows beyond what a digit of the quotient can make up for."""
    task = CalculatorTask(SPEC)
    chosen = task.examples(np.arange(2_990_000, 3_990_000, 1000))
    layout, rng = Layout(SPEC), np.random.default_rng(0)
    numbers = (chosen.operators, chosen.a, chosen.b)
    written = rng.integers(len(layout.symbols), size=(len(chosen.a), layout.length))
    assert len(failed_parts(SPEC, *numbers, written)) == len(written)
    # True but for the digits of quotients.
    written = chosen.working()[SEQUENCE]
    digits = [part.start for name, part in layout.parts("/").items() if name.startswith("digit ")]
    for step in (0, 2, 5):
        wrong = written.copy()
        wrong[:, digits[step]] = (wrong[:, digits[step]] + 1) % len(layout.symbols)
        assert len(failed_parts(SPEC, *numbers, wrong)) == len(written)
