"""`python -m model.train`: trains a network on a corpus, resumes where a killed run was."""

from __future__ import annotations

import argparse
import csv
import platform
import shutil
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

import presets
from model import files
from model.answer import answerer
from model.callbacks import EpochEnd, ExactMatch, ProgressLine, StopOnInterrupt
from model.dataset import Corpus, CorpusError, evaluation_batches, open_corpus, training_batches
from model.network import Built, Network
from model.networks import NETWORKS

_EVALUATION_BATCH = 4096
_FINAL_RATE = 0.01  # of the peak rate, where the cosine ends


@dataclass(frozen=True)
class Training:
    """How a network is trained: AdamW, a linear warm-up, then a cosine down to 1% of the peak.

    Raises:
        ValueError: if a field is out of range; the message names it.
    """

    network: str = field(default="seq2seq", metadata={"help": f"one of {', '.join(NETWORKS)}"})
    seed: int = field(default=1, metadata={"help": "of the weights and of the order of examples"})
    steps: int = field(default=40_000, metadata={"help": "batches to train on, all in all"})
    epoch_steps: int = field(
        default=1_000, metadata={"help": "steps between validations and checkpoints"}
    )
    batch_size: int = field(default=512, metadata={"help": "expressions in a batch"})
    learning_rate: float = field(default=3e-3, metadata={"help": "the peak rate"})
    warmup_steps: int = field(default=300, metadata={"help": "steps up to the peak rate"})
    weight_decay: float = field(default=1e-4, metadata={"help": "of AdamW"})
    clip_norm: float = field(default=1.0, metadata={"help": "largest norm of a gradient"})
    validation_examples: int = field(
        default=20_000, metadata={"help": "expressions of the validation split to validate on"}
    )

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise ValueError(f"no network {self.network!r}; there are {', '.join(NETWORKS)}")
        for name in ("steps", "epoch_steps", "batch_size", "validation_examples"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1: {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0: {getattr(self, name)}")
        if self.steps % self.epoch_steps:
            raise ValueError(
                f"steps {self.steps} are no multiple of epoch_steps {self.epoch_steps}"
            )
        if not 0 <= self.warmup_steps < self.steps:
            raise ValueError(f"warmup_steps {self.warmup_steps} must be fewer than steps")


def compiled(lesson: keras.Model, losses: dict[str, Any], training: Training) -> keras.Model:
    """Gives a lesson its optimizer, with the schedule of the rate, and its losses."""
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        training.steps - training.warmup_steps,
        alpha=_FINAL_RATE,
        warmup_target=training.learning_rate,
        warmup_steps=training.warmup_steps,
    )
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=training.weight_decay, global_clipnorm=training.clip_norm
    )
    optimizer.build(lesson.trainable_variables)
    lesson.compile(optimizer, losses, jit_compile=True)
    return lesson


class Run:
    """One training in one folder, from its beginning or from its last checkpoint."""

    def __init__(
        self, folder: Path, corpus: Corpus, preset: str, training: Training, network: Network
    ) -> None:
        self._folder = folder
        self._corpus = corpus
        self._training = training
        self._network = network
        self._record: dict[str, Any] = {
            "preset": preset,
            "training": asdict(training),
            "network": asdict(network),
            "corpus": {
                key: corpus.manifest[key]
                for key in ("sha256", "spec", "splits", "seed", "examples")
            },
        }

    def resume(self) -> Built | None:
        """The network at its last checkpoint, if there is one of a training with these settings."""
        try:
            record = files.read_json(self._folder / files.TRAINING)
            if any(record.get(key) != value for key, value in self._record.items()):
                return None
            built = self._fresh()
            built.lesson.load_weights(self._folder / files.CHECKPOINT)
        except (files.TrainedModelError, ValueError, OSError):
            return None
        self._record = record
        # The checkpoint is written before the record, so it knows better.
        self._record["steps"] = int(built.lesson.optimizer.iterations)
        for layer in built.lesson.layers:  # Keras does not save the state of what drops out
            if isinstance(layer, keras.layers.Dropout) and layer.rate:
                seed, _ = layer.seed_generator.state.numpy()
                layer.seed_generator.state.assign([seed, self._record["steps"]])
        return built

    def begin(self) -> Built:
        """The network at its beginning; what another run left in the folder is removed."""
        for name in (files.CHECKPOINT, files.HISTORY):
            (self._folder / name).unlink(missing_ok=True)
        shutil.rmtree(self._folder / files.TENSORBOARD, ignore_errors=True)
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

    def _fresh(self) -> Built:
        keras.utils.set_random_seed(self._training.seed)
        built = self._network.build(self._corpus.spec)
        compiled(built.lesson, self._network.losses(self._corpus.spec), self._training)
        return built

    def train(self, built: Built) -> bool:
        """Trains to the end or to a Ctrl-C; either way the folder holds a usable model then.

        Returns:
            Whether it came to the end.
        """
        training, folder = self._training, self._folder
        first_epoch = self._record["steps"] // training.epoch_steps
        seconds_before, begun = self._record["seconds"], time.monotonic()

        def checkpoint(epoch: int) -> None:
            files.save_checkpoint(built.lesson, folder / files.CHECKPOINT)
            self._record["steps"] = epoch * training.epoch_steps
            self._record["seconds"] = round(seconds_before + time.monotonic() - begun, 1)
            files.write_json(folder / files.TRAINING, self._record)

        for name in (files.MODEL, files.EVALUATION):  # of an interrupted run, outdated from here on
            (folder / name).unlink(missing_ok=True)
        files.write_json(folder / files.TRAINING, self._record)
        _keep_history(folder / files.HISTORY, first_epoch)
        validation = evaluation_batches(self._corpus, "validation", _EVALUATION_BATCH)
        exact_match = ExactMatch(
            self._corpus.spec,
            answerer(built.model),
            validation.unbatch().take(training.validation_examples).batch(_EVALUATION_BATCH),
        )
        interrupt = StopOnInterrupt()
        examples = self._network.examples(self._corpus.spec)
        built.lesson.fit(
            training_batches(
                self._corpus, examples, training.batch_size, training.seed, self._record["steps"]
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
                keras.callbacks.CSVLogger(folder / files.HISTORY, append=True),
                keras.callbacks.TensorBoard(folder / files.TENSORBOARD, write_graph=False),
                EpochEnd(lambda epoch: interrupt.interrupted or checkpoint(epoch)),
            ],
        )
        files.save_keras(built.model, folder / files.MODEL)
        self._record["completed"] = not interrupt.interrupted
        self._record["validation"] = exact_match.score.to_dict()
        files.write_json(folder / files.TRAINING, self._record)
        return self._record["completed"]

    @property
    def completed(self) -> bool:
        """Whether this training has already come to its end."""
        return self._record["completed"] and (self._folder / files.MODEL).exists()

    def __str__(self) -> str:
        minutes = self._record["seconds"] / 60
        return f"{self._record['steps']} steps in {minutes:.1f} minutes, in {self._folder}"


def _keep_history(path: Path, epochs: int) -> None:
    """Takes out the epochs that a killed run logged after its last checkpoint."""
    if not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    kept = rows[:1] + [row for row in rows[1:] if int(row[0]) < epochs]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(kept)


def _parse(argv: list[str] | None) -> tuple[argparse.Namespace, Training, Any]:
    """Reads the flags; those of a network are known once the network is."""
    parser = argparse.ArgumentParser(
        "python -m model.train",
        description="Trains a network on a corpus; resumes where a killed run was.",
        allow_abbrev=False,
    )
    parser.add_argument("--corpus", type=Path, default=Path("build/corpus"), metavar="DIR")
    parser.add_argument("--out", type=Path, default=Path("build/model"), metavar="DIR")
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on from the checkpoint, if the settings are the same (%(default)s)",
    )
    choice = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    choice.add_argument("--preset", default=presets.DEFAULT)
    choice.add_argument("--network", default=argparse.SUPPRESS)
    chosen, _ = choice.parse_known_args(argv)
    try:
        table = presets.load(chosen.preset).get("training", {})
        network = getattr(chosen, "network", table.get("network", Training.network))
        Training(network=network)  # refuses a name that is none
        presets.add_flags(parser, Training, NETWORKS[network])
        arguments = parser.parse_args(argv)
        training = presets.settings(Training, "training", arguments)
        sizes = presets.settings(NETWORKS[training.network], training.network, arguments)
    except ValueError as error:
        parser.error(str(error))
    return arguments, training, sizes


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    arguments, training, network = _parse(argv)
    try:
        corpus = open_corpus(arguments.corpus)
        arguments.out.mkdir(parents=True, exist_ok=True)
        run = Run(arguments.out, corpus, arguments.preset, training, network)
        built = run.resume() if arguments.resume else None
        if built is None:
            print(f"training {training.network} from the beginning", file=sys.stderr)
            built = run.begin()
        elif run.completed:
            print(f"already trained with these settings: {run}", file=sys.stderr)
            return 0
        else:
            print(f"going on after {run}", file=sys.stderr)
        completed = run.train(built)
    except KeyboardInterrupt:
        print("\ninterrupted; run again to go on from the last checkpoint", file=sys.stderr)
        return 130
    except (CorpusError, OSError) as error:
        print(f"python -m model.train: error: {error}", file=sys.stderr)
        return 1
    if not completed:
        print(
            f"\ninterrupted after {run}: the model is usable; run again to go on", file=sys.stderr
        )
        return 130
    print(f"trained: {run}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
