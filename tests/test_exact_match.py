"""Exact match: counted by operator and split, and never flattered."""

import numpy as np
import pytest
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.calculator.working import Axis
from edgecalc.language.codec import encode_symbols, symbol_table
from edgecalc.language.counts import format_percentage

from tasks.calculator.task import CalculatorExamples, CalculatorTask
from tasks.exact_match import (
    HELD_OUT_PART,
    REST,
    Report,
    blocks,
    count_exact,
    format_stages,
    summary,
)
from tasks.splits import HELD_OUT, SPLITS, Splits

SPEC = CalculatorSpec(digits=1, places=1)
TASK = CalculatorTask(SPEC)


def examples_of(ids):
    texts = symbol_table(SPEC)[ids].tobytes().decode()
    operators = np.array([SPEC.operators.index(text) for text in texts[1::3]], np.uint8)
    a, b = (np.array(list(map(int, texts[i::3]))) for i in (0, 2))
    return CalculatorExamples(SPEC, operators, a, b)


def truth(ids):
    """An answerer that calculates: from ids of expressions to ids of their true answers."""
    answers = encode_symbols(examples_of(ids).answers(), SPEC)
    return answers, np.full(len(ids), 0.95)


def wrong_for_nine(ids):
    answers, confidence = truth(ids)
    nine = (ids == 9).any(axis=1)
    answers[nine, -1] = 15
    confidence[nine] = 0.7
    return answers, confidence


def working(ids):
    """The true working, but for the digits."""
    examples, axis = examples_of(ids), Axis(SPEC)
    true = examples.working()
    return {
        "operands": np.eye(10)[true["operands"]],
        "operator": np.eye(4)[examples.operators],
        "multiplier": np.eye(11)[true["multiplier"]][..., :10],
        "columns": np.eye(axis.columns)[true["columns"] - axis.smallest_column],
        "digits": np.zeros((len(ids), axis.shown, 10)),
    }


def counted(answer, whole=True, splits=Splits(), **options):  # noqa: B008  # frozen
    report, answers = Report(TASK, splits), []
    for block in blocks(TASK.size):
        found = count_exact(TASK, splits, 5, block, answer, **options)
        report.add(found)
        answers.append(found.answers[found.splits == HELD_OUT])
    return report.to_dict(whole), np.concatenate(answers)


def test_the_truth_scores_everything():
    report, answers = counted(truth)
    assert report["exhaustive"] == {
        operator: {"exact": 100 - 10 * (operator == "/"), "of": 100 - 10 * (operator == "/")}
        for operator in "+-*/"
    }
    held_out = report["held_out"]
    assert all(count["exact"] == count["of"] > 0 for count in held_out.values())
    assert len(answers) == sum(count["of"] for count in held_out.values())
    assert report["misses"] == [] == list(report["stages"])


def test_misses_are_counted_where_they_are():
    report, _ = counted(wrong_for_nine, work=working)
    misses = {op: count["of"] - count["exact"] for op, count in report["exhaustive"].items()}
    assert misses == {"+": 19, "-": 19, "*": 19, "/": 18}
    splits = report["splits"].values()
    assert sum(c["of"] - c["exact"] for split in splits for c in split.values()) == 75
    found = {miss["expression"]: miss for miss in report["misses"]}
    assert len(found) == 75
    miss = found["9+9"]
    split = Splits().of(CalculatorExamples(SPEC, *np.array([[0], [9], [9]])))[0]
    assert miss == {
        "expression": "9+9",
        "answer": "1 ",
        "truth": "18",
        "confidence": 0.7,
        "split": SPLITS[split],
        "stage": "carry",
    }
    stages = [stage for split in report["stages"].values() for stage in split.get("+", {}).items()]
    assert {name for name, _ in stages} == {"carry"}
    assert sum(count for _, count in stages) == 19


def test_a_network_that_shows_no_working_has_misses_of_unknown_stage():
    report, _ = counted(wrong_for_nine)
    assert report["misses"][0]["stage"] == "unknown"
    assert "unknown" in format_stages(report["stages"])


def test_what_is_withheld_for_its_confidence():
    report, _ = counted(wrong_for_nine)
    rows = {row["at_least"]: row for row in report["confidence"]}
    everything = sum(count["of"] for count in report["held_out"].values())
    exact = sum(count["exact"] for count in report["held_out"].values())
    kept = {least: (row["exact"], row["of"]) for least, row in rows.items()}
    assert kept[0.0] == kept[0.5] == (exact, everything)
    assert kept[0.9] == (exact, exact)
    assert kept[0.99] == (0, 0)


def test_the_held_out_expressions_alone_score_the_same():
    report, _ = counted(wrong_for_nine, whole=False, asked=HELD_OUT_PART)
    assert report["held_out"] == counted(wrong_for_nine)[0]["held_out"]
    assert report["exhaustive"] is None


def test_what_was_held_out_and_the_rest_are_everything():
    whole, _ = counted(wrong_for_nine, work=working)
    report = Report(TASK, Splits())
    for asked in (HELD_OUT_PART, REST):
        for block in blocks(TASK.size):
            report.add(count_exact(TASK, Splits(), 5, block, wrong_for_nine, working, asked))
    parts = report.to_dict(whole=True)
    by_expression = {miss["expression"]: miss for miss in whole["misses"]}
    assert {miss["expression"]: miss for miss in parts.pop("misses")} == by_expression
    assert parts == {name: value for name, value in whole.items() if name != "misses"}


def test_a_model_that_misses_a_tenth_of_what_was_held_out_is_not_asked_for_the_rest():
    for answer, worth_it in ((truth, True), (wrong_for_nine, False)):
        report = Report(TASK, Splits())
        for block in blocks(TASK.size):
            report.add(count_exact(TASK, Splits(), 5, block, answer, asked=HELD_OUT_PART))
        assert report.is_worth_asking() == worth_it


def test_a_block_with_nothing_held_out_asks_nothing():
    def refuse(ids):
        raise AssertionError(ids)

    everything_trained = Splits(train=1 - 2**-52, validation=0)
    counted = count_exact(TASK, everything_trained, 5, range(20), refuse, asked=HELD_OUT_PART)
    assert len(counted.exact) == 0
    assert counted.answers.shape == (0, SPEC.answer_length)


def test_examples_with_an_unseen_number_are_counted_by_where_it_stands():
    splits = Splits(unseen=0.3)
    report, _ = counted(wrong_for_nine, splits=splits)
    everything = TASK.examples(np.arange(TASK.size))
    unseen = splits.holds_unseen(everything.parts())
    numbers = {int(n) for n in everything.a[unseen[:, 0]]}
    assert 0 < len(numbers) < 9
    counts = report["unseen"]["first operand"]["-"]
    assert counts["of"] == len(numbers) * (10 - len(numbers))
    assert report["unseen"]["several"]["-"]["of"] == len(numbers) ** 2
    of_the_split = report["splits"]["unseen"]["-"]
    assert sum(part["-"]["of"] for part in report["unseen"].values()) == of_the_split["of"]
    assert "exact match, unseen second operand: + " in summary(report)
    held_out, _ = counted(wrong_for_nine, whole=False, splits=splits, asked=HELD_OUT_PART)
    assert held_out["unseen"] == report["unseen"]
    assert counted(truth)[0]["unseen"] == {}


@pytest.mark.parametrize(
    ("exact", "of", "text"),
    [(5, 5, "100%"), (999_999, 1_000_000, "99.99%"), (0, 3, "0.00%"), (1, 3, "33.33%")],
)
def test_only_a_perfect_score_is_called_100_percent(exact, of, text):
    assert format_percentage(exact, of) == text
