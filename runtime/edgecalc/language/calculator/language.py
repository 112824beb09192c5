"""The language of the calculator: expressions read, answers and their working shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from edgecalc.language.calculator.expression import example, plain_form
from edgecalc.language.calculator.parser import parse
from edgecalc.language.calculator.spec import POINT, CalculatorSpec
from edgecalc.language.language import Explanation, Language


class CalculatorLanguage(Language[CalculatorSpec]):
    """Reads `a OP b` as people write it. What the methods give says `Language`."""

    spec_class = CalculatorSpec

    def read(self, text: str) -> str:
        """Reads `  007 × 8 =` as `7*8`."""
        return parse(text, self.spec).text

    def plain_form(self) -> re.Pattern[str]:
        """Matches `7*8`."""
        return plain_form(self.spec)

    def example(self) -> str:
        """For three digits `55+49`."""
        return example(self.spec)

    def describe(self) -> str:
        """Operators, digits, decimals."""
        spec = self.spec
        text = f"a OP b with {' '.join(spec.operators)} and up to {spec.digits} digits"
        if any(operator.fixed_point for operator in spec.known):
            text += f", quotients to {spec.places} decimals"
        return text + "; no negative numbers or decimals in a and b"

    def hint(self) -> str:
        """The spellings of operators."""
        spelled = [operator for operator in self.spec.known if operator.spellings]
        return ", ".join(
            [f"{' '.join(operator.spellings)} for {operator.symbol}" for operator in spelled]
            + ["a trailing ="]
        )

    def present(self, answer: str) -> str:
        """Shows `3.500` as `3.5`, `4.000` as `4`."""
        return answer.rstrip("0").rstrip(POINT) if POINT in answer else answer

    def explain(
        self, expression: str, answer: str, outputs: Mapping[str, np.ndarray]
    ) -> Explanation | None:
        """Shows places, columns or rows, and digits, as a person would write them down."""
        from edgecalc.language.calculator.explanation import ColumnsExplanation
        from edgecalc.language.calculator.sequence_explanation import SequenceExplanation

        given = (self.spec, expression, answer, outputs)
        return ColumnsExplanation.of(*given) or SequenceExplanation.of(*given)

    def truth(self, expressions: Sequence[str]) -> tuple[np.ndarray, list[str]]:
        """Calculates in integers."""
        # Loaded for --check alone: whoever answers has nothing to calculate with.
        from edgecalc.language.calculator.truth import true_texts

        return true_texts(self.spec, expressions)
