"""Training as a user meets it: killed, interrupted, resumed, given the wrong things."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import keras
import pytest

from model import folder
from model.train import main

SMALL = ["--steps=60", "--epoch-steps=20", "--batch-size=32", "--warmup-steps=5"]
SMALL += ["--validation-examples=100"]
SIZES = {
    "seq2seq": ["--encoder-units=8", "--decoder-units=8", "--dropout=0.1"],
    "columns": ["--read-units=4", "--memory-units=4", "--carry-units=4", "--write-units=4"],
}
SMALL_SEQ2SEQ = [*SMALL, "--network=seq2seq", *SIZES["seq2seq"]]
SECONDS = 120


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


def test_ctrl_c_leaves_a_usable_model_and_a_second_run_goes_on(corpus, tmp_path):
    process = start(corpus, tmp_path, "--steps=100000")
    wait_for_epochs(tmp_path, process, 1)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=SECONDS)[1]
    assert process.returncode == 130
    assert "interrupted after" in errors
    assert "Traceback" not in errors
    assert isinstance(folder.load_keras(tmp_path), keras.Model)
    assert not folder.read_json(tmp_path / folder.TRAINING)["completed"]
    process = start(corpus, tmp_path, "--steps=100000")
    for line in process.stderr:
        if "going on after" in line:
            break
    else:
        pytest.fail("the second run began anew")
    process.kill()
    process.communicate()


def test_other_settings_begin_anew(corpus, tmp_path):
    flags = ["--steps=20", "--dropout=0"]
    assert train(corpus, tmp_path, *flags)[0] == 0
    status, errors = train(corpus, tmp_path, *flags, "--seed=2")
    assert (status, "from the beginning" in errors) == (0, True)
    assert len(history(tmp_path)) == 1
    status, errors = train(corpus, tmp_path, *flags, "--seed=2")
    assert (status, "already trained" in errors) == (0, True)


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        (["--network=perceptron"], 2, "no network 'perceptron'"),
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
