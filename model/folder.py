"""What a folder with a trained model holds, and how it is read and written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import keras

import model.networks  # noqa: F401  # Keras knows their layers once they are imported

MODEL = "model.keras"
CHECKPOINT = "checkpoint.weights.h5"
TRAINING = "training.json"
EVALUATION = "evaluation.json"
HISTORY = "history.csv"
TENSORBOARD = "tensorboard"


class TrainedModelError(ValueError):
    """A folder without a usable trained model; the message names the file."""


def save_keras(model: keras.Model, path: Path) -> None:
    """Saves a model; under its name there is never half a file."""
    partial = path.with_name(f"partial-{path.name}")
    model.save(partial)
    os.replace(partial, path)


def save_checkpoint(training_model: keras.Model, path: Path) -> None:
    """Saves the weights of a training model and its optimizer; never half a file by its name."""
    partial = path.with_name(f"partial-{path.name}")
    training_model.save_weights(partial)
    os.replace(partial, path)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes JSON; under its name there is never half a file."""
    partial = path.with_name(f"partial-{path.name}")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, path)


def read_json(path: Path) -> dict[str, Any]:
    """Reads JSON that `write_json` wrote.

    Raises:
        TrainedModelError: if it is missing or no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TrainedModelError(f"{path}: no such file; `make train` writes it") from error
    except (OSError, ValueError) as error:
        raise TrainedModelError(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise TrainedModelError(f"{path}: not a JSON object")
    return content


def load_keras(folder: Path) -> keras.Model:
    """Loads the trained model of a folder, to predict with, not to train on.

    Raises:
        TrainedModelError: if there is none, or Keras cannot read it.
    """
    path = folder / MODEL
    if not path.exists() and (folder / CHECKPOINT).exists():
        raise TrainedModelError(f"{path}: training was not finished; `make train` goes on with it")
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever its parts raise on a damaged file
        raise TrainedModelError(f"{path}: {str(error).splitlines()[0]}") from error
