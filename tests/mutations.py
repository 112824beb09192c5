"""Model files that somebody broke on purpose: a mutated flatbuffer, and a hash that fits it."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from edgecalc import Calculator, ModelError
from edgecalc.network.flatbuffer import read_flatbuffer
from edgecalc.network.model_file import Model, append_metadata, read_model
from edgecalc.network.predictor import INTERPRETERS

_IN_A_PROCESS = 200
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


def count_outcomes(path: Path, numbers: range) -> Counter[str]:
    """Asks mutations of a model file, each of both interpreters, in processes that may die.

    Returns:
        How many ended how: with `answers`, `refused`, or with the name of a signal or an exception.
    """
    outcomes: Counter[str] = Counter()
    numbers_left = list(numbers)
    while numbers_left:
        given, numbers_left = numbers_left[:_IN_A_PROCESS], numbers_left[_IN_A_PROCESS:]
        command = [sys.executable, "-m", "tests.mutations", str(path), "--one-by-one"]
        done = subprocess.run(
            [*command, str(given[0]), str(given[-1] + 1)], capture_output=True, text=True
        )
        ended = done.stdout.split()
        outcomes.update(ended)
        if done.returncode:  # the others were not asked
            reason = done.stderr.strip().splitlines()[-1:]
            died = signal.strsignal(-done.returncode) if done.returncode < 0 else reason[0]
            outcomes[f"number {given[len(ended) // 2]}: {died}"] += 1
            numbers_left = given[len(ended) // 2 + 1 :] + numbers_left
    return outcomes


def _ask_one_by_one(path: Path, numbers: range) -> None:
    mutations = Mutations(read_model(path))
    with tempfile.TemporaryDirectory() as folder:
        mutated = Path(folder) / "mutated.tflite"
        for number in numbers:
            mutated.write_bytes(mutations(number))
            for interpreter in INTERPRETERS:
                print(ask(mutated, interpreter), flush=True)


def main() -> None:
    """`python -m tests.mutations FILE START STOP`: counts the outcomes of so many mutations."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--one-by-one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("start", type=int)
    parser.add_argument("stop", type=int)
    given = parser.parse_args()
    if given.one_by_one:
        _ask_one_by_one(given.file, range(given.start, given.stop))
        return
    outcomes = count_outcomes(given.file, range(given.start, given.stop))
    for outcome, count in outcomes.most_common():
        print(f"{count:8,} {outcome}")


if __name__ == "__main__":
    main()
