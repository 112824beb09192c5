"""The records are byte for byte what TensorFlow would write."""

import numpy as np
import pytest
import tensorflow as tf

from pipeline.records import RecordFormat

FORMATS = [
    {"expression": 7, "answer": 7},
    {"expression": 3, "answer": 1},
    {"a": 0, "expression": 130, "working": 300},  # lengths that take two bytes
]


def random_values(features, count):
    generator = np.random.default_rng(1)
    return {
        name: generator.integers(0, 256, (count, length), dtype=np.uint8)
        for name, length in features.items()
    }


def example(values, row):
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[column[row].tobytes()]))
                for name, column in values.items()
            }
        )
    )


@pytest.mark.parametrize("features", FORMATS, ids=str)
def test_file_is_the_one_tensorflow_writes(features, tmp_path):
    values = random_values(features, 5)
    frames = RecordFormat(features).frames(values)
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for row in range(5):
            writer.write(example(values, row).SerializeToString(deterministic=True))
    assert frames.tobytes() == (tmp_path / "theirs").read_bytes()


def test_tensorflow_reads_the_values_back(tmp_path):
    features = FORMATS[0]
    values = random_values(features, 100)
    (tmp_path / "ours").write_bytes(RecordFormat(features).frames(values).tobytes())
    records = tf.data.TFRecordDataset(str(tmp_path / "ours")).batch(100).get_single_element()
    parsed = tf.io.parse_example(
        records, {name: tf.io.FixedLenFeature([], tf.string) for name in features}
    )
    for name, column in values.items():
        assert parsed[name].numpy().tolist() == [row.tobytes() for row in column]


def test_no_records_are_no_bytes():
    assert RecordFormat({"a": 3}).frames({"a": np.empty((0, 3), np.uint8)}).size == 0


@pytest.mark.parametrize("wrong", [{"a": 2}, {"b": 3}, {"a": 3, "b": 1}])
def test_values_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match="expected values of the lengths"):
        RecordFormat({"a": 3}).frames(random_values(wrong, 2))
