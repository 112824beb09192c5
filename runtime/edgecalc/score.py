"""Exact match, the only accuracy that counts: the whole answer equals the true one, or does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from edgecalc import space
from edgecalc.arithmetic import failed_stages, true_answers
from edgecalc.codec import decode, encode_symbols
from edgecalc.spec import Spec
from edgecalc.working import read_symbols

BLOCK_EXPRESSIONS = 65_536
# How sure an answer must be to be kept: exactness is reported for each of these.
CONFIDENCES = (0.0, 0.5, 0.9, 0.99, 0.999)
HELD_OUT = space.SPLITS.index("test")
_LARGEST_SPACE_COUNTED = 10_000_000
_LISTED_MISSES = 1000

Counts = dict[str, dict[str, int]]
# From ids of expressions, int32 (n, expression_length), to ids of answers, integers
# (n, answer_length), and how sure each is, float (n,).
Answerer = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
# From ids of expressions to the working: what `edgecalc.working.read_symbols` takes.
Worker = Callable[[np.ndarray], dict[str, np.ndarray]]


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


def format_stages(stages: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    """Misses by operator and stage, a line for each split that has some: `Report`'s `stages`."""
    return "".join(
        f"misses, {split}: "
        + "  ".join(
            f"{operator} " + ", ".join(f"{count:,} in {stage}" for stage, count in counts.items())
            for operator, counts in operators.items()
        )
        + "\n"
        for split, operators in stages.items()
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


class Counted(NamedTuple):
    """What was asked of a network and how it answered: n expressions of a block.

    Attributes:
        operators: ASCII codes, uint8 (n,).
        splits: positions in `edgecalc.space.SPLITS`, uint8 (n,).
        exact: whether the answers are the true ones, bool (n,).
        confidence: float32 (n,).
        answers: ids, uint8 (n, answer_length).
        stages: at which stage each answer that is not exact went wrong; `unknown` if the network
            does not show its working.
        misses: what is known of these answers, of no more than a thousand: `expression`, `answer`,
            `truth`, `confidence`, `split` and `stage`.
    """

    operators: np.ndarray
    splits: np.ndarray
    exact: np.ndarray
    confidence: np.ndarray
    answers: np.ndarray
    stages: list[str]
    misses: list[dict[str, Any]]


def count_exact(
    spec: Spec,
    splits: space.Splits,
    seed: int,
    block: range,
    answer: Answerer,
    work: Worker | None = None,
    held_out_only: bool = False,
) -> Counted:
    """Asks for the answers to a block of a corpus and compares them with the truth.

    Args:
        spec: the language.
        splits: what was held out.
        seed: the seed of the corpus.
        block: positions in the order of the corpus.
        answer: the network's answers.
        work: the network's working; None if it has none.
        held_out_only: whether to ask for the test split alone.
    """
    positions = np.arange(block.start, block.stop)
    indices = space.permute(positions, space.size(spec), seed)
    operators, a, b = space.expressions(spec, indices)
    split = splits.of(operators, a, b)
    if held_out_only:
        test = split == HELD_OUT
        operators, a, b, split = operators[test], a[test], b[test], split[test]
    truth = encode_symbols(true_answers(spec, operators, a, b), spec)
    expressions = encode_symbols(space.write_expressions(spec, operators, a, b), spec)
    # A small block can have nothing held out; the answerers need not know that.
    answers, confidence = answer(expressions) if len(a) else (truth, np.ones(0))
    exact = (answers == truth).all(axis=1)
    missed = np.flatnonzero(~exact)
    stages = ["unknown"] * len(missed)
    if work is not None and len(missed):
        symbols, _ = read_symbols(spec, work(expressions[missed]))
        stages = failed_stages(spec, operators[missed], a[missed], b[missed], symbols)
    listed = missed[:_LISTED_MISSES]
    misses = [
        {
            "expression": expression,
            "answer": given,
            "truth": true,
            "confidence": round(float(confidence[row]), 6),
            "split": space.SPLITS[split[row]],
            "stage": stage,
        }
        for row, expression, given, true, stage in zip(
            listed,
            decode(expressions[listed], spec),
            decode(answers[listed], spec),
            decode(truth[listed], spec),
            stages[: len(listed)],
            strict=True,
        )
    ]
    return Counted(
        operators,
        split,
        exact,
        confidence.astype(np.float32),
        answers.astype(np.uint8),
        stages,
        misses,
    )


class Report:
    """Brings together what `count_exact` counted, block by block."""

    def __init__(self, spec: Spec) -> None:
        self._splits = {split: Score(spec) for split in space.SPLITS}
        self._everything = Score(spec)
        self._stages: dict[str, Counter[tuple[str, str]]] = {s: Counter() for s in space.SPLITS}
        self._misses: list[dict[str, Any]] = []
        self._confidence = np.zeros((len(CONFIDENCES), 2), np.int64)

    def add(self, counted: Counted) -> None:
        """Adds a block."""
        self._everything.add(counted.operators, counted.exact)
        for number, score in enumerate(self._splits.values()):
            chosen = counted.splits == number
            score.add(counted.operators[chosen], counted.exact[chosen])
        held_out = counted.splits == HELD_OUT
        confidence, exact = counted.confidence[held_out], counted.exact[held_out]
        for row, least in enumerate(CONFIDENCES):
            kept = confidence >= least
            self._confidence[row] += np.count_nonzero(kept & exact), np.count_nonzero(kept)
        missed = ~counted.exact
        operators = counted.operators[missed].tobytes().decode("ascii")
        for split, *miss in zip(counted.splits[missed], operators, counted.stages, strict=True):
            self._stages[space.SPLITS[split]][tuple(miss)] += 1
        self._misses += counted.misses[: _LISTED_MISSES - len(self._misses)]

    def to_dict(self, whole: bool) -> dict[str, Any]:
        """All counts, as JSON types.

        Args:
            whole: whether all blocks were added, with nothing left out.

        Returns:
            `held_out` and `exhaustive`, exact answers by operator on the test split and on
            everything (None if not `whole`); `splits`, the same by split; `stages`, misses by
            split, operator and stage; `confidence`, held-out answers that are at least so sure;
            `misses`, the first thousand.
        """
        stages: dict[str, dict[str, dict[str, int]]] = {}
        for split, counts in self._stages.items():
            for (operator, stage), count in sorted(counts.items()):
                stages.setdefault(split, {}).setdefault(operator, {})[stage] = count
        splits = {split: score.to_dict() for split, score in self._splits.items()}
        return {
            "held_out": splits[space.SPLITS[HELD_OUT]],
            "exhaustive": self._everything.to_dict() if whole else None,
            "splits": splits,
            "stages": stages,
            "confidence": [
                {"at_least": least, "exact": exact, "of": of}
                for least, (exact, of) in zip(CONFIDENCES, self._confidence.tolist(), strict=True)
            ],
            "misses": self._misses,
        }
