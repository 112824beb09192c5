"""The manifest of a corpus: what is in it; written last, so its presence says that all is there."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline import shards
from pipeline.settings import CorpusPlan
from tasks.task import Feature

FORMAT = 3


def make(
    plan: CorpusPlan, features: Mapping[str, Feature], reports: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """The manifest of a corpus whose shards are all written.

    Args:
        plan: what the corpus is made of.
        features: what is in a record.
        reports: those of all its shards, see `corpus.write_shard`; in any order.

    Returns:
        Only JSON types; nothing in it depends on when, where or by how many workers it was made,
        but for the versions of the software.
    """
    reports = list(reports)
    written = sorted(
        (shard for report in reports for shard in report["shards"]), key=lambda shard: shard["name"]
    )
    return {
        "format": FORMAT,
        "spec": plan.task.spec.to_dict(),
        "splits": plan.splits.to_dict(),
        "seed": plan.settings.seed,
        "examples": plan.examples,
        "features": {name: feature._asdict() for name, feature in features.items()},
        "versions": {
            "python": platform.python_version(),
            "apache-beam": version("apache-beam"),
            "numpy": version("numpy"),
        },
        "records": {
            split: {
                group: sum(report["records"][split][group] for report in reports)
                for group in plan.task.spec.groups
            }
            for split in plan.splits.names
        },
        "shards": written,
        "sha256": corpus_hash(written),
    }


def corpus_hash(written: Iterable[dict[str, Any]]) -> str:
    """The hash of a corpus: SHA-256 of a line `name sha256` for each shard, in order of names."""
    lines = (f"{shard['name']} {shard['sha256']}\n" for shard in written)
    return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()


def write(manifest: dict[str, Any], folder: str) -> None:
    """Writes the manifest; it is there whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    with shards.replacing(FileSystems.join(folder, shards.MANIFEST)) as file:
        file.write((json.dumps(manifest, indent=1) + "\n").encode("ascii"))


def read(folder: str) -> dict[str, Any]:
    """Reads the manifest of a corpus.

    Raises:
        OSError: if there is none, or it cannot be read.
    """
    path = FileSystems.join(folder, shards.MANIFEST)
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        return json.loads(file.read())
