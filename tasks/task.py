"""A task: what is to be learned and how it is judged. All that the road knows of one stands here.

A task numbers its examples. For any array of indices it gives expressions and answers, the group by
which a score is counted, the key by which splits are made, and the working between, all vectorised.
Which texts a device reads and writes says the task's language, in `edgecalc.language`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, NamedTuple

import numpy as np
from edgecalc.language.language import ENTRY_POINTS as LANGUAGE_ENTRY_POINTS
from edgecalc.language.language import LANGUAGES, Language
from edgecalc.language.registry import registered
from edgecalc.language.spec import AnySpec

# The project's own tasks; others are entry points of this group.
TASKS = {"calculator": "tasks.calculator.task:CalculatorTask"}
ENTRY_POINTS = "edgecalc.tasks"
# The part of a working that is a sequence of symbols, as a person writes one behind another.
SEQUENCE = "sequence"
# Of a task with more examples no more are drawn, unless asked for, and it is never counted whole.
LARGEST_WHOLE = 10_000_000


class Feature(NamedTuple):
    """The form of an array of the working, as records hold it.

    Attributes:
        length: values of one example.
        dtype: `uint8`, `int8` or `int16`.
    """

    length: int
    dtype: str = "uint8"


class Examples(ABC):
    """n examples of a task; each array is made when it is asked for."""

    @abstractmethod
    def expressions(self) -> np.ndarray:
        """ASCII symbols, uint8 (n, spec.expression_length), padded from the left."""

    @abstractmethod
    def answers(self) -> np.ndarray:
        """The true answers: ASCII symbols, uint8 (n, spec.answer_length), padded from the left."""

    @abstractmethod
    def groups(self) -> np.ndarray:
        """The kinds of the expressions: positions in `spec.groups`, uint8 (n,)."""

    @abstractmethod
    def keys(self) -> np.ndarray:
        """What decides the split, uint64 (n,); examples that tell of each other share a key.

        Any number that is a function of the content will do, see `tasks.splits.content_key`.
        """

    def parts(self) -> np.ndarray:
        """Keys of what an example is made of, uint64 (n, len(task.parts)), see `Task.parts`."""
        return np.empty((len(self.keys()), 0), np.uint64)

    def working(self) -> dict[str, np.ndarray]:
        """The working by name, arrays (n, length) of the dtypes that `Task.working` says."""
        return {}

    def failed_stages(self, outputs: Mapping[str, np.ndarray]) -> list[str]:
        """At which stage each of n wrong answers went wrong, by the working a network gave.

        Args:
            outputs: what the network gave beside the answer, by name, float32 (n, ...).
        """
        return ["unknown"] * len(self.keys())


class Task(ABC, Generic[AnySpec]):
    """What is to be learned.

    Args:
        spec: the sizes and symbols of the task.

    Attributes:
        language: the class of the language that a device reads and writes.
        parts: names of what examples are made of, each of which a split can hold out; for the
            calculator the first and the second operand.
    """

    language: ClassVar[type[Language[Any]]]
    parts: ClassVar[tuple[str, ...]] = ()

    def __init__(self, spec: AnySpec) -> None:
        self.spec = spec

    @property
    @abstractmethod
    def size(self) -> int:
        """How many examples there are."""

    @property
    def working(self) -> dict[str, Feature]:
        """The forms of the working, by name; the name is that of the feature in a record."""
        return {}

    @property
    def sequence_symbols(self) -> list[str]:
        """The symbols that the `SEQUENCE` of the working is written with, at most 256.

        They are in the order of their ids, which are its values, and as a person reads them; the
        first are those of the spec.
        """
        return list(self.spec.symbols)

    @property
    def drawn_symbols(self) -> range:
        """The ids of those of them that are drawn, where several will do.

        Not to know which of them comes is no doubt.
        """
        return range(0)

    @abstractmethod
    def examples(self, indices: np.ndarray) -> Examples:
        """The examples at these indices, integers (n,) from 0 to size - 1."""


def task_class(name: str) -> type[Task[Any]]:
    """The class of a task.

    Raises:
        ValueError: if there is none of this name, or its language goes by another one.
    """
    found: type[Task[Any]] = registered(ENTRY_POINTS, TASKS, name)
    if registered(LANGUAGE_ENTRY_POINTS, LANGUAGES, name) is not found.language:
        raise ValueError(f"the task {name} and the language {name} are not made for each other")
    if found.language.spec_class.task != name:
        raise ValueError(f"the task {name} has specs of the task {found.language.spec_class.task}")
    return found


def task_of(content: Any) -> Task[Any]:
    """The task whose spec `Spec.to_dict` gave.

    Raises:
        ValueError: if the task is unknown, or a field of the spec is missing, unknown or out of
            range.
    """
    if not isinstance(content, dict) or not isinstance(content.get("task"), str):
        raise ValueError(f"a spec is an object that names its task: {content!r}")
    task = task_class(content["task"])
    return task(task.language.spec_class.from_dict(content))
