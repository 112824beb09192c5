"""A language: how a device reads what a person types, and shows what a network answers.

Here is what the languages of all tasks have in common, and how one is found by its task's name.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic

import numpy as np

from edgecalc.language.registry import registered
from edgecalc.language.spec import AnySpec, Spec

# The languages that come with the package; others are entry points of this group.
LANGUAGES = {"calculator": "edgecalc.language.calculator.language:CalculatorLanguage"}
ENTRY_POINTS = "edgecalc.languages"

# Below this confidence an answer, below this probability a symbol is shown as unsure.
SURE = 0.95


class ExpressionError(ValueError):
    """A text that is no expression of the language.

    Attributes:
        reason: what is wrong, without where.
        column: where, counted in characters from 1; None if it is nowhere in particular.
    """

    def __init__(self, reason: str, column: int | None = None) -> None:
        super().__init__(reason if column is None else f"{reason} (column {column})")
        self.reason = reason
        self.column = column


class Explanation(ABC):
    """The working of one answer, as the network wrote it."""

    @abstractmethod
    def lines(self) -> list[str]:
        """The working in lines, to print."""


class Language(ABC, Generic[AnySpec]):
    """Reads and shows the texts of a task.

    Args:
        spec: the spec of the task.

    Attributes:
        spec_class: the class of the task's specs.
    """

    spec_class: ClassVar[type[Spec]]

    def __init__(self, spec: AnySpec) -> None:
        self.spec = spec

    @abstractmethod
    def read(self, text: str) -> str:
        """Reads a text as a person types it.

        Returns:
            The expression in its plain form: what the network was taught, without padding.

        Raises:
            ExpressionError: if it is no expression of the language.
        """

    @abstractmethod
    def plain_form(self) -> re.Pattern[str]:
        """Matches, as a whole, nothing but texts that `read` would give back unchanged."""

    @abstractmethod
    def example(self) -> str:
        """A short expression, to show what one looks like."""

    @abstractmethod
    def describe(self) -> str:
        """What expressions there are, in a line."""

    def hint(self) -> str:
        """What else `read` understands, in a phrase."""
        return ""

    def present(self, answer: str) -> str:
        """An answer as a person expects it, from what the network wrote without its padding."""
        return answer

    def explain(
        self, expression: str, answer: str, outputs: Mapping[str, np.ndarray]
    ) -> Explanation | None:
        """The working of an answer.

        Args:
            expression: in its plain form.
            answer: as `present` gives it.
            outputs: what the network gave for this one expression, by name, float32 (1, ...).

        Returns:
            None if there is no working that the language knows.
        """
        return None

    def truth(self, expressions: Sequence[str]) -> tuple[np.ndarray, list[str]] | None:
        """The true answers, for `edgecalc predict --check`: no answer ever comes from here.

        Args:
            expressions: n of them in their plain form.

        Returns:
            The groups, positions in `spec.groups`, uint8 (n,), and the true answers as the network
            should write them, without padding; None if a device cannot tell.
        """
        return None


def language_of(content: Any) -> Language[Any]:
    """The language whose spec `Spec.to_dict` gave.

    Raises:
        ValueError: if the task is unknown, a field of the spec is missing, unknown or out of
            range, or a symbol cannot be shown.
    """
    task = content.get("task") if isinstance(content, dict) else None
    if not isinstance(task, str):
        raise ValueError(f"a spec is an object that names its task: {content!r:.100}")
    language: type[Language[Any]] = registered(ENTRY_POINTS, LANGUAGES, task)
    spec = language.spec_class.from_dict(content)
    # Answers are written with them, a line each.
    if not (spec.symbols.isascii() and spec.symbols.isprintable()):
        raise ValueError(f"symbols must be printable ASCII: {spec.symbols!r:.100}")
    return language(spec)
