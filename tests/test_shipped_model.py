"""The models in the package: their answers, and whether a card is that of the preset it names."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edgecalc import Calculator
from edgecalc.language.codec import decode, encode_symbols
from edgecalc.network.model_file import DEFAULT_MODEL, packaged_models

import presets
from model.networks import NETWORKS
from model.settings import Training
from pipeline.settings import CorpusPlan, CorpusSettings
from tasks.splits import HELD_OUT, Splits, permute
from tasks.task import Task, task_of

ROOT = Path(__file__).parents[1]
DRAWN = 300_000
# By preset, how many of those held out, and of all there are: what takes some seconds.
ASKED = {"release": 25_000}


@pytest.fixture(scope="module", params=packaged_models())
def preset(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def calculator(preset: str) -> Calculator:
    return Calculator(preset)


@pytest.fixture(scope="module")
def task(calculator: Calculator) -> Task[Any]:
    return task_of(calculator.spec.to_dict())


def chosen(calculator: Calculator, task: Task[Any], held_out: bool) -> np.ndarray:
    """Indices of expressions in a random order."""
    indices = permute(np.arange(DRAWN), task.size, seed=1)
    if held_out:
        splits = Splits(**calculator.card["corpus"]["splits"])
        indices = indices[splits.of(task.examples(indices)) == HELD_OUT]
    asked = ASKED[calculator.card["preset"]]
    assert len(indices) >= asked
    return indices[:asked]


@pytest.mark.parametrize("held_out", [True, False])
def test_it_is_exact(calculator: Calculator, task: Task[Any], held_out: bool):
    spec = task.spec
    indices = chosen(calculator, task, held_out)
    examples = task.examples(indices)
    asked = np.bincount(examples.groups(), minlength=len(spec.groups))
    assert asked.min() > len(indices) / len(spec.groups) * 0.9  # as many of each group
    expressions, answers = (
        decode(encode_symbols(symbols, spec), spec)
        for symbols in (examples.expressions(), examples.answers())
    )
    given = calculator.answers(expressions)
    wrong = [
        f"{answer.expression}={answer.written}"
        for answer, true in zip(given, answers, strict=True)
        if answer.written != true
    ]
    assert wrong == []


def settings(preset: str, cls: type, table: str) -> Any:
    """A table of a preset."""
    return presets.settings(cls, table, argparse.Namespace(preset=preset))


def test_it_is_of_the_task_and_the_corpus_of_its_preset(
    preset: str, calculator: Calculator, task: Task[Any]
):
    card = calculator.card
    assert card["preset"] == preset
    assert calculator.spec == settings(preset, type(task.spec), "spec")
    corpus, splits = settings(preset, CorpusSettings, "corpus"), settings(preset, Splits, "splits")
    assert card["corpus"]["seed"] == corpus.seed
    assert card["corpus"]["examples"] == CorpusPlan(task, splits, corpus).examples
    assert card["corpus"]["splits"] == splits.to_dict()


def test_it_was_trained_as_its_preset_says(preset: str, calculator: Calculator):
    card, training = calculator.card, settings(preset, Training, "training")
    # What was no setting when a model was trained was what is the default now.
    said = {name: card["training"].get(name, now) for name, now in asdict(Training()).items()}
    assert said | {"network": card["network"]} == asdict(training)
    sizes = settings(preset, NETWORKS[training.network], training.network)
    assert card["training"]["sizes"] == asdict(sizes)
    assert card["training"]["completed"] is True
    assert card["variant"] == "int8"


def test_its_card_counts_every_expression_there_is_and_no_miss(
    calculator: Calculator, task: Task[Any]
):
    accuracy = calculator.card["accuracy"]
    for counts in (accuracy["held_out"], accuracy["exhaustive"]):
        assert list(counts) == list(task.spec.groups)
        assert all(count["exact"] == count["of"] for count in counts.values())
    assert sum(count["of"] for count in accuracy["exhaustive"].values()) == task.size


def test_every_packaged_model_is_known_here():
    assert set(ASKED) == set(packaged_models())


@pytest.mark.slow
def test_the_default_is_exact_on_every_expression_there_is(tmp_path: Path):
    """The others are slower; whoever exports one counts it."""
    counted = tmp_path / "counted.json"
    command = [sys.executable, "-m", "export.verify", str(packaged_models()[DEFAULT_MODEL])]
    subprocess.run([*command, "--out", str(counted)], cwd=ROOT, check=True, capture_output=True)
    report = json.loads(counted.read_text())
    assert report["misses"] == []
    assert report["exhaustive"] == Calculator().card["accuracy"]["exhaustive"]
