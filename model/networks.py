"""The choice of network: one name, a dataclass of sizes that builds it."""

from __future__ import annotations

from model.seq2seq import Seq2Seq

NETWORKS = {"seq2seq": Seq2Seq}
