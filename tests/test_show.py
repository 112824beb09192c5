"""`python -m pipeline.show`: records of a corpus in words, read by its manifest alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from edgecalc.language.calculator.spec import CalculatorSpec

from pipeline import corpus, manifest
from pipeline.settings import CorpusPlan, CorpusSettings
from pipeline.show import Records, main, some
from tasks.calculator.task import CalculatorTask
from tasks.splits import Splits

PLAN = CorpusPlan(CalculatorTask(CalculatorSpec()), Splits(), CorpusSettings(shards=3, examples=90))
FEATURES = corpus.features(PLAN.task)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus")
    record_format = corpus.record_format(PLAN.task)
    reports = [corpus.write_shard(PLAN, str(path), shard, record_format) for shard in range(3)]
    manifest.write(manifest.make(PLAN, FEATURES, reports), str(path))
    return path


def test_every_record_is_read_as_it_was_written(folder: Path):
    values, split_of, group_of = corpus.batch(PLAN, np.arange(90))
    records = Records(folder)
    assert sum(records.counts.values()) == 90
    for number, split in enumerate(PLAN.splits.names):
        for position, row in enumerate(np.flatnonzero(split_of == number)):
            record = records.record(split, position)
            assert (record.split, record.position) == (split, position)
            assert list(record.features) == list(FEATURES)
            assert record.features["group"] == "+-*/"[group_of[row]]
            for name in ("expression", "answer"):
                assert record.features[name] == values[name][row].tobytes().decode()
            columns = values["columns"][row].tobytes()
            assert record.features["columns"] == np.frombuffer(columns, "<i2").tolist()
            assert record.features["digits"] == values["digits"][row].tolist()
    with pytest.raises(IndexError):
        records.record("test", records.counts["test"])


def test_five_are_printed_from_each_split_in_turn(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main([f"--corpus={folder}"]) == 0
    records = capsys.readouterr().out.split("\n\n")
    assert [record.split(",")[0] for record in records] == [
        *("train", "validation", "test"),
        *("train", "validation"),
    ]
    for record in records:
        title, *lines = record.splitlines()
        assert title.endswith(", counted from 0")
        assert [line.split()[0] for line in lines] == list(FEATURES)
        assert len({len(line) - len(line.split(maxsplit=1)[1]) for line in lines}) <= 3  # aligned
    assert len({record.position for record in some(Records(folder), 80)}) > 20


def test_the_record_of_an_expression(folder: Path, capsys: pytest.CaptureFixture[str]):
    wanted = Records(folder).record("validation", 2).features["expression"]
    assert isinstance(wanted, str)
    assert main([f"--corpus={folder}", f"--expression={wanted.strip()}"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("validation, record 2 of ")
    assert f'  expression  "{wanted}"\n' in out


@pytest.mark.parametrize("expression", ["1", "no such thing", "é"])
def test_an_expression_that_is_not_there(
    folder: Path, capsys: pytest.CaptureFixture[str], expression: str
):
    assert main([f"--corpus={folder}", f"--expression={expression}"]) == 1
    assert capsys.readouterr().err == (
        f"python -m pipeline.show: error: {folder}: no record of {expression!r}\n"
    )


class TestErrors:
    def run(self, capsys: pytest.CaptureFixture[str], folder: Path) -> str:
        assert main([f"--corpus={folder}"]) == 1
        out, errors = capsys.readouterr()
        assert (out, errors.count("\n")) == ("", 1)
        return errors

    def test_no_corpus(self, capsys: pytest.CaptureFixture[str], tmp_path: Path):
        assert "no corpus there; `make data` writes one" in self.run(capsys, tmp_path)
        (tmp_path / "file").touch()
        assert "no corpus there; `make data` writes one" in self.run(capsys, tmp_path / "file")

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            ("{", "not a manifest"),
            ("[]", "not a manifest"),
            ("{}", "not a manifest: KeyError('format')"),
            ('{"format": 2}', "format 2, 3 is read here"),
            ('{"format": 3, "features": 1, "records": {}, "shards": []}', "not a manifest"),
        ],
    )
    def test_a_manifest_that_is_none(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str, reason: str
    ):
        (tmp_path / "manifest.json").write_text(content)
        assert reason in self.run(capsys, tmp_path)

    def test_a_damaged_shard(
        self, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
    ):
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        shard = copy / "train-00000-of-00003.tfrecord"
        content = shard.read_bytes()
        shard.write_bytes(content[:-1])
        assert "not as long as the manifest says" in self.run(capsys, copy)
        shard.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        assert f"{shard}: not records of this format, or damaged" in self.run(capsys, copy)
        shard.unlink()
        assert "No such file" in self.run(capsys, copy)

    def test_the_format_is_that_of_the_manifest(self, folder: Path):
        written = json.loads((folder / "manifest.json").read_text())
        assert written["format"] == manifest.FORMAT
