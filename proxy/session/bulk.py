"""COPY data from the client, forwarded while the server takes it.

A COPY of a protected table never gets here (the planner refuses it), so the data is the client's own business.
"""

from __future__ import annotations

from .state import SessionState

_ENDS = frozenset(b"cf")


def copy_message(state: SessionState, tag: int, raw: bytes) -> None:
    """CopyData, CopyDone, CopyFail.  Outside COPY the server ignores them, late ones after its own error included."""
    if state.skipping or not state.copy_in:
        return
    if tag in _ENDS:
        state.copy_in = False
    state.to_server.append(raw)
