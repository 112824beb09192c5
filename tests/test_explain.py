"""The working as it is printed, and what is said where there is none."""

import numpy as np
import pytest
from edgecalc import Calculator, ModelError
from edgecalc.language.calculator.explanation import ColumnsExplanation
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.calculator.working import Axis
from edgecalc.shell.cli import main

from tasks.calculator.task import CalculatorExamples

SPEC = CalculatorSpec()


def explanation(a, operator, b, answer, unsure=()):
    """What a network writes that is right, and unsure of these (name, position)."""
    code = SPEC.operators.index(operator)
    working = CalculatorExamples(SPEC, *np.array([[code], [a], [b]])).working()
    classes = {"operands": 10, "multiplier": 11, "columns": Axis(SPEC).columns, "digits": 10}
    outputs = {"operator": np.eye(len(SPEC.operators))[[code]]}
    for name, count in classes.items():
        first = Axis(SPEC).smallest_column if name == "columns" else 0
        outputs[name] = np.eye(count)[working[name] - first]
    outputs["multiplier"] = outputs["multiplier"][..., :10]
    for name, position in unsure:
        row = outputs[name][0, position]
        outputs[name][0, position] = np.where(row, 0.61, 0.39 / (len(row) - 1))
    return ColumnsExplanation.of(SPEC, f"{a}{operator}{b}", answer, outputs)


@pytest.mark.parametrize(
    ("made", "lines"),
    [
        (
            explanation(842, "*", 37, "31154"),
            [
                "842*37 = 31154",
                "  842 × 037",
                "  place     10000   1000    100     10      1",
                "  columns       0     24     68     34     14",
                "  digits        3      1      1      5      4",
            ],
        ),
        (
            explanation(5, "-", 17, "-12"),
            [
                "5-17 = -12",
                "  005 - 017",
                "  place     10   1",
                "  columns   -1  -2",
                "  digits     8   8",
                "  less than 0: the digits are those of 1000000 - the answer's",
            ],
        ),
        (
            explanation(7, "+", 2, "9", unsure=[("columns", 5)]),
            [
                "7+2 = 9",
                "  007 + 002",
                "  place      1",
                "  columns   9?",
                "  digits     9",
                "  unsure of columns 6: 9 (61%)",
            ],
        ),
    ],
    ids=lambda value: value.expression if isinstance(value, ColumnsExplanation) else "",
)
def test_lines(made, lines):
    assert made.lines() == lines


def test_the_working_of_a_quotient_has_the_reciprocal_and_all_places():
    lines = explanation(842, "/", 37, "22.757", unsure=[("multiplier", 4)]).lines()
    assert lines[:2] == ["842/37 = 22.757", "  842 × 0.0270?270271    1/37, from memory"]
    assert lines[2].split()[:4] == ["place", "10", "1", ".1"]
    assert lines[2].split()[-1] == "e-10"
    assert lines[4].split()[1:] == list("22757")
    assert lines[-1] == "  unsure of multiplier 5: 0 (61%)"


def test_the_packaged_model_shows_its_working():
    made = Calculator().explain(" 842 ÷ 37 =")
    assert (made.expression, made.answer, made.operator) == ("842/37", "22.757", "/")
    assert made.operands == [8, 4, 2, 0, 3, 7]
    assert made.multiplier == [0, 0, 2, 7, 0, 2, 7, 0, 2, 7, 1]
    assert made.unsure() == []


def test_the_command(capsys):
    assert main(["--explain", "nonsense", "842*37", "5-17"]) == 1
    out, errors = capsys.readouterr()
    assert out.splitlines()[0] == "842*37 = 31154"
    assert "\n\n5-17 = -12\n" in out
    assert errors.startswith("edgecalc: nonsense: expected a number")


def test_the_command_needs_an_expression(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--explain"])
    assert exit_.value.code == 2
    assert "--explain needs an expression" in capsys.readouterr().err


def test_a_model_without_a_working(model_path, capsys):
    with pytest.raises(ModelError, match="does not show its working"):
        Calculator(model_path).explain("1+1")
    assert main(["--model", str(model_path), "--explain", "1+1"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
