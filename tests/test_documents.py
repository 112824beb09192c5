"""README and docs as written: sessions are run and compared, commands and links exist.

docs/tasks.md changes the repository, so it has a test of its own: `test_docs_tasks.py`.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from edgecalc.language.calculator.spec import CalculatorSpec
from edgecalc.version import __version__

import presets
from tasks.calculator.task import CalculatorTask
from tasks.splits import permute
from tests.processes import user_environment
from tests.test_prompt import Terminal

ROOT = Path(__file__).parents[1]
PATHS = [
    *ROOT.glob("*.md"),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "runtime" / "README.md",
]
TEXTS = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in PATHS}
INDENTED = re.compile(r"^(?:    .*\n)+", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
SESSION = re.compile(r"^    \$ (.*)\n((?:    (?!\$ ).*\n)*)", re.MULTILINE)
COMMENT = re.compile(r" {2,}# .*$")
PROMPT = "> "
# What a session of the documents finds in its folder, and in its home.
FILES = {"in.txt": "1+1\n", "calculator/bin/activate": ""}


def sessions() -> Iterator[tuple[str, str, list[str]]]:
    for name in ("README.md", "runtime/README.md"):
        for command, output in SESSION.findall(TEXTS[name]):
            lines = [line.removeprefix("    ") for line in output.splitlines()]
            if not command.startswith("make "):
                yield name, command, lines


def code(text: str) -> str:
    """The code in a document, blocks and spans."""
    blocks = [match[0] for pattern in (INDENTED, FENCED) for match in pattern.finditer(text)]
    spans = re.findall(r"`([^`\n]+)`", FENCED.sub("", text))
    return "\n".join(COMMENT.sub("", line) for block in blocks for line in block.splitlines()) + (
        "\n" + "\n".join(spans)
    )


def anchors(text: str) -> set[str]:
    """The names by which GitHub links to headings."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def pattern(lines: list[str]) -> str:
    """Matches what a command prints; `…` stands for whatever is there."""
    return "".join(re.escape(line).replace("…", ".*") + "\n" for line in lines)


@pytest.mark.parametrize(("name", "command", "lines"), list(sessions()))
def test_a_session(name: str, command: str, lines: list[str], folder: Path):
    if any(line.startswith(PROMPT) for line in lines):
        terminal = Terminal([sys.executable, "-m", command], folder)
        for line in lines:
            if line.startswith(PROMPT):
                terminal.expect(PROMPT)
                terminal.say(f"{line.removeprefix(PROMPT)}\n", "")
            else:
                terminal.expect(re.split(r"\(\d", line)[0])  # how long it took differs
        assert terminal.status() == 0
        return
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", COMMENT.sub("", command)],
        cwd=folder,
        env={**user_environment(), "HOME": str(folder), "PATH": programs},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if lines:
        shown = re.sub(r"[ \t]+$", "", done.stdout, flags=re.MULTILINE)  # empty fields
        assert re.fullmatch(pattern(lines), shown), done.stdout
    else:
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["README.md", "runtime/README.md"])
def test_python(name: str):
    text = "\n".join(match[0] for match in INDENTED.finditer(TEXTS[name]) if ">>> " in match[0])
    example = doctest.DocTestParser().get_doctest(text.replace("…", "..."), {}, name, name, 0)
    assert example.examples
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example)
    assert result.failed == 0


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name: str):
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", TEXTS[name])):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / name).parent / path if path else ROOT / name
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("name", TEXTS)
def test_make_has_the_targets(name: str):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    made_here = set(re.findall(r"^```toml presets/(\w+)\.toml$", TEXTS[name], re.MULTILINE))
    known = {*presets.names(), *made_here, "…"}
    for words in re.findall(r"^ *make((?: [\w=/.…-]+)+)", code(TEXTS[name]), re.MULTILINE):
        for word in words.split():
            variable, _, value = word.partition("=")
            if variable == word:
                assert word in targets, words
            else:
                assert re.search(rf"\b{variable}\b", makefile), words
                assert variable != "PRESET" or value in known, words


def test_commands_have_the_flags():
    used: dict[str, set[str]] = {}
    for text in TEXTS.values():
        for module, rest in re.findall(r"\bpython -m ([\w.]+)(.*)", code(text)):
            used.setdefault(module, set()).update(re.findall(r"--[a-z][a-z-]*", rest))
    assert {"pipeline", "model.train", "model.evaluate", "export", "export.verify"} <= set(used)
    for module, flags in used.items():
        # Flags of a network are known once the network is.
        chosen = ["--network=seq2seq"] if module == "model.train" else []
        described = subprocess.run(
            [sys.executable, "-m", module, *chosen, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for flag in flags:
            assert re.search(rf"{flag}\b", described) or flag == "--no-resume", (module, flag)


def test_the_version_is_that_of_the_package():
    for name, text in TEXTS.items():
        for version in re.findall(r"edgecalc-([\d.]+)-py3", text):
            assert version == __version__, name


@pytest.mark.slow
def test_the_tour_follows_a_record(tmp_path: Path):
    """Writes the default corpus, a gigabyte: what the tour says of one record is true there."""
    readme, run = TEXTS["README.md"], [sys.executable, "-m"]
    ((expression, shown),) = re.findall(
        r"^    \$ make show EXPRESSION=(\S+)\n((?:    .*\n)+)", readme, re.MULTILINE
    )
    corpus = tmp_path / "corpus"
    try:
        subprocess.run([*run, "pipeline", f"--out={corpus}"], cwd=ROOT, check=True)
        show = [*run, "pipeline.show", f"--corpus={corpus}", f"--expression={expression}"]
        printed = subprocess.run(show, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    finally:
        shutil.rmtree(corpus)
    assert printed == re.sub("^    ", "", shown, flags=re.MULTILINE)
    features = dict(re.findall(r"^  (\w+) +(.*)$", printed, re.MULTILINE))
    (drawn,) = re.findall(r"^\| `carrying` \| (\S.*?) \|", readme, re.MULTILINE)
    assert re.findall(r"-?\d+", drawn) == features["carrying"].split()
    task, preset = CalculatorTask(CalculatorSpec()), presets.load("default")["corpus"]
    order = permute(np.arange(task.size), task.size, preset["seed"])
    (numbers,) = re.findall(
        rf"`{expression}` is\s+example ([\d,]+),.*?position ([\d,]+) of.*?file (\d+) of (\d+)",
        readme,
        re.DOTALL,
    )
    index, position, file, files = (int(number.replace(",", "")) for number in numbers)
    assert order[position] == index
    assert (files, file) == (preset["shards"], position * files // task.size)
