"""The folding under which tokens of texts are made: coarser than any lower-casing that PostgreSQL may do.  Pure.

ILIKE compares `lower(value)` with `lower(pattern)` under a collation, and collations differ: Turkish has a dotless i,
Lithuanian keeps dots under accents, the last sigma of a Greek word has its own form, and some know ASCII only.  So
`fold` drops what they differ in.  Contract: it works character by character, and fold(lower(text)) is fold(text) for
each of them; so where a text contains another one, the folded text contains the folded other one (marks, and with them
the dot of Lithuanian, fold to nothing).

It is pinned to Unicode 14.0 as the normalisers are.  What later versions say of a later character is not known here, so
a text that holds one can not be folded: its `runs` are what stands between such characters.
"""

from __future__ import annotations

import unicodedata

from keys.normalisers.repertoire import UNASSIGNED
from keys.normalisers.unicode import require_pinned_tables

_DOTLESS = {0x131: "i"}  # the one letter whose capital, I, is that of another


class _Table(dict[int, str]):
    """For str.translate: a character's folding, worked out when it is first met."""

    def __missing__(self, point: int) -> str:
        made = self[point] = _folded(chr(point))
        return made


def _folded(character: str) -> str:
    apart = unicodedata.normalize("NFD", character.casefold())
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    return bare.casefold().translate(_DOTLESS)


_TABLE = _Table()


def fold(text: str) -> str | None:
    """None: it holds a character that is not in Unicode 14.0."""
    if text.isascii():
        return text.lower()
    require_pinned_tables()
    return None if UNASSIGNED.search(text) else text.translate(_TABLE)


def folded_runs(text: str) -> list[str]:
    """The folded parts of the text between characters that are not in Unicode 14.0; one part if it holds none."""
    whole = fold(text)
    return [whole] if whole is not None else [run.translate(_TABLE) for run in UNASSIGNED.split(text)[::2]]
