"""The manifest of a corpus: what is in it; written last, so its presence says that all is there."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from edgecalc.space import SPLITS

from pipeline import files
from pipeline.settings import Corpus

FORMAT = 2


def make(corpus: Corpus, reports: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The manifest of a corpus whose shards are all written.

    Args:
        corpus: the corpus.
        reports: those of all its shards, see `corpus.write_shard`; in any order.

    Returns:
        Only JSON types; nothing in it depends on when, where or by how many workers it was made,
        but for the versions of the software.
    """
    reports = list(reports)
    shards = sorted(
        (shard for report in reports for shard in report["shards"]), key=lambda shard: shard["name"]
    )
    return {
        "format": FORMAT,
        "spec": corpus.spec.to_dict(),
        "splits": corpus.splits.to_dict(),
        "seed": corpus.settings.seed,
        "examples": corpus.examples,
        "versions": {
            "python": platform.python_version(),
            "apache-beam": version("apache-beam"),
            "numpy": version("numpy"),
        },
        "records": {
            split: {
                operator: sum(report["records"][split][operator] for report in reports)
                for operator in corpus.spec.operators
            }
            for split in SPLITS
        },
        "shards": shards,
        "sha256": corpus_hash(shards),
    }


def corpus_hash(shards: Iterable[dict[str, Any]]) -> str:
    """The hash of a corpus: SHA-256 of a line `name sha256` for each shard, in order of names."""
    lines = (f"{shard['name']} {shard['sha256']}\n" for shard in shards)
    return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()


def write(manifest: dict[str, Any], folder: str) -> None:
    """Writes the manifest; it is there whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    with files.replacing(FileSystems.join(folder, files.MANIFEST)) as file:
        file.write((json.dumps(manifest, indent=1) + "\n").encode("ascii"))


def read(folder: str) -> dict[str, Any]:
    """Reads the manifest of a corpus.

    Raises:
        OSError: if there is none, or it cannot be read.
    """
    path = FileSystems.join(folder, files.MANIFEST)
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        return json.loads(file.read())
