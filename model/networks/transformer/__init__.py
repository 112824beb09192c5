"""The `transformer` network, of which `decoder` has the layers."""

from model.networks.transformer.transformer import Transformer

__all__ = ["Transformer"]
