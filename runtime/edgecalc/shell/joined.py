"""The expressions among arguments, some of which a shell took apart or put names of files into."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from edgecalc.language.language import ExpressionError


class UsageError(Exception):
    """A command line that was hardly meant so; the message is one sentence."""


def expressions_in(given: Sequence[str], read: Callable[[str], str]) -> list[str]:
    """The expressions among arguments, with one that came in several put together again.

    Args:
        given: the arguments, at least one.
        read: reads an expression, see `edgecalc.language.language.Language`.

    Returns:
        The arguments, each of which is answered or refused alone; or, if none of them is an
        expression, all of them in one: `5 + 3` comes as three.

    Raises:
        UsageError: if there is no expression at all, but the name of a file.
    """

    def can_be_read(text: str) -> bool:
        try:
            read(text)
        except ExpressionError:
            return False
        return True

    together = " ".join(given)
    if any(map(can_be_read, given)):
        return list(given)
    if can_be_read(together):
        return [together]
    for text in given:
        if any(map(str.isalnum, text)) and os.path.lexists(text):
            raise UsageError(
                f"{text} is the name of a file: put an expression in quotes, or the shell puts "
                "names in the place of a *; edgecalc predict answers the lines of files"
            )
    # What has neither letter nor digit is a part of something, whose refusal says more.
    apart = any(text.strip() and not any(map(str.isalnum, text)) for text in given)
    return [together] if apart else list(given)
