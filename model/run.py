"""One training in one folder, from its beginning or from its last checkpoint."""

from __future__ import annotations

import csv
import os
import platform
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from model import code, folder
from model.answer import answerer
from model.callbacks import ExactMatch, ProgressLine, StopOnInterrupt
from model.dataset import Corpus, evaluation_batches, training_batches
from model.networks.network import Built, Network
from model.settings import Training

_EVALUATION_BATCH = 4096
_FINAL_RATE = 0.01  # of the peak rate, where the cosine ends
# What a record says of a training that must not change on the way.
_SETTINGS = ("preset", "training", "network", "corpus")
# What may: a training that has not come as far can be made longer.
_MAY_GROW = "training.steps"


class ResumeError(ValueError):
    """A folder that holds another training, or a damaged one; the message says what differs."""


def compiled(model: keras.Model, losses: dict[str, Any], training: Training) -> keras.Model:
    """Gives a training model its optimizer, with the schedule of the rate, and its losses."""
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        training.steps - training.warmup_steps,
        alpha=_FINAL_RATE,
        warmup_target=training.learning_rate,
        warmup_steps=training.warmup_steps,
    )
    optimizer = _optimizer(training, rate)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, losses, jit_compile=True)
    return model


def _optimizer(training: Training, rate: Any) -> keras.optimizers.Optimizer:
    if training.optimizer == "adamw":
        return keras.optimizers.AdamW(
            rate,
            weight_decay=training.weight_decay,
            beta_2=training.beta_2,
            global_clipnorm=training.clip_norm,
        )
    # Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, with updates
    # as large as Adam's (Liu et al., "Muon is Scalable for LLM Training", 2025), so that rate and
    # decay serve both. Keras leaves matrices with `embedding` in their names to AdamW.
    return keras.optimizers.Muon(
        rate,
        weight_decay=training.weight_decay,
        adam_weight_decay=training.weight_decay,
        adam_beta_2=training.beta_2,
        global_clipnorm=training.clip_norm,
    )


class Run:
    """One training in one folder.

    Args:
        path: the folder.
        corpus: what it learns from.
        preset: the name under which its settings are known.
        training: how it is trained.
        network: what is trained.

    Raises:
        ValueError: if the network is not made for the task, or groups to begin with are unknown.
    """

    def __init__(
        self, path: Path, corpus: Corpus, preset: str, training: Training, network: Network
    ) -> None:
        self._path = path
        self._corpus = corpus
        self._training = training
        self._network = network
        self._teach = network.teach(corpus.task)
        self._first_groups = training.first_groups.split()
        if unknown := set(self._first_groups) - set(corpus.task.spec.groups):
            known = " ".join(corpus.task.spec.groups)
            raise ValueError(f"first_groups: no {' '.join(sorted(unknown))} among {known}")
        self._record: dict[str, Any] = {
            "preset": preset,
            "training": asdict(training),
            "network": asdict(network),  # type: ignore[call-overload]  # networks are dataclasses
            "corpus": {
                key: corpus.manifest[key]
                for key in ("sha256", "spec", "splits", "seed", "examples")
            },
            "code": code.digests(corpus.task),
        }

    def resume(self) -> Built | None:
        """The network at the last checkpoint in the folder; None if none was written yet.

        Raises:
            ResumeError: if the folder holds a training with other settings, or a damaged one.
        """
        if not (self._path / folder.TRAINING).exists():
            return None
        try:
            record = folder.read_json(self._path / folder.TRAINING)
            self._check_settings(record)
            if self.changed_code(record) or not (self._path / folder.CHECKPOINT).exists():
                return None
            built = self._fresh()
            built.training_model.load_weights(self._path / folder.CHECKPOINT)
        except (folder.TrainedModelError, KeyError, TypeError, OSError, ValueError) as error:
            if isinstance(error, ResumeError):
                raise
            raise ResumeError(f"{self._path} cannot be resumed: {error}") from error
        self._record = {**record, **{key: self._record[key] for key in _SETTINGS}}
        # The checkpoint is written before the record, so it knows better.
        self._record["steps"] = int(built.training_model.optimizer.iterations)
        self._record["completed"] &= self._record["steps"] == self._training.steps
        for layer in built.training_model.layers:  # Keras does not save the state of what drops out
            if isinstance(layer, keras.layers.Dropout) and layer.rate:
                seed, _ = layer.seed_generator.state.numpy()
                layer.seed_generator.state.assign([seed, self._record["steps"]])
        return built

    def changed_code(self, record: Mapping[str, Any] | None = None) -> list[str]:
        """The files that differ from those which the folder's training was made with."""
        if record is None:
            if not (self._path / folder.TRAINING).exists():
                return []
            record = folder.read_json(self._path / folder.TRAINING)
        before, now = record.get("code", {}), self._record["code"]
        return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))

    def _check_settings(self, record: Mapping[str, Any]) -> None:
        before = dict(_flat({key: record.get(key) for key in _SETTINGS}))
        now = dict(_flat({key: self._record[key] for key in _SETTINGS}))
        differences = [
            f"{name} was {before.get(name)!r} and is {now.get(name)!r}"
            for name in {**before, **now}
            if before.get(name) != now.get(name)
            and not (name == _MAY_GROW and record["steps"] <= now[name])
        ]
        if differences:
            raise ResumeError(
                f"{self._path} holds a training with other settings: {'; '.join(differences)}"
            )

    def begin(self) -> Built:
        """The network at its beginning; what another run left is kept in a folder beside."""
        if any((self._path / name).exists() for name in (folder.CHECKPOINT, folder.MODEL)):
            shutil.rmtree(self.former, ignore_errors=True)
            os.replace(self._path, self.former)
        self._path.mkdir(parents=True, exist_ok=True)
        (self._path / folder.HISTORY).unlink(missing_ok=True)
        shutil.rmtree(self._path / folder.TENSORBOARD, ignore_errors=True)
        built = self._fresh()
        self._record |= {
            "parameters": built.model.count_params(),
            "versions": {
                "python": platform.python_version(),
                "tensorflow": tf.__version__,
                "keras": keras.__version__,
            },
            "steps": 0,
            "seconds": 0.0,
            "completed": False,
        }
        return built

    @property
    def former(self) -> Path:
        """Where `begin` keeps what it found in the folder."""
        return self._path.with_name(f"{self._path.name}.former")

    def _fresh(self) -> Built:
        keras.utils.set_random_seed(self._training.seed)
        built = self._network.build(self._corpus.task)
        compiled(built.training_model, self._network.losses(self._corpus.task), self._training)
        return built

    def train(self, built: Built) -> bool:
        """Trains to the end or to a Ctrl-C.

        Either way the folder holds the model of the recorded steps then; after a Ctrl-C in the
        first epoch there is none.

        Returns:
            Whether it came to the end.
        """
        training, path = self._training, self._path
        for name in (folder.MODEL, folder.EVALUATION):  # of an interrupted run, outdated from here
            (path / name).unlink(missing_ok=True)
        self._record["completed"] = False
        folder.write_json(path / folder.TRAINING, self._record)
        validation = evaluation_batches(self._corpus, "validation", _EVALUATION_BATCH)
        exact_match = ExactMatch(
            self._corpus.task.spec.groups,
            answerer(built.model),
            validation.unbatch().take(training.validation_examples).batch(_EVALUATION_BATCH),
        )
        # A kill can come between the last checkpoint and the end.
        completed = self._record["steps"] == training.steps or self._fit(built, exact_match)
        if not completed:
            if not (path / folder.CHECKPOINT).exists():
                return False
            # The weights are some steps ahead of the record, and the next run begins at this.
            built.training_model.load_weights(path / folder.CHECKPOINT)
        self._record["validation"] = exact_match.count().to_dict()
        folder.save_keras(built.model, path / folder.MODEL)
        self._record["completed"] = completed
        folder.write_json(path / folder.TRAINING, self._record)
        return completed

    def _fit(self, built: Built, exact_match: ExactMatch) -> bool:
        """Trains from the recorded steps on; returns whether it came to the end."""
        training, path, record = self._training, self._path, self._record
        first_epoch = record["steps"] // training.epoch_steps
        seconds_before, begun = record["seconds"], time.monotonic()
        interrupt = StopOnInterrupt()

        def checkpoint(epoch: int, logs: dict[str, Any] | None) -> None:
            if interrupt.interrupted:  # in the middle of this epoch
                return
            folder.save_checkpoint(built.training_model, path / folder.CHECKPOINT)
            record["steps"] = (epoch + 1) * training.epoch_steps
            record["seconds"] = round(seconds_before + time.monotonic() - begun, 1)
            folder.write_json(path / folder.TRAINING, record)

        _keep_history(path / folder.HISTORY, first_epoch)
        built.training_model.fit(
            training_batches(
                self._corpus,
                self._teach,
                training.batch_size,
                training.seed,
                record["steps"],
                self._first_groups,
                training.first_group_steps,
            ),
            initial_epoch=first_epoch,
            epochs=training.steps // training.epoch_steps,
            steps_per_epoch=training.epoch_steps,
            shuffle=False,  # the stream is shuffled already
            verbose=0,
            callbacks=[
                interrupt,
                exact_match,
                ProgressLine(exact_match, training.batch_size),
                keras.callbacks.CSVLogger(path / folder.HISTORY, append=True),
                keras.callbacks.TensorBoard(path / folder.TENSORBOARD, write_graph=False),
                keras.callbacks.LambdaCallback(on_epoch_end=checkpoint),
            ],
        )
        return not interrupt.interrupted

    @property
    def completed(self) -> bool:
        """Whether this training has already come to its end."""
        return self._record["completed"] and (self._path / folder.MODEL).exists()

    def __str__(self) -> str:
        minutes = self._record["seconds"] / 60
        return f"{self._record['steps']} steps in {minutes:.1f} minutes, in {self._path}"


def _flat(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """The values in nested objects, by names such as `training.steps`."""
    found: list[tuple[str, Any]] = []
    for key, value in content.items():
        name = f"{prefix}{key}"
        found += _flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, value)]
    return found


def _keep_history(path: Path, epochs: int) -> None:
    """Takes out the epochs that a run logged after its last checkpoint, and lines cut short."""
    if not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    kept = [
        row for row in rows if len(row) == len(header) and row[0].isdigit() and int(row[0]) < epochs
    ]
    partial = path.with_name(f"partial-{path.name}")
    with partial.open("w", newline="", encoding="utf-8") as file:
        if kept:  # or Keras writes the header anew
            csv.writer(file, lineterminator="\n").writerows([header, *kept])
    os.replace(partial, path)
