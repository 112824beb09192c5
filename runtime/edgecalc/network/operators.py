"""The operators of TFLite that are known here, and which forms of them.

They are those that the exporter writes for its networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from edgecalc.network import shape_rules
from edgecalc.network.flatbuffer import Operator
from edgecalc.network.shape_rules import Result, Value

Rule = Callable[[Operator, Sequence[Value]], list[Result]]


class Known(NamedTuple):
    """A known operator.

    Attributes:
        version: the latest that is known.
        inputs: how many inputs it may have, the least and the most.
        options_types: the types that its options may have, 0 for no options.
        rule: from inputs to what the outputs are, or an `OperatorError`.
    """

    version: int
    inputs: tuple[int, int]
    options_types: tuple[int, ...]
    rule: Rule


SHAPE = 77
KNOWN = {
    0: Known(2, (2, 2), (11,), shape_rules.of_binary),
    2: Known(1, (1, 64), (10,), shape_rules.of_concatenation),
    6: Known(3, (1, 1), (0, 38), shape_rules.of_dequantize),
    8: Known(1, (1, 1), (0,), shape_rules.of_unary),
    9: Known(5, (2, 3), (8,), shape_rules.of_fully_connected),
    11: Known(1, (1, 1), (12,), shape_rules.of_l2_normalization),
    14: Known(1, (1, 1), (0,), shape_rules.of_unary),
    18: Known(1, (2, 2), (21,), shape_rules.of_binary),
    19: Known(1, (1, 1), (0,), shape_rules.of_unary),
    22: Known(1, (1, 2), (0, 17), shape_rules.of_reshape),
    25: Known(1, (1, 1), (9,), shape_rules.of_softmax),
    28: Known(1, (1, 1), (0,), shape_rules.of_unary),
    34: Known(1, (2, 2), (0, 22), shape_rules.of_pad),
    36: Known(2, (2, 2), (23,), shape_rules.of_gather),
    39: Known(2, (2, 2), (0, 26), shape_rules.of_transpose),
    41: Known(2, (2, 2), (28,), shape_rules.of_binary),
    45: Known(1, (4, 4), (32,), shape_rules.of_strided_slice),
    47: Known(1, (1, 1), (0, 33), shape_rules.of_unary),
    49: Known(1, (2, 2), (35,), shape_rules.of_split),
    53: Known(3, (1, 1), (0, 37), shape_rules.of_cast),
    55: Known(1, (2, 2), (0, 39), shape_rules.of_float_binary),
    56: Known(1, (2, 2), (40,), shape_rules.of_arg_max),
    57: Known(1, (2, 2), (0, 39), shape_rules.of_float_binary),
    69: Known(1, (2, 2), (0, 51), shape_rules.of_tile),
    70: Known(1, (2, 2), (0, 52), shape_rules.of_expand_dims),
    73: Known(1, (1, 1), (0,), shape_rules.of_unary),
    74: Known(1, (2, 2), (27,), shape_rules.of_reduction),
    SHAPE: Known(1, (1, 1), (55,), shape_rules.of_shape),
    82: Known(1, (2, 2), (27,), shape_rules.of_reduction),
    83: Known(1, (1, 64), (59,), shape_rules.of_pack),
    85: Known(1, (4, 4), (61,), shape_rules.of_one_hot),
    88: Known(1, (1, 1), (64,), shape_rules.of_unpack),
    94: Known(1, (2, 2), (0, 68), shape_rules.of_fill),
    99: Known(1, (2, 2), (0, 76), shape_rules.of_float_binary),
    126: Known(1, (2, 2), (101,), shape_rules.of_batch_matmul),
    130: Known(2, (2, 2), (0, 104), shape_rules.of_broadcast_to),
}
