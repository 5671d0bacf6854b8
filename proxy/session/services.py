"""What the shell hands to a conversation: the current revision of everything that decides, and the planner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from keys.field import FieldCiphers
from keys.subjects import SubjectCache
from policies.engine import DecisionTable
from policies.model import Principal
from proxy.errors import FieldgateError, Refused
from proxy.rows.finishing.arranging import FinishBounds
from proxy.rows.params import Spend
from proxy.sql.catalog import Catalog
from proxy.sql.planner import Planner


@dataclass(frozen=True, slots=True)
class Revision:
    """One consistent set; replaced as a whole on reload, so that a statement is planned under exactly one."""

    catalog: Catalog
    decisions: DecisionTable
    ciphers: FieldCiphers
    observed: Catalog | None = None  # see PlanContext

    def plans_as(self, other: Revision) -> bool:
        """Whether statements are planned alike: the two differ in ciphers only."""
        same = self.catalog is other.catalog and self.decisions is other.decisions
        return same and self.observed is other.observed


def _nobody_else(asked: Principal) -> Principal:
    raise Refused("purpose, case, person and subject cannot be changed in this session")


@dataclass(frozen=True, slots=True)
class SessionServices:
    planner: Planner
    current: Callable[[], Revision]  # the newest revision for this session's database
    audit_available: Callable[[], bool]  # False: no protected data may be planned (I8)
    # Why keys may not be used now, by the process's own clock (I7); asked for each statement, so it is one comparison.
    keys_refusal: Callable[[], FieldgateError | None] = field(default=lambda: None, kw_only=True)
    # So many unused values of a sequence, as text; None: not at hand, ask by the command DrawKeys.
    draw: Callable[[str, int], list[bytes] | None] = lambda _sequence, _count: None
    # The principal that a session asks to be (`SET fieldgate.*`), if the policy lets it.  Raises FieldgateError.
    identify: Callable[[Principal], Principal] = _nobody_else
    # The data subjects' secrets that are in memory; None: nothing here is sealed under such.
    secrets: SubjectCache | None = field(default=None, repr=False)
    # Counts what this principal looks for in sealed fields (searches.py).
    searches: Callable[[Principal], Spend] = field(kw_only=True)
    # How much of a result may be kept here to be put in order.
    bounds: Callable[[], FinishBounds] = field(default=FinishBounds, kw_only=True)
