"""Serialises and frames the records of a corpus, a whole batch at a time.

All records of a corpus have the same features of the same lengths, so they have the same serialised
form but for the values. One template is made and numpy fills in the values, column by column. The
bytes are those that TensorFlow writes, and TensorFlow is not imported: that alone takes longer than
to write a corpus.
"""

from __future__ import annotations

from collections.abc import Mapping

import google_crc32c
import numpy as np

_LENGTH_BYTES = 8
_CRC_BYTES = 4
_CRC_MASK = 0xA282EAD8


class RecordFormat:
    """The TFRecord form of `tf.train.Example`s with these byte features.

    A frame is the length of the data (uint64), its masked CRC-32C, the data and the masked CRC-32C
    of the data, all little-endian. The data is what `SerializeToString(deterministic=True)` gives.

    Attributes:
        features: the length in bytes of each feature's one value, by name.
        frame_length: bytes of a framed record.
    """

    def __init__(self, features: Mapping[str, int]) -> None:
        self.features = dict(sorted(features.items()))  # a deterministic map is in order of keys
        data, self._places = _example(self.features)
        length = len(data).to_bytes(_LENGTH_BYTES, "little")
        head = length + masked(np.uint32(google_crc32c.value(length))).tobytes()
        self._template = np.frombuffer(head + data + bytes(_CRC_BYTES), np.uint8)
        self._data_start = len(head)
        self._crc, self._crc_tables = _crc_tables(data, self._places, self.features)
        self.frame_length = len(self._template)

    def frames(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Frames n records.

        Args:
            values: for each feature its values, uint8 (n, length of the feature).

        Returns:
            uint8 (n, frame_length): the rows, one after another, are a TFRecord file.

        Raises:
            ValueError: if the features or their lengths are not those of the format.
        """
        found = {name: column.shape[1] for name, column in values.items()}
        if found != self.features:
            raise ValueError(f"expected values of the lengths {self.features}, not {found}")
        count = len(next(iter(values.values())))
        frames = np.empty((count, self.frame_length), np.uint8)
        frames[:] = self._template
        crc = np.full(count, self._crc, np.uint32)
        for name, place in self._places.items():
            start = self._data_start + place
            frames[:, start : start + self.features[name]] = values[name]
        columns = [values[name] for name in self._places]
        if sum(self.features.values()) % 2:
            columns.append(np.zeros((count, 1), np.uint8))
        pairs = np.ascontiguousarray(np.concatenate(columns, axis=1).view("<u2").T)
        added = np.empty_like(crc)
        for pair, table in zip(pairs, self._crc_tables, strict=True):
            np.take(table, pair, out=added, mode="wrap")  # which saves a check of every index
            crc ^= added
        frames[:, -_CRC_BYTES:] = masked(crc).view(np.uint8).reshape(count, _CRC_BYTES)
        return frames

    def values(self, frames: np.ndarray) -> dict[str, np.ndarray]:
        """Takes n framed records apart.

        Args:
            frames: uint8 (n, frame_length), as `frames` gives them.

        Returns:
            For each feature its values, uint8 (n, length of the feature).

        Raises:
            ValueError: if these are no frames of the format, or damaged.
        """
        values = {
            name: frames[:, self._data_start + place :][:, : self.features[name]]
            for name, place in self._places.items()
        }
        if not np.array_equal(self.frames(values), frames):
            raise ValueError("not records of this format, or damaged")
        return values


def masked(crc: np.ndarray | np.uint32) -> np.ndarray:
    """Masks CRCs as TFRecord does, uint32 to little-endian uint32 of the same shape."""
    wide = crc.astype(np.uint64)
    rotated = (wide >> np.uint64(15)) | (wide << np.uint64(17))
    return (rotated + np.uint64(_CRC_MASK)).astype("<u4")  # the cast keeps the lower 32 bits


def _example(features: Mapping[str, int]) -> tuple[bytes, dict[str, int]]:
    """A serialised Example whose values are zero bytes, and where in it each value starts."""
    entries = {name: _map_entry(name, bytes(length)) for name, length in features.items()}
    body = b"".join(entries.values())
    example = _field(1, body)  # Example.features
    end = len(example) - len(body)
    places = {}
    for name, entry in entries.items():
        end += len(entry)
        places[name] = end - features[name]  # the value is the last thing in its entry
    return example, places


def _map_entry(name: str, value: bytes) -> bytes:
    """An entry of the map `Features.feature`: the name, and a Feature of one byte string."""
    feature = _field(1, _field(1, value))  # Feature.bytes_list, BytesList.value
    return _field(1, _field(1, name.encode()) + _field(2, feature))


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of the protobuf wire format."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _crc_tables(
    data: bytes, places: Mapping[str, int], features: Mapping[str, int]
) -> tuple[int, list[np.ndarray]]:
    """What each two bytes of the values add to the CRC of the record.

    Among messages of one length a CRC is affine over GF(2): the change that one byte makes does not
    depend on the others. So the CRC of a record is that of the template, xor a table entry for each
    byte of the values, or for each two of them, which halves the look-ups; numpy looks these up for
    all records at once.

    Args:
        data: the template, with zero bytes for the values.
        places: where in it each feature's value starts.
        features: the length of each value.

    Returns:
        The CRC of the template, and for the values of all features one behind the other, two bytes
        at a time, the tables, uint32 (65536,) each; a last odd byte has 0 as its second one.
    """
    template = google_crc32c.value(data)
    single = []
    for name, start in places.items():
        for column in range(start, start + features[name]):
            changed = bytearray(data)
            table = np.empty(256, np.uint32)
            for symbol in range(256):
                changed[column] = symbol
                table[symbol] = google_crc32c.value(bytes(changed)) ^ template
            single.append(table)
    if len(single) % 2:
        single.append(np.zeros(256, np.uint32))
    pairs = zip(single[::2], single[1::2], strict=True)
    return template, [np.bitwise_xor.outer(second, first).ravel() for first, second in pairs]
