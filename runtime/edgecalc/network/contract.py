"""What the network of every model takes and gives, for one expression."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecalc.network.model_file import Model, ModelError


def check_tensor(model: Model, side: str, shape: tuple[int, ...], dtype: Any) -> None:
    """Compares the network's input or output with the model's spec.

    Args:
        model: the model.
        side: `input` or `output`.
        shape: of the network's tensor for one expression.
        dtype: of its elements.

    Raises:
        ModelError: if they do not fit each other.
    """
    spec = model.spec
    expected = {
        "input": f"int32 {(1, spec.expression_length)}",
        "output": f"float32 {(1, spec.answer_length, len(spec.symbols))}",
    }
    found = f"{np.dtype(dtype).name} {shape}"
    if found != expected[side]:
        raise ModelError(
            f"{model.name}: does not fit its spec: the {side} is {found} "
            f"instead of {expected[side]}"
        )
