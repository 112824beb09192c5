"""The network on a device: the model file, and the interpreters that run it."""
