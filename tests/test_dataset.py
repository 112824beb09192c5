"""Feeding: what tf.data decodes is what the codec encodes, in an order that can be repeated."""

import json
import re
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest
import tensorflow as tf
from edgecalc.language.codec import decode, encode

from model.dataset import CorpusError, evaluation_batches, open_corpus, training_batches
from tasks.calculator.task import CalculatorExamples

ALPHABET = "+3. 91-*7/402865"


@pytest.fixture(scope="module", params=[None, ALPHABET], ids=["standard", "permuted"])
def corpus(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    flags = ["--preset=tiny", "--digits=1", "--places=3", "--shards=3", f"--out={folder}"]
    flags += [f"--alphabet={request.param}"] if request.param else []
    subprocess.run([sys.executable, "-m", "pipeline", *flags], check=True, capture_output=True)
    return open_corpus(folder)


def batches(corpus, seed, **options):
    """The stream of a network that is taught by all features."""
    return training_batches(corpus, lambda features: (features, features), 8, seed, **options)


def taken(dataset, count):
    return [
        {name: values.tolist() for name, values in features.items()}
        for features, _ in islice(dataset.as_numpy_iterator(), count)
    ]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_numpy_and_tf_data_agree(corpus, split):
    """The contract: encoding the text of a record gives the ids that tf.data decodes."""
    seen = 0
    for features in evaluation_batches(corpus, split, 16).as_numpy_iterator():
        expressions, answers = features["expression"], features["answer"]
        texts = decode(expressions, corpus.task.spec)
        assert expressions.dtype == answers.dtype == np.int32
        np.testing.assert_array_equal(encode(texts, corpus.task.spec), expressions)
        for text, answer in zip(texts, decode(answers, corpus.task.spec), strict=True):
            a, operator, b = re.fullmatch(r"(\d)([-+*/])(\d)", text).groups()
            a, b = int(a), int(b)
            whole = {"+": a + b, "-": a - b, "*": a * b}
            assert float(answer) == pytest.approx(
                whole[operator] if operator in whole else a / b, abs=0.0005
            )
        spec = corpus.task.spec
        operators = np.array([spec.operators.index(text[1]) for text in texts], np.uint8)
        np.testing.assert_array_equal(features["group"][:, 0], operators)
        a, b = (np.array([int(text[i]) for text in texts]) for i in (0, 2))
        for name, true in CalculatorExamples(spec, operators, a, b).working().items():
            np.testing.assert_array_equal(features[name], true)
        seen += len(texts)
    assert seen == corpus.records(split) > 0


def test_a_pass_sees_every_record_once_and_each_pass_has_its_order(corpus):
    steps = corpus.records("train") // 8
    stream = batches(corpus, seed=3).as_numpy_iterator()
    first, second = (
        [
            text
            for x, _ in islice(stream, steps)
            for text in decode(x["expression"], corpus.task.spec)
        ]
        for _ in range(2)
    )
    assert len(set(first)) == len(first) == 8 * steps
    assert first != second
    assert len(set(first) ^ set(second)) < 16  # all but the few that filled no batch


def test_the_stream_is_a_function_of_the_seed(corpus):
    assert taken(batches(corpus, seed=3), 9) == taken(batches(corpus, seed=3), 9)
    assert taken(batches(corpus, seed=3), 1) != taken(batches(corpus, seed=4), 1)


def test_the_stream_does_not_depend_on_the_global_seed(corpus):
    tf.random.set_seed(1)
    before = taken(batches(corpus, seed=3), 9)
    tf.random.set_seed(2)
    assert taken(batches(corpus, seed=3), 9) == before


FIRST = {"first_groups": ("+", "-"), "first_group_steps": 50}


def test_the_first_groups_come_alone_and_then_all(corpus):
    groups = [
        {number for (number,) in features["group"]}
        for features in taken(batches(corpus, seed=3, **FIRST), 60)
    ]
    assert set.union(*groups[:50]) == {0, 1}
    assert set.union(*groups[50:]) == {0, 1, 2, 3}


@pytest.mark.parametrize("step", [7, 49, 50, 55])
def test_a_stream_that_begins_with_groups_goes_on_where_it_stopped(corpus, step):
    whole = taken(batches(corpus, seed=3, **FIRST), step + 4)
    assert taken(batches(corpus, seed=3, first_step=step, **FIRST), 4) == whole[step:]


@pytest.mark.parametrize("step", [5, 40, 75])
def test_a_stream_goes_on_where_another_stopped(corpus, step):
    whole = taken(batches(corpus, seed=3), step + 4)
    assert taken(batches(corpus, seed=3, first_step=step), 4) == whole[step:]


def test_a_batch_that_is_never_filled_is_an_error(corpus):
    with pytest.raises(CorpusError, match="fill no batch of 1,000"):
        training_batches(corpus, lambda features: (features, features), 1000, seed=3)


class TestDamage:
    NAME = "train-00001-of-00003.tfrecord"

    @pytest.fixture
    def folder(self, corpus, tmp_path):
        for file in corpus.folder.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        return tmp_path

    def error(self, folder):
        with pytest.raises(CorpusError) as caught:
            open_corpus(folder)
        return str(caught.value)

    def test_missing(self, folder):
        (folder / self.NAME).unlink()
        assert self.NAME in self.error(folder)

    def test_truncated(self, folder):
        path = folder / self.NAME
        path.write_bytes(path.read_bytes()[:-5])
        assert re.search(rf"{self.NAME}: \d+ bytes, the manifest says \d+", self.error(folder))

    def test_corrupt(self, folder):
        path = folder / self.NAME
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        assert f"{self.NAME}: its content differs" in self.error(folder)

    def test_no_manifest(self, folder):
        (folder / "manifest.json").unlink()
        assert "make data" in self.error(folder)

    @pytest.mark.parametrize("text", ["", "[]", '{"format": 3}', '{"format": 9}'])
    def test_no_proper_manifest(self, folder, text):
        (folder / "manifest.json").write_text(text)
        assert "manifest.json" in self.error(folder)

    def test_a_manifest_of_an_impossible_spec(self, folder):
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["spec"]["digits"] = 99
        (folder / "manifest.json").write_text(json.dumps(manifest))
        assert "digits must be" in self.error(folder)
