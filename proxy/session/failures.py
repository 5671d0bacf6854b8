"""Errors and notices of the server: swapped for a refusal, scrubbed, or passed on; what a failure undoes (I3, I4)."""

from __future__ import annotations

import re

from proxy.errors import FieldgateError, ProtocolViolation, SqlState
from proxy.sealing.fences import FENCE_MESSAGE
from proxy.sql.forms import changed, is_changed
from proxy.sql.gone_terms import is_gone, rotated
from proxy.wire import backend

from .commands import RefreshCatalog, SuspectKeys
from .fetching import failed_at
from .forwarding import Forwarding
from .refusals import is_copy_failure, is_stand_in_failure
from .replies import Owed, Reply
from .scrub import scrub
from .state import SessionState

_FENCED = FENCE_MESSAGE.encode()
_CHECK = re.compile(rb"fg_[0-9a-f]{32}(?:_.*)?")
_ERROR = ord("E")
_FATAL = (b"FATAL", b"PANIC")
_BEFORE_THAT = frozenset({SqlState.INVALID_STATEMENT_NAME, SqlState.INVALID_CURSOR_NAME, SqlState.PROTOCOL_VIOLATION})


def unasked(forwarding: Forwarding, tag: int, start: int, end: int) -> bool:
    if tag == _ERROR:  # FATAL on an idle connection: a shutdown, a timeout
        fields = backend.parse_error_response(forwarding.body(start, end))
        if fields.get(b"V", fields.get(b"S")) in _FATAL:
            return forwarding.put(start, backend.build_error_response(scrub(fields, rewritten=True)))
    raise ProtocolViolation("the server sent a message that nobody asked for")


def failure(forwarding: Forwarding, head: Reply, start: int, end: int) -> bool:
    """The entry at the head has failed, and with it what the server will not get to any more."""
    fields = backend.parse_error_response(forwarding.body(start, end))
    state = forwarding.state
    refusal = head.current_refusal
    muted = head.muted
    protected, unchanged, ours = _protected(head), head.unchanged, _is_ours(head)
    state.settings.failed()
    if head.owed in (Owed.QUERY, Owed.FUNCTION):
        state.queue.fail_query()
    elif head.owed is not Owed.SYNC:  # an error while committing comes with Sync, and its Z follows
        state.skipping = not state.queue.drop_to_sync()
        failed_at(state, head.number)
    if protected and _is_of_a_head(fields):
        state.commands.append(SuspectKeys())
    if muted:
        return False
    if is_stand_in_failure(fields, refusal) and refusal is not None:
        return forwarding.put(start, backend.error_response(_said_first(state, head, refusal)))
    if head.copy_refusal is not None and is_copy_failure(fields):
        return forwarding.put(start, backend.error_response(head.copy_refusal))
    if _is_unsettled(head) and (is_changed(fields) or forwarding.holds_envelope(start, end)):
        state.commands.append(RefreshCatalog())
        return forwarding.put(start, backend.error_response(changed()))
    if ours and is_gone(fields, state.services.current().catalog):
        state.commands.append(RefreshCatalog())
        return forwarding.put(start, backend.error_response(rotated()))
    if _is_unsettled(head) and fields.get(b"C") == b"40001":  # perhaps the fence of a table that was rewritten
        state.commands.append(RefreshCatalog())
    if protected or forwarding.holds_envelope(start, end):
        return forwarding.put(start, backend.build_error_response(scrub(fields, rewritten=not unchanged)))
    if not unchanged:
        fields.pop(b"P", None)
        return forwarding.put(start, backend.build_error_response(fields))
    return True


def _is_of_a_head(fields: dict[bytes, bytes]) -> bool:
    """A write fence or the CHECK of a sealed column has refused a cell that we made."""
    code = fields.get(b"C")
    if code == b"40001":
        return fields.get(b"M") == _FENCED
    return code == b"23514" and _CHECK.fullmatch(fields.get(b"n", b"")) is not None


def _said_first(state: SessionState, head: Reply, refusal: FieldgateError) -> FieldgateError:
    """In a failed transaction the server says so before it looks at a Bind's values, but after names and counts.

    What stands in for the Bind or Execute has failed by its name, so the server has not come to that.
    """
    aborted = state.settings.transaction == b"E" and not state.executed
    if not aborted or head.owed not in (Owed.BIND, Owed.EXECUTE) or refusal.sqlstate in _BEFORE_THAT:
        return refusal
    return FieldgateError(
        "current transaction is aborted, commands ignored until end of transaction block",
        sqlstate=SqlState.IN_FAILED_TRANSACTION,
    )


def notice(forwarding: Forwarding, start: int, end: int) -> bool:
    """One that holds an envelope is dropped: nothing is lost that was asked for."""
    head = forwarding.state.queue.head
    if head is not None and _protected(head):
        fields = backend.parse_error_response(forwarding.body(start, end))
        return forwarding.put(start, backend.build_notice_response(scrub(fields, rewritten=True)))
    return not forwarding.holds_envelope(start, end)


def _is_unsettled(head: Reply) -> bool:
    return any(plan.unsettled for plan in (head.plan, *head.statements) if plan is not None)


def _is_ours(head: Reply) -> bool:
    """What has failed is a statement over protected tables that was rewritten; others of its Query do not count."""
    if head.index < len(head.statements):
        plan = head.statements[head.index]
        return plan.touches_protected and plan.edited
    return _protected(head) and not head.unchanged


def _protected(head: Reply) -> bool:
    plan = head.plan
    if plan is not None and plan.touches_protected:
        return True
    return any(p.touches_protected for p in head.statements)
