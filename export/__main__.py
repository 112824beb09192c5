"""`python -m export`: writes a trained model as TFLite files, each verified and self-describing."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from edgecalc import ModelError
from edgecalc.language.codec import decode
from edgecalc.language.counts import format_percentage
from edgecalc.network.model_file import append_metadata

import presets
from export.convert import SHIPS, VARIANTS, ConversionError, answer_alone, convert
from export.micro import MICRO, check_installed, describe
from model import folder
from model.folder import TrainedModelError
from tasks.exact_match import HELD_OUT_PART, blocks, count_exact, counted_examples
from tasks.splits import Splits
from tasks.task import task_of

TABLE = "table.txt"
# A folder of its own: what is not verified yet must not look like an exported model.
_UNVERIFIED = "unverified-{variant}"
_MINIMUM_RUNTIME = "0.2.0"
# Two symbols of which Keras gives nearly the same probability; which is the larger depends on the
# order in which floats are summed, so there neither of two implementations is wrong.
_TIE = 1e-4


class ExportError(RuntimeError):
    """An export that cannot be made or did not pass its verification."""


class Exporter:
    """Exports the trained model of one folder.

    Raises:
        ExportError: if the record of the training is not one.
        TrainedModelError: if the folder holds no record, or no model.
    """

    def __init__(self, path: Path, out: Path, held_out_only: bool) -> None:
        self._out = out
        self._held_out_only = held_out_only
        self._record = folder.read_json(path / folder.TRAINING)
        try:
            self._corpus = self._record["corpus"]
            self._task = task_of(self._corpus["spec"])
            self._splits = Splits(**self._corpus["splits"])
        except (KeyError, TypeError, ValueError) as error:
            raise ExportError(f"{path / folder.TRAINING}: {error!r}") from error
        self._model = folder.load_keras(path)
        self._answer = answer_alone(self._model)
        self.completed = bool(self._record["completed"])

    def export(self, variant: str) -> dict[str, Any]:
        """Converts, verifies, and only then writes a file under its final name.

        Returns:
            The card in the file, and beside it `bytes` of the file and its `rate`, expressions a
            second on one core. What `export.verify` found, with every miss, lies beside the file.

        Raises:
            ConversionError: if TFLite cannot express the network.
            ExportError: if float32 answers differ from Keras's.
        """
        name = f"edgecalc-{self._record['preset']}-{variant}"
        candidate = self._out / _UNVERIFIED.format(variant=variant) / f"{name}.tflite"
        candidate.parent.mkdir(parents=True, exist_ok=True)
        flatbuffer = convert(self._model, variant)
        unknown: dict[str, Any] = {"held_out": {}, "exhaustive": None, "confidence": []}
        candidate.write_bytes(
            append_metadata(flatbuffer, self._task.spec, self._card(name, variant, unknown))
        )
        counted, answers = self._verify(candidate, variant)
        if variant == "float32":
            self._compare(answers)
        accuracy = {key: counted[key] for key in unknown}
        card = self._card(name, variant, accuracy)
        if "micro" in counted:
            card["micro"] = counted["micro"]
        candidate.write_bytes(append_metadata(flatbuffer, self._task.spec, card))
        final = self._out / candidate.name
        os.replace(candidate.with_suffix(".json"), final.with_suffix(".json"))
        os.replace(candidate, final)
        shutil.rmtree(candidate.parent)
        rate = counted["expressions_per_second"]
        return {**card, "bytes": final.stat().st_size, "rate": rate}

    def finish(self, exported: list[dict[str, Any]]) -> str:
        """Returns the table of what was exported, and saves that of all variants for computers."""
        text = table(exported)
        if tuple(card["variant"] for card in exported) == VARIANTS:
            (self._out / TABLE).write_text(text, encoding="utf-8")
        return text

    def _card(self, name: str, variant: str, accuracy: dict[str, Any]) -> dict[str, Any]:
        training = self._record["training"]
        return {
            "name": name,
            "preset": self._record["preset"],
            "variant": variant,
            "network": training["network"],
            "parameters": self._record["parameters"],
            "minimum_runtime": _MINIMUM_RUNTIME,
            "accuracy": accuracy,
            "training": {
                **{key: value for key, value in training.items() if key != "network"},
                "sizes": self._record["network"],
                "steps": self._record["steps"],
                "completed": self._record["completed"],
                "seconds": self._record["seconds"],
                "versions": self._record["versions"],
            },
            "corpus": {key: value for key, value in self._corpus.items() if key != "spec"},
        }

    def _verify(self, candidate: Path, variant: str) -> tuple[dict[str, Any], np.ndarray]:
        """Runs `export.verify` in a process without TensorFlow, as a device would run the file.

        What ships is counted over all there is, the others over what was held out.
        """
        counts, answers = candidate.with_suffix(".json"), candidate.with_suffix(".npy")
        command = [sys.executable, "-m", "export.verify", str(candidate)]
        command += ["--out", str(counts), "--answers", str(answers)]
        command += ["--held-out-only"] * (self._held_out_only or variant != SHIPS)
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            raise ExportError(f"{candidate.name}: the verification did not come to its end")
        result = json.loads(counts.read_text(encoding="utf-8")), np.load(answers)
        answers.unlink()
        return result

    def _compare(self, answers: np.ndarray) -> None:
        """Compares the float32 file's answers to the held-out expressions with Keras's own."""
        compared = ties = 0

        def compare(expressions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            nonlocal compared, ties
            probabilities = self._answer.predict_on_batch(expressions)
            ours = answers[compared : compared + len(expressions)]
            compared += len(expressions)
            theirs = probabilities.argmax(axis=-1)
            rows, places = np.nonzero(ours != theirs)
            chosen = probabilities[rows, places, ours[rows, places]]
            wrong = rows[probabilities[rows, places].max(axis=-1) - chosen > _TIE]
            if len(wrong):
                text = decode(expressions[wrong[:1]], self._task.spec)[0]
                raise ExportError(f"float32: TFLite and Keras answer {text} differently")
            ties += len(set(rows))
            return theirs, probabilities.max(axis=-1).prod(axis=-1)

        for block in blocks(counted_examples(self._task, self._corpus["examples"])):
            seed = self._corpus["seed"]
            count_exact(self._task, self._splits, seed, block, compare, asked=HELD_OUT_PART)
        same = "all the same" if not ties else f"the same but for {ties:,} ties"
        print(f"float32 and Keras, {compared:,} held-out answers: {same}", file=sys.stderr)


def table(exported: list[dict[str, Any]]) -> str:
    """What was exported, a row for each variant: size, exact match by group, speed."""
    rows = [["variant", "bytes", "expressions/s", "counted"]]
    groups = list(exported[0]["accuracy"]["held_out"])
    rows[0] += groups
    for card in exported:
        for key, title in (("held_out", "held-out"), ("exhaustive", "all")):
            if counts := card["accuracy"][key]:
                shares = [format_percentage(**counts[group]) for group in groups]
                row = [card["variant"], f"{card['bytes']:,}", f"{card['rate']:,}", title]
                rows.append(row + shares)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + "\n"
        for row in rows
    )


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        "python -m export",
        description="Writes a trained model as TFLite files, verified and self-describing.",
        allow_abbrev=False,
    )
    for flag, stage in (("--model", "model"), ("--out", "export")):
        default = presets.folder(presets.DEFAULT, stage)
        parser.add_argument(flag, type=Path, default=default, metavar="DIR", help="(%(default)s)")
    parser.add_argument(
        "--held-out-only",
        action="store_true",
        help=f"count exact answers on the test split alone, of {SHIPS} too: faster",
    )
    parser.add_argument(
        f"--{MICRO}",
        action="store_true",
        help="write the variant for microcontrollers instead of those for computers; counted by "
        "PyPI's tflite-micro, on some 26,000 held-out expressions",
    )
    arguments = parser.parse_args(argv)
    variants = (MICRO,) if arguments.micro else VARIANTS
    try:
        if arguments.micro:
            check_installed()
        exporter = Exporter(arguments.model, arguments.out, arguments.held_out_only)
        if not exporter.completed:
            print(
                f"{arguments.model}: the training was interrupted; its card says so",
                file=sys.stderr,
            )
        exported = [exporter.export(variant) for variant in variants]
        text = exporter.finish(exported)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except (ConversionError, ExportError, ModelError, OSError, TrainedModelError) as error:
        print(f"python -m export: error: {error}", file=sys.stderr)
        return 1
    print(text, end="")
    if arguments.micro:
        print(describe(exported[0]["micro"]), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
