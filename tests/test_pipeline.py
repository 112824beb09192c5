"""The corpus: its content, its order, its manifest, and how the command behaves."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
from edgecalc.language.calculator.spec import CalculatorSpec

from benchmarks import pipeline as benchmark
from pipeline import __main__ as command_module
from pipeline import corpus as corpus_module
from pipeline import manifest, shards
from pipeline.records import RecordFormat
from pipeline.settings import CorpusPlan, CorpusSettings
from tasks.calculator.task import CalculatorTask
from tasks.splits import SPLITS, Splits, permute

ROOT = Path(__file__).parents[1]
SMALL = ["--digits=1", "--places=2", "--shards=3", "--seed=7"]  # 390 expressions, all operators
SMALL_TASK = CalculatorTask(CalculatorSpec(digits=1, places=2))
SMALL_PLAN = CorpusPlan(SMALL_TASK, Splits(), CorpusSettings(seed=7, shards=3))


def command(*flags):
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(ROOT / "runtime"), str(ROOT)]))
    return [sys.executable, "-m", "pipeline", *map(str, flags)], environment


def run(*flags):
    arguments, environment = command(*flags)
    return subprocess.run(
        arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


def read(folder, split="*"):
    """The (expression, answer) texts of a split, shard by shard in order of position."""
    names = sorted(map(str, Path(folder).glob(f"{split}-*.tfrecord")))
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in ("expression", "answer")}
    parsed = [
        tf.io.parse_single_example(record, features) for record in tf.data.TFRecordDataset(names)
    ]
    return [(p["expression"].numpy().decode(), p["answer"].numpy().decode()) for p in parsed]


def contents(folder):
    return {file.name: file.read_bytes() for file in Path(folder).iterdir()}


def write_without_beam(plan, folder):
    record_format = corpus_module.record_format(plan.task)
    for shard in range(plan.settings.shards):
        corpus_module.write_shard(plan, str(folder), shard, record_format)


def operator_of(expression):
    return next(c for c in expression if not c.isdecimal() and c != " ")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    done = run("--out", folder, *SMALL)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # nothing of Beam's own
    assert "390 records" in done.stdout
    return folder


def test_every_expression_once_with_its_answer(small):
    examples = [example for split in SPLITS for example in read(small, split)]
    expected = [
        f"{a}{operator}{b}"
        for operator in "+-*/"
        for a in range(10)
        for b in range(10)
        if operator != "/" or b
    ]
    assert sorted(expression for expression, _ in examples) == sorted(expected)
    for expression, answer in examples:
        a, operator, b = expression
        a, b = Decimal(a), Decimal(b)
        if operator == "/":
            true = str((a / b).quantize(Decimal("0.01"), ROUND_HALF_UP))
        else:
            true = str({"+": a + b, "-": a - b, "*": a * b}[operator])
        assert answer == true.rjust(4), expression


def test_larger_numbers_against_decimal():
    plan = CorpusPlan(CalculatorTask(CalculatorSpec()), Splits(), CorpusSettings(seed=3))
    values, _, _ = corpus_module.batch(plan, np.arange(2000))
    for expression, answer in zip(values["expression"], values["answer"], strict=True):
        text = expression.tobytes().decode()
        operator = operator_of(text)
        a, b = map(Decimal, text.split(operator))
        if operator == "/":
            true = str((a / b).quantize(Decimal("0.001"), ROUND_HALF_UP))
        else:
            true = str({"+": a + b, "-": a - b, "*": a * b}[operator])
        assert answer.tobytes().decode() == true.rjust(7), text


def test_splits_share_nothing_even_commuted(small):
    keys = []
    for split in SPLITS:
        own = set()
        for expression, _ in read(small, split):
            a, operator, b = expression
            own.add((operator, *(sorted((a, b)) if operator in "+*" else (a, b))))
        keys.append(own)
    assert all(keys)
    assert len(set.union(*keys)) == sum(map(len, keys))


def test_manifest_tells_what_is_there(small):
    written = json.loads((small / "manifest.json").read_text())
    assert written["format"] == 3
    assert CalculatorSpec.from_dict(written["spec"]) == SMALL_TASK.spec
    assert written["splits"] == {"train": 0.8, "validation": 0.1, "unseen": 0.0}
    assert (written["seed"], written["examples"]) == (7, 390)
    assert set(written["versions"]) == {"python", "apache-beam", "numpy"}
    names = sorted(path.name for path in small.glob("*.tfrecord"))
    assert [shard["name"] for shard in written["shards"]] == names
    assert len(names) == 9
    lines = ""
    for shard in written["shards"]:
        data = (small / shard["name"]).read_bytes()
        assert shard["split"] == shard["name"].split("-")[0]
        assert shard["bytes"] == len(data)
        assert shard["sha256"] == hashlib.sha256(data).hexdigest()
        assert shard["records"] == len(list(tf.data.TFRecordDataset(str(small / shard["name"]))))
        lines += f"{shard['name']} {shard['sha256']}\n"
    assert written["sha256"] == hashlib.sha256(lines.encode()).hexdigest()
    for split in SPLITS:
        counts = Counter(operator_of(expression) for expression, _ in read(small, split))
        assert written["records"][split] == {op: counts[op] for op in "+-*/"}
        recorded = sum(s["records"] for s in written["shards"] if s["split"] == split)
        assert recorded == sum(counts.values())


def test_same_bytes_from_any_runner(small, tmp_path):
    for number, flags in enumerate(
        [
            ["--direct_running_mode=multi_processing", "--direct_num_workers=2"],
            ["--direct_running_mode=multi_threading", "--direct_num_workers=3"],
            ["--runner=BundleBasedDirectRunner"],
        ]
    ):
        folder = tmp_path / str(number)
        done = run("--out", folder, *SMALL, *flags)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        assert contents(folder) == contents(small), flags


def test_seed_changes_order_and_not_content(small, tmp_path):
    write_without_beam(replace(SMALL_PLAN, settings=CorpusSettings(seed=8, shards=3)), tmp_path)
    for split in SPLITS:
        assert read(tmp_path, split) != read(small, split)
        assert sorted(read(tmp_path, split)) == sorted(read(small, split))


def test_fewer_examples_are_a_prefix(small, tmp_path):
    settings = CorpusSettings(seed=7, shards=2, examples=100)
    write_without_beam(replace(SMALL_PLAN, settings=settings), tmp_path)
    texts = SMALL_TASK.examples(permute(np.arange(100), 390, 7)).expressions()
    first = {row.tobytes().decode() for row in texts}
    few = [example for split in SPLITS for example in read(tmp_path, split)]
    assert {expression for expression, _ in few} == first
    assert len(few) == 100
    for split in SPLITS:  # and in the same order as in the larger corpus
        part = read(tmp_path, split)
        assert part == read(small, split)[: len(part)]


def test_batches_do_not_show(small, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_module, "_BATCH", 17)
    record_format = corpus_module.record_format(SMALL_PLAN.task)
    corpus_module.write_shard(SMALL_PLAN, str(tmp_path), 1, record_format)
    assert len(contents(tmp_path)) == 3
    for name, data in contents(tmp_path).items():
        assert data == (small / name).read_bytes()


def test_counters(small, tmp_path):
    pipeline = beam.Pipeline("FnApiRunner")
    _ = pipeline | corpus_module.WriteCorpus(SMALL_PLAN, str(tmp_path))
    result = pipeline.run()
    result.wait_until_finish()
    found = {c.key.metric.name: c.committed for c in result.metrics().query()["counters"]}
    records = manifest.read(str(small))["records"]
    expected = {f"records_{split}": sum(records[split].values()) for split in SPLITS}
    assert {"shards": 3, **expected}.items() <= found.items()


def test_writing_a_shard_again_changes_nothing(small, tmp_path):
    record_format = corpus_module.record_format(SMALL_PLAN.task)
    reports = [
        corpus_module.write_shard(SMALL_PLAN, str(tmp_path), 2, record_format) for _ in range(2)
    ]
    assert reports[0] == reports[1]
    assert len(contents(tmp_path)) == 3


def test_failure_leaves_no_half_shard(tmp_path, monkeypatch):
    record_format = corpus_module.record_format(SMALL_PLAN.task)
    calls = []

    def fail_late(values):
        calls.append(values)
        assert len(contents(tmp_path)) == 3
        assert all(name.endswith(".tmp") for name in contents(tmp_path))
        if len(calls) == 3:
            raise OSError("disk full")
        return RecordFormat.frames(record_format, values)

    monkeypatch.setattr(corpus_module, "_BATCH", 17)
    monkeypatch.setattr(record_format, "frames", fail_late)
    with pytest.raises(OSError, match="disk full"):
        corpus_module.write_shard(SMALL_PLAN, str(tmp_path), 0, record_format)
    assert len(calls) == 3
    assert contents(tmp_path) == {}


def test_run_after_a_killed_one_completes(small, tmp_path):
    shard = "train-00000-of-00003.tfrecord"
    theirs = ["notes.txt", "train-1-of-3.tfrecord", shard + ".backup", "other.tmp"]
    ours = [
        shard,
        "test-00004-of-00009.tfrecord",
        f"{shard}.{'0a' * 16}.tmp",
        f"manifest.json.{'0a' * 16}.tmp",
    ]
    for name in theirs + ours:
        (tmp_path / name).write_bytes(b"half")
    assert run("--out", tmp_path, *SMALL).returncode == 0
    left = contents(tmp_path)
    assert {name: left.pop(name) for name in theirs} == dict.fromkeys(theirs, b"half")
    assert left == contents(small)


def test_old_manifest_goes_first(tmp_path, monkeypatch):
    deleted = []
    delete = shards.FileSystems.delete
    monkeypatch.setattr(
        shards.FileSystems, "delete", lambda paths: (deleted.extend(paths), delete(paths))
    )
    for name in ("a.txt", "manifest.json", "test-00000-of-00001.tfrecord"):
        (tmp_path / name).touch()
    shards.clear(str(tmp_path))
    assert Path(deleted[0]).name == "manifest.json"
    assert sorted(contents(tmp_path)) == ["a.txt"]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_interrupted_run_leaves_no_manifest_and_only_whole_shards(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    arguments, environment = command("--out", tmp_path, "--digits=4", "--shards=3000")
    process = subprocess.Popen(
        arguments, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob("train-*.tfrecord")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors == "python -m pipeline: interrupted; run it again for a whole corpus\n"
    assert not (tmp_path / "manifest.json").exists()
    finished = sorted(tmp_path.glob("*.tfrecord"))
    assert finished
    length = corpus_module.record_format(CalculatorTask(CalculatorSpec(digits=4))).frame_length
    assert [path.stat().st_size % length for path in finished] == [0] * len(finished)
    for shard in {int(path.name.split("-")[1]) for path in tmp_path.glob("train-*.tfrecord")}:
        sizes = [
            (tmp_path / shards.shard_name(split, shard, 3000)).stat().st_size for split in SPLITS
        ]
        assert sum(sizes) // length in (3333, 3334)  # of ten million


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--shard=3"], "unknown option --shard"),
        (["--direct_num=3"], "unknown option --direct_num"),
        (["--runner=Nope"], "Unexpected pipeline runner"),
        (["--direct_num_workers=x"], "invalid int value"),
        (["extra"], "unexpected argument extra"),
        (["--shards=0"], "shards must be from 1"),
        (["--examples=391"], "at most 390"),
        (["--examples=2"], "shards must be at most 2"),
        (["--seed=1.5"], "invalid int value"),
        (["--preset=nope"], "no preset 'nope'"),
        (["--out=a*b"], "must not have a *"),
    ],
)
def test_wrong_usage_is_one_line(flags, reason, tmp_path):
    out = [] if flags[0].startswith("--out") else ["--out", tmp_path]
    done = run(*out, *SMALL, *flags)
    assert done.returncode == 2
    assert done.stderr.startswith("python -m pipeline: error: ")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_file_in_place_of_the_folder_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    done = run("--out", tmp_path / "file", *SMALL)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "is a file, not a folder" in done.stderr


@pytest.mark.parametrize("digits", [1, 3])
def test_benchmark_compares_the_same_records(digits):
    spec = CalculatorSpec(digits=digits)
    plan = CorpusPlan(CalculatorTask(spec), Splits(), CorpusSettings(shards=1))
    values, _, _ = corpus_module.batch(plan, np.arange(100))
    frames = corpus_module.record_format(plan.task).frames(values)
    for features, row in zip(benchmark.records(plan, range(100)), frames, strict=True):
        example = benchmark.to_example(features).SerializeToString(deterministic=True)
        assert example == row.tobytes()[12:-4]


def test_a_task_of_more_than_ten_million_is_sampled():
    task = CalculatorTask(CalculatorSpec(digits=4))
    assert task.size == 399_990_000
    assert CorpusPlan(task, Splits(), CorpusSettings()).examples == 10_000_000
    more = CorpusSettings(examples=20_000_000)
    assert CorpusPlan(task, Splits(), more).examples == 20_000_000
    default = CalculatorTask(CalculatorSpec())
    assert CorpusPlan(default, Splits(), CorpusSettings()).examples == default.size


def test_held_out_numbers_have_shards_of_their_own(tmp_path):
    done = run("--out", tmp_path, *SMALL, "--unseen=0.2")
    assert done.returncode == 0, done.stderr
    trained = {text for pair in read(tmp_path, "train") for text in pair[0] if text.isdecimal()}
    unseen = read(tmp_path, "unseen")
    assert unseen
    assert len(trained) < 10
    assert all(not {a, b} <= trained for (a, _, b), _ in unseen)
    counts = manifest.read(str(tmp_path))["records"]
    assert sum(counts["unseen"].values()) == len(unseen)
    assert "unseen" in done.stdout
    assert run("--out", tmp_path, *SMALL).returncode == 0
    assert not list(tmp_path.glob("unseen-*"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("%"), "KeyError: '%'"),
        (ValueError(), "ValueError"),
        (RuntimeError("Traceback …\n  x\nKeyError: '%' [while running 'Write']"), "KeyError: '%'"),
        (
            RuntimeError("Traceback …\nnumpy.core.Bad_Error: too large\n\nSee https://x.org/y\n"),
            "numpy.core.Bad_Error: too large",
        ),
        (
            RuntimeError("the Beam job ended as FAILED"),
            "RuntimeError: the Beam job ended as FAILED",
        ),
    ],
)
def test_a_failure_is_told_by_type_and_message(error, reason):
    assert command_module._reason(error) == reason


def test_manifest_reads_back(small):
    assert manifest.read(str(small))["sha256"] == manifest.corpus_hash(
        manifest.read(str(small))["shards"]
    )
