"""What the network of every model takes and gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecalc.network.model_file import Model, ModelError

# The signature that gives the working too, and its name for what the other one gives.
WORKING = "working"
ANSWER = "answer"
WORKING_ANSWER = "answer of its working"


def check_tensor(
    model: Model, side: str, shape: tuple[int, ...], dtype: Any, rows: int = 1
) -> None:
    """Compares the network's input or output with the model's spec.

    Args:
        model: the model.
        side: `input`, `output` or `WORKING_ANSWER`.
        shape: of the network's tensor.
        dtype: of its elements.
        rows: for how many expressions it is.

    Raises:
        ModelError: if they do not fit each other.
    """
    spec = model.spec
    if side == "input":
        expected = f"int32 {(rows, spec.expression_length)}"
    else:
        expected = f"float32 {(rows, spec.answer_length, len(spec.symbols))}"
    found = f"{np.dtype(dtype).name} {shape}"
    if found != expected:
        raise ModelError(
            f"{model.name}: does not fit its spec: the {side} is {found} instead of {expected}"
        )
