"""Exact match, the only accuracy that counts: the whole answer equals the true one, or does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from edgecalc import space
from edgecalc.arithmetic import true_answers
from edgecalc.codec import encode_symbols
from edgecalc.spec import Spec

BLOCK_EXPRESSIONS = 65_536
_LARGEST_SPACE_COUNTED = 10_000_000

Counts = dict[str, dict[str, int]]


class Score:
    """Exact answers counted by operator."""

    def __init__(self, spec: Spec) -> None:
        self._counts = {operator: [0, 0] for operator in spec.operators}

    def add(self, operators: np.ndarray, exact: np.ndarray) -> None:
        """Counts n answers: ASCII codes of their operators, uint8 (n,), and bool (n,)."""
        for operator, counts in self._counts.items():
            chosen = operators == ord(operator)
            counts[0] += int(np.count_nonzero(exact & chosen))
            counts[1] += int(np.count_nonzero(chosen))

    def merge(self, counts: Counts) -> None:
        """Adds what another score counted: what its `to_dict` returned."""
        for operator, count in counts.items():
            self._counts[operator][0] += count["exact"]
            self._counts[operator][1] += count["of"]

    def to_dict(self) -> Counts:
        """`{"+": {"exact": 1998, "of": 2000}, …}`, without operators of which none was counted."""
        return {
            operator: {"exact": exact, "of": of}
            for operator, (exact, of) in self._counts.items()
            if of
        }

    def __str__(self) -> str:
        return format_score(self.to_dict())


def format_score(counts: Counts) -> str:
    """Counts by operator in one line: `+ 99.90%  - 100%`."""
    return "  ".join(
        f"{operator} {format_percentage(count['exact'], count['of'])}"
        for operator, count in counts.items()
    )


def format_percentage(exact: int, of: int) -> str:
    """A percentage that says 100% only if nothing was missed: floored, not rounded."""
    return "100%" if exact == of else f"{exact * 10_000 // of / 100:.2f}%"


def counted_expressions(spec: Spec, examples: int) -> int:
    """How many expressions an evaluation asks for, in the order of the corpus.

    All there are, if they are no more than ten million; of a larger space, the `examples` that
    the corpus drew.
    """
    everything = space.size(spec)
    return everything if everything <= _LARGEST_SPACE_COUNTED else examples


def blocks(count: int) -> Iterator[range]:
    """Positions 0 … count-1 of a corpus, a block at a time: what `count_exact` takes."""
    for start in range(0, count, BLOCK_EXPRESSIONS):
        yield range(start, min(start + BLOCK_EXPRESSIONS, count))


def count_exact(
    spec: Spec,
    splits: space.Splits,
    seed: int,
    block: range,
    answer: Callable[[np.ndarray], np.ndarray],
    held_out_only: bool = False,
) -> tuple[Counts, Counts, np.ndarray]:
    """Asks for the answers to a block of a corpus and compares them with the truth.

    Args:
        spec: the language.
        splits: what was held out.
        seed: the seed of the corpus.
        block: positions in the order of the corpus.
        answer: from ids of expressions, int32 (n, expression_length), to ids of answers, integers
            (n, answer_length).
        held_out_only: whether to ask for the test split alone.

    Returns:
        The counts on the test split, the counts on all that was asked for, and the answers on the
        test split, uint8 (m, answer_length).
    """
    positions = np.arange(block.start, block.stop)
    indices = space.permute(positions, space.size(spec), seed)
    operators, a, b = space.expressions(spec, indices)
    test = splits.of(operators, a, b) == space.SPLITS.index("test")
    if held_out_only:
        operators, a, b, test = operators[test], a[test], b[test], test[test]
    truth = encode_symbols(true_answers(spec, operators, a, b), spec)
    expressions = encode_symbols(space.write_expressions(spec, operators, a, b), spec)
    # A small block can have nothing held out; the answerers need not know that.
    answers = answer(expressions) if len(expressions) else truth
    exact = (answers == truth).all(axis=1)
    held_out, everything = Score(spec), Score(spec)
    held_out.add(operators[test], exact[test])
    everything.add(operators, exact)
    return held_out.to_dict(), everything.to_dict(), answers[test].astype(np.uint8)
