from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from edgecalc import Answer, Calculator, ExpressionError, ModelError
from edgecalc.network import predictor

from tests import model_fixture
from tests.model_fixture import SPEC, SURE_PROBABILITY, UNSURE, UNSURE_PROBABILITY, WRONG

WORKS = "tflite_runtime.interpreter"
EXPRESSIONS = [f"{a}{'+-*/'[a % 4]}{a * 7 % 90 + 1}" for a in range(100)]


@pytest.fixture(scope="module")
def calculator(model_path: Path) -> Calculator:
    return Calculator(model_path)


def test_an_answer(calculator: Calculator):
    answer = calculator.answer(" 07 ÷ 2 = ")
    assert answer[::2] == ("3.5", "7/2")
    assert answer.written == "3.500"
    assert answer.confidence == pytest.approx(model_fixture.confidence(SURE_PROBABILITY))


def test_the_answer_is_that_of_the_network_even_if_wrong(calculator: Calculator):
    assert calculator.answer(WRONG[0]).text == WRONG[1]


def test_the_confidence_is_the_product_over_the_places(calculator: Calculator):
    answer = calculator.answer(UNSURE[0])
    assert answer.text == UNSURE[1]
    assert answer.confidence == pytest.approx(model_fixture.confidence(UNSURE_PROBABILITY))


@pytest.mark.parametrize("batch_size", [1, 2, 7, 64, 100, 256])
def test_batches_answer_as_single_expressions_do(calculator: Calculator, batch_size: int):
    singles = [calculator.answer(expression) for expression in EXPRESSIONS]
    assert list(calculator.answers(EXPRESSIONS, batch_size=batch_size)) == singles


def test_sizes_that_change_do_not_disturb_each_other(calculator: Calculator):
    for size in (50, 3, 99, 1, 98, 2, 100):
        texts = [answer.expression for answer in calculator.answers(EXPRESSIONS[:size], 100)]
        assert texts == EXPRESSIONS[:size]


def test_answers_are_lazy(calculator: Calculator):
    taken: list[None] = []

    def endless() -> Iterator[str]:
        while True:
            taken.append(None)
            yield "1+1"

    answers = calculator.answers(endless(), batch_size=10)
    assert not taken
    assert next(answers).text == "2"
    assert len(taken) == 10


def test_no_expressions_no_answers(calculator: Calculator):
    assert list(calculator.answers([])) == []


def test_a_bad_expression_is_named_after_the_good_ones_before_it(calculator: Calculator):
    answers = calculator.answers(["1+1", "2+2", "5 +", "3+3"], batch_size=2)
    assert [next(answers).text, next(answers).text] == ["2", "4"]
    with pytest.raises(ExpressionError, match=r"^item 2: a number is missing: .* \(column 4\)$"):
        next(answers)
    with pytest.raises(ExpressionError, match="division by zero"):
        calculator.answer("1/0")


def test_outcomes_keep_the_place_of_an_error(calculator: Calculator):
    kinds = [type(outcome) for outcome in calculator.outcomes(["x", "1+1", "", "2+2"])]
    assert kinds == [ExpressionError, Answer, ExpressionError, Answer]


def test_wrong_settings(calculator: Calculator, model_path: Path):
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        calculator.answers([], batch_size=0)
    with pytest.raises(ValueError, match="threads must be at least 1"):
        Calculator(model_path, threads=0)


def test_threads_do_not_change_the_answers():
    """Asked of the packaged model: threads share out products of matrices, a table has none."""
    one, two = (list(Calculator(threads=threads).answers(EXPRESSIONS)) for threads in (1, 2))
    assert [answer.text for answer in one] == [answer.text for answer in two]
    assert [answer.confidence for answer in one] == pytest.approx(
        [answer.confidence for answer in two], abs=1e-4
    )


def test_spec_and_card_are_those_of_the_file(calculator: Calculator):
    assert calculator.spec == SPEC
    assert calculator.card["name"] == "edgecalc-test-float32"


def test_without_an_interpreter_the_error_says_what_to_install(
    model_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(predictor, "_MODULES", ("no_such_interpreter",))
    with pytest.raises(ModelError, match="pip install tflite-runtime"):
        Calculator(model_path, interpreter="tflite")


@pytest.mark.parametrize(
    "failure",
    ["raise ImportError('numpy is too new')", "raise AttributeError", "import no_such_dependency"],
)
def test_an_interpreter_that_fails_does_not_hide_one_that_works(
    model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str
):
    (tmp_path / "broken_interpreter.py").write_text(f"{failure}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(predictor, "_MODULES", ("broken_interpreter", "no_such_interpreter", WORKS))
    assert Calculator(model_path).answer("1+1").text == "2"
    monkeypatch.setattr(predictor, "_MODULES", ("broken_interpreter", "no_such_interpreter"))
    with pytest.raises(ModelError, match=r"^broken_interpreter is installed but fails"):
        Calculator(model_path, interpreter="tflite")


def test_no_answer_is_computed(model_path: Path):
    """Whoever calculates needs the module of the true answers; the calculator never loads it."""
    code = (
        "import sys; from edgecalc import Calculator\n"
        "assert Calculator(sys.argv[1]).answer('55+49').text == '104'\n"
        "print([name for name in sys.modules if name in "
        "('edgecalc.language.calculator.truth', 'tasks', 'tensorflow', 'decimal')])"
    )
    # Measuring the coverage of this process, too, would load modules of its own.
    environment = {key: value for key, value in os.environ.items() if "COVERAGE" not in key}
    run = subprocess.run(
        [sys.executable, "-c", code, str(model_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "[]\n"
