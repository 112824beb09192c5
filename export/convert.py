"""Converts a Keras model to TFLite flatbuffers, one for each variant."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from textwrap import shorten
from typing import Any

from edgecalc.network.native_output import quiet, slow_import

from export.micro import MICRO

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # see model/__init__.py
with slow_import():
    import keras
    import tensorflow as tf

    from export.compact import compact
    from export.portable import portable

VARIANTS = ("float32", "float16", "int8")  # those for computers; `MICRO` is another one
SHIPS = "int8"
_SHOWN = 200  # characters of a message that can be pages long


class ConversionError(RuntimeError):
    """A model that TFLite's built-in operators cannot express."""


def answer_alone(model: keras.Model) -> keras.Model:
    """The part of a model that gives the answer and not the working."""
    return keras.Model(model.input, model.output["answer"])


def convert(model: keras.Model, variant: str) -> bytes:
    """Converts a model, with built-in operators only, and a dynamic batch but for `micro`.

    TensorFlow's converter and tflite-runtime crash when they share a process; never import both.

    Args:
        model: from symbol ids, int32 (n, expression_length), to a dict with `answer`,
            probabilities, float32 (n, answer_length, symbols), and maybe the working.
        variant: `float32`; `float16`, weights stored in half precision; `int8`, weights stored in
            8 bits with one scale a tensor; `micro`, weights in float32, for microcontrollers. All
            of them calculate in float.

    Returns:
        A TFLite flatbuffer. Its first signature gives the answer alone; if the model has a
        working, a second one, `working`, gives both. They share the weights. That of `micro` has
        one signature, and a batch of one.

    Raises:
        ConversionError: if an operator would be needed that TFLite does not have built in.
    """
    module, signatures = tf.Module(), _signatures(model, variant)
    try:
        # The converter prints the signature of the model it reads.
        with (
            tempfile.TemporaryDirectory() as folder,
            quiet(),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            tf.saved_model.save(module, folder, signatures)
            converter = tf.lite.TFLiteConverter.from_saved_model(folder, list(signatures))
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
            flatbuffer = portable(converter.convert(), fixed_batch=variant == MICRO)
            return compact(flatbuffer, variant)
    except Exception as error:  # the converter raises several types, none of its own
        raise ConversionError(
            f"{variant}: TFLite cannot express the network: {shorten(str(error), _SHOWN)}"
        ) from error


def _signatures(model: keras.Model, variant: str) -> dict[str, Any]:
    """The functions of the file by name, of constants in place of the model's variables.

    A variable that two signatures read would stay one in the file, without its value.
    """
    trainable = [variable.numpy() for variable in model.trainable_variables]
    fixed = [variable.numpy() for variable in model.non_trainable_variables]
    shape = tf.TensorSpec((None, *model.input_shape[1:]), tf.int32, name="expression")

    def run(expression: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs, _ = model.stateless_call(
            list(map(tf.constant, trainable)), list(map(tf.constant, fixed)), expression
        )
        return outputs

    @tf.function(input_signature=[shape])
    def answer(expression: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"answer": run(expression)["answer"]}

    signatures = {"serving_default": answer.get_concrete_function()}
    if len(model.output) > 1 and variant != MICRO:
        working = tf.function(run, input_signature=[shape])
        signatures["working"] = working.get_concrete_function()
    return signatures
