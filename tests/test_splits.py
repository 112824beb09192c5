"""Splits and the order of a corpus: functions of the content and of a key, and of nothing else."""

import numpy as np
import pytest
from edgecalc.language.calculator.spec import CalculatorSpec

from tasks.calculator.task import CalculatorExamples, CalculatorTask
from tasks.splits import HELD_OUT, SPLITS, UNSEEN, Splits, permute


def whole(**spec):
    task = CalculatorTask(CalculatorSpec(**spec))
    return task.examples(np.arange(task.size))


@pytest.mark.parametrize("count", [1, 2, 3, 16, 1000, 65_537])
@pytest.mark.parametrize("seed", [0, 2018, -1])
def test_a_permutation_is_a_bijection(count: int, seed: int):
    values = permute(np.arange(count), count, seed)
    assert np.array_equal(np.sort(values), np.arange(count))


def test_a_permutation_depends_on_its_key_and_mixes():
    positions = np.arange(10_000)
    one, other = (permute(positions, 10_000, seed) for seed in (1, 2))
    assert np.count_nonzero(one == other) < 20
    assert np.count_nonzero(one == positions) < 20
    # A prefix is a fair sample: its mean is that of the whole.
    assert abs(one[:1000].mean() - 4999.5) < 400


def test_a_prefix_does_not_depend_on_how_much_is_asked_for():
    few = permute(np.arange(10), 3_999_000, 7)
    many = permute(np.arange(1000), 3_999_000, 7)
    assert np.array_equal(few, many[:10])


def test_the_fractions_of_the_splits_hold_for_every_group():
    examples = whole()
    split, groups = Splits().of(examples), examples.groups()
    for group in range(4):
        shares = np.bincount(split[groups == group], minlength=3) / np.sum(groups == group)
        assert np.allclose(shares, [0.8, 0.1, 0.1], atol=0.003)


def test_commuted_twins_share_a_split_and_others_need_not():
    examples = whole(digits=2, operators="+-*")
    twins = CalculatorExamples(examples.spec, examples.operators, examples.b, examples.a)
    commute = examples.operators != 1
    same = Splits().of(examples) == Splits().of(twins)
    assert same[commute].all()
    assert not same[~commute].all()


def test_a_smaller_train_fraction_trains_on_a_subset():
    examples = whole(digits=2)
    large, small = (Splits(train=train).of(examples) == 0 for train in (0.8, 0.4))
    assert small.sum() > 0
    assert not (small & ~large).any()


def test_the_split_is_that_of_the_content_not_of_the_spec():
    def by_content(examples):
        content = zip(examples.operators, examples.a, examples.b, strict=True)
        return dict(zip(content, Splits().of(examples), strict=True))

    large = by_content(whole(digits=2))
    assert by_content(whole(digits=1)).items() <= large.items()


def test_whoever_holds_an_unseen_number_is_in_a_split_of_its_own():
    examples, splits = whole(), Splits(unseen=0.05)
    assert splits.names == (*SPLITS, UNSEEN)
    split = splits.of(examples)
    seen = {
        number for part in (examples.a, examples.b) for number in part[split < len(SPLITS)].tolist()
    }
    unseen = set(range(1000)) - seen
    assert 30 <= len(unseen) <= 70
    holds = np.isin(examples.a, list(unseen)) | np.isin(examples.b, list(unseen))
    assert np.array_equal(split == len(SPLITS), holds)
    # The rest is divided as it was.
    assert np.array_equal(split[~holds], Splits().of(examples)[~holds])
    assert (split[~holds] == HELD_OUT).any()


@pytest.mark.parametrize(("train", "validation"), [(0.9, 0.1), (-0.1, 0.1), (0.5, -0.1), (1, 0)])
def test_fractions_must_leave_a_test_split(train: float, validation: float):
    with pytest.raises(ValueError, match="leave something for the test split"):
        Splits(train, validation)


@pytest.mark.parametrize("unseen", [-0.1, 1.0])
def test_a_wrong_fraction_of_parts_is_named(unseen: float):
    with pytest.raises(ValueError, match="the fraction unseen"):
        Splits(unseen=unseen)
