"""The files of a corpus: their names, writing them so that none is ever half, removing old ones.

All goes through Beam's FileSystems, so a corpus can lie wherever Beam can write.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator
from typing import BinaryIO

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from tasks.splits import SPLITS, UNSEEN

MANIFEST = "manifest.json"
_SHARD_PATTERN = rf"(?:{'|'.join((*SPLITS, UNSEEN))})-\d{{5}}-of-\d{{5}}\.tfrecord"
_OWN_FILE = re.compile(
    rf"(?:{_SHARD_PATTERN}|{re.escape(MANIFEST)})(?P<temporary>\.[0-9a-f]{{32}}\.tmp)?"
)
_GLOB_CHARACTERS = "*?["


def shard_name(split: str, shard: int, shards: int) -> str:
    """The name of a shard: `train-00007-of-00064.tfrecord`."""
    return f"{split}-{shard:05d}-of-{shards:05d}.tfrecord"


def check_folder(folder: str) -> None:
    """Refuses a folder that Beam would take for a pattern of several.

    Raises:
        ValueError: if the path has a character that is special in a pattern.
    """
    if not folder:
        raise ValueError("the folder must have a name")
    if found := set(folder) & set(_GLOB_CHARACTERS):
        raise ValueError(f"the folder must not have a {min(found)} in its name: {folder}")


@contextlib.contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """Opens a file for writing that gets its name only when all is written.

    The temporary name is new on every attempt, so attempts of Beam to write the same file do not
    disturb each other; the last one to finish stays, and all of them have the same content.

    Raises:
        OSError: if it cannot be written (BeamIOError is one).
    """
    temporary = f"{path}.{uuid.uuid4().hex}.tmp"
    file = FileSystems.create(temporary, compression_type=CompressionTypes.UNCOMPRESSED)
    try:
        with file:
            yield file
        # os.rename replaces an earlier attempt's file; HDFS, for one, would refuse to.
        if FileSystems.get_scheme(path) is not None and FileSystems.exists(path):
            FileSystems.delete([path])
        FileSystems.rename([temporary], [path])
    except BaseException:
        with contextlib.suppress(BeamIOError):
            FileSystems.delete([temporary])
        raise


def clear(folder: str) -> None:
    """Makes a folder ready for a corpus: it exists, can be written and has no file of an old one.

    The manifest goes first: from then on the folder does not count as a corpus. Files that have
    not the name of a shard, of the manifest or of a temporary file of these are left alone.

    Raises:
        OSError: if the folder cannot be made or written, or a file not be removed.
    """
    if not FileSystems.exists(folder):
        FileSystems.mkdirs(folder)
    manifest = FileSystems.join(folder, MANIFEST)
    if FileSystems.exists(manifest):
        FileSystems.delete([manifest])
    if old := [path for path, _ in _own_files(folder)]:
        FileSystems.delete(old)
    probe = f"{manifest}.{uuid.uuid4().hex}.tmp"
    try:
        FileSystems.create(probe, compression_type=CompressionTypes.UNCOMPRESSED).close()
    except (FileExistsError, NotADirectoryError) as error:
        raise NotADirectoryError(f"{folder} is a file, not a folder") from error
    FileSystems.delete([probe])


def finished_shards(folder: str) -> int:
    """How many shards of the corpus that is being written are whole, over all splits."""
    return sum(
        name.startswith(SPLITS[0]) and not temporary  # the train file of a shard is named last
        for name, temporary in ((FileSystems.split(p)[1], t) for p, t in _own_files(folder))
    )


def _own_files(folder: str) -> list[tuple[str, bool]]:
    """The paths of a corpus's files in a folder, and whether each is a temporary one."""
    (match,) = FileSystems.match([FileSystems.join(folder, "*")])
    names = ((file.path, FileSystems.split(file.path)[1]) for file in match.metadata_list)
    found = ((path, _OWN_FILE.fullmatch(name)) for path, name in names)
    return [(path, own["temporary"] is not None) for path, own in found if own]
