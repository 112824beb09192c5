"""The manual page and the completions, as the programs that read them do."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from manual.__main__ import SHARE, contents, main
from manual.options import commands, flags_of
from tests.test_prompt import Terminal

ROOT = Path(__file__).parents[1]
BASH, ZSH, FISH = (SHARE / name for name in list(contents())[1:])

# What is typed, and what is offered for its last word; of files those of the folder.
CASES = [
    ("edgecalc pre", {"predict"}),
    ("edgecalc --model net.tflite in", {"info"}),
    ("edgecalc --expl", {"--explain"}),
    ("edgecalc --model ne", {"net.tflite"}),
    ("edgecalc predict in", {"in.txt", "in two.txt"}),
    ("edgecalc predict --qui", {"--quiet"}),
    ("edgecalc predict --format t", {"text", "tsv"}),
    ("edgecalc predict --batch-size 1", set()),
    ("edgecalc predict -o ne", {"net.tflite"}),
    ("edgecalc info --js", {"--json"}),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("in.txt", "in two.txt", "net.tflite"):
        (tmp_path / name).touch()
    return tmp_path


def ran(command: list[str], folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"there is no {name} here")
    return path


def test_they_are_those_of_the_parser():
    """If not: make manual."""
    for name, text in contents().items():
        assert (SHARE / name).read_text(encoding="utf-8") == text, name
    assert {p.relative_to(SHARE).as_posix() for p in SHARE.rglob("*") if p.is_file()} == set(
        contents()
    )


def test_make_writes_them(tmp_path: Path):
    assert main([f"--out={tmp_path}"]) == 0
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*")} >= {"man/man1/edgecalc.1"}
    assert "-m manual" in ran(["make", "--dry-run", "manual", f"PYTHON={sys.executable}"])


def test_every_option_is_in_all_of_them():
    for name in ("", *commands()):
        for option in flags_of(name):
            for flag in option.flags:
                bare = flag.lstrip("-")
                assert flag.replace("-", "\\-") in contents()["man/man1/edgecalc.1"]
                assert f"'{flag}" in ZSH.read_text()
                assert flag in BASH.read_text()
                assert f" {bare} " in FISH.read_text()


@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_bash(folder: Path, typed: str, offered: set[str]):
    words = shlex.split(typed)
    script = (
        f"source {shlex.quote(str(BASH))}; COMP_WORDS=({' '.join(map(shlex.quote, words))}); "
        f"COMP_CWORD={len(words) - 1}; _edgecalc; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    found = ran([program("bash"), "--norc", "-c", script], folder)
    assert set(found.splitlines()) - {""} == offered


def test_bash_with_an_equals_sign(folder: Path):
    for words in ("edgecalc predict --format = t", "edgecalc predict --format ="):
        script = (
            f"source {shlex.quote(str(BASH))}; COMP_WORDS=({words}); "
            f'COMP_CWORD={len(words.split()) - 1}; _edgecalc; echo "${{COMPREPLY[*]}}"'
        )
        found = ran([program("bash"), "--norc", "-c", script], folder).split()
        assert found == [word for word in ("text", "tsv", "jsonl") if words[-1] in ("=", word[0])]


@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_fish(folder: Path, typed: str, offered: set[str]):
    script = f"source {shlex.quote(str(FISH))}; complete -C {shlex.quote(typed)}"
    found = ran([program("fish"), "--no-config", "-c", script], folder)
    assert {line.partition("\t")[0].replace("\\ ", " ") for line in found.splitlines()} == offered


@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_zsh(folder: Path, typed: str, offered: set[str]):
    """In a terminal: zsh completes only where somebody types."""
    shell = Terminal(["/usr/bin/env", "TERM=xterm", program("zsh"), "-f", "-i"], folder)
    shell.say(f"cd {shlex.quote(str(folder))}; PS1='r''eady> '\n", "")
    shell.expect("ready> ")
    settings = (
        f"fpath=({shlex.quote(str(ZSH.parent))} $fpath); autoload -U compinit; compinit -D -u"
    )
    shell.say(f"{settings}; unsetopt auto_menu\n", "ready> ")
    if len(offered) == 1:
        shell.say(f"{typed}\t", next(iter(offered))[len(typed.split()[-1]) :])
    elif offered:
        shell.say(f"{typed}\t\t", "")
        for word in sorted(offered):
            shell.expect(word.replace(" ", "\\ "))
    else:
        shell.say(f"{typed}\tx", f"{typed}\ax")
    shell.say("\x15exit\n", "")
    shell.status()


def test_the_manual_page_is_set_without_a_warning():
    page = SHARE / "man" / "man1" / "edgecalc.1"
    text = ran([program("groff"), "-man", "-Tutf8", "-ww", "-P-cbou", str(page)])
    bare = " ".join(text.split())
    for part in (
        "NAME",
        "a OP b with + - * / and up to 3 digits",
        "--min-confidence P",
        "'s/$/*7/'",
    ):
        assert part in bare, part
    assert page.read_text().isascii()


@pytest.mark.slow
def test_they_are_in_the_wheel(tmp_path: Path):
    leftovers = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    source = shutil.copytree(ROOT / "runtime", tmp_path / "source", ignore=leftovers)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        data = {n.partition(".data/data/share/")[2]: n for n in names if ".data/data/" in n}
        assert {name: archive.read(data[name]).decode() for name in data} == contents()
