"""What a cell can be found by without its whole value being known: the inputs of its search tokens.  Pure.

A mode has a name and a version, `match.1`; what a version does never changes, because tokens that were made with it are
compared with tokens made by it.  Tokens name candidates: whatever matches has them, and what has them need not match,
so whoever searches by tokens looks at the opened value, too (docs/envelope.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from keys.errors import TokensUnusable

from .grams import grams_of, prefixes_of
from .ranges import LADDERS, spans_of

MATCH, PREFIX = "match.1", "prefix.1"
RANGES = frozenset(LADDERS)

Inputs = Callable[[bytes], frozenset[bytes] | None]
"""From a cell form to the inputs of its tokens; None: they can not be told, so that every search must find it."""

_MAKERS: dict[str, Inputs] = {MATCH: grams_of, PREFIX: prefixes_of} | {mode: spans_of(mode) for mode in LADDERS}


def inputs_of(modes: Sequence[str]) -> Inputs:
    """Of all these modes together.  Raises TokensUnusable here, and never later."""
    makers = [_maker(mode) for mode in modes]

    def inputs(cell: bytes) -> frozenset[bytes] | None:
        found: frozenset[bytes] = frozenset()
        for maker in makers:
            made = maker(cell)
            if made is None:
                return None
            found |= made
        return found

    return inputs if len(makers) != 1 else makers[0]


def _maker(mode: str) -> Inputs:
    if mode not in _MAKERS:
        raise TokensUnusable(f"no such mode of search exists (known: {', '.join(_MAKERS)})")
    return _MAKERS[mode]
