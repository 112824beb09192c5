"""Networks with a while loop in place of what they write out, for `benchmarks.loops`."""

from __future__ import annotations

import numpy as np

from export.convert import keras, tf
from model.networks.transformer.decoder import Block, Writer

_NEVER = -1e9  # added to the score of what is not to be chosen


def looped(model: keras.Model) -> keras.Model:
    """A network of the same layers as a model's, untrained, with while loops.

    Args:
        model: of `seq2seq` or of `transformer`.
    """
    config = model.get_config()
    for layer in config["layers"]:
        if layer["class_name"] == "LSTM":
            layer["config"]["unroll"] = False
    # Nothing else goes before the class that is registered.
    with keras.saving.custom_object_scope({"edgecalc>Writer": LoopedWriter}):
        return keras.Model.from_config(config)


class LoopedWriter(Writer):
    """A decoder's `write` as a while loop, for a fixed batch."""

    def call(self, expression: tf.Tensor) -> dict[str, tf.Tensor]:
        """As that of `Writer`, but for a working: only the answer comes out."""
        decoder, lengths = self.decoder, self.decoder.lengths
        positions = sum(lengths) - 1
        x, caches = decoder.embedded(expression, 0), []
        for block in decoder.blocks:
            x, *cache = block(x)
            rest = [[0, 0], [0, positions - lengths.expression], [0, 0]]
            caches += [tf.pad(kept, rest) for kept in cache]
        count = lengths.working + lengths.answer
        allowed = np.zeros((count, decoder.sizes["symbols"]), np.float32)
        allowed[lengths.working :, decoder.sizes["answer_symbols"] :] = _NEVER
        logits = decoder.logits(x[:, -1]) + allowed[0]
        written = _place(tf.nn.softmax(logits), 0, count)

        def step(place, logits, written, *caches):
            chosen = tf.argmax(logits, axis=-1, output_type=tf.int32)
            position = place + lengths.expression - 1
            x = tf.gather(decoder.embedding, chosen) + tf.gather(decoder.positions, position)
            kept = []
            for block, keys, values in zip(decoder.blocks, caches[::2], caches[1::2], strict=True):
                x, keys, values = _step(block, x, keys, values, position)
                kept += [keys, values]
            logits = decoder.logits(x) + tf.gather(allowed, place)
            return place + 1, logits, written + _place(tf.nn.softmax(logits), place, count), *kept

        state = (tf.constant(1), logits, written, *caches)
        _, _, written, *_ = tf.while_loop(lambda place, *_: place < count, step, state)
        answer = written[:, lengths.working :, : decoder.sizes["answer_symbols"]]
        if lengths.working:
            answer = decoder.no_surer(answer, written[:, : lengths.working])
        return {"answer": answer}


def _place(rows: tf.Tensor, place: tf.Tensor | int, count: int) -> tf.Tensor:
    """Rows (n, width) at one of so many places, zeros at the others: (n, count, width)."""
    return tf.one_hot(place, count)[None, :, None] * rows[:, None]


def _step(
    block: Block, x: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, position: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """`Block.step` with keys and values of all positions, those to come masked."""
    query, key, value = block.attended(x)
    length = keys.shape[1]
    keys += _place(key, position, length)
    values += _place(value, position, length)
    query = tf.reshape(query, (-1, block.heads, block.head_width))
    later = tf.cast(tf.range(length) > position, tf.float32) * _NEVER
    shares = tf.nn.softmax(tf.matmul(query, keys, transpose_b=True) + later)
    return block.added_to(x, tf.matmul(shares, values)), keys, values
