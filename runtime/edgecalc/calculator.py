"""The calculator: expressions as text in, answers of the network out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from edgecalc.language.codec import decode, encode
from edgecalc.language.language import Explanation, ExpressionError, Language
from edgecalc.language.spec import Spec
from edgecalc.network.model_file import ModelError, read_model, read_packaged_model
from edgecalc.network.predictor import ANSWER, Predictor

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

    Not safe to share between threads; give each its own.

    Args:
        model: an exported model file; None for the model that ships with the package.
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
        self._model = read_packaged_model() if model is None else read_model(model)
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

    def answers(self, expressions: Iterable[str], batch_size: int = BATCH_SIZE) -> Iterator[Answer]:
        """Answers many expressions in their order, lazily, a batch at a time.

        Args:
            expressions: any number of expressions; no more than a batch is taken ahead.
            batch_size: expressions that the network sees at once, at least 1.

        Raises:
            ExpressionError: at the first item that is no expression, once the answers before it
                were yielded; the reason counts the items from 0.
            ValueError: if `batch_size` is less than 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1: {batch_size}")
        return self._answers(iter(expressions), batch_size)

    def _answers(self, expressions: Iterator[str], batch_size: int) -> Iterator[Answer]:
        done = 0
        while batch := list(islice(expressions, batch_size)):
            for position, outcome in enumerate(self.outcomes(batch), done):
                if isinstance(outcome, ExpressionError):
                    raise ExpressionError(f"item {position}: {outcome.reason}", outcome.column)
                yield outcome
            done += len(batch)

    def outcomes(self, expressions: Sequence[str]) -> list[Answer | ExpressionError]:
        """Answers one batch; what is no expression gets its error in place of an answer."""
        texts: list[str | ExpressionError] = []
        for expression in expressions:
            try:
                texts.append(self._normalise(expression))
            except ExpressionError as error:
                texts.append(error)
        answers = iter(self._solve([text for text in texts if isinstance(text, str)]))
        return [next(answers) if isinstance(text, str) else text for text in texts]

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
