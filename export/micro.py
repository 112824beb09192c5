"""The network as a microcontroller runs it: PyPI's tflite-micro, TensorFlow Lite Micro on this one.

`python -m export.micro FILE` prints how many bytes of memory it needs to run a file.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
from edgecalc import ModelError
from edgecalc.network.model_file import Model, read_model

MICRO = "micro"  # the variant that is made for it
_IN_THIS_PROCESS = "--in-this-process"
_ALIGNMENT = 16  # of what it allocates
_LARGEST_ARENA = 1 << 24


class MicroNetwork:
    """A model's network in TensorFlow Lite Micro, with as little memory as it can run in.

    Attributes:
        arena_bytes: the size of that memory, the "arena": all that a microcontroller has to have
            beside the file and the program. Measured with 64-bit pointers; 32-bit ones need less.
        interpreter: the package and its version.
        shows_working: False, for the file has one signature.

    Raises:
        ModelError: if the package is not installed, or refuses the model.
    """

    shows_working = False

    def __init__(self, model: Model) -> None:
        check_installed()
        from tflite_micro import __version__, runtime

        self.interpreter, self._name = f"tflite-micro {__version__}", model.name
        # A child, for TensorFlow Lite Micro tells of every arena that is too small on stderr, and
        # some models crash it.
        command = [sys.executable, "-m", "export.micro", _IN_THIS_PROCESS, model.name]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        if found.returncode:
            # The first thing it says is the reason, all that follows a consequence.
            said = found.stderr.strip().splitlines() or [f"status {found.returncode}"]
            raise ModelError(f"{model.name}: is refused by TensorFlow Lite Micro: {said[0]}")
        self.arena_bytes = int(found.stdout)
        self._network = runtime.Interpreter.from_bytes(
            model.flatbuffer, arena_size=self.arena_bytes
        )

    def run(self, ids: np.ndarray) -> np.ndarray:
        """Runs the network, one expression at a time.

        Args:
            ids: symbol ids of padded expressions, int32 (n, expression_length), n > 0.

        Returns:
            Probabilities over the symbol ids, float32 (n, answer_length, symbols).

        Raises:
            ModelError: if the interpreter fails on the model.
        """
        return np.concatenate([self._run_one(ids[row : row + 1]) for row in range(len(ids))])

    def _run_one(self, ids: np.ndarray) -> Any:
        try:
            self._network.set_input(ids, 0)
            self._network.invoke()
            return self._network.get_output(0)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{self._name}: TensorFlow Lite Micro fails on it: {error}") from error


def describe(micro: dict[str, Any]) -> str:
    """What a card's `micro` says, in a line."""
    return f"{micro['arena_bytes']:,} bytes of memory, in {micro['interpreter']}\n"


def check_installed() -> None:
    """Looks for the interpreter.

    Raises:
        ModelError: if it is not installed.
    """
    if find_spec("tflite_micro") is None:
        raise ModelError(
            f"the variant {MICRO} runs in PyPI's tflite-micro, which is not installed: "
            "pip install --pre tflite-micro"
        )


def smallest_arena(flatbuffer: bytes) -> int:
    """The fewest bytes of memory with which TensorFlow Lite Micro can run a model.

    More than its own report of what it allocated: to plan where tensors lie takes room, too.

    Raises:
        RuntimeError: if it cannot with 16 MB.
    """
    from tflite_micro import runtime

    too_small, enough = 0, _LARGEST_ARENA
    runtime.Interpreter.from_bytes(flatbuffer, arena_size=enough)
    while enough - too_small > _ALIGNMENT:
        middle = (too_small + enough) // 2 // _ALIGNMENT * _ALIGNMENT
        try:
            runtime.Interpreter.from_bytes(flatbuffer, arena_size=middle)
            enough = middle
        except RuntimeError:
            too_small = middle
    return enough


def main() -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        "python -m export.micro",
        description="Prints how many bytes of memory a microcontroller needs for a model file.",
    )
    parser.add_argument("file", metavar="FILE", help="made by `make micro`")
    parser.add_argument(_IN_THIS_PROCESS, action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    try:
        model = read_model(given.file)
        if given.in_this_process:
            print(smallest_arena(model.flatbuffer))
        else:
            print(MicroNetwork(model).arena_bytes)
    except ModelError as error:
        print(f"python -m export.micro: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
