"""docs/tasks.md as written: its changes made to a copy of the repository, its commands run there.

Of its blocks, a `diff` is applied, one with the path of a file is written there, a `console` is run
and what it prints compared: `…` stands for anything in a line, and alone for any number of lines.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from edgecalc.language.language import Language
from edgecalc.language.spec import Spec

from tasks.task import Examples, Task

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def section(title):
    return DOCUMENT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


class Reader:
    """Follows the document in a copy of the repository."""

    def __init__(self, folder):
        self.folder = folder
        # With what is not committed yet, without what was built.
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in names.split("\0"):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes((ROOT / name).read_bytes())
        programs = [str(Path(sys.executable).parent), os.environ["PATH"]]
        self._environment = {
            **os.environ,
            "PATH": os.pathsep.join(programs),
            "PYTHONPATH": str(folder / "runtime"),
        }

    def run(self, *command, given=None):
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    def follow(self, text):
        for kind, path, content in BLOCK.findall(text):
            if kind == "diff":
                applied = self.run("git", "apply", "-", given=content)
                assert applied.returncode == 0, applied.stderr
            elif kind == "console":
                for command, output in CONSOLE.findall(content):
                    self.expect(command, output)
            elif path:
                (self.folder / path).write_text(content, encoding="utf-8")

    def expect(self, command, output):
        done = self.run("bash", "-c", command)
        lines = [re.escape(line).replace("…", ".*") for line in output.splitlines()]
        pattern = "".join("(?:.*\n)*" if line == ".*" else f"{line}\n" for line in lines)
        # What is no result goes to stderr. On a terminal both are seen.
        found = [re.fullmatch(pattern, stream) for stream in (done.stdout, done.stderr)]
        assert any(found), f"$ {command}\n{done.stdout}{done.stderr}"


@pytest.fixture
def reader(tmp_path):
    return Reader(tmp_path)


@pytest.mark.slow
def test_an_operator(reader):
    reader.follow(section("An operator"))
    described = reader.run("python", "-m", "pipeline", "--help").stdout
    assert "operators, of + - * / %" in described
    show = ["python", "-m", "pipeline.show", "--corpus=build/remainder/corpus", "--expression"]
    assert reader.run(*show, "5%1").returncode == 0
    assert "no record of '5%0'" in reader.run(*show, "5%0").stderr


def test_an_operator_without_a_truth_writes_no_corpus(reader):
    (operator, _) = [
        block[2] for block in BLOCK.findall(section("An operator")) if block[0] == "diff"
    ]
    assert reader.run("git", "apply", "-", given=operator).returncode == 0
    for operators in ("+-%", "+-"):
        done = reader.run("python", "-m", "pipeline", "--preset=tiny", f"--operators={operators}")
        assert done.returncode == 1
        assert done.stderr.endswith("or truths without an operator: %\n")
        assert done.stderr.count("\n") == 1
    assert not (reader.folder / "build").exists()


@pytest.mark.slow
def test_a_network(reader):
    reader.follow(section("A network"))
    export = reader.folder / "build" / "dense" / "export" / "edgecalc-dense-int8.json"
    counts = json.loads(export.read_text())["held_out"]
    share = {group: count["exact"] / count["of"] for group, count in counts.items()}
    assert share["+"] == pytest.approx(1 / 2, abs=0.15)
    assert share["*"] == pytest.approx(1 / 15, abs=0.04)
    style = reader.run("ruff", "check", "model")
    assert style.returncode == 0, style.stdout


@pytest.mark.parametrize(
    ("title", "protocol"),
    [
        ("spec, a dataclass", Spec),
        ("language", Language),
        ("task", Task),
        ("examples, n at a time", Examples),
    ],
)
def test_the_table_has_all_that_a_task_gives(title, protocol):
    (row,) = re.findall(rf"^\| {title} \|(.*)\|(.*)\|(.*)\|$", DOCUMENT, re.MULTILINE)
    must, may, file = ({*re.findall(r"`([\w/.]+)`", cell)} for cell in row)
    assert must == protocol.__abstractmethods__
    public = {name for name in vars(protocol) if not name.startswith("_")}
    if protocol is not Spec:  # all that a spec may have are fields of its own
        assert may == public - must
    assert {protocol.__module__.replace(".", "/") + ".py"} == file


def test_what_it_points_to_is_there():
    paths = re.findall(r"`((?:\w+/)+[\w.]*)`", BLOCK.sub("", DOCUMENT))
    assert len(paths) > 10
    for path in paths:
        assert (ROOT / path).exists() or (ROOT / "runtime" / path).exists(), path
