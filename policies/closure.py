"""Everything that a name leads to, along its parents.  Used for roles, tags and purposes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def closure(start: Iterable[str], parents: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """`start` and all its ancestors."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(parents.get(name, ()))
    return frozenset(found)
