"""The project's own layers beside what they are a leaner form of."""

import keras
import numpy as np

from model.folder import load_keras
from model.networks.columns.layers import ListLSTM, Mixture

N, STEPS, WIDTH, UNITS = 3, 4, 5, 2


def test_the_lstm_is_that_of_keras():
    x = np.random.default_rng(1).normal(size=(N, STEPS, WIDTH)).astype(np.float32)
    theirs = keras.layers.LSTM(UNITS, return_sequences=True)
    expected = theirs(x)
    kernel, recurrent, bias = (weights.numpy() for weights in theirs.weights)
    ours = ListLSTM(UNITS)
    steps = [[x[:, step, :2], x[:, step, 2:]] for step in range(STEPS)]  # a step comes in parts
    ours(steps)
    # Both begin with open forget gates, at every step.
    np.testing.assert_array_equal(ours.bias.numpy().reshape(STEPS, -1), np.tile(bias, (STEPS, 1)))
    ours.set_weights([kernel, recurrent, ours.bias.numpy()])
    np.testing.assert_allclose(np.stack(ours(steps), axis=1), expected, atol=1e-6)


def test_each_step_has_a_bias_of_its_own():
    ours = ListLSTM(UNITS)
    steps = [[np.zeros((1, WIDTH), np.float32)]] * STEPS
    before = [state.numpy() for state in ours(steps)]
    bias = ours.bias.numpy()
    bias[2] += 1
    ours.bias.assign(bias)
    after = [state.numpy() for state in ours(steps)]
    changed = [not np.array_equal(*pair) for pair in zip(before, after, strict=True)]
    assert changed == [False, False, True, True]


def test_a_mixture_lies_between_two_rows():
    layer = Mixture(3, UNITS)
    one, other = np.array([0, 2]), np.array([1, 0])
    mixed = layer(one, other, np.array([[0.0], [0.25]], np.float32)).numpy()
    rows = layer.rows.numpy()
    np.testing.assert_allclose(mixed, [rows[0], 0.75 * rows[2] + 0.25 * rows[0]], atol=1e-6)


def test_a_saved_model_brings_their_sizes(tmp_path):
    x = keras.Input((WIDTH,))
    share = keras.Input((1,))
    state = ListLSTM(UNITS)([[x], [x]])[1]
    chosen = keras.Input((), dtype="int32")
    model = keras.Model([x, share, chosen], state + Mixture(7, UNITS)(chosen, chosen, share))
    model.save(tmp_path / "model.keras")
    loaded = load_keras(tmp_path)
    given = [np.ones((N, WIDTH)), np.ones((N, 1)), np.array([0, 3, 6])]
    np.testing.assert_array_equal(model(given), loaded(given))
