"""The calculator's examples: each expression by one index, written as the network sees it."""

import numpy as np
import pytest
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.language import LANGUAGES

from tasks.calculator.task import CalculatorTask
from tasks.task import TASKS, task_class, task_of


def whole(spec: CalculatorSpec):
    task = CalculatorTask(spec)
    return task.examples(np.arange(task.size))


def test_the_size_of_the_default_space():
    assert CalculatorTask(CalculatorSpec()).size == 3_999_000


@pytest.mark.parametrize("operators", ["+-*/", "/", "-/+"])
def test_every_expression_has_one_index_and_no_divisor_is_zero(operators: str):
    spec = CalculatorSpec(digits=2, operators=operators)
    examples = whole(spec)
    found = set(zip(examples.operators.tolist(), examples.a, examples.b, strict=True))
    expected = {
        (number, x, y)
        for number, operator in enumerate(operators)
        for x in range(100)
        for y in range(100)
        if operator != "/" or y
    }
    assert found == expected
    assert len(examples.a) == len(expected) == CalculatorTask(spec).size


def test_expressions_are_written_without_leading_zeros():
    spec = CalculatorSpec(digits=2)
    examples = whole(spec)
    written = [bytes(row).decode() for row in examples.expressions()]
    operators = [spec.operators[number] for number in examples.groups()]
    assert written == [
        f"{x}{operator}{y}".rjust(5)
        for operator, x, y in zip(operators, examples.a, examples.b, strict=True)
    ]


def test_the_largest_spec_there_is_has_examples_and_a_working():
    """10**19, the reciprocals' unit then, is more than 64 bits with a sign can hold."""
    task = CalculatorTask(CalculatorSpec(digits=6, places=6))
    examples = task.examples(np.linspace(0, task.size - 1, 1000).astype(np.int64))
    working = examples.working()
    divides = examples.operators == 3
    assert divides.any()
    for b, digits in zip(examples.b[divides], working["multiplier"][divides], strict=True):
        assert int("".join(map(str, digits))) == -(-(10**19) // int(b))


def test_a_task_is_found_by_what_its_spec_says():
    spec = CalculatorSpec(digits=2)
    task = task_of(spec.to_dict())
    assert isinstance(task, CalculatorTask)
    assert task.spec == spec
    for content in ({}, [], {"task": 5}):
        with pytest.raises(ValueError, match="names its task"):
            task_of(content)
    with pytest.raises(ValueError, match=r"no task 'chess' in edgecalc\.tasks; .*calculator"):
        task_of({"task": "chess"})


def test_a_task_whose_language_is_another_is_refused(monkeypatch):
    monkeypatch.setitem(TASKS, "sums", "tasks.calculator.task:CalculatorTask")
    with pytest.raises(ValueError, match=r"no task 'sums' in edgecalc\.languages"):
        task_class("sums")
    monkeypatch.setitem(LANGUAGES, "sums", LANGUAGES["calculator"])
    with pytest.raises(ValueError, match="the task sums has specs of the task calculator"):
        task_class("sums")
    monkeypatch.setitem(LANGUAGES, "sums", "edgecalc.language.language:Language")
    with pytest.raises(ValueError, match="are not made for each other"):
        task_class("sums")
