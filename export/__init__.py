"""From a trained Keras model to self-describing TFLite files."""
