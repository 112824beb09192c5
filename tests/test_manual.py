"""The manual page and the completions, as the programs that read them do."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from edgecalc.shell.arguments import COMMANDS, parser_of

from tests.test_prompt import Terminal

ROOT = Path(__file__).parents[1]
SHARE = ROOT / "runtime/share"
PAGE = SHARE / "man/man1/edgecalc.1"
BASH = SHARE / "bash-completion/completions/edgecalc"
ZSH = SHARE / "zsh/site-functions/_edgecalc"
FISH = SHARE / "fish/vendor_completions.d/edgecalc.fish"

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


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}


def test_they_are_those_of_the_parser(tmp_path: Path):
    """If not: make manual."""
    ran([sys.executable, str(ROOT / "runtime/manual.py"), f"--out={tmp_path}"])
    assert contents(SHARE) == contents(tmp_path)
    assert {PAGE, BASH, ZSH, FISH} == {SHARE / name for name in contents(SHARE)}
    written = ran(["make", "--dry-run", "manual", f"PYTHON={sys.executable}"])
    assert "runtime/manual.py" in written


def test_every_option_is_in_all_of_them():
    flags = {
        flag
        for name in COMMANDS
        for action in parser_of(name)._actions
        for flag in action.option_strings
    }
    for flag in flags:
        bare = flag.lstrip("-")
        assert flag.replace("-", "\\-") in PAGE.read_text()
        assert flag in ZSH.read_text()
        assert flag in BASH.read_text()
        assert f" {bare} " in FISH.read_text()


@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_bash(folder: Path, typed: str, offered: set[str]):
    assert bash_offers(folder, shlex.split(typed)) == offered


def bash_offers(folder: Path, words: list[str]) -> set[str]:
    script = (
        f"source {shlex.quote(str(BASH))}; COMP_WORDS=({shlex.join(words)}); "
        f"COMP_CWORD={len(words) - 1}; COMP_LINE={shlex.quote(shlex.join(words))}; "
        "COMP_POINT=${#COMP_LINE}; "
        "given=($(complete -p edgecalc)); "
        "for i in ${!given[@]}; do [[ ${given[i]} == -F ]] && function=${given[i + 1]}; done; "
        f"$function edgecalc {shlex.quote(words[-1])} {shlex.quote(words[-2])}; "
        "printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    return set(ran([program("bash"), "--norc", "-c", script], folder).splitlines()) - {""}


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
    text = ran([program("groff"), "-man", "-Tutf8", "-ww", "-P-cbou", str(PAGE)])
    bare = " ".join(text.split())
    for part in (
        "NAME",
        "a OP b with + - * / and up to 3 digits",
        "--min-confidence P",
        "'s/$/*7/'",
    ):
        assert part in bare, part
    assert PAGE.read_text().isascii()


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
        assert {name: archive.read(data[name]).decode() for name in data} == contents(SHARE)
