"""What LIKE, ILIKE and ^@ say of an opened value, exactly as the server would say it of the plain one; and its tokens.

PostgreSQL's ILIKE is LIKE between `lower(value)` and `lower(pattern)`, so the letters are made small as the database's
own collation does it (`Lowering`).  Collations are deterministic: LIKE compares characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from keys.tokens import MATCH, PREFIX
from keys.tokens.grams import Run, grams_to_find, prefix_to_find
from proxy.errors import SqlState, ValueRejected
from proxy.sql.plan import Comparing, Lowering

Test = Callable[[str], bool]

_SIGMA, _FINAL_SIGMA = "\u03a3", "\u03c2"
_MOST_TOKENS = 32  # of one search: more would only make the server look longer


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Between `%` stand pieces; a piece is literal texts with `_` (None) among them."""

    pieces: tuple[tuple[str | None, ...], ...]


def lowered(text: str, lowering: Lowering) -> str:
    made = text.translate(lowering.table)
    if not lowering.sigma or _SIGMA not in text:
        return made
    # Python knows which sigma ends a word; it is asked about the text whose other letters are small already.
    marked = "".join(each if each == _SIGMA else each.translate(lowering.table) for each in text)
    shown = iter(each for each in marked.lower() if each in "\u03c3\u03c2")
    found = [next(shown) if each in (_SIGMA, "\u03c3", "\u03c2") else each for each in marked]
    return "".join(found)


def make_test(comparing: Comparing, sought: str, lowering: Lowering | None) -> Test:
    """Raises ValueRejected."""
    if comparing is Comparing.STARTS:
        return lambda value: value.startswith(sought)
    if comparing is Comparing.LIKE:
        return _test_of(_parsed(sought))
    if lowering is None:
        raise ValueRejected("ILIKE is not supported here", sqlstate=SqlState.FEATURE_NOT_SUPPORTED)
    small = _test_of(_parsed(lowered(sought, lowering)))
    return lambda value: small(lowered(value, lowering))


def token_inputs(comparing: Comparing, sought: str, modes: tuple[str, ...], name: str) -> list[bytes]:
    """Inputs of the tokens that every matching value has.  Raises ValueRejected where none is known."""
    runs = [Run(sought, starts=True)] if comparing is Comparing.STARTS else _runs(_parsed(sought))
    inputs = grams_to_find(runs) if MATCH in modes else frozenset()
    inputs |= prefix_to_find(runs) if PREFIX in modes else frozenset()
    if not inputs:
        how = "three characters in a row, or two at its beginning or end" if MATCH in modes else "two at its beginning"
        raise ValueRejected(
            f"the pattern says too little for a search of the sealed column {name}",
            sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
            hint=f"It needs {how}, besides % and _.",
        )
    return sorted(inputs)[:_MOST_TOKENS]


def _parsed(pattern: str) -> _Pattern:
    pieces: list[tuple[str | None, ...]] = []
    piece: list[str | None] = []
    characters = iter(pattern)
    for each in characters:
        if each == "%":
            pieces.append(tuple(piece))
            piece = []
        elif each == "_":
            piece.append(None)
        else:
            literal = next(characters, None) if each == "\\" else each
            if literal is None:
                raise ValueRejected(
                    "LIKE pattern must not end with escape character", sqlstate=SqlState.INVALID_ESCAPE_SEQUENCE
                )
            if piece and piece[-1] is not None:
                piece[-1] += literal
            else:
                piece.append(literal)
    return _Pattern((*pieces, tuple(piece)))


def _runs(pattern: _Pattern) -> list[Run]:
    last = len(pattern.pieces) - 1
    return [
        Run(part, starts=at == 0 and n == 0, ends=at == last and n == len(piece) - 1)
        for at, piece in enumerate(pattern.pieces)
        for n, part in enumerate(piece)
        if part is not None
    ]


def _test_of(pattern: _Pattern) -> Test:
    """The first piece stands at the beginning, the last at the end, and each between at its first place behind those
    before it, which leaves the most room for the others."""
    if len(pattern.pieces) == 1:
        whole = _expression(pattern.pieces[0])
        return lambda value: whole.fullmatch(value) is not None
    first, *middle, last = (_expression(piece) for piece in pattern.pieces)
    size = sum(1 if part is None else len(part) for part in pattern.pieces[-1])

    def test(value: str) -> bool:
        found = first.match(value)
        for piece in middle:
            if found is None:
                return False
            found = piece.search(value, found.end())
        end = len(value) - size
        return found is not None and found.end() <= end and last.fullmatch(value, end) is not None

    return test


def _expression(piece: tuple[str | None, ...]) -> re.Pattern[str]:
    """Of fixed length, so that it is found in one walk."""
    return re.compile("".join("." if part is None else re.escape(part) for part in piece), re.DOTALL)
