"""A calculator that is a neural network."""
