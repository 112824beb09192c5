"""Converts a Keras model to TFLite flatbuffers, one for each variant."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from textwrap import shorten

from edgecalc.native_output import quiet, slow_import

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # see model/__init__.py
with slow_import():
    import keras
    import tensorflow as tf

VARIANTS = ("float32", "float16", "int8")
_SHOWN = 200  # characters of a message that can be pages long


class ConversionError(RuntimeError):
    """A model that cannot be read, or that TFLite's built-in operators cannot express."""


def load(path: Path) -> keras.Model:
    """Loads a trained model to convert.

    Raises:
        ConversionError: if there is none, or Keras cannot read it.
    """
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever its parts raise on a damaged file
        raise ConversionError(f"{path}: {str(error).splitlines()[0]}") from error


def convert(model: keras.Model, variant: str) -> bytes:
    """Converts a model, with a dynamic batch and built-in operators only.

    TensorFlow's converter and tflite-runtime crash when they share a process; never import both.

    Args:
        model: from symbol ids, int32 (n, expression_length), to probabilities, float32
            (n, answer_length, 16).
        variant: `float32`; `float16`, weights stored in half precision; `int8`, weights stored in
            8 bits with one scale a tensor, activations in float (dynamic range).

    Returns:
        A TFLite flatbuffer.

    Raises:
        ConversionError: if an operator would be needed that TFLite does not have built in.
    """
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    # One scale for each channel would need version 12 of FULLY_CONNECTED; tflite-runtime 2.14,
    # the last there is for 32-bit Raspberry Pi OS, knows version 11. TensorFlow has no public
    # switch for it.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    try:
        # The converter prints the signature of the model it saves on the way.
        with quiet(), contextlib.redirect_stdout(io.StringIO()):
            return converter.convert()
    except Exception as error:  # the converter raises several types, none of its own
        raise ConversionError(
            f"{variant}: TFLite cannot express the network: {shorten(str(error), _SHOWN)}"
        ) from error
