"""Inputs of the tokens of texts: groups of three folded characters, and beginnings.  Pure.

A start and an end mark belong to the folded text, so that groups at its two ends are groups of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from .folding import fold, folded_runs

GRAM = 3
SHORTEST_PREFIX, LONGEST_PREFIX = 2, 8
START, END = "\x02", "\x03"
_MATCH, _PREFIX = b"match.1\0", b"prefix.1\0"


@dataclass(frozen=True, slots=True)
class Run:
    """A literal part of a pattern; `starts`, `ends`: it is the beginning, the end of what matches."""

    text: str
    starts: bool = False
    ends: bool = False


def grams_of(cell: bytes) -> frozenset[bytes] | None:
    """Of a cell form in UTF-8.  None: its tokens can not be told."""
    folded = _folded(cell)
    return None if folded is None else frozenset(_grams(f"{START}{folded}{END}"))


def prefixes_of(cell: bytes) -> frozenset[bytes] | None:
    folded = _folded(cell)
    if folded is None:
        return None
    longest = min(len(folded), LONGEST_PREFIX)
    return frozenset(_prefix(folded[:size]) for size in range(SHORTEST_PREFIX, longest + 1))


def grams_to_find(runs: list[Run]) -> frozenset[bytes]:
    """What every text has whose folded form holds these runs.  Empty: nothing can be said of it."""
    found: set[bytes] = set()
    for run in runs:
        parts = folded_runs(run.text)
        parts[0] = START + parts[0] if run.starts else parts[0]
        parts[-1] += END if run.ends else ""
        for part in parts:
            found.update(_grams(part))
    return frozenset(found)


def prefix_to_find(runs: list[Run]) -> frozenset[bytes]:
    beginning = next((folded_runs(run.text)[0] for run in runs if run.starts), "")[:LONGEST_PREFIX]
    return frozenset((_prefix(beginning),)) if len(beginning) >= SHORTEST_PREFIX else frozenset()


def _folded(cell: bytes) -> str | None:
    try:
        return fold(cell.decode("utf-8"))
    except UnicodeDecodeError:
        return None


def _grams(text: str) -> list[bytes]:
    return [_MATCH + text[at : at + GRAM].encode() for at in range(len(text) - GRAM + 1)]


def _prefix(text: str) -> bytes:
    return _PREFIX + text.encode()
