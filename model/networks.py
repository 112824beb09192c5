"""The choice of network: one name, a dataclass of sizes that builds it."""

from __future__ import annotations

from model.columns import Columns
from model.network import Network
from model.seq2seq import Seq2Seq

NETWORKS: dict[str, type[Network]] = {"columns": Columns, "seq2seq": Seq2Seq}
