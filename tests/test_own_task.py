"""A task of one's own, all of it in this file: a word, written backwards.

It is registered as an installed distribution would register it, by entry points, and no other file
knows of it. Then it goes down the whole road, by the commands that a user has.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from edgecalc.language.codec import decode, symbol_table
from edgecalc.language.language import ExpressionError, Language
from edgecalc.language.spec import PADDING, Spec

from tasks.splits import content_key
from tasks.task import Examples, Task


@dataclass(frozen=True)
class ReversedSpec(Spec):
    """Which words there are."""

    task = "reversed"

    letters: str = field(default="abcde", metadata={"help": "letters of words"})
    longest: int = field(default=5, metadata={"help": "letters of the longest word"})

    @property
    def symbols(self) -> str:
        return PADDING + self.letters

    @property
    def expression_length(self) -> int:
        return self.longest

    @property
    def answer_length(self) -> int:
        return self.longest

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(f"length-{length}" for length in range(1, self.longest + 1))


class ReversedLanguage(Language[ReversedSpec]):
    """What a person types: all that a device needs, so elsewhere a module of its own."""

    spec_class = ReversedSpec

    def read(self, text: str) -> str:
        for column, letter in enumerate(text, 1):
            if letter not in self.spec.letters and not letter.isspace():
                raise ExpressionError(f"{letter!r} is not in {self.spec.letters}", column)
        if not self.plain_form().fullmatch(text.strip()):
            raise ExpressionError(f"expected {self.describe()}")
        return text.strip()

    def plain_form(self) -> re.Pattern[str]:
        return re.compile(f"[{self.spec.letters}]{{1,{self.spec.longest}}}")

    def example(self) -> str:
        return self.spec.letters[: self.spec.longest]

    def describe(self) -> str:
        return f"a word of 1 to {self.spec.longest} letters from {self.spec.letters}"


class ReversedTask(Task[ReversedSpec]):
    """All words, the shortest first."""

    language = ReversedLanguage

    @property
    def size(self) -> int:
        return sum(len(self.spec.letters) ** length for length in range(1, self.spec.longest + 1))

    def examples(self, indices: np.ndarray) -> ReversedExamples:
        return ReversedExamples(self.spec, np.asarray(indices, np.int64))


class ReversedExamples(Examples):
    """The words at n indices."""

    def __init__(self, spec: ReversedSpec, indices: np.ndarray) -> None:
        self.spec, letters = spec, len(spec.letters)
        self.words = np.zeros((len(indices), spec.longest), np.int64)  # ids; 0 is the padding
        rest = indices + 1
        for place in reversed(range(spec.longest)):
            self.words[:, place] = np.where(rest > 0, (rest - 1) % letters + 1, 0)
            rest = np.maximum(rest - 1, 0) // letters
        # All letters are sorted behind the padding; a stable order leaves them as they are.
        backwards = self.words[:, ::-1]
        order = np.argsort(backwards > 0, axis=1, kind="stable")
        self.backwards = np.take_along_axis(backwards, order, axis=1)

    def expressions(self) -> np.ndarray:
        return symbol_table(self.spec)[self.words]

    def answers(self) -> np.ndarray:
        return symbol_table(self.spec)[self.backwards]

    def groups(self) -> np.ndarray:
        return ((self.words > 0).sum(axis=1) - 1).astype(np.uint8)

    def keys(self) -> np.ndarray:
        """A word and its answer, which is another example, are in the same split."""
        weights = len(self.spec.symbols) ** np.arange(self.spec.longest)
        return content_key(np.minimum(self.words @ weights, self.backwards @ weights))


# What the distribution of a task declares; a build tool writes this file from `pyproject.toml`.
ENTRY_POINTS = """\
[edgecalc.tasks]
reversed = tests.test_own_task:ReversedTask

[edgecalc.languages]
reversed = tests.test_own_task:ReversedLanguage
"""

PRESET = """\
task = "reversed"

[corpus]
shards = 2

[training]
network = "{network}"
steps = 800
epoch_steps = 400
batch_size = 256
learning_rate = 1e-2
warmup_steps = 50

[{network}]
{sizes}
"""
# The networks that know nothing of any task.
SIZES = {
    "seq2seq": "encoder_units = 64\ndecoder_units = 64",
    "transformer": "width = 48\nheads = 2\nunits = 96",
}

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent


class Road:
    """The commands, where the task is installed and the preset lies in a file."""

    def __init__(self, folder, network):
        self.corpus, self.model, self.export = (folder / n for n in ("corpus", "model", "export"))
        self.file = self.export / "edgecalc-reversed-int8.tflite"
        self.preset = folder / "reversed.toml"
        self.preset.write_text(PRESET.format(network=network, sizes=SIZES[network]))
        installed = folder / "installed"
        (installed / "reversed-1.0.dist-info").mkdir(parents=True)
        (installed / "reversed-1.0.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
        paths = [str(installed), str(ROOT), os.environ.get("PYTHONPATH")]
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def run(self, *command):
        return subprocess.run(
            [PROGRAMS / command[0], *command[1:]],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def train(self, *flags):
        preset, corpus = f"--preset={self.preset}", f"--corpus={self.corpus}"
        return self.run("python", "-m", "model.train", preset, corpus, *flags)

    def edgecalc(self, *arguments):
        return self.run("edgecalc", f"--model={self.file}", *arguments)


@pytest.fixture(scope="module", params=SIZES)
def road(request, tmp_path_factory):
    """The road, gone down as far as the exported files."""
    road = Road(tmp_path_factory.mktemp("reversed"), request.param)
    out, model = f"--out={road.export}", f"--model={road.model}"
    for done in (
        road.run("python", "-m", "pipeline", f"--preset={road.preset}", f"--out={road.corpus}"),
        road.train(f"--out={road.model}"),
        road.run("python", "-m", "model.evaluate", model),
        road.run("python", "-m", "export", "--held-out-only", model, out),
    ):
        assert done.returncode == 0, done.stderr
    return road


def test_it_learns_words_that_it_has_not_seen(road):
    held_out = json.loads((road.model / "evaluation.json").read_text())["held_out"]
    assert set(held_out) <= set(ReversedSpec().groups)
    exact, of = (sum(count[key] for count in held_out.values()) for key in ("exact", "of"))
    assert of > 300
    assert exact / of >= 0.95


def test_a_word_and_its_answer_are_in_one_split():
    examples = ReversedTask(ReversedSpec()).examples(np.arange(3905))
    words, answers = (decode(ids, ReversedSpec()) for ids in (examples.words, examples.backwards))
    assert [answer[::-1] for answer in answers] == words
    key_of = dict(zip(words, examples.keys(), strict=True))
    assert len(key_of) == ReversedTask(ReversedSpec()).size == 3905
    assert all(key_of[word] == key_of[word[::-1]] for word in words)


def test_the_exported_file_says_what_it_is(road):
    spec = {"task": "reversed", "letters": "abcde", "longest": 5}
    assert json.loads(road.edgecalc("info", "--json").stdout)["spec"] == spec
    lines = road.edgecalc("info").stdout.splitlines()
    assert "  task         reversed" in lines
    assert "  expressions  a word of 1 to 5 letters from abcde" in lines
    assert any(re.match(r" +length-5 +[\d.]+% +[\d,]+ of [\d,]+", line) for line in lines)


def test_a_device_answers(road, tmp_path):
    assert road.edgecalc("abcab", " ace ").stdout == "bacba\neca\n"
    words = tmp_path / "words.txt"
    words.write_text("decab\nb\n7\n")
    done = road.edgecalc("predict", "--format=tsv", words)
    answers = [line.split("\t") for line in done.stdout.splitlines()]
    assert [(word, answer) for word, answer, *_ in answers] == [
        ("decab", "baced"),
        ("b", "b"),
        ("7", ""),
    ]
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["abxab"], "abxab: 'x' is not in abcde (column 3)"),
        (["abcabc"], "abcabc: expected a word of 1 to 5 letters from abcde"),
        (["--explain", "abc"], "{file}: this model does not show its working"),
        (
            ["predict", "--check", os.devnull],
            "--check: the true answers of the task reversed are not known here",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_in_a_sentence(road, arguments, reason):
    done = road.edgecalc(*arguments)
    assert (done.returncode, done.stderr) == (1, f"edgecalc: {reason.format(file=road.file)}\n")


def test_a_network_of_another_task_refuses_it(road, tmp_path):
    done = road.train("--network=columns", f"--out={tmp_path}")
    reason = "the network columns is made for the task calculator, not for reversed"
    assert (done.returncode, done.stderr) == (1, f"python -m model.train: error: {reason}\n")
