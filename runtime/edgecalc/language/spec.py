"""A spec: the data that a task's language follows from, as every file of the road carries it.

Corpus, trained model and exported model hold a spec, and every size in the project follows from
one. Here is what all specs have in common; a task derives a dataclass of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeVar

PADDING = " "

AnySpec = TypeVar("AnySpec", bound="Spec")


@dataclass(frozen=True)
class Spec(ABC):
    """What a task's expressions and answers are written with, and how long they are.

    An expression is the text that a network reads, an answer the one that it writes. Both are
    written with the symbols of an alphabet and filled up with blanks from the left. A task's spec
    is a frozen dataclass; its fields are int, float or str and have a `help`, since commands have
    a flag for each.

    Attributes:
        task: the name of the task.
    """

    task: ClassVar[str]

    @property
    @abstractmethod
    def symbols(self) -> str:
        """The symbols in the order of their ids, ASCII, at most 255, `PADDING` among them."""

    @property
    @abstractmethod
    def expression_length(self) -> int:
        """Symbols in a padded expression: those of the longest one there is."""

    @property
    @abstractmethod
    def answer_length(self) -> int:
        """Symbols in a padded answer: those of the longest one there is."""

    @property
    @abstractmethod
    def groups(self) -> tuple[str, ...]:
        """The kinds of expressions, at most 255 names without blanks; answers count by them."""

    def to_dict(self) -> dict[str, Any]:
        """The task and the fields as JSON types; `from_dict` reads them back."""
        return {"task": self.task, **asdict(self)}

    @classmethod
    def from_dict(cls: type[AnySpec], content: dict[str, Any]) -> AnySpec:
        """The spec with these fields.

        Raises:
            ValueError: if a field is missing, unknown or out of range, or the task another one.
        """
        expected = {"task", *(field.name for field in fields(cls))}
        if not isinstance(content, dict) or set(content) != expected:
            raise ValueError(
                f"a spec has the fields {', '.join(sorted(expected))}: {content!r:.300}"
            )
        values = dict(content)
        if values.pop("task") != cls.task:
            found = f"{content['task']!r:.100}"
            raise ValueError(f"the spec is of the task {found}, not {cls.task!r}")
        return cls(**values)
