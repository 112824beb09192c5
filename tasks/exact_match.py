"""Exact match, the only accuracy that counts: the whole answer equals the true one, or does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from edgecalc.language.codec import decode, encode_symbols
from edgecalc.language.counts import Score, format_score

from tasks.splits import HELD_OUT, Splits, permute
from tasks.task import LARGEST_WHOLE, Task

BLOCK_EXAMPLES = 65_536
# How sure an answer must be to be kept: exactness is reported for each of these.
CONFIDENCES = (0.0, 0.5, 0.9, 0.99, 0.999)
_LISTED_MISSES = 1000
# A model that is right less often on what was held out is not asked for all the rest.
_WORTH_ASKING = 0.9

# What of a block of examples is asked for.
EVERYTHING, HELD_OUT_PART, REST = "everything", "held out", "rest"

# From ids of expressions, int32 (n, expression_length), to ids of answers, integers
# (n, answer_length), and how sure each is, float (n,).
AnswerFunction = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
# From ids of expressions to the working that a network gives, by name, float32 (n, ...).
WorkFunction = Callable[[np.ndarray], dict[str, np.ndarray]]


def format_stages(stages: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    """Misses by group and stage, a line for each split that has some: `Report`'s `stages`."""
    return "".join(
        f"misses, {split}: "
        + "  ".join(
            f"{group} " + ", ".join(f"{count:,} in {stage}" for stage, count in counts.items())
            for group, counts in groups.items()
        )
        + "\n"
        for split, groups in stages.items()
    )


def counted_examples(task: Task[Any], examples: int) -> int:
    """How many examples an evaluation asks for, in the order of the corpus.

    All there are, if they are no more than ten million; of a larger task, the `examples` that the
    corpus drew.
    """
    return task.size if task.size <= LARGEST_WHOLE else examples


def blocks(count: int) -> Iterator[range]:
    """Positions 0 … count-1 of a corpus, a block at a time: what `count_exact` takes."""
    for start in range(0, count, BLOCK_EXAMPLES):
        yield range(start, min(start + BLOCK_EXAMPLES, count))


class Counted(NamedTuple):
    """What was asked of a network and how it answered: n examples of a block.

    Attributes:
        groups: positions in `spec.groups`, uint8 (n,).
        splits: positions in `Splits.names`, uint8 (n,).
        unseen: which parts are held out, bool (n, parts).
        exact: whether the answers are the true ones, bool (n,).
        confidence: float32 (n,).
        answers: ids, uint8 (n, answer_length).
        stages: at which stage each answer that is not exact went wrong; `unknown` if the network
            does not show its working.
        misses: what is known of these answers, of no more than a thousand: `expression`, `answer`,
            `truth`, `confidence`, `split` and `stage`.
    """

    groups: np.ndarray
    splits: np.ndarray
    unseen: np.ndarray
    exact: np.ndarray
    confidence: np.ndarray
    answers: np.ndarray
    stages: list[str]
    misses: list[dict[str, Any]]


def count_exact(
    task: Task[Any],
    splits: Splits,
    seed: int,
    block: range,
    answer: AnswerFunction,
    work: WorkFunction | None = None,
    asked: str = EVERYTHING,
) -> Counted:
    """Asks for the answers to a block of a corpus and compares them with the truth.

    Args:
        task: what was learned.
        splits: what was held out.
        seed: the seed of the corpus.
        block: positions in the order of the corpus.
        answer: the network's answers.
        work: the network's working; None if it has none.
        asked: `EVERYTHING`, or of it `HELD_OUT_PART`, the test split and what holds an unseen
            part, or `REST`, all else.
    """
    spec = task.spec
    indices = permute(np.arange(block.start, block.stop), task.size, seed)
    split = splits.of(task.examples(indices))
    if asked != EVERYTHING:
        chosen = (split >= HELD_OUT) == (asked == HELD_OUT_PART)
        indices, split = indices[chosen], split[chosen]
    examples = task.examples(indices)
    truth = encode_symbols(examples.answers(), spec)
    expressions = encode_symbols(examples.expressions(), spec)
    # A small block can have nothing held out; whoever answers need not know that.
    answers, confidence = answer(expressions) if len(indices) else (truth, np.ones(0))
    exact = (answers == truth).all(axis=1)
    missed = np.flatnonzero(~exact)
    stages = ["unknown"] * len(missed)
    if work is not None and len(missed):
        stages = task.examples(indices[missed]).failed_stages(work(expressions[missed]))
    listed = missed[:_LISTED_MISSES]
    misses = [
        {
            "expression": expression,
            "answer": given,
            "truth": true,
            "confidence": round(float(confidence[row]), 6),
            "split": splits.names[split[row]],
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
        examples.groups(),
        split,
        splits.holds_unseen(examples.parts()),
        exact,
        confidence.astype(np.float32),
        answers.astype(np.uint8),
        stages,
        misses,
    )


class Report:
    """Brings together what `count_exact` counted, block by block.

    Args:
        task: what was learned.
        splits: what was held out.
    """

    def __init__(self, task: Task[Any], splits: Splits) -> None:
        groups = task.spec.groups
        self._names, self._groups, self._parts = splits.names, groups, task.parts
        self._splits = {split: Score(groups) for split in splits.names}
        self._everything = Score(groups)
        self._unseen = {part: Score(groups) for part in (*task.parts, "several")}
        self._stages: dict[str, Counter[tuple[str, str]]] = {s: Counter() for s in splits.names}
        self._misses: list[dict[str, Any]] = []
        self._confidence = np.zeros((len(CONFIDENCES), 2), np.int64)

    def add(self, counted: Counted) -> None:
        """Adds a block."""
        self._everything.add(counted.groups, counted.exact)
        for number, score in enumerate(self._splits.values()):
            chosen = counted.splits == number
            score.add(counted.groups[chosen], counted.exact[chosen])
        several = counted.unseen.sum(axis=1) > 1
        for part, held_out in zip(self._parts, counted.unseen.T, strict=False):
            chosen = held_out & ~several
            self._unseen[part].add(counted.groups[chosen], counted.exact[chosen])
        self._unseen["several"].add(counted.groups[several], counted.exact[several])
        held_out = counted.splits == HELD_OUT
        confidence, exact = counted.confidence[held_out], counted.exact[held_out]
        for row, least in enumerate(CONFIDENCES):
            kept = confidence >= least
            self._confidence[row] += np.count_nonzero(kept & exact), np.count_nonzero(kept)
        missed = ~counted.exact
        groups = (self._groups[group] for group in counted.groups[missed])
        for split, *miss in zip(counted.splits[missed], groups, counted.stages, strict=True):
            self._stages[self._names[split]][tuple(miss)] += 1
        self._misses += counted.misses[: _LISTED_MISSES - len(self._misses)]

    def is_worth_asking(self) -> bool:
        """Whether to ask for the rest, too: not if a tenth of the test split or more was missed."""
        counts = self._splits[self._names[HELD_OUT]].to_dict().values()
        exact, of = (sum(count[key] for count in counts) for key in ("exact", "of"))
        return exact >= _WORTH_ASKING * of

    def to_dict(self, whole: bool) -> dict[str, Any]:
        """All counts, as JSON types.

        Args:
            whole: whether all blocks were added, with nothing left out.

        Returns:
            `held_out` and `exhaustive`, exact answers by group on the test split and on
            everything (None if not `whole`); `splits`, the same by split; `unseen`, the same of
            examples with an unseen part, by the part that is (empty if there are none); `stages`,
            misses by split, group and stage; `confidence`, held-out answers that are at least so
            sure; `misses`, the first thousand.
        """
        stages: dict[str, dict[str, dict[str, int]]] = {}
        for split, counts in self._stages.items():
            for (group, stage), count in sorted(counts.items()):
                stages.setdefault(split, {}).setdefault(group, {})[stage] = count
        splits = {split: score.to_dict() for split, score in self._splits.items()}
        unseen = {part: score.to_dict() for part, score in self._unseen.items()}
        return {
            "held_out": splits[self._names[HELD_OUT]],
            "exhaustive": self._everything.to_dict() if whole else None,
            "splits": splits,
            "unseen": {part: counts for part, counts in unseen.items() if counts},
            "stages": stages,
            "confidence": [
                {"at_least": least, "exact": exact, "of": of}
                for least, (exact, of) in zip(CONFIDENCES, self._confidence.tolist(), strict=True)
            ],
            "misses": self._misses,
        }


def summary(report: Mapping[str, Any]) -> str:
    """What `Report.to_dict` gave, in lines."""
    lines = []
    for name, title in (("held_out", "held-out test split"), ("exhaustive", "all there is")):
        if report[name] is not None:
            lines.append(f"exact match, {title}: {format_score(report[name])}")
    for part, counts in report["unseen"].items():
        lines.append(f"exact match, unseen {part}: {format_score(counts)}")
    return "".join(line + "\n" for line in lines) + format_stages(report["stages"])
