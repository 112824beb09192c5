"""Between text, symbols and ids: padding, encoding and decoding, vectorised over a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgecalc.language.spec import PADDING, Spec

NOT_A_SYMBOL = 255


def id_table(spec: Spec) -> np.ndarray:
    """The id of every byte value: uint8 (256,), `NOT_A_SYMBOL` for bytes outside the alphabet."""
    table = np.full(256, NOT_A_SYMBOL, np.uint8)
    table[symbol_table(spec)] = np.arange(len(spec.symbols))
    return table


def symbol_table(spec: Spec) -> np.ndarray:
    """The byte of every id: uint8 (symbols,)."""
    return np.frombuffer(spec.symbols.encode("ascii"), np.uint8)


def encode(texts: Sequence[str], spec: Spec) -> np.ndarray:
    """Pads expressions from the left and turns them into ids.

    Args:
        texts: n expressions in their plain form.
        spec: the language.

    Returns:
        Ids, int32 (n, expression_length): what the network takes.
    """
    length = spec.expression_length
    padded = "".join([text.rjust(length, PADDING) for text in texts]).encode("ascii")
    return encode_symbols(np.frombuffer(padded, np.uint8).reshape(-1, length), spec)


def encode_symbols(symbols: np.ndarray, spec: Spec) -> np.ndarray:
    """Turns symbols, uint8 ASCII of any shape, into ids, int32 of the same shape."""
    ids: np.ndarray = id_table(spec)[symbols].astype(np.int32)
    return ids


def decode(ids: np.ndarray, spec: Spec) -> list[str]:
    """Turns ids of answers, integers (n, answer_length), into n texts without padding.

    A network can put padding anywhere; only what stands before the first symbol is taken away.
    """
    width = ids.shape[1]
    texts = np.ascontiguousarray(symbol_table(spec)[ids]).tobytes().decode("ascii")
    return [texts[i : i + width].lstrip(PADDING) for i in range(0, len(texts), width)]
