import numpy as np
import pytest
from edgecalc import space
from edgecalc.space import SPLITS, Splits
from edgecalc.spec import Spec

TEST = SPLITS.index("test")


def whole(spec: Spec) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
    return space.expressions(spec, np.arange(space.size(spec)))


def test_the_size_of_the_default_space():
    assert space.size(Spec()) == 3_999_000


@pytest.mark.parametrize("operators", ["+-*/", "/", "-/+"])
def test_every_expression_has_one_index_and_no_divisor_is_zero(operators: str):
    spec = Spec(digits=2, operators=operators)
    codes, a, b = whole(spec)
    found = set(zip(codes.tolist(), a.tolist(), b.tolist(), strict=True))
    expected = {
        (ord(operator), x, y)
        for operator in operators
        for x in range(100)
        for y in range(100)
        if operator != "/" or y
    }
    assert found == expected
    assert len(codes) == len(expected) == space.size(spec)


def test_expressions_are_written_without_leading_zeros():
    spec = Spec(digits=2)
    operators, a, b = whole(spec)
    written = [bytes(row).decode() for row in space.write_expressions(spec, operators, a, b)]
    assert written == [
        f"{x}{chr(operator)}{y}".rjust(5)
        for operator, x, y in zip(operators.tolist(), a.tolist(), b.tolist(), strict=True)
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 16, 1000, 65_537])
@pytest.mark.parametrize("seed", [0, 2018, -1])
def test_a_permutation_is_a_bijection(count: int, seed: int):
    values = space.permute(np.arange(count), count, seed)
    assert np.array_equal(np.sort(values), np.arange(count))


def test_a_permutation_depends_on_its_key_and_mixes():
    positions = np.arange(10_000)
    one, other = (space.permute(positions, 10_000, seed) for seed in (1, 2))
    assert np.count_nonzero(one == other) < 20
    assert np.count_nonzero(one == positions) < 20
    # A prefix is a fair sample: its mean is that of the whole.
    assert abs(one[:1000].mean() - 4999.5) < 400


def test_a_prefix_does_not_depend_on_how_much_is_asked_for():
    few = space.permute(np.arange(10), 3_999_000, 7)
    many = space.permute(np.arange(1000), 3_999_000, 7)
    assert np.array_equal(few, many[:10])


def test_the_fractions_of_the_splits_hold_for_every_operator():
    codes, a, b = whole(Spec())
    split = Splits().of(codes, a, b)
    for operator in b"+-*/":
        shares = np.bincount(split[codes == operator], minlength=3) / np.sum(codes == operator)
        assert np.allclose(shares, [0.8, 0.1, 0.1], atol=0.003)


def test_commuted_twins_share_a_split_and_others_need_not():
    codes, a, b = whole(Spec(digits=2, operators="+-*"))
    splits = Splits()
    same = splits.of(codes, a, b) == splits.of(codes, b, a)
    commute = codes != ord("-")
    assert same[commute].all()
    assert not same[~commute].all()


def test_a_smaller_train_fraction_trains_on_a_subset():
    codes, a, b = whole(Spec(digits=2))
    large, small = (Splits(train=train).of(codes, a, b) == 0 for train in (0.8, 0.4))
    assert small.sum() > 0
    assert not (small & ~large).any()


def test_the_split_is_that_of_the_content_not_of_the_spec():
    small, large = Spec(digits=1), Spec(digits=2)
    codes, a, b = whole(large)
    split = Splits().of(codes, a, b)
    found = dict(zip(zip(codes, a, b, strict=True), split, strict=True))
    codes, a, b = whole(small)
    again = Splits().of(codes, a, b)
    assert all(
        found[key] == value for key, value in zip(zip(codes, a, b, strict=True), again, strict=True)
    )


@pytest.mark.parametrize(("train", "validation"), [(0.9, 0.1), (-0.1, 0.1), (0.5, -0.1), (1, 0)])
def test_fractions_must_leave_a_test_split(train: float, validation: float):
    with pytest.raises(ValueError, match="leave something for the test split"):
        Splits(train, validation)
