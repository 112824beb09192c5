"""Exact match: counted by operator and split, and never flattered."""

import numpy as np
import pytest
from edgecalc import space
from edgecalc.arithmetic import true_answers
from edgecalc.codec import encode_symbols, symbol_table
from edgecalc.score import Score, blocks, count_exact, format_percentage
from edgecalc.spec import Spec

SPEC = Spec(digits=1, places=1)


def truth(ids):
    """An answerer that calculates: from ids of expressions to ids of their true answers."""
    texts = symbol_table(SPEC)[ids].tobytes().decode()
    width = SPEC.expression_length
    parts = [texts[i : i + width].strip() for i in range(0, len(texts), width)]
    operators = np.array([ord(part[1]) for part in parts], np.uint8)
    a, b = (np.array([int(part[i]) for part in parts], np.int64) for i in (0, 2))
    return encode_symbols(true_answers(SPEC, operators, a, b), SPEC)


def wrong_for_nine(ids):
    answers = truth(ids)
    answers[(ids == 9).any(axis=1), -1] = 15
    return answers


def counted(answer, **options):
    held_out, everything, answers = Score(SPEC), Score(SPEC), []
    for block in blocks(space.size(SPEC)):
        one, other, ids = count_exact(SPEC, space.Splits(), 5, block, answer, **options)
        held_out.merge(one)
        everything.merge(other)
        answers.append(ids)
    return held_out.to_dict(), everything.to_dict(), np.concatenate(answers)


def test_the_truth_scores_everything():
    held_out, everything, answers = counted(truth)
    assert everything == {
        operator: {"exact": 100 - 10 * (operator == "/"), "of": 100 - 10 * (operator == "/")}
        for operator in "+-*/"
    }
    assert all(count["exact"] == count["of"] > 0 for count in held_out.values())
    assert len(answers) == sum(count["of"] for count in held_out.values())


def test_misses_are_counted_where_they_are():
    _, everything, _ = counted(wrong_for_nine)
    misses = {operator: count["of"] - count["exact"] for operator, count in everything.items()}
    assert misses == {"+": 19, "-": 19, "*": 19, "/": 18}


def test_the_held_out_expressions_alone_score_the_same():
    assert counted(wrong_for_nine)[0] == counted(wrong_for_nine, held_out_only=True)[1]


def test_a_block_with_nothing_held_out_asks_nothing():
    def refuse(ids):
        raise AssertionError(ids)

    everything_trained = space.Splits(train=1 - 2**-52, validation=0)
    held_out, everything, answers = count_exact(
        SPEC, everything_trained, 5, range(20), refuse, held_out_only=True
    )
    assert held_out == everything == {}
    assert answers.shape == (0, SPEC.answer_length)


@pytest.mark.parametrize(
    ("exact", "of", "text"),
    [(5, 5, "100%"), (999_999, 1_000_000, "99.99%"), (0, 3, "0.00%"), (1, 3, "33.33%")],
)
def test_only_a_perfect_score_is_called_100_percent(exact, of, text):
    assert format_percentage(exact, of) == text
