"""Training as a user meets it: killed, interrupted, resumed, given the wrong things."""

import contextlib
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from edgecalc.language.calculator.spec import CalculatorSpec

import presets.recipe as recipe
from model import code, folder
from model.train import main
from tasks.calculator.task import CalculatorTask

SMALL = ["--steps=60", "--epoch-steps=20", "--batch-size=32", "--warmup-steps=5"]
SMALL += ["--validation-examples=100"]
SIZES = {
    "seq2seq": ["--encoder-units=8", "--decoder-units=8", "--dropout=0.1"],
    "columns": ["--read-units=4", "--memory-units=4", "--carry-units=4", "--write-units=4"],
}
SMALL_SEQ2SEQ = [*SMALL, "--network=seq2seq", *SIZES["seq2seq"]]
SECONDS = 120
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus")
    command = [sys.executable, "-m", "pipeline", "--preset=tiny", f"--out={path}"]
    subprocess.run(command, check=True, capture_output=True)
    return path


def start(corpus, out, *flags, network="seq2seq"):
    command = [sys.executable, "-m", "model.train", "--preset=tiny", f"--corpus={corpus}"]
    command += [f"--network={network}", *SMALL, *SIZES[network]]
    return subprocess.Popen([*command, f"--out={out}", *flags], stderr=subprocess.PIPE, text=True)


def train(corpus, out, *flags, network="seq2seq"):
    process = start(corpus, out, *flags, network=network)
    errors = process.communicate(timeout=SECONDS)[1]
    return process.returncode, errors


def history(out):
    with (out / folder.HISTORY).open(newline="") as file:
        return list(csv.DictReader(file))


def wait_for_epochs(out, process, epochs):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        path = out / folder.TRAINING
        if path.exists() and json.loads(path.read_text())["steps"] >= epochs * 20:
            return
        time.sleep(0.01)
    pytest.fail("the training came to no checkpoint")


@pytest.fixture(scope="module", params=SIZES)
def network(request):
    return request.param


@pytest.fixture(scope="module")
def trained(corpus, network, tmp_path_factory):
    out = tmp_path_factory.mktemp("model")
    assert train(corpus, out, network=network)[0] == 0
    return out


def test_a_folder_of_a_finished_training(trained):
    record = folder.read_json(trained / folder.TRAINING)
    assert record["completed"]
    assert record["steps"] == 60
    assert record["training"]["learning_rate"] == 5e-3
    assert record["corpus"]["spec"]["operators"] == "+-*/"
    assert set(record["validation"]) == set("+-*/")
    assert [row["epoch"] for row in history(trained)] == ["0", "1", "2"]
    assert 0 <= float(history(trained)[0]["val_exact_+"]) <= 1
    assert list(trained.glob("tensorboard/*/events.*"))
    assert not list(trained.glob("partial-*"))
    assert folder.load_keras(trained).count_params() == record["parameters"]


def test_trained_once_is_not_trained_again(corpus, network, trained):
    before = (trained / folder.MODEL).read_bytes()
    status, errors = train(corpus, trained, network=network)
    assert (status, "already trained" in errors) == (0, True)
    assert (trained / folder.MODEL).read_bytes() == before


def test_a_killed_training_ends_as_if_it_had_not_been_killed(corpus, network, trained, tmp_path):
    process = start(corpus, tmp_path, network=network)
    wait_for_epochs(tmp_path, process, 1)
    process.kill()
    process.communicate()
    assert not (tmp_path / folder.MODEL).exists()
    with pytest.raises(folder.TrainedModelError, match="was not finished"):
        folder.load_keras(tmp_path)
    status, errors = train(corpus, tmp_path, network=network)
    assert (status, "going on after" in errors) == (0, True)
    whole, resumed = history(trained), history(tmp_path)
    assert [row["epoch"] for row in resumed] == ["0", "1", "2"]
    for row, other in zip(whole, resumed, strict=True):
        assert float(row["loss"]) == pytest.approx(float(other["loss"]), rel=1e-4)


def test_ctrl_c_leaves_the_model_of_the_last_checkpoint_and_a_second_run_goes_on(corpus, tmp_path):
    process = start(corpus, tmp_path, "--steps=100000")
    wait_for_epochs(tmp_path, process, 1)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=SECONDS)[1]
    assert process.returncode == 130
    assert "interrupted after" in errors
    assert "Traceback" not in errors
    record = folder.read_json(tmp_path / folder.TRAINING)
    assert not record["completed"]
    # The weights are those of the recorded steps, whenever the interrupt came.
    with h5py.File(tmp_path / folder.CHECKPOINT) as checkpoint:
        stored = [
            np.array(values)
            for name, values in checkpoint["layers"].items()
            if name == "time_distributed"
            for values in values["layer"]["vars"].values()
        ]
    kept = folder.load_keras(tmp_path).get_layer("answer").get_weights()
    assert len(stored) == len(kept) == 2
    for values, expected in zip(kept, stored, strict=True):
        np.testing.assert_array_equal(values, expected)
    assert set(record["validation"]) == set("+-*/")
    process = start(corpus, tmp_path, "--steps=100000")
    for line in process.stderr:
        if "going on after" in line:
            break
    else:
        pytest.fail("the second run began anew")
    process.kill()
    process.communicate()


class TestResuming:
    """Whatever stands in the folder: nothing is lost, and nothing that is not true is recorded."""

    @pytest.fixture(scope="class")
    def short(self, corpus, tmp_path_factory):
        out = tmp_path_factory.mktemp("short")
        assert run(corpus, out)[0] == 0
        return out

    @pytest.fixture
    def out(self, short, tmp_path):
        return Path(shutil.copytree(short, tmp_path / "model"))

    def test_a_kill_before_the_model_was_saved(self, corpus, out):
        expected = folder.load_keras(out).get_weights()
        (out / folder.MODEL).unlink()
        change(out, completed=False, validation={})
        status, errors = run(corpus, out)
        assert (status, "going on after" in errors) == (0, True)
        record = folder.read_json(out / folder.TRAINING)
        assert record["completed"]
        assert set(record["validation"]) == set("+-*/")
        for one, other in zip(folder.load_keras(out).get_weights(), expected, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_lines_cut_short_in_the_history(self, corpus, out):
        change(out, completed=False)
        history_of = out / folder.HISTORY
        history_of.write_text(history_of.read_text() + "\n1,0.5\n2")
        status, errors = run(corpus, out, "--steps=40")
        assert (status, "going on after" in errors) == (0, True)
        assert [row["epoch"] for row in history(out)] == ["0", "1"]

    def test_more_steps_go_on(self, corpus, out):
        status, errors = run(corpus, out, "--steps=40")
        assert (status, "going on after 20 steps" in errors) == (0, True)
        record = folder.read_json(out / folder.TRAINING)
        assert (record["steps"], record["training"]["steps"]) == (40, 40)
        assert record["completed"]
        status, errors = run(corpus, out, "--steps=20")
        assert (status, "training.steps was 40 and is 20" in errors) == (1, True)

    def test_other_settings_are_refused_by_name_and_nothing_is_touched(self, corpus, out):
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        status, errors = run(corpus, out, "--seed=2", "--encoder-units=9")
        assert status == 1
        assert errors.count("\n") == 1
        assert "training.seed was 1 and is 2; network.encoder_units was 8 and is 9" in errors
        assert "--no-resume begins anew" in errors
        assert {path: path.read_bytes() for path in before} == before

    def test_no_resume_begins_anew_and_keeps_what_was_there(self, corpus, out):
        model = (out / folder.MODEL).read_bytes()
        assert run(corpus, out, "--seed=2", "--no-resume")[0] == 0
        assert folder.read_json(out / folder.TRAINING)["training"]["seed"] == 2
        assert (out.with_name("model.former") / folder.MODEL).read_bytes() == model
        assert len(history(out)) == 1

    def test_changed_code_begins_anew(self, corpus, out):
        code = folder.read_json(out / folder.TRAINING)["code"]
        change(out, code={**code, "model/networks/seq2seq.py": "other"})
        status, errors = run(corpus, out)
        assert (status, "from the beginning" in errors) == (0, True)
        assert "model/networks/seq2seq.py changed since the last training" in errors
        assert (out.with_name("model.former") / folder.MODEL).exists()

    def test_a_damaged_record_is_not_taken_for_none(self, corpus, out):
        (out / folder.TRAINING).write_text('{"steps": 20')
        status, errors = run(corpus, out)
        assert (status, errors.count("\n")) == (1, 1)
        assert "cannot be resumed" in errors
        assert (out / folder.MODEL).exists()

    def test_a_damaged_checkpoint_is_said(self, corpus, out):
        (out / folder.CHECKPOINT).write_bytes(b"no weights")
        status, errors = run(corpus, out, "--steps=40")
        assert (status, errors.count("\n")) == (1, 1)
        assert "cannot be resumed" in errors


def change(out, **values):
    record = folder.read_json(out / folder.TRAINING)
    folder.write_json(out / folder.TRAINING, {**record, **values})


def run(corpus, out, *flags):
    """Trains in this process; the status, and what was said on stderr."""
    said = io.StringIO()
    arguments = ["--preset=tiny", f"--corpus={corpus}", f"--out={out}", *SMALL_SEQ2SEQ]
    with contextlib.redirect_stderr(said):
        status = main([*arguments, "--steps=20", "--dropout=0", *flags])
    return status, said.getvalue()


def test_a_group_that_is_none_is_named(corpus, tmp_path):
    flags = ["--first-groups=+ %", "--first-group-steps=20"]
    status, errors = run(corpus, tmp_path, *flags)
    assert (status, "first_groups: no % among + - * /" in errors) == (1, True)


def test_the_code_of_a_model_is_told_apart_without_its_comments(tmp_path):
    source = tmp_path / "a.py"

    def digest(text):
        source.write_text(text)
        return recipe.digest(source)

    plain = digest("def f(x):\n    return x + 1\n")
    assert digest('def f(x):\n    """Adds."""\n    return x + 1  # one\n') != plain
    documented = digest('def f(x):\n    """Adds."""\n    return x + 1  # one\n')
    assert digest('def f(x):\n    """Adds one."""\n    return x + 1\n') == documented
    assert digest("def f(x):\n    return x + 2\n") != plain
    assert "model/run.py" in code.digests(CalculatorTask(CalculatorSpec()))


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        (["--network=perceptron"], 2, "no network 'perceptron'"),
        (["--optimizer=sgd"], 2, "no optimizer 'sgd'; there are adamw, muon"),
        (["--steps=50"], 2, "no multiple of epoch_steps"),
        (["--batchsize=4"], 2, "unrecognized arguments: --batchsize=4"),
        (["--preset=huge"], 2, "no preset 'huge'"),
        (["--decoder-layers=0"], 2, "decoder_layers must be at least 1: 0"),
        (["--dropout=1"], 2, "dropout must be from 0 to below 1: 1.0"),
        (["--corpus=nowhere"], 1, "nowhere/manifest.json: no such file"),
        ([f"--out={os.devnull}/model"], 1, "Not a directory"),
    ],
)
def test_wrong_usage(corpus, tmp_path, capsys, flags, status, message):
    arguments = ["--preset=tiny", f"--corpus={corpus}", f"--out={tmp_path}", *SMALL_SEQ2SEQ, *flags]
    try:
        code = main(arguments)
    except SystemExit as exit_:
        code = exit_.code
    assert code == status
    assert message in capsys.readouterr().err
