"""COPY data from the client, forwarded while the server takes it.

A COPY of a protected table never gets here (the planner refuses it), so the data is the client's own business.  A
client may send its data before it has seen CopyInResponse.  Data belongs to the COPYs of the newest Query or Execute,
in their order; what belongs to none that was sent is dropped here as the server would drop it, since it could be meant
for one that was refused (I1).
"""

from __future__ import annotations

from proxy.sql.plan import SessionEffect, StatementPlan

from .replies import Reply
from .state import SessionState

_ENDS = frozenset(b"cf")


def begin_copy(state: SessionState, plans: tuple[StatementPlan, ...], entry: Reply) -> None:
    """These statements are being sent for `entry`; the client's data is theirs from now on."""
    entry.copies = sum(plan.effect is SessionEffect.TAKES_DATA for plan in plans)
    state.copy = entry if entry.copies else None


def copy_message(state: SessionState, tag: int, raw: bytes) -> None:
    """CopyData, CopyDone, CopyFail."""
    entry = state.open_copy()
    if state.skipping or entry is None:
        return
    if tag in _ENDS:
        entry.copy_ends += 1
    state.to_server.append(raw)
