"""Runs a model's networks with numpy alone, where no TFLite interpreter is installed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from edgecalc.network.contract import WORKING
from edgecalc.network.flatbuffer import Flatbuffer, Subgraph, read_flatbuffer
from edgecalc.network.kernels import KERNELS, Kernel
from edgecalc.network.model_file import Model, ModelError
from edgecalc.network.tables import FlatbufferError
from edgecalc.network.verification import unknown_operator

# What numpy raises on arrays that do not fit each other, or not into memory.
_FAILURES = (IndexError, MemoryError, TypeError, ValueError)


class NumpyInterpreter:
    """A model's networks, ready to run.

    Args:
        model: a model that came with the package, or one that was verified.
        flatbuffer: what verification made of it; None to read it here.

    Raises:
        ModelError: if it needs an operator that is not known here.
    """

    def __init__(self, model: Model, flatbuffer: Flatbuffer | None) -> None:
        self._name = model.name
        try:
            self._flatbuffer = flatbuffer or read_flatbuffer(model.flatbuffer)
        except FlatbufferError as error:
            raise ModelError(f"{model.name}: its network is damaged: {error}") from error
        if unknown := unknown_operator(self._flatbuffer):
            raise ModelError(
                f"{model.name}: this file needs the operator {unknown}, "
                "which the numpy interpreter has not"
            )
        self._answer = self._program(self._flatbuffer.subgraphs[0])
        self._working: _Program | None = None

    @property
    def shows_working(self) -> bool:
        """Whether the model gives its working beside the answer."""
        return WORKING in self._flatbuffer.signatures

    prepared = True

    def prepare(self, rows: int) -> None:
        """Blocks take nothing that is not there."""

    def run(self, ids: np.ndarray) -> np.ndarray:
        """Runs the network once over a batch; see `Predictor.run`."""
        return self._run(self._answer, ids)[0]

    def work(self, ids: np.ndarray) -> dict[str, np.ndarray]:
        """Runs the network that gives its working too; see `Predictor.work`."""
        signature = self._flatbuffer.signatures[WORKING]
        graph = self._flatbuffer.subgraphs[signature.subgraph]
        if self._working is None:
            self._working = self._program(graph)
        outputs = dict(zip(graph.outputs, self._run(self._working, ids), strict=True))
        return {name: outputs[index] for name, index in signature.outputs.items()}

    def _program(self, graph: Subgraph) -> _Program:
        try:
            return _Program(graph, self._flatbuffer.constants(graph))
        except (*_FAILURES, FlatbufferError) as error:
            raise ModelError(f"{self._name}: its network cannot be run: {error}") from error

    def _run(self, program: _Program, ids: np.ndarray) -> list[np.ndarray]:
        try:
            return program.run(ids)
        except _FAILURES as error:
            raise ModelError(f"{self._name}: its network cannot be run: {error}") from error


class _Step(NamedTuple):
    """An operator to be run.

    Attributes:
        kernel: from its inputs to its output, or to a list of several.
        inputs: where these are among the program's values.
        outputs: where to put what it gives.
        done: what no later step needs, so that numpy can use the memory again.
    """

    kernel: Kernel
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    done: tuple[int, ...]


class _Program:
    """The steps of a network. What depends on constants alone is calculated here, once."""

    def __init__(self, graph: Subgraph, constants: dict[int, np.ndarray]) -> None:
        (self._input,) = graph.inputs
        self._outputs = graph.outputs
        fixed = dict(constants)
        steps: list[_Step] = []
        with np.errstate(all="ignore"):
            for op in graph.operators:
                inputs = tuple(index for index in op.inputs if index >= 0)
                contents = [fixed.get(index) for index in inputs]
                kernel = KERNELS[op.code](op, contents, graph.tensors)
                if any(content is None for content in contents):
                    steps.append(_Step(kernel, inputs, op.outputs, ()))
                else:
                    result = kernel(*contents)
                    results = result if isinstance(result, list) else [result]
                    fixed.update(zip(op.outputs, results, strict=True))
        self._steps = _forgetful(steps, {*fixed, *self._outputs})
        self._values: list[Any] = [fixed.get(index) for index in range(len(graph.tensors))]

    def run(self, ids: np.ndarray) -> list[np.ndarray]:
        """From ids, int32 (n, expression_length), to the outputs."""
        values = self._values.copy()
        values[self._input] = ids
        # A network whose numbers overflow says NaN, here as in TFLite.
        with np.errstate(all="ignore"):
            for kernel, inputs, outputs, done in self._steps:
                result = kernel(*[values[index] for index in inputs])
                if type(result) is list:
                    for index, part in zip(outputs, result, strict=True):
                        values[index] = part
                else:
                    values[outputs[0]] = result
                for index in done:
                    values[index] = None
        return [values[index] for index in self._outputs]


def _forgetful(steps: list[_Step], kept: set[int]) -> list[_Step]:
    """The steps, each with what is done after it; `kept` is never done."""
    seen = set(kept)
    reversed_steps = []
    for step in reversed(steps):
        done = {*step.inputs, *step.outputs} - seen
        seen |= done
        reversed_steps.append(step._replace(done=tuple(done)))
    return reversed_steps[::-1]
