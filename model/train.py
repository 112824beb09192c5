"""`python -m model.train`: trains a network on a corpus, resumes where a killed run was."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import presets
from model.dataset import CorpusError, open_corpus
from model.folder import TrainedModelError
from model.networks import NETWORKS
from model.run import ResumeError, Run
from model.settings import Training


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser, arguments, training, network = _parse(argv)
    try:
        corpus = open_corpus(arguments.corpus)
        arguments.out.mkdir(parents=True, exist_ok=True)
        preset = presets.folder(arguments.preset, "model").parent.name
        run = Run(arguments.out, corpus, preset, training, network)
        built = run.resume() if arguments.resume else None
        if built is None:
            _announce(run, training)
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
    except ResumeError as error:
        print(
            f"{parser.prog}: error: {error}; --no-resume begins anew and keeps it beside",
            file=sys.stderr,
        )
        return 1
    except (CorpusError, TrainedModelError, ValueError, OSError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 1
    if not completed:
        print(f"\ninterrupted after {run}; run again to go on", file=sys.stderr)
        return 130
    print(f"trained: {run}", file=sys.stderr)
    return 0


def _announce(run: Run, training: Training) -> None:
    print(f"training {training.network} from the beginning", file=sys.stderr)
    if changed := run.changed_code():
        print(
            f"{', '.join(changed)} changed since the last training, which is kept in {run.former}",
            file=sys.stderr,
        )


def _parse(
    argv: list[str] | None,
) -> tuple[argparse.ArgumentParser, argparse.Namespace, Training, Any]:
    """Reads the flags; those of a network are known once the network is."""
    parser = argparse.ArgumentParser(
        "python -m model.train",
        description="Trains a network on a corpus; resumes where a killed run was.",
        allow_abbrev=False,
    )
    choice = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    choice.add_argument("--network", default=argparse.SUPPRESS)
    chosen, _ = choice.parse_known_args(argv)
    try:
        preset = presets.chosen(argv)
        table = presets.load(preset).get("training", {})
        network = getattr(chosen, "network", table.get("network", Training.network))
        Training(network=network)  # refuses a name that is none
        for flag, stage in (("--corpus", "corpus"), ("--out", "model")):
            default = presets.folder(preset, stage)
            parser.add_argument(
                flag, type=Path, default=default, metavar="DIR", help="(%(default)s)"
            )
        parser.add_argument(
            "--resume",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="go on from the checkpoint, if the settings are the same (%(default)s)",
        )
        presets.add_flags(parser, Training, NETWORKS[network])
        arguments = parser.parse_args(argv)
        training = presets.settings(Training, "training", arguments)
        sizes = presets.settings(NETWORKS[training.network], training.network, arguments)
    except ValueError as error:
        parser.error(str(error))
    return parser, arguments, training, sizes


if __name__ == "__main__":
    sys.exit(main())
