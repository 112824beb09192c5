"""`python -m manual` writes the manual page and the completions of three shells anew."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from manual import completion, page

SHARE = Path(__file__).parents[1] / "runtime" / "share"


def contents() -> dict[str, str]:
    """What is written, by the path under `share`, where manual pages and shells look for it."""
    return {
        "man/man1/edgecalc.1": page.page(),
        "bash-completion/completions/edgecalc": completion.bash(),
        "zsh/site-functions/_edgecalc": completion.zsh(),
        "fish/vendor_completions.d/edgecalc.fish": completion.fish(),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status is 0."""
    parser = argparse.ArgumentParser(prog="python -m manual", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=SHARE, metavar="FOLDER", help="where to (%(default)s)"
    )
    out = parser.parse_args(argv).out
    for name, text in contents().items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
