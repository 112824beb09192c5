"""The networks: for each a file or a folder, and here the names by which presets choose them."""

from __future__ import annotations

from model.networks.columns import Columns
from model.networks.network import Network
from model.networks.seq2seq import Seq2Seq
from model.networks.transformer import Transformer

NETWORKS: dict[str, type[Network]] = {
    "columns": Columns,
    "seq2seq": Seq2Seq,
    "transformer": Transformer,
}
