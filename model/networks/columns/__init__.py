"""The `columns` network of the calculator: paper's rules built in, its tables learned."""

from model.networks.columns.columns import Columns

__all__ = ["Columns"]
