"""COPY data from the client, forwarded while the server takes it.

A COPY of a protected table never gets here (the planner refuses it), so the data is the client's own business.  A
client may send its data before it has seen CopyInResponse; data that belongs to no COPY that was sent is dropped here
as the server would drop it, since it could be meant for one that was refused (I1).
"""

from __future__ import annotations

from proxy.errors import FieldgateError
from proxy.sql.plan import StatementKind, StatementPlan

from .state import SessionState

_ENDS = frozenset(b"cf")


def begin_copy(state: SessionState, plan: StatementPlan, refusal: FieldgateError | None) -> None:
    """A statement is being sent; if it is a COPY, the client's data belongs to it until CopyDone or CopyFail."""
    if plan.kind is StatementKind.COPY and refusal is None:
        state.copy_open = True


def copy_message(state: SessionState, tag: int, raw: bytes) -> None:
    """CopyData, CopyDone, CopyFail."""
    if state.skipping or not state.copy_open:
        return
    if tag in _ENDS:
        state.copy_open = state.copy_in = False
    state.to_server.append(raw)


def end_copy(state: SessionState) -> None:
    """The oldest statement is done or has failed; late data of its client is dropped."""
    state.copy_in = False
    if state.copy_open and not any(_is_copy(entry.plan) for entry in state.queue):
        state.copy_open = False


def _is_copy(plan: StatementPlan | None) -> bool:
    return plan is not None and plan.kind is StatementKind.COPY
