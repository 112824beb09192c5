"""`edgecalc info`: what a model is and how exact, in words, from its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgecalc.language.counts import exact_match_table, format_percentage
from edgecalc.network.model_file import Model, packaged_models
from edgecalc.shell.lines import printable


def describe(model: Model, interpreter: str) -> str:
    """The model in a dozen lines.

    Args:
        model: the model.
        interpreter: what runs it on this machine.
    """
    card = model.card
    size = f"{card['parameters']:,} parameters, {model.size:,} bytes"
    rows = [
        ("file", model.name),
        ("task", model.spec.task),
        ("expressions", model.language.describe()),
        ("network", f"{card['network']}, {card['variant']}, {size}"),
        ("sha256", card["flatbuffer"]["sha256"]),
        ("interpreter", interpreter),
        ("in package", ", ".join(packaged_models())),
    ]
    rows += [(key, _listed(card[key])) for key in ("training", "corpus")]
    columns = {"held out": card["accuracy"]["held_out"]}
    if card["accuracy"].get("exhaustive"):
        columns["whole space"] = card["accuracy"]["exhaustive"]
    lines = [
        card["name"],
        *(f"  {key:<13}{value}" for key, value in rows if value),
        "  exact match",
        *exact_match_table(columns),
        *_confidence_table(card["accuracy"].get("confidence", [])),
    ]
    # The file may come from anywhere; it must not write to the terminal as it likes.
    return "\n".join(map(printable, lines))


def _confidence_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """How exact held-out answers are that are at least so sure, and how many these are."""
    if not rows:
        return []
    everything = max(row["of"] for row in rows)
    table = ["  held-out answers that are at least so sure, and how many of these are exact"]
    for row in rows:
        exact = format_percentage(row["exact"], row["of"]) if row["of"] else "-"
        kept = format_percentage(row["of"], everything) if everything else "-"
        table.append(f"    {row['at_least']:<7.1%}{kept:>7} of all{exact:>9} exact")
    return table


def _listed(values: Mapping[str, Any]) -> str:
    """Values of the card by name, in a line, without those that say nothing."""
    return ", ".join(f"{name} {_plain(value)}" for name, value in values.items() if value != "")


def _plain(value: object) -> str:
    """A value of the card, in a line."""
    if isinstance(value, Mapping):
        return f"({_listed(value)})"
    if type(value) is int:
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
