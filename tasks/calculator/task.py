"""The task of the calculator: every expression `a OP b` by its index, its answer, its working.

Index i stands for one expression: operator by operator in the spec's order, then by first, then by
second operand. Divisions by zero have no index.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from edgecalc.language.calculator.language import CalculatorLanguage
from edgecalc.language.calculator.sequence import Layout
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.calculator.truth import true_answers, write_numbers
from edgecalc.language.calculator.working import has_working

from tasks.calculator.sequence import failed_parts
from tasks.calculator.working import failed_stages, true_working, working_features
from tasks.splits import content_key
from tasks.task import SEQUENCE, Examples, Feature, Task


class CalculatorTask(Task[CalculatorSpec]):
    """All expressions of a spec: 3,999,000 for 3 digits and four operators."""

    language = CalculatorLanguage
    parts = ("first operand", "second operand")

    @property
    def size(self) -> int:
        """Operators times operands, less the divisions by zero."""
        return int(self._ends[-1])

    @property
    def working(self) -> dict[str, Feature]:
        """None if an operator has no working, see `edgecalc.language.calculator.working`."""
        return working_features(self.spec) if has_working(self.spec) else {}

    @property
    def sequence_symbols(self) -> list[str]:
        """Those of the spec, digits with a carry, and multiples."""
        if not has_working(self.spec):
            return super().sequence_symbols
        return Layout(self.spec).symbols

    @property
    def drawn_symbols(self) -> range:
        """The multiples."""
        return Layout(self.spec).multiples if has_working(self.spec) else super().drawn_symbols

    def examples(self, indices: np.ndarray) -> CalculatorExamples:
        """The expressions at these indices."""
        indices = np.asarray(indices, np.int64)
        operators = np.searchsorted(self._ends, indices, side="right").astype(np.uint8)
        divides = np.array([operator.divides for operator in self.spec.known])[operators]
        inner = indices - np.concatenate([[0], self._ends])[operators]
        a, b = np.divmod(inner, self.spec.limit - divides)
        return CalculatorExamples(self.spec, operators, a, b + divides)

    @cached_property
    def _ends(self) -> np.ndarray:
        """Of each operator's block of indices, int64 (operators,)."""
        limit = self.spec.limit
        return np.cumsum([limit * (limit - operator.divides) for operator in self.spec.known])


class CalculatorExamples(Examples):
    """n expressions.

    Args:
        spec: the language.
        operators: positions in `spec.operators`, uint8 (n,).
        a: first operands, int64 (n,).
        b: second operands, int64 (n,); not zero where the operator divides.
    """

    def __init__(
        self, spec: CalculatorSpec, operators: np.ndarray, a: np.ndarray, b: np.ndarray
    ) -> None:
        self.spec, self.operators, self.a, self.b = spec, operators, a, b

    def expressions(self) -> np.ndarray:
        """Without leading zeros."""
        spec, a, b = self.spec, self.a, self.b
        width = spec.expression_length
        codes = np.frombuffer(spec.operators.encode("ascii"), np.uint8)[self.operators]
        symbols = np.empty((len(a), width), np.uint8)
        for digits in range(1, spec.digits + 1):
            shorter = 10 ** (digits - 1) if digits > 1 else 0
            rows = np.flatnonzero((b >= shorter) & (b < 10**digits))
            place = width - digits - 1
            symbols[rows, :place] = write_numbers(a[rows], place)
            symbols[rows, place] = codes[rows]
            symbols[rows, place + 1 :] = write_numbers(b[rows], digits)
        return symbols

    def answers(self) -> np.ndarray:
        """Quotients in fixed point, rounded half up."""
        return true_answers(self.spec, self.operators, self.a, self.b)

    def groups(self) -> np.ndarray:
        """The operators."""
        return self.operators

    def keys(self) -> np.ndarray:
        """Commuted twins (`55+49`, `49+55`) share one."""
        return self._keys

    @cached_property
    def _keys(self) -> np.ndarray:
        commute = np.array([operator.commutes for operator in self.spec.known])[self.operators]
        codes = np.frombuffer(self.spec.operators.encode("ascii"), np.uint8)[self.operators]
        first = np.where(commute, np.minimum(self.a, self.b), self.a)
        second = np.where(commute, np.maximum(self.a, self.b), self.b)
        return content_key(codes, first, second)

    def parts(self) -> np.ndarray:
        """Both operands."""
        return np.stack([content_key(self.a), content_key(self.b)], axis=1)

    def working(self) -> dict[str, np.ndarray]:
        """See `tasks.calculator.working`."""
        if not has_working(self.spec):
            return {}
        return true_working(self.spec, self.operators, self.a, self.b, self.keys())

    def failed_stages(self, outputs: Mapping[str, np.ndarray]) -> list[str]:
        """See `tasks.calculator.working`, and for a sequence `tasks.calculator.sequence`."""
        if "columns" in outputs:
            return failed_stages(self.spec, self.operators, outputs, self.working())
        if SEQUENCE in outputs:
            written = outputs[SEQUENCE].argmax(axis=-1)
            return failed_parts(self.spec, self.operators, self.a, self.b, written)
        return super().failed_stages(outputs)
