"""The decoder of the `transformer` network: taught all positions at once, run symbol by symbol.

Sources: Vaswani et al., "Attention Is All You Need", 2017; Zhang and Sennrich, "Root Mean Square
Layer Normalization", 2019; Shazeer, "Fast Transformer Decoding: One Write-Head is All You Need",
2019: the heads of a block share keys and values, so little has to be kept of what was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from keras import initializers, layers, ops, saving

_PACKAGE = "edgecalc"
_LATER = -1e9  # added to the score of what comes later
_SPREAD = 0.2  # of the embeddings, at the beginning
_HEAD = 0.02  # of the weights that choose symbols


class Lengths(NamedTuple):
    """How long the parts of a text are.

    Attributes:
        expression: what is read.
        working: what is written first; 0 if there is none.
        answer: what is written then.
    """

    expression: int
    working: int
    answer: int


@saving.register_keras_serializable(_PACKAGE)
class Block(layers.Layer):
    """Attention to what was written before, then two dense layers, each added to what comes in.

    Args:
        width: numbers that stand for a symbol at its position.
        heads: of attention.
        head_width: numbers in a key, and in a value.
        units: of the first dense layer.
        added: by how much smaller what it adds begins.
    """

    def __init__(
        self, width: int, heads: int, head_width: int, units: int, added: float, **options: Any
    ) -> None:
        super().__init__(**options)
        self.width, self.heads, self.head_width = width, heads, head_width
        self.units, self.added = units, added

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the weights."""
        seen = self.heads * self.head_width
        self.query = self._kernel("query", self.width, seen)
        self.key = self._kernel("key", self.width, self.head_width)
        self.value = self._kernel("value", self.width, self.head_width)
        self.out = self._kernel("out", seen, self.width, self.added)
        self.rise = self._kernel("rise", self.width, self.units)
        self.rise_bias = self.add_weight((self.units,), "zeros", name="rise_bias")
        self.fall = self._kernel("fall", self.units, self.width, self.added)
        self.fall_bias = self.add_weight((self.width,), "zeros", name="fall_bias")

    def _kernel(self, name: str, inputs: int, outputs: int, smaller: float = 1.0) -> Any:
        begin = initializers.RandomNormal(stddev=smaller * inputs**-0.5)
        return self.add_weight((inputs, outputs), begin, name=name)

    def call(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """All positions at once.

        Args:
            x: (n, length, width).

        Returns:
            What goes on, (n, length, width), and the keys and values, (n, length, head_width).
        """
        length = x.shape[1]
        x = ops.reshape(x, (-1, self.width))
        query, key, value = self.attended(x)
        keys = ops.reshape(key, (-1, length, self.head_width))
        values = ops.reshape(value, (-1, length, self.head_width))
        query = ops.reshape(query, (-1, length * self.heads, self.head_width))
        scores = ops.matmul(query, ops.transpose(keys, (0, 2, 1)))
        scores = ops.reshape(scores, (-1, length, self.heads, length))
        later = np.triu(np.full((length, length), _LATER, np.float32), 1)[:, None]
        shares = ops.reshape(ops.softmax(scores + later), (-1, length * self.heads, length))
        x = self.added_to(x, ops.matmul(shares, values))
        return ops.reshape(x, (-1, length, self.width)), keys, values

    def step(
        self, x: tf.Tensor, keys: tf.Tensor, values: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The next position.

        Args:
            x: (n, width).
            keys: of the positions before, (n, before, head_width).
            values: likewise.

        Returns:
            What goes on, (n, width), and keys and values with one more.
        """
        query, key, value = self.attended(x)
        one = (-1, 1, self.head_width)
        keys = ops.concatenate([keys, ops.reshape(key, one)], axis=1)
        values = ops.concatenate([values, ops.reshape(value, one)], axis=1)
        query = ops.reshape(query, (-1, self.heads, self.head_width))
        shares = ops.softmax(ops.matmul(query, ops.transpose(keys, (0, 2, 1))))
        return self.added_to(x, ops.matmul(shares, values)), keys, values

    def attended(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Query, key and value of rows (n, width); a query is scaled as in "Attention"."""
        normal = tf.math.l2_normalize(x, axis=-1)
        query = behind_norm(self.query) * self.head_width**-0.5
        return (
            ops.matmul(normal, query),
            ops.matmul(normal, behind_norm(self.key)),
            ops.matmul(normal, behind_norm(self.value)),
        )

    def added_to(self, x: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
        """Rows (n, width), with what was seen and what is made of it."""
        x = x + ops.matmul(ops.reshape(seen, (-1, self.heads * self.head_width)), self.out)
        normal = tf.math.l2_normalize(x, axis=-1)
        inner = ops.relu(ops.matmul(normal, behind_norm(self.rise)) + self.rise_bias)
        return x + ops.matmul(inner, self.fall) + self.fall_bias

    def get_config(self) -> dict[str, Any]:
        """What `model.keras` stores."""
        sizes = ("width", "heads", "head_width", "units", "added")
        return {**super().get_config(), **{name: getattr(self, name) for name in sizes}}


def behind_norm(kernel: Any) -> tf.Tensor:
    """The kernel of what is multiplied with vectors of length 1, as if the mean square were 1.

    A scale for each number of the vector, which is usual, would do nothing that the kernel cannot.
    So normalisation is one operator of TFLite, and all else a constant there.
    """
    return ops.convert_to_tensor(kernel) * kernel.shape[0] ** 0.5


@saving.register_keras_serializable(_PACKAGE)
class Decoder(layers.Layer):
    """Reads an expression and writes on, first the working, then the answer.

    Args:
        lengths: see `Lengths`.
        symbols: how many there are in all.
        answer_symbols: how many of them, the first, an answer is written with.
        drawn: ids of those which it may waver between, see `tasks.task.Task.drawn_symbols`.
        width: see `Block`.
        heads: see `Block`.
        head_width: see `Block`.
        blocks: how many, one on another.
        units: see `Block`.
    """

    def __init__(
        self,
        lengths: tuple[int, int, int],
        symbols: int,
        answer_symbols: int,
        drawn: Sequence[int],
        width: int,
        heads: int,
        head_width: int,
        blocks: int,
        units: int,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.lengths = Lengths(*lengths)
        self.sizes: dict[str, Any] = {
            "lengths": list(lengths),
            "symbols": symbols,
            "answer_symbols": answer_symbols,
            "drawn": list(drawn),
            "width": width,
            "heads": heads,
            "head_width": head_width,
            "blocks": blocks,
            "units": units,
        }
        added = (2 * blocks) ** -0.5  # Radford et al., 2019
        self.blocks = [
            Block(width, heads, head_width, units, added, name=f"block_{number}")
            for number in range(blocks)
        ]

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the weights."""
        width: int = self.sizes["width"]
        # Optimizers know by `embedding` which matrices turn symbols into numbers and back.
        spread = initializers.RandomNormal(stddev=_SPREAD)
        self.embedding = self.add_weight((self.sizes["symbols"], width), spread, name="embedding")
        positions = sum(self.lengths) - 1
        self.positions = self.add_weight((positions, width), spread, name="position_embedding")
        self.head = self.add_weight(
            (width, self.sizes["symbols"]),
            initializers.RandomNormal(stddev=_HEAD),
            name="unembedding",
        )
        self.head_bias = self.add_weight((self.sizes["symbols"],), "zeros", name="head_bias")
        for block in self.blocks:
            block.build((None, None, width))

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        """Predicts every symbol from those before it.

        Args:
            ids: all of a text but for its last symbol, int32 (n, length - 1).

        Returns:
            Logits of all that is to be written, float32 (n, working + answer, symbols).
        """
        x = self.embedded(ids, 0)
        for block in self.blocks:
            x, _, _ = block(x)
        x = ops.reshape(x[:, self.lengths.expression - 1 :], (-1, self.sizes["width"]))
        count = self.lengths.working + self.lengths.answer
        return ops.reshape(self.logits(x), (-1, count, self.sizes["symbols"]))

    def write(self, expression: tf.Tensor) -> dict[str, tf.Tensor]:
        """Writes symbol by symbol, in each place the likeliest.

        Args:
            expression: int32 (n, expression).

        Returns:
            Probabilities of symbols: `answer`, float32 (n, answer, answer_symbols), and if there
            is a working `sequence`, float32 (n, working, symbols).
        """
        x, caches = self.embedded(expression, 0), []
        for block in self.blocks:
            x, *cache = block(x)
            caches.append(cache)
        x = x[:, -1]
        written = []
        count = self.lengths.working + self.lengths.answer
        for place in range(count):
            logits = self.logits(x)
            if place >= self.lengths.working:
                logits = logits[:, : self.sizes["answer_symbols"]]
            written.append(ops.softmax(logits))
            if place == count - 1:
                break
            # That of Keras looks at the sign of zeros, for which TFLite has nothing.
            chosen = tf.argmax(logits, axis=-1, output_type=tf.int32)
            x = self.embedded(chosen, self.lengths.expression + place)
            for number, block in enumerate(self.blocks):
                x, *caches[number] = block.step(x, *caches[number])
        answer = ops.stack(written[self.lengths.working :], axis=1)
        if not self.lengths.working:
            return {"answer": answer}
        sequence = ops.stack(written[: self.lengths.working], axis=1)
        return {"answer": self.no_surer(answer, sequence), "sequence": sequence}

    def no_surer(self, answer: tf.Tensor, sequence: tf.Tensor) -> tf.Tensor:
        """An answer that is no surer than the working: to copy from what is wrong is easy.

        The probability that all of the working is right falls evenly on the answer's places.

        Args:
            answer: probabilities, (n, answer, answer_symbols).
            sequence: probabilities, (n, working, symbols).

        Returns:
            Probabilities, of which the same are the largest.
        """
        sure = tf.reduce_max(sequence, axis=-1)
        if self.sizes["drawn"]:
            drawn = np.zeros(self.sizes["symbols"], np.float32)
            drawn[self.sizes["drawn"]] = 1
            sure = tf.maximum(sure, tf.reduce_sum(sequence * drawn, axis=-1))
        logs = tf.reduce_sum(tf.math.log(sure), axis=1, keepdims=True)
        share = tf.exp(logs / self.lengths.answer)[:, :, None]
        return share * answer + (1 - share) / self.sizes["answer_symbols"]

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Of rows (n, width)."""
        normal = tf.math.l2_normalize(x, axis=-1)
        return ops.matmul(normal, behind_norm(self.head)) + self.head_bias

    def embedded(self, ids: tf.Tensor, position: int) -> tf.Tensor:
        """Of ids (n, length) or of the one at a position, (n,)."""
        # Keras's Embedding adds a comparison for every symbol in TFLite.
        rows = tf.gather(ops.convert_to_tensor(self.embedding), ids)
        positions = ops.convert_to_tensor(self.positions)
        if len(ids.shape) == 1:
            return rows + positions[position]
        return rows + positions[: ids.shape[1]]

    def get_config(self) -> dict[str, Any]:
        """What `model.keras` stores."""
        return {**super().get_config(), **self.sizes}


@saving.register_keras_serializable(_PACKAGE)
class Writer(layers.Layer):
    """A decoder that writes, as a layer: from an expression to `Decoder.write`.

    Args:
        decoder: what writes.
    """

    def __init__(self, decoder: Decoder, **options: Any) -> None:
        super().__init__(**options)
        self.decoder = decoder

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the weights, unless training has."""
        if not self.decoder.built:
            self.decoder.build(shape)

    def call(self, expression: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `Decoder.write`."""
        return self.decoder.write(expression)

    def get_config(self) -> dict[str, Any]:
        """What `model.keras` stores."""
        return {**super().get_config(), "decoder": saving.serialize_keras_object(self.decoder)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Writer:
        """What was stored."""
        return cls(saving.deserialize_keras_object(config.pop("decoder")), **config)
