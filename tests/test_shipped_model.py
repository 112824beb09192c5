"""The model in the package: its answers, and whether its card is that of the preset `release`."""

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

import presets
from model.networks import NETWORKS
from model.settings import Training
from pipeline.settings import CorpusPlan, CorpusSettings
from tasks.splits import HELD_OUT, Splits, permute
from tasks.task import Task, task_of

ROOT = Path(__file__).parents[1]
DRAWN = 300_000
ASKED = 25_000  # of those held out, and of all there are


@pytest.fixture(scope="module")
def calculator() -> Calculator:
    return Calculator()


@pytest.fixture(scope="module")
def task(calculator: Calculator) -> Task[Any]:
    return task_of(calculator.spec.to_dict())


def chosen(calculator: Calculator, task: Task[Any], held_out: bool) -> np.ndarray:
    """Indices of expressions in a random order."""
    indices = permute(np.arange(DRAWN), task.size, seed=1)
    if held_out:
        splits = Splits(**calculator.card["corpus"]["splits"])
        indices = indices[splits.of(task.examples(indices)) == HELD_OUT]
    assert len(indices) >= ASKED
    return indices[:ASKED]


@pytest.mark.parametrize("held_out", [True, False])
def test_it_is_exact(calculator: Calculator, task: Task[Any], held_out: bool):
    spec = task.spec
    examples = task.examples(chosen(calculator, task, held_out))
    asked = np.bincount(examples.groups(), minlength=len(spec.groups))
    assert asked.min() > ASKED / len(spec.groups) * 0.9  # as many of each group
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


def settings(cls: type, table: str) -> Any:
    """A table of the preset `release`."""
    arguments = argparse.Namespace(preset="release")
    return presets.settings(cls, table, arguments)


def test_it_is_of_the_task_and_the_corpus_of_release(calculator: Calculator, task: Task[Any]):
    card = calculator.card
    assert card["preset"] == "release"
    assert calculator.spec == settings(type(task.spec), "spec")
    corpus, splits = settings(CorpusSettings, "corpus"), settings(Splits, "splits")
    assert card["corpus"]["seed"] == corpus.seed
    assert card["corpus"]["examples"] == CorpusPlan(task, splits, corpus).examples
    assert card["corpus"]["splits"] == splits.to_dict()


def test_it_was_trained_as_release_says(calculator: Calculator):
    card, training = calculator.card, settings(Training, "training")
    said = {name: card["training"].get(name) for name in asdict(training)}
    assert said | {"network": card["network"]} == asdict(training)
    sizes = settings(NETWORKS[training.network], training.network)
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


@pytest.mark.slow
def test_it_is_exact_on_every_expression_there_is(calculator: Calculator, tmp_path: Path):
    (model,) = ROOT.glob("runtime/edgecalc/models/*.tflite")
    counted = tmp_path / "counted.json"
    command = [sys.executable, "-m", "export.verify", str(model), "--out", str(counted)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    report = json.loads(counted.read_text())
    assert report["misses"] == []
    assert report["exhaustive"] == calculator.card["accuracy"]["exhaustive"]
