"""The road with the tiny preset, as a user goes it: make data train export, then calculate."""

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from edgecalc import Calculator, ModelError
from edgecalc.language.calculator.spec import CalculatorSpec

from export import convert as conversion
from export.__main__ import Exporter, ExportError
from export.__main__ import main as export
from export.verify import main as count_tflite
from model import folder
from model.evaluate import answerer, evaluate
from model.evaluate import main as count_keras
from tasks.calculator.task import CalculatorTask
from tasks.exact_match import HELD_OUT_PART, blocks, count_exact
from tasks.splits import Splits

ROOT = Path(__file__).parents[1]
VARIANTS, SHIPS = ("float32", "float16", "int8"), "int8"
EXACT_ENOUGH = 0.99
PERMUTED = "+3. 91-*7/402865"
pytestmark = pytest.mark.slow


def make(build, *targets):
    # The make that runs these tests must not pass its own flags on.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    command = ["make", *targets, "PRESET=tiny", f"BUILD={build}"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """The folder in which `make data train export` built everything."""
    root = tmp_path_factory.mktemp("build")
    done = make(root, "data", "train", "export")
    assert done.returncode == 0, done.stderr
    assert (root / "export" / "table.txt").read_text() in done.stdout
    return root


def exported(build, variant):
    return build / "export" / f"edgecalc-tiny-{variant}.tflite"


def smallest_share(counts):
    assert set(counts) == set("+-*/")
    return min(count["exact"] / count["of"] for count in counts.values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_exact_and_says_so_itself(build, variant):
    content = exported(build, variant).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        spec, card = (json.loads(archive.read(name)) for name in ("spec.json", "card.json"))
    assert spec == {
        "task": "calculator",
        "digits": 2,
        "places": 2,
        "operators": "+-*/",
        "alphabet": "0123456789+-*/. ",
    }
    flatbuffer = content[: card["flatbuffer"]["bytes"]]
    assert hashlib.sha256(flatbuffer).hexdigest() == card["flatbuffer"]["sha256"]
    manifest = json.loads((build / "corpus" / "manifest.json").read_text())
    assert card["corpus"]["sha256"] == manifest["sha256"]
    assert card["training"]["steps"] == 2000
    held_out, everything = (card["accuracy"][key] for key in ("held_out", "exhaustive"))
    assert smallest_share(held_out) > EXACT_ENOUGH
    assert {key: count["of"] for key, count in held_out.items()} == manifest["records"]["test"]
    if variant != SHIPS:
        assert everything is None
        return
    assert smallest_share(everything) > EXACT_ENOUGH
    sizes = {"+": 10_000, "-": 10_000, "*": 10_000, "/": 9_900}
    assert {key: count["of"] for key, count in everything.items()} == sizes


@pytest.mark.parametrize("variant", VARIANTS)
def test_blocks_of_any_size_are_answered_like_single_expressions(build, variant):
    """XNNPACK once answered nonsense when its interpreter was allocated anew."""
    calculator = Calculator(exported(build, variant))
    expressions = [f"{a}{operator}{7 * a % 89 + 1}" for a in range(30) for operator in "+-*/"]
    singly = [calculator.answer(expression) for expression in expressions]
    for batch in (120, 64, 100, 7, 120):
        together = list(calculator.answers(expressions, batch_size=batch))
        for one, other in zip(singly, together, strict=True):
            assert one.text == other.text
            assert one.confidence == pytest.approx(other.confidence, abs=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_shows_its_working(build, variant):
    calculator = Calculator(exported(build, variant))
    working = calculator.explain("84/37")
    assert (working.operator, working.operands, working.answer) == ("/", [8, 4, 3, 7], "2.27")
    assert calculator.explain("84*37").columns[:4] == [0, 24, 68, 28]


def test_the_variant_for_microcontrollers_was_run_as_they_run_it(build):
    pytest.importorskip("tflite_micro")
    table = build / "export" / "table.txt"
    before = table.read_text(), table.stat().st_mtime_ns
    done = make(build, "micro")
    assert done.returncode == 0, done.stderr
    assert (table.read_text(), table.stat().st_mtime_ns) == before
    calculator = Calculator(exported(build, "micro"))
    accuracy = calculator.card["accuracy"]
    assert accuracy["exhaustive"] is None
    assert (
        accuracy["held_out"] == Calculator(exported(build, "float32")).card["accuracy"]["held_out"]
    )
    assert smallest_share(accuracy["held_out"]) > EXACT_ENOUGH
    assert 10_000 < calculator.card["micro"]["arena_bytes"] < 200_000
    assert calculator.card["micro"]["interpreter"].startswith("tflite-micro ")
    expressions = [f"{a}{operator}{7 * a % 89 + 1}" for a in range(30) for operator in "+-*/"]
    together = [answer.text for answer in calculator.answers(expressions, batch_size=64)]
    assert together == [calculator.answer(expression).text for expression in expressions]
    with pytest.raises(ModelError, match="does not show its working"):
        calculator.explain("84/37")


def test_what_was_verified_lies_beside_every_file(build):
    for variant in VARIANTS:
        report = json.loads(exported(build, variant).with_suffix(".json").read_text())
        accuracy = Calculator(exported(build, variant)).card["accuracy"]
        assert report["held_out"] == accuracy["held_out"]
        counted = report["exhaustive" if variant == SHIPS else "held_out"]
        wrong = sum(count["of"] - count["exact"] for count in counted.values())
        stages = [count for split in report["stages"].values() for count in split.values()]
        assert len(report["misses"]) == wrong == sum(sum(count.values()) for count in stages)


def test_the_calculator_is_as_exact_as_the_card_says(build):
    calculator = Calculator(exported(build, SHIPS))
    pairs = [(a, b) for a in range(100) for b in range(100)]
    for operator, true in (("+", int.__add__), ("-", int.__sub__), ("*", int.__mul__)):
        answers = calculator.answers(f"{a}{operator}{b}" for a, b in pairs)
        right = sum(
            answer.text == str(true(*pair)) for answer, pair in zip(answers, pairs, strict=True)
        )
        assert right == calculator.card["accuracy"]["exhaustive"][operator]["exact"]


def test_keras_was_counted_as_the_float32_file_is(build):
    evaluation = json.loads((build / "model" / "evaluation.json").read_text())
    accuracy = Calculator(exported(build, "float32")).card["accuracy"]
    assert accuracy["held_out"] == evaluation["held_out"]


def test_what_is_up_to_date_is_not_made_again(build):
    def times():
        return {path: path.stat().st_mtime_ns for path in build.rglob("*") if path.is_file()}

    before = times()
    assert make(build, "data", "train", "export").returncode == 0
    assert times() == before


def test_the_table_is_saved(build):
    table = (build / "export" / "table.txt").read_text()
    assert table.split()[:6] == ["variant", "bytes", "expressions/s", "counted", "+", "-"]
    assert table.split()[6:8] == ["*", "/"]
    counted = [tuple(line.split()[0:4:3]) for line in table.splitlines()[1:]]
    assert counted == [*((variant, "held-out") for variant in VARIANTS), (SHIPS, "all")]


def test_the_network_does_not_care_what_the_symbols_are(build, tmp_path):
    """The same preset with every symbol under another id learns just as exactly."""
    corpus, model = tmp_path / "corpus", tmp_path / "model"
    for module, *flags in (
        ("pipeline", f"--alphabet={PERMUTED}", f"--out={corpus}"),
        ("model.train", f"--corpus={corpus}", f"--out={model}"),
    ):
        command = [sys.executable, "-m", module, "--preset=tiny", *flags]
        subprocess.run(command, check=True, capture_output=True)
    held_out = evaluate(model)["held_out"]
    assert smallest_share(held_out) > EXACT_ENOUGH


def test_an_answer_that_differs_from_keras_stops_the_export(build, tmp_path):
    exporter = Exporter(build / "model", tmp_path, held_out_only=True)
    task = CalculatorTask(CalculatorSpec(digits=2, places=2))
    answer = answerer(folder.load_keras(build / "model"))
    answers = np.concatenate(
        [
            count_exact(task, Splits(), 2018, block, answer, asked=HELD_OUT_PART).answers
            for block in blocks(task.size)
        ]
    )
    exporter._compare(answers)
    answers[7, -1] = (answers[7, -1] + 1) % 10
    with pytest.raises(ExportError, match=r"TFLite and Keras answer \d+[-+*/]\d+ differently"):
        exporter._compare(answers)


class TestErrors:
    def run(self, capsys, *flags):
        status = export(list(map(str, flags)))
        return status, capsys.readouterr().err

    def test_no_model(self, capsys, tmp_path):
        status, errors = self.run(capsys, f"--model={tmp_path}", f"--out={tmp_path}")
        assert (status, errors.count("\n")) == (1, 1)
        assert "training.json: no such file; `make train` writes it" in errors

    def test_a_damaged_model(self, build, capsys, tmp_path):
        record = (build / "model" / "training.json").read_text()
        (tmp_path / "training.json").write_text(record)
        (tmp_path / "model.keras").write_bytes(b"not a model")
        status, errors = self.run(capsys, f"--model={tmp_path}", f"--out={tmp_path / 'out'}")
        assert (status, errors.count("\n")) == (1, 1)
        assert "model.keras: " in errors

    @pytest.mark.parametrize("command", [count_keras, count_tflite])
    def test_nothing_to_count(self, command, capsys, tmp_path):
        arguments = ["--model"] if command is count_keras else []
        assert command([*arguments, str(tmp_path)]) == 1
        errors = capsys.readouterr().err
        assert errors.count("\n") == 1
        assert str(tmp_path) in errors

    def test_an_operator_that_tflite_has_not_built_in(self):
        ids = conversion.keras.Input((3,), dtype="int32")
        numbers = conversion.keras.layers.Lambda(lambda x: tf.math.digamma(tf.cast(x, tf.float32)))
        model = conversion.keras.Model(ids, {"answer": numbers(ids)})
        with pytest.raises(conversion.ConversionError, match="TFLite cannot express the network"):
            conversion.convert(model, "float32")
