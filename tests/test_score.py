"""Exact match: counted by operator and split, and never flattered."""

import numpy as np
import pytest
from edgecalc import space
from edgecalc.arithmetic import true_answers, true_working
from edgecalc.codec import encode_symbols, symbol_table
from edgecalc.score import (
    HELD_OUT,
    Report,
    blocks,
    count_exact,
    format_percentage,
    format_stages,
)
from edgecalc.spec import Spec
from edgecalc.working import Axis

SPEC = Spec(digits=1, places=1)


def truth(ids):
    """An answerer that calculates: from ids of expressions to ids of their true answers."""
    texts = symbol_table(SPEC)[ids].tobytes().decode()
    width = SPEC.expression_length
    parts = [texts[i : i + width].strip() for i in range(0, len(texts), width)]
    operators = np.array([ord(part[1]) for part in parts], np.uint8)
    a, b = (np.array([int(part[i]) for part in parts], np.int64) for i in (0, 2))
    return encode_symbols(true_answers(SPEC, operators, a, b), SPEC), np.full(len(a), 0.95)


def wrong_for_nine(ids):
    answers, confidence = truth(ids)
    nine = (ids == 9).any(axis=1)
    answers[nine, -1] = 15
    confidence[nine] = 0.7
    return answers, confidence


def working(ids):
    """The true working of any expression with a nine, but for the digits."""
    texts = symbol_table(SPEC)[ids].tobytes().decode()
    operators = np.frombuffer(texts[1::3].encode(), np.uint8)
    a, b = (np.array(list(map(int, texts[i::3]))) for i in (0, 2))
    axis, true = Axis(SPEC), true_working(SPEC, operators, a, b)
    return {
        "operands": np.eye(10)[true.operands],
        "operator": np.eye(4)[[SPEC.operators.index(chr(code)) for code in operators]],
        "multiplier": np.eye(11)[true.multiplier][..., :10],
        "columns": np.eye(axis.columns)[true.columns - axis.smallest_column],
        "digits": np.zeros((len(a), axis.shown, 10)),
    }


def counted(answer, whole=True, **options):
    report, answers = Report(SPEC), []
    for block in blocks(space.size(SPEC)):
        found = count_exact(SPEC, space.Splits(), 5, block, answer, **options)
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
    split = space.Splits().of(np.array([ord("+")], np.uint8), np.array([9]), np.array([9]))[0]
    assert miss == {
        "expression": "9+9",
        "answer": "1 ",
        "truth": "18",
        "confidence": 0.7,
        "split": space.SPLITS[split],
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
    report, _ = counted(wrong_for_nine, whole=False, held_out_only=True)
    assert report["held_out"] == counted(wrong_for_nine)[0]["held_out"]
    assert report["exhaustive"] is None


def test_a_block_with_nothing_held_out_asks_nothing():
    def refuse(ids):
        raise AssertionError(ids)

    everything_trained = space.Splits(train=1 - 2**-52, validation=0)
    counted = count_exact(SPEC, everything_trained, 5, range(20), refuse, held_out_only=True)
    assert len(counted.exact) == 0
    assert counted.answers.shape == (0, SPEC.answer_length)


@pytest.mark.parametrize(
    ("exact", "of", "text"),
    [(5, 5, "100%"), (999_999, 1_000_000, "99.99%"), (0, 3, "0.00%"), (1, 3, "33.33%")],
)
def test_only_a_perfect_score_is_called_100_percent(exact, of, text):
    assert format_percentage(exact, of) == text
