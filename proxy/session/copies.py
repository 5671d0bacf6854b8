"""The server's side of a COPY: rows of protected tables are opened, all other data is looked at for envelopes (I2)."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.errors import CellUnreadable, ProtocolViolation
from proxy.rows.copy_out import CopyOut, copy_out
from proxy.rows.envelopes import may_hold_envelope
from proxy.sql.plan import CopyFrom, CopyTo, StatementPlan
from proxy.wire import backend
from proxy.wire.copying.options import CopyFormat
from proxy.wire.framing import Span

from .forwarding import Forwarding
from .replies import Owed, Reply
from .result_rows import ENVELOPE_FOUND, fail_result
from .subjects import have_secrets, rows_passed, waits_for_rest

_DATA, _IN, _OUT, _BOTH = (ord(tag) for tag in "dGHW")


def pass_copy_data(forwarding: Forwarding, spans: Sequence[Span], first: int) -> int:
    """All CopyData messages in a row from `first`; returns the index behind them, or `first` if they must wait."""
    head = _copying(forwarding.state.queue.head)
    last = first
    while last < len(spans) and spans[last][0] == _DATA:
        last += 1
    start, end = spans[first][1], spans[last - 1][2]
    if head.muted:
        forwarding.flush(start)
        return last
    opens_subjects = head.copying_out is not None and head.plan is not None and bool(head.plan.subject_places)
    if opens_subjects and waits_for_rest(head, spans, first, last):
        forwarding.flush(start)
        return first
    try:
        if head.copying_out is not None:
            forwarding.flush(start)
            if opens_subjects and not _secrets_at_hand(forwarding, head, head.copying_out, spans[first:last]):
                return first
            head.copying_out.messages(forwarding.data, spans[first:last], forwarding.state.to_client)
            rows_passed(head)
        else:
            _look(forwarding, spans[first:last], start, end)
            if forwarding.run < 0:
                forwarding.run = start
    except CellUnreadable as error:
        forwarding.flush(start)
        fail_result(forwarding, head, error)
    return last


def _secrets_at_hand(forwarding: Forwarding, head: Reply, copying: CopyOut, rows: Sequence[Span]) -> bool:
    return have_secrets(forwarding.state, head, copying.subjects(forwarding.data, rows))


def _look(forwarding: Forwarding, spans: Sequence[Span], start: int, end: int) -> None:
    if may_hold_envelope(forwarding.data, start, end):
        for _, at, behind in spans:
            if forwarding.holds_envelope(at, behind):
                raise CellUnreadable(ENVELOPE_FOUND)


def copy_answer(forwarding: Forwarding, head: Reply, tag: int, start: int, end: int) -> bool:
    """The messages around the data."""
    _copying(head)
    if may_hold_envelope(forwarding.data, start, end):
        raise ProtocolViolation("the server sent a sealed cell where none can be")
    if tag == _BOTH:
        raise ProtocolViolation("the server began replication that nobody asked for")
    if tag == _IN:
        return _begin_in(forwarding, head)
    if tag == _OUT:
        return _begin_out(forwarding, head, start, end)
    head.copying_out = None
    return not head.muted


def _begin_in(forwarding: Forwarding, head: Reply) -> bool:
    if head.copy_begins >= head.copies or _is_unexpected(head.plan, CopyFrom):
        raise _unasked()
    forwarding.state.queue.data_begins()
    return True


def _begin_out(forwarding: Forwarding, head: Reply, start: int, end: int) -> bool:
    plan = head.plan
    if _is_unexpected(plan, CopyTo):
        raise _unasked()
    if plan is None or not isinstance(plan.copy, CopyTo) or not plan.copy.transforms:
        return True
    copy = plan.copy
    told = backend.parse_copy_response(forwarding.body(start, end))
    binary = copy.options.format is CopyFormat.BINARY
    if bool(told.format) != binary or len(told.column_formats) != len(copy.columns) + copy.hidden:
        raise ProtocolViolation("the server copies other columns than it was asked for")
    state = forwarding.state
    try:
        head.copying_out = copy_out(copy, state.revision().ciphers, state.settings.values)
    except CellUnreadable as error:
        forwarding.flush(start)
        fail_result(forwarding, head, error)
        return False
    shown = told.column_formats[: len(copy.columns)]
    return forwarding.put(start, backend.build_copy_response(b"H", told.format, shown))


def _is_unexpected(plan: StatementPlan | None, kind: type) -> bool:
    return plan is not None and plan.touches_protected and not isinstance(plan.copy, kind)


def _copying(head: Reply | None) -> Reply:
    if head is None or head.owed not in (Owed.EXECUTE, Owed.QUERY):
        raise _unasked()
    return head


def _unasked() -> ProtocolViolation:
    return ProtocolViolation("the server began a COPY that nobody asked for")
