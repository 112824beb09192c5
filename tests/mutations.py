"""Model files that somebody broke on purpose: a mutated flatbuffer, and a hash that fits it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from edgecalc import Calculator, ModelError
from edgecalc.network.flatbuffer import read_flatbuffer
from edgecalc.network.model_file import Model, append_metadata, read_model

_LONGEST = 64  # bytes that are moved at once
_NUMBERS = np.array([0, 1, 2, 3, 4, 8, 255, 256, 1 << 16, 1 << 31, -1, -2, -4], np.int64)


class Mutations:
    """Mutations of a model file, each given by its number alone.

    Two thirds of them change what is not a weight: the tables, which an interpreter trusts.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        content = np.frombuffer(model.flatbuffer, np.uint8)
        kept = np.ones(len(content), bool)
        for buffer in read_flatbuffer(model.flatbuffer).buffers:
            if len(buffer):
                start = np.frombuffer(buffer, np.uint8).ctypes.data - content.ctypes.data
                kept[start : start + len(buffer)] = False
        self._tables = np.flatnonzero(kept)

    def __call__(self, number: int) -> bytes:
        """A whole model file."""
        return append_metadata(self.flatbuffer(number), self._model.spec, self._model.card)

    def flatbuffer(self, number: int) -> bytes:
        """Its flatbuffer alone."""
        random = np.random.default_rng(number)
        content = bytearray(self._model.flatbuffer)
        kind = random.integers(10)
        if kind == 0:
            return bytes(content[: random.integers(len(content))])
        if kind == 1:  # taken out, so that all behind it moves
            at, length = self._place(random), random.integers(1, _LONGEST)
            return bytes(content[:at] + content[at + length :])
        for _ in range(random.choice([1, 1, 1, 2, 4])):
            at = self._place(random)
            if kind == 2:  # something else of the file in its place
                start, length = self._place(random), random.integers(1, _LONGEST)
                content[at : at + length] = content[start : start + length]
            elif kind <= 5:
                content[at] ^= 1 << random.integers(8)
            elif kind <= 7:
                content[at] = random.integers(256)
            else:
                at -= at % 4
                number = int(random.choice(_NUMBERS)) % (1 << 32)
                content[at : at + 4] = number.to_bytes(4, "little")
        return bytes(content)

    def _place(self, random: Any) -> int:
        if random.random() < 2 / 3:
            return int(random.choice(self._tables))
        return int(random.integers(len(self._model.flatbuffer)))


def ask(path: Path, interpreter: str | None = None) -> str:
    """Asks a model file in every way; returns what came of it: `answers` or `refused`."""
    try:
        calculator = Calculator(path, interpreter=interpreter)
        example = calculator.language.example()
        calculator.answer(example)
        list(calculator.answers([example] * 3))
        if calculator._predictor.shows_working:
            calculator._predictor.work(np.zeros((2, calculator.spec.expression_length), np.int32))
    except ModelError as error:
        message = str(error)
    else:
        return "answers"
    assert message.startswith(f"{path}: ")
    assert len(message.splitlines()) == 1
    return "refused"


def ask_all(path: Path, numbers: range, folder: Path) -> dict[str, int]:
    """Asks mutations of a model file; returns how many there were of each outcome."""
    mutations, outcomes = Mutations(read_model(path)), {"answers": 0, "refused": 0}
    for number in numbers:
        mutated = folder / "mutated.tflite"
        mutated.write_bytes(mutations(number))
        for interpreter in (None, "numpy"):
            outcomes[ask(mutated, interpreter)] += 1
    return outcomes
