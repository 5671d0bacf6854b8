"""Fieldgate with one promise broken: each bug is put in by itself, and the harness must notice it.

`BUGS` holds them all.  A bug says at which seat it shows, and which rules of the grammar lead to it soonest.
"""

from __future__ import annotations

from .bug import Bug
from .fences import FENCES
from .names import NAMES
from .sessions import SESSIONS
from .sifting import SIFTING
from .uses import USES
from .verbs import VERBS
from .writing import WRITING

BUGS: tuple[Bug, ...] = (*VERBS, *USES, *NAMES, *FENCES, *WRITING, *SESSIONS)
# What these do shows beside the plaintext, and in both worlds alike.
WRONG: tuple[Bug, ...] = SIFTING

__all__ = ["BUGS", "WRONG", "Bug"]
