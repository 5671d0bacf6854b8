"""Finds the line of a key in TOML text, for error messages; the standard parser does not tell it."""

from __future__ import annotations

import re

_TABLE = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=")


def line_of(text: str, key: tuple[str, ...]) -> int:
    """The line of the key, or of the longest part of its path that stands in the text; 1 when nothing does."""
    best, best_length = 1, 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if match := _TABLE.match(line):
            here = table = _parts(match[1])
        elif match := _KEY.match(line):
            here = (*table, *_parts(match[1]))
        else:
            continue
        if len(here) > best_length and here == key[: len(here)]:
            best, best_length = number, len(here)
    return best


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
