"""Statements that try to get out of the policy, and what must come of each.

Data only; `test_attacks.py` runs them.  A `Group` holds statements of one login that go through one side door and are
stopped by one rule.  Statements stand under `search_path = public`.
"""

from __future__ import annotations

from .carried import CARRIED
from .client import CLIENT
from .doors import DOORS
from .everybody import EVERYBODY
from .fences import FENCES
from .group import Group, Row, for_everybody
from .kept import KEPT
from .made import DBA
from .management import MANAGEMENT
from .others import OTHERS
from .overlaps import OVERLAPS
from .session import SESSION
from .spellings import NUMBERS
from .support import SPELLINGS, SUPPORT

GROUPS = (
    *FENCES, *SUPPORT, *KEPT, SPELLINGS, *NUMBERS, *MANAGEMENT, *CLIENT, *OTHERS, *OVERLAPS, *CARRIED,
    *for_everybody((*EVERYBODY, *DOORS, *SESSION)),
)  # fmt: skip

__all__ = ["DBA", "GROUPS", "Group", "Row"]
