"""What a run tells: how far it is, and at the end what it wrote."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import Any, TextIO

from pipeline import shards

_LOOK_SECONDS = 1.0
_PRINT_SECONDS = 15.0  # between lines where they cannot be overwritten


class ShardProgress:
    """While inside it, says on stderr how many shards are finished.

    It looks at the folder, so it works the same with any runner. On a terminal the line overwrites
    itself; elsewhere it is printed now and then.
    """

    def __init__(self, folder: str, count: int, stream: TextIO | None = None) -> None:
        self._folder = folder
        self._count = count
        self._stream = stream or sys.stderr
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def __enter__(self) -> ShardProgress:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        terminal = self._stream.isatty()
        printed = time.monotonic()
        shown = False
        while not self._end.wait(_LOOK_SECONDS):
            if not terminal and time.monotonic() - printed < _PRINT_SECONDS:
                continue
            printed = time.monotonic()
            with contextlib.suppress(OSError):  # to look again is enough
                finished = shards.finished_shards(self._folder)
                self._write(f"corpus: {finished} of {self._count} shards", terminal)
                shown = terminal
        if shown:
            self._stream.write("\r\033[K")
            self._stream.flush()

    def _write(self, line: str, overwrite: bool) -> None:
        self._stream.write(f"\r{line}\033[K" if overwrite else f"{line}\n")
        self._stream.flush()


def summary(manifest: dict[str, Any], seconds: float) -> str:
    """A table of the records by split and group, and how fast they were written.

    Args:
        manifest: that of the corpus.
        seconds: how long it took, start-up included.
    """
    groups = list(next(iter(manifest["records"].values())))
    rows = [["", *groups, "records", "bytes"]]
    for split, records in manifest["records"].items():
        counts = list(records.values())
        size = sum(shard["bytes"] for shard in manifest["shards"] if shard["split"] == split)
        rows.append([split, *(f"{number:,}" for number in (*counts, sum(counts), size))])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    count = manifest["examples"]
    lines.append(
        f"{count:,} records in {seconds:.1f} s ({count / seconds:,.0f}/s), "
        f"sha256 {manifest['sha256'][:16]}"
    )
    return "\n".join(lines)
