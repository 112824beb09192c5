"""What a run tells: how far it is, and at the end what it wrote."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import Any, TextIO

from edgecalc.space import SPLITS

from pipeline import files

_LOOK_SECONDS = 1.0
_PRINT_SECONDS = 15.0  # between lines where they cannot be overwritten


class Progress:
    """While inside it, says on stderr how many shards are finished.

    It looks at the folder, so it works the same with any runner. On a terminal the line overwrites
    itself; elsewhere it is printed now and then.
    """

    def __init__(self, folder: str, shards: int, stream: TextIO | None = None) -> None:
        self._folder = folder
        self._shards = shards
        self._stream = stream or sys.stderr
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def __enter__(self) -> Progress:
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
                finished = files.finished_shards(self._folder)
                self._write(f"corpus: {finished} of {self._shards} shards", terminal)
                shown = terminal
        if shown:
            self._stream.write("\r\033[K")
            self._stream.flush()

    def _write(self, line: str, overwrite: bool) -> None:
        self._stream.write(f"\r{line}\033[K" if overwrite else f"{line}\n")
        self._stream.flush()


def summary(manifest: dict[str, Any], seconds: float) -> str:
    """A table of the records by split and operator, and how fast they were written.

    Args:
        manifest: that of the corpus.
        seconds: how long it took, start-up included.
    """
    operators = manifest["spec"]["operators"]
    rows = [["", *operators, "records", "bytes"]]
    for split in SPLITS:
        counts = [manifest["records"][split][operator] for operator in operators]
        size = sum(shard["bytes"] for shard in manifest["shards"] if shard["split"] == split)
        rows.append([split, *(f"{number:,}" for number in (*counts, sum(counts), size))])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    records = manifest["examples"]
    lines.append(
        f"{records:,} records in {seconds:.1f} s ({records / seconds:,.0f}/s), "
        f"sha256 {manifest['sha256'][:16]}"
    )
    return "\n".join(lines)
