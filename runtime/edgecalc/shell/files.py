"""Files of any kind: inputs whose bytes come when they come, an output that is whole or not there.

Other processes can have made standard input or output non-blocking, as those do that share a
terminal or a pipe with this one. Whatever is read or written here then waits.
"""

from __future__ import annotations

import errno
import gzip
import os
import select
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import FileIO
from itertools import count
from typing import Any, BinaryIO, TextIO, cast

STANDARD = "-"
STANDARD_OUTPUT = "standard output"
COMPRESSED = ".gz"
_CHUNK_BYTES = 1 << 16
# What is named in these is no file but a descriptor that somebody has open.
_DESCRIPTORS = ("/proc/", "/dev/fd")


def check_files(inputs: Iterable[str], output: str) -> None:
    """Looks at all files before the first is read, so that no late surprise wastes the work.

    As `cat` does, and by what the files are and not by their names: what is written may come
    into a file that is read through standard output, standard error, or a link.

    Raises:
        OSError: if an input cannot be read, or what is written would come into it.
    """
    given = sys.stdout if output == STANDARD else output
    written = {
        _identity(status): name
        for name, status in (
            ("standard error", _status(sys.stderr)),
            (STANDARD_OUTPUT if output == STANDARD else output, _status(given)),
        )
        if status
    }
    for position, path in enumerate(inputs):
        status = _status(sys.stdin) if path == STANDARD else os.stat(path)
        if not status:
            continue
        if path != STANDARD and stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory", path)
        if path != STANDARD and not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, "cannot be read: permission denied", path)
        # Nothing is lost of an empty file, unless there is something to write before it is read.
        harmless = not status.st_size and position == 0
        if stat.S_ISREG(status.st_mode) and not harmless and _identity(status) in written:
            raise FileExistsError(
                errno.EEXIST,
                "is an input; the output would overwrite it, or make it grow without end",
                written[_identity(status)],
            )


def _status(given: TextIO | str | None) -> os.stat_result | None:
    """What a stream or a path leads to; None if nothing that the system knows."""
    try:
        return os.stat(given if isinstance(given, str) else cast(TextIO, given).fileno())
    except (OSError, ValueError, AttributeError):  # missing; in memory; closed
        return None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


class Source:
    """The bytes of an input, as they come.

    Args:
        file: read without a buffer where the system has it.
        name: the input as messages name it.
        compressed: whether it is gzip's.
    """

    def __init__(self, file: BinaryIO, name: str, compressed: bool = False) -> None:
        self._file = file
        self._name = name
        self._unpacked = gzip.GzipFile(fileobj=cast(Any, self), mode="rb") if compressed else None

    def would_wait(self) -> bool:
        """Whether there is nothing to read as yet."""
        return not _ready(self._file, 0)

    def next_bytes(self) -> bytes:
        """Some of the input, unpacked, as soon as there is any; empty at its end.

        Raises:
            OSError: naming the input, if it cannot be read or is damaged.
        """
        try:
            return self._unpacked.read1(_CHUNK_BYTES) if self._unpacked else self.read(_CHUNK_BYTES)
        except (OSError, EOFError, zlib.error) as error:  # the latter two from a damaged gzip file
            reason = getattr(error, "strerror", None) or str(error)
            number = getattr(error, "errno", None) or errno.EIO
            raise OSError(number, reason, self._name) from error

    def read(self, size: int) -> bytes:
        """Up to so many bytes as they are in the file, which is what gzip unpacks."""
        while (chunk := self._file.read(size)) is None:
            _ready(self._file)
        return chunk


@contextmanager
def open_source(path: str, name: str) -> Iterator[Source]:
    """Opens an input; `-` is standard input, and `.gz` files are gzip's.

    Raises:
        OSError: naming the input, if it cannot be opened.
    """
    if path == STANDARD:
        if sys.stdin is None:
            raise OSError(errno.EBADF, "is closed", name)
        yield Source(_unbuffered(sys.stdin), name)
    else:
        with open(path, "rb", buffering=0) as file:
            yield Source(cast(BinaryIO, file), name, path.endswith(COMPRESSED))


def open_output(
    path: str, say: Callable[[str], None] = lambda text: None
) -> AbstractContextManager[BinaryIO]:
    """The file to write results to, in gzip's format if it is called so; `-` is standard output.

    A regular file is written beside its name, as `NAME.part`, and takes its name when the context
    ends well. If it does not, a file that had the name is as it was, and the part is left if there
    is anything in it. What cannot be replaced so is written as it is: what is no regular file, has
    other hard links or an owner that it could not keep, or lies where no file can be made.

    Args:
        path: the file.
        say: told where the part is that was left.

    Raises:
        OSError: if it cannot be written.
    """
    if path != STANDARD:
        opened = _replaced_at_the_end(path, say)
        return _compressed(path, opened) if path.endswith(COMPRESSED) else opened
    if sys.stdout is None:
        raise OSError(errno.EBADF, "is closed", STANDARD_OUTPUT)
    sys.stdout.flush()
    return nullcontext(_unbuffered(sys.stdout))


@contextmanager
def _compressed(path: str, opened: AbstractContextManager[BinaryIO]) -> Iterator[BinaryIO]:
    with opened as file:
        try:
            # Without a time in its header: the same answers are the same bytes.
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                yield cast(BinaryIO, packed)
        except OSError as error:
            # Closing it after a failed write tries once more, and then does not name the file.
            if error.filename is None and not isinstance(error, BrokenPipeError):
                raise OSError(error.errno, error.strerror, path) from error
            raise


@contextmanager
def _replaced_at_the_end(path: str, say: Callable[[str], None]) -> Iterator[BinaryIO]:
    target = os.path.realpath(path) if os.path.islink(path) else path
    part = _open_part(target) if _is_replaceable(path) else None
    if not part:
        # What came before in a file that a shell has open is not this program's to take away.
        mode = "ab" if _leads_to_descriptor(path) else "wb"
        # Without a buffer: closing it after a failed write must not try to write once more.
        with open(path, mode, buffering=0) as file:
            yield cast(BinaryIO, file)
        return
    name = str(part.name)
    try:
        with part:
            yield cast(BinaryIO, part)
        os.replace(name, target)
    except BaseException:
        if os.path.getsize(name):
            say(f"edgecalc: the answers so far are in {name}")
        else:
            os.unlink(name)
        raise


def _is_replaceable(path: str) -> bool:
    if not os.path.basename(path) or _leads_to_descriptor(path):
        return False
    if not os.path.exists(path):
        return True
    status = os.stat(path)
    # Who has no right to write a file is not to replace it either.
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and os.access(path, os.W_OK)


def _leads_to_descriptor(path: str) -> bool:
    """Whether it is a name of a descriptor, such as /dev/stdout, or a link to one."""
    while True:
        folder = os.path.realpath(os.path.dirname(path))
        if f"{folder}/".startswith(_DESCRIPTORS):
            return True
        if not os.path.islink(path) or not os.path.exists(path):  # the latter if links are a ring
            return False
        path = os.path.join(folder, os.readlink(path))


def _open_part(target: str) -> FileIO | None:
    """A new file beside the target, with its rights; None if there can be none."""
    for number in count(1):
        part = f"{target}.part" if number == 1 else f"{target}.{number}.part"
        try:
            # Nobody else's, even if the same command runs twice.
            file = FileIO(part, "xb")
        except FileExistsError:
            continue
        except OSError:  # no right to, read-only, the name too long
            break
        try:
            if os.path.exists(target):
                old, new = os.stat(target), os.fstat(file.fileno())
                if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
                    os.chown(part, old.st_uid, old.st_gid)
                os.chmod(part, stat.S_IMODE(old.st_mode))
            return file
        except OSError:
            file.close()
            os.unlink(part)
            break
    return None


def write(output: BinaryIO, path: str, texts: Iterable[str]) -> None:
    """Writes lines, as `write_bytes` does."""
    write_bytes(output, path, encoded(texts))


def encoded(texts: Iterable[str]) -> bytes:
    """Lines as they are written."""
    return "".join([text + "\n" for text in texts]).encode("utf-8")


def write_bytes(output: BinaryIO, path: str, content: bytes) -> None:
    """Writes bytes to what `open_output` gave for a path, as far as the system.

    Raises:
        OSError: naming the path, if they cannot be written.
    """
    rest = memoryview(content)
    try:
        while rest:
            written = output.write(rest)
            if written is None:
                _ready(output, writing=True)
            else:
                rest = rest[written:]
        output.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        name = STANDARD_OUTPUT if path == STANDARD else path
        raise OSError(error.errno, error.strerror, name) from error


def _unbuffered(stream: TextIO) -> BinaryIO:
    """A stream's file. Its buffer would take "nothing as yet" for the end."""
    return cast(BinaryIO, getattr(stream.buffer, "raw", stream.buffer))


def _ready(file: BinaryIO, seconds: float | None = None, writing: bool = False) -> bool:
    """Whether a file can be read or written, within some seconds or whenever that is."""
    try:
        poll = select.poll()
        poll.register(file, select.POLLOUT if writing else select.POLLIN)
    except (AttributeError, OSError, ValueError):  # a system without poll; a file in memory
        return True
    return bool(poll.poll(None if seconds is None else seconds * 1000))
