"""The road with a network that has nothing of its task built in: preset tiny-general."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from edgecalc import Calculator

ROOT = Path(__file__).parents[1]
# After half a minute of training; the preset general takes longer.
EXACT_ENOUGH = {"+": 0.95, "-": 0.95, "*": 0.4, "/": 0.4}
EXPRESSIONS = [f"{a}{operator}{7 * a % 89 + 1}" for a in range(30) for operator in "+-*/"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the road, gone down, left what it made."""
    root = tmp_path_factory.mktemp("build")
    corpus, model, export = (root / name for name in ("corpus", "model", "export"))
    for module, *flags in (
        ("pipeline", "--preset=tiny-general", f"--out={corpus}"),
        ("model.train", "--preset=tiny-general", f"--corpus={corpus}", f"--out={model}"),
        ("export", "--held-out-only", f"--model={model}", f"--out={export}"),
    ):
        command = [sys.executable, "-m", module, *flags]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="module")
def path(build: Path) -> Path:
    """The file that would ship."""
    return next((build / "export").glob("*-int8.tflite"))


def test_it_is_exact_on_most_of_what_it_never_saw(path: Path):
    counts = Calculator(path).card["accuracy"]["held_out"]
    shares = {group: count["exact"] / count["of"] for group, count in counts.items()}
    assert shares.keys() == EXACT_ENOUGH.keys()
    assert all(share > EXACT_ENOUGH[group] for group, share in shares.items()), shares


def test_every_miss_went_wrong_in_a_part_of_the_working(path: Path):
    report = json.loads(path.with_suffix(".json").read_text())
    wrong = sum(count["of"] - count["exact"] for count in report["held_out"].values())
    stages = [count for split in report["stages"].values() for count in split.values()]
    assert len(report["misses"]) == wrong == sum(sum(count.values()) for count in stages)
    assert "unknown" not in {stage for count in stages for stage in count}


def test_it_shows_what_it_wrote(path: Path):
    lines = Calculator(path).explain("84+37").lines()
    assert lines[:2] == ["84+37 = 121", "  84 + 37"]
    assert [line.split() for line in lines[3:5]] == [
        ["carries", "¹2", "¹1"],
        ["digits", "1", "2", "1"],
    ]
    titles = [line.split()[0] for line in Calculator(path).explain("84/37").lines()]
    assert titles[2:7] == ["place", "down", "times", "rest", "quotient"]


def test_blocks_and_numpy_answer_like_single_expressions(path: Path):
    calculator = Calculator(path)
    singly = [calculator.answer(expression) for expression in EXPRESSIONS]
    for other in (calculator, Calculator(path, interpreter="numpy")):
        for one, many in zip(singly, other.answers(EXPRESSIONS, batch_size=64), strict=True):
            assert one.text == many.text
            assert one.confidence == pytest.approx(many.confidence, abs=1e-3)
