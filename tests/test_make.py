"""The Makefile: what is made anew when something changes, and what is not.

It runs in a copy of the repository, in which the stages only note that they were called. What
decides whether they are, `presets.recipe` among it, is the real thing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from edgecalc.language.language import language_of
from edgecalc.network.model_file import read_packaged_model

from tests.processes import user_environment

ROOT = Path(__file__).parents[1]
CODE = ("export", "model", "pipeline", "presets", "runtime/edgecalc", "tasks")
STAGES = ["pipeline", "model.train", "model.evaluate", "export"]
# `model.train` trains nothing if there is a model and no file `changed`.
PYTHON = f"""\
#!/bin/sh
test "$2" = presets.recipe && exec {sys.executable} "$@"
echo "$@" >> calls
for last; do :; done
case "$2" in
pipeline) mkdir -p build/tiny/corpus; echo > build/tiny/corpus/manifest.json ;;
model.train)
    mkdir -p build/tiny/model
    test -e build/tiny/model/model.keras -a ! -e changed || echo > build/tiny/model/model.keras ;;
model.evaluate) echo > build/tiny/model/evaluation.json ;;
export) mkdir -p build/tiny/export; echo > build/tiny/export/table.txt ;;
esac
"""


class Repository:
    """A copy of the repository, without what was built."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("Makefile", "requirements.lock", "runtime/pyproject.toml"):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
        for name in CODE:
            leave = shutil.ignore_patterns("__pycache__", "models")
            shutil.copytree(ROOT / name, folder / name, ignore=leave)
        commands = folder / ".venv/bin"
        commands.mkdir(parents=True)
        (commands / "python").write_text(PYTHON)
        (commands / "python").chmod(0o755)
        (commands / "edgecalc").symlink_to(Path(sys.executable).with_name("edgecalc"))
        (folder / ".venv/installed").touch()

    def make(
        self, *arguments: str, preset: str | None = "tiny"
    ) -> subprocess.CompletedProcess[str]:
        # The make that runs these tests must not pass its own flags on.
        environment = {
            key: value
            for key, value in user_environment().items()
            if not key.startswith("MAKE") and key != "PRESET"
        }
        command = ["make", *arguments, *([f"PRESET={preset}"] if preset else [])]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, *arguments: str) -> list[str]:
        """The stages that `make data train export` calls."""
        (self.folder / "calls").write_text("")
        done = self.make("data", "train", "export", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return [call.split()[1] for call in self.flags()]

    def flags(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def edit(self, name: str, before: str, after: str) -> None:
        text = (self.folder / name).read_text()
        assert before in text
        (self.folder / name).write_text(text.replace(before, after, 1))

    def append(self, name: str, line: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(f"{line}\n")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


@pytest.fixture
def built(repository: Repository) -> Repository:
    assert repository.calls() == STAGES
    return repository


def test_what_is_up_to_date_calls_nothing(built: Repository):
    assert built.calls() == []


def test_words_call_nothing(built: Repository):
    for name in ("pipeline/corpus.py", "model/run.py", "tasks/task.py", "export/convert.py"):
        built.append(name, "# a comment")
        built.edit(name, '"""', '"""Once more: ')
    built.append("presets/tiny.toml", "# a comment")
    assert built.calls() == []


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("export/convert.py", ["export"]),
        ("runtime/edgecalc/network/predictor.py", ["export"]),
        ("runtime/edgecalc/shell/lines.py", []),
        ("model/networks/seq2seq.py", STAGES[1:]),
        ("pipeline/records.py", STAGES),
        ("tasks/calculator/working.py", STAGES),
        ("runtime/edgecalc/language/codec.py", STAGES),
    ],
)
def test_code_calls_the_stages_that_it_is_behind(built: Repository, name: str, stages: list[str]):
    (built.folder / "changed").touch()
    built.append(name, "a = 1")
    assert built.calls() == stages
    assert built.calls() == []


def test_code_that_is_gone_is_a_change(built: Repository):
    (built.folder / "export/compact.py").unlink()
    assert built.calls() == ["export"]


def test_the_same_corpus_again_is_not_counted_again(built: Repository):
    built.append("pipeline/records.py", "a = 1")
    assert built.calls() == ["pipeline", "model.train"]
    assert built.calls() == []


def test_a_preset_calls_the_stages_that_its_change_is_for(built: Repository):
    built.edit("presets/tiny.toml", "[training]\n", "[training]\nclip_norm = 2.0\n")
    assert built.calls() == ["model.train"]  # which refuses: here it only notes
    built.edit("presets/tiny.toml", "[corpus]\n", "[splits]\ntrain = 0.5\n[corpus]\n")
    assert built.calls() == ["pipeline", "model.train"]
    built.edit("presets/tiny.toml", "task =", 'extends = "default"\ntask =')
    built.calls()
    built.append("presets/default.toml", "[seq2seq]\ndropout = 0.5")
    assert built.calls() == ["model.train"]


def test_a_model_that_was_taken_away_is_trained_again(built: Repository):
    (built.folder / "build/tiny/model/model.keras").unlink()
    assert built.calls() == STAGES[1:]


def test_resume_no_trains_anew(built: Repository):
    assert built.calls("RESUME=yes") == []
    assert built.calls("RESUME=no") == ["model.train"]
    assert built.flags()[0].endswith("--out build/tiny/model --no-resume")


def test_show_and_package_say_of_what(repository: Repository):
    (repository.folder / "calls").touch()
    for target in ("show", "package"):
        assert repository.make(target).returncode == 0
    assert repository.make("show", "EXPRESSION=842/37").returncode == 0
    assert [call.rstrip() for call in repository.flags()] == [
        "-m pipeline.show --corpus build/tiny/corpus",
        "-m export.package build/tiny/export/edgecalc-tiny-int8.tflite",
        "-m pipeline.show --corpus build/tiny/corpus --expression 842/37",
    ]


def test_micro_exports_what_was_trained(built: Repository):
    (built.folder / "calls").write_text("")
    assert built.make("micro").returncode == 0
    assert built.flags() == ["-m export --micro --model build/tiny/model --out build/tiny/export"]


def test_help_names_every_target(repository: Repository):
    done = repository.make("help", preset=None)
    assert done.returncode == 0
    phony = (ROOT / "Makefile").read_text().partition(".PHONY: ")[2].partition("\n.")[0]
    targets = phony.replace("\\\n", " ").split()
    named = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("make ")]
    assert sorted([*named, "again"]) == sorted(targets)
    presets = " ".join(sorted(path.stem for path in (ROOT / "presets").glob("*.toml")))
    assert f"PRESET=default, of: {presets}\n" in done.stdout


def test_a_preset_that_is_none(repository: Repository):
    done = repository.make("data", preset="huge")
    assert (done.returncode, "No preset huge" in done.stderr) == (2, True)


class TestExported:
    """`make calc` and `make predict` with models that lie where the export puts them."""

    @pytest.fixture
    def models(self, repository: Repository) -> Repository:
        """Of two presets: that of tiny is the older one, and both are the model that ships."""
        model = read_packaged_model()
        assert model.language.read("2+2") == language_of(model.spec.to_dict()).read("2+2")
        for age, preset in enumerate(("default", "tiny")):
            for variant in ("int8", "float16"):
                path = self.path(repository, preset, variant)
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(model.name, path)
                os.utime(path, (1e9 - age, 1e9 - age))
        return repository

    def path(self, repository: Repository, preset: str, variant: str = "int8") -> Path:
        return repository.folder / f"build/{preset}/export/edgecalc-{preset}-{variant}.tflite"

    def predict(
        self, repository: Repository, content: str | None, **options: str
    ) -> tuple[int, str, str]:
        """The status, what is in the output and what was said."""
        out = repository.folder / "out.txt"
        if content is not None:
            (repository.folder / "in.txt").write_text(content)
        options = {"IN": "in.txt", "OUT": "out.txt", **options}
        done = repository.make("predict", *(f"{name}={value}" for name, value in options.items()))
        assert done.stdout == ""
        return done.returncode, out.read_text() if out.exists() else "", done.stderr

    @pytest.mark.parametrize("target", ["calc", "predict"])
    def test_the_int8_file_of_the_preset_or_of_the_newest_export(
        self, models: Repository, target: str
    ):
        def taken(preset: str | None) -> str:
            done = models.make("--dry-run", target, "IN=a", "OUT=b", preset=preset)
            assert done.returncode == 0
            (line,) = (line for line in done.stdout.splitlines() if "--model" in line)
            return line.partition("--model ")[2].split()[0]

        tiny, default = (
            f"build/{preset}/export/edgecalc-{preset}-int8.tflite" for preset in ("tiny", "default")
        )
        assert [taken("tiny"), taken("default"), taken(None)] == [tiny, default, default]
        os.utime(self.path(models, "tiny"))
        assert [taken("tiny"), taken("default"), taken(None)] == [tiny, default, tiny]

    @pytest.mark.parametrize("target", ["calc", "predict"])
    def test_without_an_export_it_says_what_makes_one(self, repository: Repository, target: str):
        done = repository.make(target, "IN=a", "OUT=b")
        assert done.returncode == 2
        assert done.stderr.startswith("There is no exported model yet: make data train export\n")

    def test_a_file_is_answered(self, models: Repository):
        assert self.predict(models, "2+2\n55+49\n") == (0, "4\n104\n", "")
        assert models.make("predict").stderr.startswith("Usage: make predict IN=")

    @pytest.mark.parametrize("end", ["", "\n"])
    def test_a_refused_line_is_no_failure(self, models: Repository, end: str):
        status, out, said = self.predict(models, f"2+2\n5+\n\n9*9{end}")
        assert (status, out.count("\n"), out[:2], out[-3:]) == (0, 4, "4\n", "81\n")
        assert said.endswith("some lines were refused, see above; out.txt is whole\n")
        assert "in.txt:2: a number is missing" in said

    def test_a_failure_is_one(self, models: Repository):
        assert self.predict(models, None)[0] == 2
        for options in ({"OUT": "/dev/full"}, {"OUT": "in.txt"}, {"OUT": "none/out.txt"}):
            status, _, said = self.predict(models, "5+\n", **options)
            assert (status, "is whole" in said) == (2, False), options
        # The output of an earlier run says nothing about this one.
        (models.folder / "out.txt").write_text("4\n")
        self.path(models, "tiny").write_bytes(b"damaged")
        status, out, said = self.predict(models, "5+\n")
        assert (status, out, "is whole" in said) == (2, "4\n", False)
