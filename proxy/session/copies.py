"""The server's side of a COPY that touches nothing protected: its data is looked at for envelopes, and passes."""

from __future__ import annotations

from proxy.errors import CellUnreadable, ProtocolViolation

from .forwarding import Forwarding
from .replies import Owed, Reply
from .result_rows import ENVELOPE_FOUND, fail_result


def copy_answer(forwarding: Forwarding, head: Reply, tag: int, start: int, end: int) -> bool:
    if head.owed not in (Owed.EXECUTE, Owed.QUERY):
        raise ProtocolViolation("the server began a COPY that nobody asked for")
    if tag == ord("W"):
        raise ProtocolViolation("the server began replication that nobody asked for")
    if tag == ord("G"):
        if head.copy_begins >= head.copies:
            raise ProtocolViolation("the server began a COPY that nobody asked for")
        forwarding.state.queue.data_begins()
    plan = head.plan
    if plan is not None and plan.touches_protected:
        raise ProtocolViolation("the server began a COPY of a protected table")
    if tag == ord("d") and forwarding.holds_envelope(start, end):
        forwarding.flush(start)
        fail_result(forwarding, head, CellUnreadable(ENVELOPE_FOUND))
        return False
    return True
