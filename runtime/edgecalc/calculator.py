"""The calculator: expressions as text in, answers of the network out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edgecalc.language.codec import decode, encode
from edgecalc.language.language import Explanation, ExpressionError, Language
from edgecalc.language.spec import Spec
from edgecalc.network.batches import Rows, in_batches
from edgecalc.network.contract import ANSWER
from edgecalc.network.model_file import ModelError, find_model
from edgecalc.network.predictor import Predictor

if TYPE_CHECKING:
    from edgecalc.network.jobs import Jobs

# Larger blocks are not faster on the machines measured, only later.
BATCH_SIZE = 256


class Answer(NamedTuple):
    """What the network answers.

    Attributes:
        text: the answer as a person expects it: `104`, `3.5`.
        confidence: from 0 to 1: the product over all places of the probability that the network
            gives the symbol it chose.
        expression: the expression as the network saw it, without blanks or padding: `7/2`.
        written: the answer as the network wrote it, without padding: `3.500`.
    """

    text: str
    confidence: float
    expression: str
    written: str


class Calculator:
    """Answers expressions with a trained network, and with nothing else.

    Not safe to share between threads; a forked process can use the one that it finds.

    Args:
        model: an exported model file, or the name of a model in the package, see
            `edgecalc.network.model_file.packaged_models`; None for the first choice there.
        threads: threads of TFLite, at least 1; None for its default.
        interpreter: what runs the network: `tflite`, or `numpy`, which needs nothing but numpy;
            None for TFLite where it is installed, else numpy.

    Raises:
        ModelError: if the model cannot be used, or the interpreter is not installed.
        ValueError: if `threads` is less than 1, or there is no such interpreter.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        threads: int | None = None,
        interpreter: str | None = None,
    ) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"threads must be at least 1: {threads}")
        self._model = find_model(model)
        self._predictor = Predictor(self._model, threads, interpreter)
        self._is_plain = self.language.plain_form().fullmatch

    @property
    def language(self) -> Language[Any]:
        """What the model reads and writes."""
        return self._model.language

    @property
    def spec(self) -> Spec:
        """The spec of the language."""
        return self._model.spec

    @property
    def card(self) -> dict[str, Any]:
        """What the model is and how exact: the `card.json` of its file."""
        return self._model.card

    def answer(self, expression: str) -> Answer:
        """Answers one expression, in any spelling that the language knows.

        Raises:
            ExpressionError: if it is no expression of the model's language.
        """
        return self._solve([self._normalise(expression)])[0]

    def explain(self, expression: str) -> Explanation:
        """Answers one expression and shows the working, as the network wrote it.

        Raises:
            ExpressionError: if it is no expression of the model's language.
            ModelError: if the model does not show its working.
        """
        text = self.language.read(expression)
        outputs = self._predictor.work(encode([text], self.spec))
        (written,) = decode(outputs[ANSWER].argmax(axis=-1), self.spec)
        answer = self.language.present(written)
        explanation = self.language.explain(text, answer, outputs)
        if explanation is None:
            raise ModelError(f"{self._model.name}: its working is none that can be explained")
        return explanation

    def answers(
        self, expressions: Iterable[str], batch_size: int = BATCH_SIZE, jobs: int = 1
    ) -> Iterator[Answer]:
        """Answers many expressions in their order, lazily, a batch at a time.

        Args:
            expressions: any number of expressions; no more than a batch is taken ahead, with
                several jobs four for each.
            batch_size: expressions that the network sees at once, at least 1.
            jobs: batches answered at once, at least 1. More than 1, for as many cores, are forked
                processes; they start when some batches are answered, and end with the iterator.
                Python is not to be forked while other threads of yours are at work.

        Raises:
            ExpressionError: at the first item that is no expression, once the answers before it
                were yielded; the reason counts the items from 0.
            ModelError: if one of the processes died.
            ValueError: if `batch_size` or `jobs` is less than 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1: {batch_size}")
        # Loaded here: whoever asks for a single answer does not wait for it.
        from edgecalc.network.jobs import Jobs

        return self._answers(in_batches(expressions, batch_size), Jobs(self._rows, jobs))

    def _answers(
        self,
        batches: Iterator[list[str]],
        jobs: Jobs[Sequence[str], list[Answer | ExpressionError]],
    ) -> Iterator[Answer]:
        with jobs:
            for position, outcome in enumerate(chain.from_iterable(jobs.stream(batches))):
                if isinstance(outcome, ExpressionError):
                    raise ExpressionError(f"item {position}: {outcome.reason}", outcome.column)
                yield outcome

    def _rows(self, expressions: Sequence[str]) -> list[Answer | ExpressionError]:
        outcomes = self.outcomes(expressions)
        return Rows(outcomes) if all(type(one) is Answer for one in outcomes) else outcomes

    def outcomes(self, expressions: Sequence[str]) -> list[Answer | ExpressionError]:
        """Answers one batch; what is no expression gets its error in place of an answer."""
        texts: list[str | ExpressionError] = []
        for expression in expressions:
            try:
                texts.append(self._normalise(expression))
            except ExpressionError as error:
                # Its traceback would keep alive all that was at hand where it was raised.
                error.__traceback__ = error.__context__ = error.__cause__ = None
                texts.append(error)
        answers = iter(self._solve([text for text in texts if isinstance(text, str)]))
        return [next(answers) if isinstance(text, str) else text for text in texts]

    @property
    def prepared(self) -> bool:
        """Whether this process has made what blocks of expressions take."""
        return self._predictor.prepared

    def prepare(self, rows: int) -> None:
        """Makes what blocks of expressions take, which otherwise the first one does.

        TFLite announces its XNNPACK delegate on stderr then, once in a process.

        Args:
            rows: expressions that the network will see at once, at least 2.
        """
        self._predictor.prepare(rows)

    def _normalise(self, expression: str) -> str:
        # Most are in the plain form already, and faster to recognise than to read.
        return expression if self._is_plain(expression) else self.language.read(expression)

    def _solve(self, texts: list[str]) -> list[Answer]:
        if not texts:
            return []
        probabilities = self._predictor.run(encode(texts, self.spec))
        ids = probabilities.argmax(axis=-1)
        # numpy takes six times as long for the maximum itself.
        certainty = np.take_along_axis(probabilities, ids[..., None], axis=-1)
        confidences = certainty.prod(axis=(1, 2))
        # A network whose numbers overflowed says NaN, which is no confidence at all. Not by
        # nan_to_num: on ARM, numpy 1 warns there of what tflite-runtime did to small floats.
        confidences = np.where(np.isnan(confidences), 0.0, confidences).tolist()
        written = decode(ids, self.spec)
        answers = zip(map(self.language.present, written), confidences, texts, written, strict=True)
        return list(map(Answer._make, answers))
