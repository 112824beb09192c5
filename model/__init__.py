"""Training and evaluation: tf.data feeds a Keras network that is judged by exact match."""

import os

from edgecalc.network.native_output import slow_import

# TensorFlow greets every start with lines about absent accelerators, the failed look-up of one
# among the errors. Exceptions still say what goes wrong; set the variable to 0 to see it all.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with slow_import():
    import tensorflow  # noqa: F401
