"""`edgecalc info`: what a model is and how exact, in words, from its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgecalc.lines import escape
from edgecalc.model_file import Model
from edgecalc.score import format_percentage

Counts = Mapping[str, Mapping[str, int]]


def describe(model: Model) -> str:
    """The model in a dozen lines."""
    card, spec = model.card, model.spec
    language = f"a OP b with {' '.join(spec.operators)} and up to {spec.digits} digits"
    if "/" in spec.operators:
        language += f", quotients to {spec.places} decimals"
    size = f"{card['parameters']:,} parameters, {len(model.flatbuffer):,} bytes"
    rows = [
        ("file", model.name),
        ("expressions", language),
        ("network", f"{card['network']}, {card['variant']}, {size}"),
        ("sha256", card["flatbuffer"]["sha256"]),
    ]
    rows += [
        (key, ", ".join(f"{name} {_plain(value)}" for name, value in card[key].items()))
        for key in ("training", "corpus")
    ]
    columns = {"held out": card["accuracy"]["held_out"]}
    if card["accuracy"].get("exhaustive"):
        columns["whole space"] = card["accuracy"]["exhaustive"]
    return "\n".join(
        [
            # The file may come from anywhere; it must not write to the terminal as it likes.
            escape(card["name"]),
            *(f"  {key:<13}{escape(value)}" for key, value in rows if value),
            "  exact match",
            *exact_match_table(columns),
            *_confidence_table(card["accuracy"].get("confidence", [])),
        ]
    )


def exact_match_table(columns: Mapping[str, Counts]) -> list[str]:
    """Exact match by operator, a line for each and one for all.

    Args:
        columns: counts by operator under the title of their column.
    """
    operators = list(dict.fromkeys(operator for counts in columns.values() for operator in counts))
    width = 36
    table = [" " * 9 + "".join(f"{title:<{width}}" for title in columns)]
    for operator in [*operators, "all"]:
        cells = []
        for counts in columns.values():
            chosen = (
                counts.values()
                if operator == "all"
                else [counts.get(operator, {"exact": 0, "of": 0})]
            )
            exact, of = (sum(count[key] for count in chosen) for key in ("exact", "of"))
            share = format_percentage(exact, of) if of else "-"
            cells.append(f"{share:>7}  {f'{exact:,} of {of:,}':<{width - 9}}")
        table.append(f"    {operator:<5}" + "".join(cells))
    return [line.rstrip() for line in table if line.strip()]


def _confidence_table(rows: Sequence[Mapping[str, float]]) -> list[str]:
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


def _plain(value: object) -> str:
    """A value of the card, in a line."""
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{name} {_plain(item)}" for name, item in value.items()) + ")"
    if type(value) is int:
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
