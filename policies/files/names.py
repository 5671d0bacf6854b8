"""What may be a name in policy files, and the widest trees that all engines agree on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
DOTTED = re.compile(r"[a-z][a-z0-9_]{0,62}(\.[a-z][a-z0-9_]{0,62}){0,5}")

# Casbin's role manager silently finds nothing beyond ten levels, the start and the root included.
MAX_DEPTH = 8


def depth(start: str, parents: Callable[[str], Iterable[str]], seen: tuple[str, ...] = ()) -> int:
    """How many steps lead from `start` to its farthest ancestor.  Raises RecursionError when it is its own."""
    if start in seen:
        raise RecursionError(start)
    return max((1 + depth(parent, parents, (*seen, start)) for parent in parents(start)), default=0)
