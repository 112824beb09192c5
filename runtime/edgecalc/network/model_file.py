"""The exported model file, read and written: a TFLite flatbuffer, a zip of metadata behind it.

A flatbuffer is read from its start and a zip archive from its end, so one file can be both
(TFLite's "associated files" work the same way). The archive holds `spec.json`, the task and its
spec, and `card.json`: what the model is, how exact it is, and which bytes before it are the model.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from edgecalc.language.language import Language, language_of
from edgecalc.language.spec import Spec
from edgecalc.version import __version__

FORMAT = 2
MODELS = Path(__file__).parents[1] / "models"
DEFAULT_MODEL = "release"
MAX_METADATA_BYTES = 1 << 20
# What goes through the metadata later, recursively or in words, need not expect any more.
MAX_NESTING = 20
MAX_GROUPS = 255
MAX_GROUP_NAME = 100

_SPEC_ENTRY = "spec.json"
_CARD_ENTRY = "card.json"
_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})*")
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
# What zipfile raises on an archive that is none, is cut off or was tampered with.
_ARCHIVE_ERRORS = (
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
)


class ModelError(Exception):
    """A model that cannot be used; the message is one sentence that names the file."""


@dataclass(frozen=True)
class Model:
    """A model file's content, checked.

    Attributes:
        name: the file, as messages name it.
        language: the language of the model.
        card: what the model is and how exact: the object in `card.json`.
        flatbuffer: the TFLite model; its sha256 is the one in the card.
        size: bytes of the whole file.
        packaged: whether it came with the package, and so is as good as the package itself.
    """

    name: str
    language: Language[Any]
    card: dict[str, Any]
    flatbuffer: bytes
    size: int
    packaged: bool = False

    @property
    def spec(self) -> Spec:
        """The spec of the language."""
        spec: Spec = self.language.spec
        return spec


def append_metadata(flatbuffer: bytes, spec: Spec, card: dict[str, Any]) -> bytes:
    """Puts the metadata behind a flatbuffer. The same arguments give the same bytes.

    Args:
        flatbuffer: a TFLite model.
        spec: the language of the model.
        card: the card; `format` and `flatbuffer` are filled in here.

    Returns:
        The content of a model file.

    Raises:
        ValueError: if the card lacks something that a reader needs, or the metadata is too large.
    """
    digest = hashlib.sha256(flatbuffer).hexdigest()
    card = {
        **card,
        "format": FORMAT,
        "flatbuffer": {"bytes": len(flatbuffer), "sha256": digest},
    }
    if problem := _problem_with(card):
        raise ValueError(f"card: {problem}")
    content = io.BytesIO()
    content.write(flatbuffer)
    with zipfile.ZipFile(content, "w") as archive:
        for entry, value in ((_SPEC_ENTRY, spec.to_dict()), (_CARD_ENTRY, card)):
            # Stored, not deflated: what a deflater writes depends on its version.
            info = zipfile.ZipInfo(entry, _ZIP_EPOCH)
            info.create_system, info.external_attr = 3, 0o644 << 16
            text = json.dumps(value, indent=2, allow_nan=False) + "\n"
            if len(text) > MAX_METADATA_BYTES:
                raise ValueError(f"{entry} is larger than {MAX_METADATA_BYTES:,} bytes")
            archive.writestr(info, text)
    return content.getvalue()


def read_model(path: str | os.PathLike[str]) -> Model:
    """Reads a model file and checks all of it but the flatbuffer's inside.

    Raises:
        ModelError: if the file cannot be read, is no model file of this format, needs a newer
            runtime, or its flatbuffer is not the one that was written.
    """
    return _read(Path(path))


def packaged_models() -> dict[str, Path]:
    """The models inside the package, by the names of the presets that they were made with."""
    return {packaged_name(path): path for path in sorted(MODELS.glob("*.tflite"))}


def packaged_name(path: Path) -> str:
    """By which name a file goes in the package: `edgecalc-release-int8.tflite` is `release`."""
    preset, _, variant = path.stem.removeprefix("edgecalc-").rpartition("-")
    return preset or variant


def read_packaged_model(name: str = DEFAULT_MODEL) -> Model:
    """Reads a model that ships inside the package.

    Raises:
        ModelError: if there is none of this name, or it is damaged.
    """
    found = packaged_models()
    if name not in found:
        others = f"there are {', '.join(found)}" if found else "there are none"
        raise ModelError(f"no model {name} came with the package, {others}; --model FILE names one")
    return replace(_read(found[name]), packaged=True)


def find_model(model: str | os.PathLike[str] | None) -> Model:
    """Reads a model.

    Args:
        model: the name of one in the package, or a file; None for the first choice of the package.

    Raises:
        ModelError: if there is none, or it cannot be read, see `read_model`.
    """
    if model is None:
        return read_packaged_model()
    if isinstance(model, str):
        named, path = packaged_models(), Path(model)
        if model in named:
            return read_packaged_model(model)
        if model == path.stem and not path.exists():
            names = ", ".join(named) or "none"
            raise ModelError(f"{model}: is no file, and the models in the package are {names}")
    return read_model(model)


def _read(path: Path) -> Model:
    try:
        if path.is_dir():
            raise ModelError(f"{path}: is a directory, not a model file")
        # Opening a pipe could wait for ever, and reading a device need not end.
        if path.exists() and not path.is_file():
            raise ModelError(f"{path}: is not a regular file")
        with path.open("rb") as file:
            return _parse(file, str(path))
    except MemoryError as error:
        raise ModelError(f"{path}: is larger than the memory that there is") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ModelError(f"{path}: cannot be read: {reason or error}") from error


def _parse(file: BinaryIO, name: str) -> Model:
    fields, card = _read_metadata(file, name)
    if problem := _problem_with(card):
        raise ModelError(f"{name}: card.json: {problem}")
    needed = card["minimum_runtime"]
    if _version(needed) > _version(__version__):
        raise ModelError(f"{name}: needs edgecalc {needed} or newer, this is {__version__}")
    try:
        language = language_of(fields)
    except ValueError as error:
        raise ModelError(f"{name}: spec.json: {error}") from error
    length = card["flatbuffer"]["bytes"]
    size = file.seek(0, os.SEEK_END)
    if length > size:
        raise ModelError(f"{name}: is truncated: shorter than the model that it should hold")
    file.seek(0)
    flatbuffer = file.read(length)
    # The interpreter trusts its input; it must not see a byte that was not exported.
    if hashlib.sha256(flatbuffer).hexdigest() != card["flatbuffer"]["sha256"]:
        raise ModelError(f"{name}: is damaged: the sha256 of the model is not the one in its card")
    return Model(name, language, card, flatbuffer, size)


def _read_metadata(file: BinaryIO, name: str) -> tuple[Any, Any]:
    """The JSON values in `spec.json` and `card.json`."""
    values = []
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in (_SPEC_ENTRY, _CARD_ENTRY):
                if entry not in archive.namelist():
                    raise ModelError(f"{name}: is not an edgecalc model: it has no {entry}")
                info = archive.getinfo(entry)
                if info.file_size > MAX_METADATA_BYTES:
                    raise ModelError(f"{name}: {entry} is larger than {MAX_METADATA_BYTES:,} bytes")
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ModelError(f"{name}: {entry} is compressed in an unknown way")
                with archive.open(info) as content:
                    # Not more, whatever the archive says: without a limit, all is unpacked first.
                    values.append(_json(content.read(MAX_METADATA_BYTES)))
    except zipfile.BadZipFile as error:
        raise ModelError(
            f"{name}: is not an edgecalc model, or is truncated or damaged: {error}"
        ) from error
    except json.JSONDecodeError as error:
        raise ModelError(f"{name}: {entry} is not JSON: {error}") from error
    except _ARCHIVE_ERRORS as error:
        raise ModelError(f"{name}: the metadata is damaged: {error}") from error
    return values[0], values[1]


def _json(text: bytes) -> Any:
    """Reads JSON, but no number and no nesting that would fail whoever shows it.

    Raises:
        ValueError: if there is such a thing in it, or it is no JSON.
    """

    def integer(digits: str) -> int:
        if len(digits) > 20:
            raise ValueError(f"an integer of {len(digits):,} digits")
        return int(digits)

    def real(digits: str) -> float:
        if not math.isfinite(float(digits)):
            raise ValueError(f"{digits:.20} is no finite number")
        return float(digits)

    value = json.loads(text, parse_int=integer, parse_float=real, parse_constant=real)
    level = [value]
    for _ in range(MAX_NESTING):
        parents = [item for item in level if isinstance(item, (dict, list))]
        if not parents:
            return value
        insides = (item.values() if isinstance(item, dict) else item for item in parents)
        level = list(chain.from_iterable(insides))
    raise ValueError(f"nested more than {MAX_NESTING} levels deep")


def _problem_with(card: Any) -> str | None:
    """What a card lacks of what the runtime reads; None if nothing."""
    if not isinstance(card, dict):
        return "is no object"
    if card.get("format") != FORMAT:
        return (
            f"the format of the file is {card.get('format')!r:.100}, "
            f"edgecalc {__version__} reads format {FORMAT}"
        )
    for key, kind in (
        ("name", str),
        ("preset", str),
        ("variant", str),
        ("network", str),
        ("minimum_runtime", str),
        ("flatbuffer", dict),
        ("accuracy", dict),
        ("training", dict),
        ("corpus", dict),
    ):
        if not isinstance(card.get(key), kind):
            return f"{key} is missing or of the wrong type"
    if not _is_count(card.get("parameters")):
        return "parameters is missing or no count"
    if not _VERSION.fullmatch(card["minimum_runtime"]):
        return f"minimum_runtime is no version: {card['minimum_runtime']!r:.100}"
    length, digest = (card["flatbuffer"].get(key) for key in ("bytes", "sha256"))
    if not _is_count(length) or not isinstance(digest, str):
        return "flatbuffer must have bytes and sha256"
    held_out, exhaustive = (card["accuracy"].get(key) for key in ("held_out", "exhaustive"))
    if not _is_tally(held_out) or not (exhaustive is None or _is_tally(exhaustive)):
        return "accuracy must have held_out and exhaustive, with exact and of for every group"
    if not _is_curve(card["accuracy"].get("confidence", [])):
        return "confidence must be a list of at_least, exact and of"
    return None


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_tally(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= MAX_GROUPS
        and all(len(group) <= MAX_GROUP_NAME for group in value)
        and all(map(_is_share, value.values()))
    )


def _is_share(value: Any) -> bool:
    """Whether it says how many of how many are exact."""
    if not isinstance(value, dict):
        return False
    exact: Any = value.get("exact")
    of: Any = value.get("of")
    return _is_count(exact) and _is_count(of) and exact <= of


def _is_curve(value: Any) -> bool:
    return isinstance(value, list) and all(
        _is_share(row) and type(row.get("at_least")) is float and 0 <= row["at_least"] <= 1
        for row in value
    )


def _version(text: str) -> tuple[int, ...]:
    """`0.1.0` as (0, 1, 0), to compare."""
    return tuple(int(part) for part in text.split("."))
