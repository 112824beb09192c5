"""The decoder: taught all at once, run symbol by symbol, with nothing of a task in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.language.codec import encode_symbols

from model.networks.network import Built
from model.networks.transformer import Transformer
from model.run import compiled
from model.settings import Training
from tasks.calculator.task import CalculatorTask
from tasks.task import SEQUENCE
from tests.test_own_task import ReversedSpec, ReversedTask

SMALL = Transformer(width=16, heads=2, head_width=8, blocks=2, units=24)
CALCULATOR = CalculatorTask(CalculatorSpec(digits=1, places=1))
WORDS = ReversedTask(ReversedSpec())
TASKS = pytest.mark.parametrize("task", [CALCULATOR, WORDS], ids=["calculator", "words"])


@pytest.fixture(scope="module")
def built() -> dict[str, Built]:
    keras.utils.set_random_seed(1)
    return {task.spec.task: SMALL.build(task) for task in (CALCULATOR, WORDS)}


def features(task: Any, count: int = 50) -> dict[str, tf.Tensor]:
    examples = task.examples(np.arange(0, task.size, task.size // count))
    found = {
        "expression": encode_symbols(examples.expressions(), task.spec),
        "answer": encode_symbols(examples.answers(), task.spec),
        **examples.working(),
    }
    return {name: tf.cast(values, tf.int32) for name, values in found.items()}


@TASKS
def test_what_it_writes_is_what_it_would_be_taught_to(built: dict[str, Built], task: Any):
    """The same probabilities symbol by symbol as over the whole text that it wrote."""
    network, spec = built[task.spec.task], task.spec
    expression = features(task)["expression"]
    outputs = network.model(expression)
    names = [name for name in (SEQUENCE, "answer") if name in outputs]
    written = [tf.argmax(outputs[name], axis=-1, output_type=tf.int32) for name in names]
    text = tf.concat([expression, *written], axis=1)
    logits = network.training_model(text[:, :-1])["written"]
    assert logits.shape[1] == text.shape[1] - spec.expression_length
    answers = tf.nn.softmax(logits[:, -spec.answer_length :, : len(spec.symbols)]).numpy()
    if SEQUENCE in outputs:
        working = tf.nn.softmax(logits[:, : -spec.answer_length]).numpy()
        np.testing.assert_allclose(outputs[SEQUENCE], working, atol=1e-5)
        drawn = working[:, :, task.drawn_symbols].sum(axis=-1)
        sure = np.maximum(working.max(axis=-1), drawn).prod(axis=1) ** (1 / spec.answer_length)
        answers = sure[:, None, None] * answers + (1 - sure[:, None, None]) / len(spec.symbols)
    np.testing.assert_allclose(outputs["answer"], answers, atol=1e-5)


@TASKS
def test_no_symbol_sees_those_behind_it(built: dict[str, Built], task: Any):
    network, spec = built[task.spec.task], task.spec
    text, _ = SMALL.teach(task)(features(task))
    before = network.training_model(text)["written"].numpy()
    for place in range(spec.expression_length, text.shape[1]):
        changed = text.numpy()
        changed[:, place] = (changed[:, place] + 1) % len(task.sequence_symbols)
        after = network.training_model(changed)["written"].numpy()
        seen = place - spec.expression_length + 1
        np.testing.assert_allclose(after[:, :seen], before[:, :seen], atol=1e-5)
        assert not np.allclose(after[:, seen], before[:, seen])


def test_it_is_taught_the_working_and_then_the_answer():
    given = features(CALCULATOR)
    text, targets = SMALL.teach(CALCULATOR)(given)
    expected = tf.concat([given["expression"], given[SEQUENCE], given["answer"]], axis=1)
    np.testing.assert_array_equal(text, expected[:, :-1])
    length = CALCULATOR.spec.expression_length
    np.testing.assert_array_equal(targets["written"], expected[:, length:])
    assert set(SMALL.losses(CALCULATOR)) == set(targets)


def test_of_a_task_without_a_working_it_writes_the_answer_alone(built: dict[str, Built]):
    given = features(WORDS)
    text, targets = SMALL.teach(WORDS)(given)
    np.testing.assert_array_equal(targets["written"], given["answer"])
    assert text.shape[1] == WORDS.spec.expression_length + WORDS.spec.answer_length - 1
    assert set(built["reversed"].model(given["expression"])) == {"answer"}


@TASKS
def test_it_is_saved_and_read(built: dict[str, Built], task: Any, tmp_path: Path):
    network = built[task.spec.task]
    network.model.save(tmp_path / "model.keras")
    read = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    expression = features(task)["expression"]
    for name, values in network.model(expression).items():
        np.testing.assert_array_equal(read(expression)[name], values)
    assert read.count_params() == network.model.count_params()


def test_both_models_share_their_weights(built: dict[str, Built]):
    network = built["calculator"]
    assert network.model.count_params() == network.training_model.count_params()
    ours = {id(variable) for variable in network.model.variables}
    assert ours == {id(variable) for variable in network.training_model.variables}


@pytest.mark.parametrize("name", ["width", "heads", "head_width", "blocks", "units"])
def test_sizes_that_cannot_be_are_named(name: str):
    with pytest.raises(ValueError, match=f"{name} must be at least 1: 0"):
        Transformer(**{name: 0})


def test_muon_is_for_the_matrices_of_the_blocks():
    training = Training(network="transformer", optimizer="muon")
    model = compiled(SMALL.build(WORDS).training_model, SMALL.losses(WORDS), training)
    by_muon = {
        weight.path
        for weight, velocity in zip(
            model.trainable_variables, model.optimizer.adam_velocities, strict=True
        )
        if velocity is None
    }
    matrices = ("query", "key", "value", "out", "rise", "fall")
    assert by_muon == {f"decoder/block_{block}/{name}" for block in (0, 1) for name in matrices}
