"""The round that drivers repeat: Bind, perhaps Describe, Execute and Sync of a prepared statement, in one write.

Where nothing else is owed and nothing has changed since the statement was planned, the round is one step: forwarded as
it is or, over protected tables, with its Bind made into the server's and one record for the audit.  So is its answer,
when it comes whole and as usual.  Anything else unfolds the round into the entries that `extended` would have made, and
goes the usual way.  Read by itself this module changes no conversation: it is the usual way, only shorter.
"""

from __future__ import annotations

from collections.abc import Sequence

from proxy.errors import CellUnreadable, ProtocolViolation, ValueRejected
from proxy.rows.binding import split_bind
from proxy.rows.envelopes import SHORTEST, may_hold_envelope
from proxy.sql.plan import SessionEffect, StatementKind, StatementPlan
from proxy.wire import backend
from proxy.wire.framing import HEADER_SIZE, Span

from .accounting import account_allowed
from .binds import rewritten_bind
from .descriptions import told_columns
from .permits import refusal_of
from .replies import Owed, Reply, Round
from .result_rows import retyped, transformer_for
from .state import SessionState
from .statements import Portal, Statement

MUST_WAIT = -1  # the answer is here, and the record of the decision is not durable yet

_EXECUTE, _SYNC = b"E\0\0\0\x09\0", b"S\0\0\0\x04"  # between them the greatest number of rows, 4 bytes
_EXECUTE_AND_SYNC = len(_EXECUTE) + 4 + len(_SYNC)
_DESCRIBE = b"D\0\0\0\x06P\0"
_NAME = HEADER_SIZE + 1  # behind the empty name of the portal
_BOUND, _COLUMNS, _NO_DATA, _ROW, _READY = (ord(tag) for tag in "2TnDZ")
_ENDS = frozenset(b"CIs")
_LONGEST_END = HEADER_SIZE + SHORTEST - 1  # bytes; see answers
_KINDS = frozenset({StatementKind.SELECT, StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE})


def begin_round(state: SessionState, data: bytes, spans: Sequence[Span]) -> bool:
    """Send the whole of `data` if it is a usual round; False: nothing was done, go message by message."""
    if len(state.queue) or state.round is not None or state.skipping or state.tickets.open or data[HEADER_SIZE] != 0:
        return False
    bind_end = spans[0][2]
    described = data.startswith(_DESCRIBE, bind_end)
    tail = bind_end + len(_DESCRIBE) if described else bind_end
    if len(data) - tail != _EXECUTE_AND_SYNC or not data.startswith(_EXECUTE, tail) or not data.endswith(_SYNC):
        return False
    name_end = data.find(0, _NAME, bind_end)
    if name_end < 0 or state.settings.blocking() is not None:
        return False
    statement = state.names.statements.get(data[_NAME:name_end])
    if statement is None or statement.by_sql or statement.stamp != state.stamp() or not _usual(statement.plan):
        return False
    state.batch = False
    if statement.plan.touches_protected:
        return _begin_protected(state, statement, data, bind_end, name_end + 1, described)
    state.round = Round(Portal(statement), described)
    state.to_server.append(data)
    return True


def _usual(plan: StatementPlan) -> bool:
    """It runs as often as it is sent, and changes nothing in our books."""
    if (
        plan.counted_here
        or plan.locks is not None
        or plan.kind not in _KINDS
        or plan.effect is not SessionEffect.NONE
        or plan.refusal is not None
    ):
        return False
    if plan.touches_protected:
        return not (plan.draws or plan.seals_subjects or plan.subject_places)
    return not (plan.rewritten or plan.recorded or plan.outputs or plan.hidden_outputs)


def _begin_protected(
    state: SessionState, statement: Statement, data: bytes, bind_end: int, names_end: int, described: bool
) -> bool:
    plan = statement.plan
    if state.values.unknown_since or (retyped(plan) and statement.fields is None):
        return False
    if refusal_of(state, plan) is not None:
        return False
    portal, bind = Portal(statement), data[:bind_end]
    if plan.slots or retyped(plan):
        try:
            portal, bind = rewritten_bind(state, statement, split_bind(bind, names_end))
        except (ValueRejected, CellUnreadable, ProtocolViolation):
            return False
    state.round = Round(portal, described, account_allowed(state, plan) if plan.recorded else 0)
    state.to_server += (bind, data[bind_end:])
    return True


def unfold(state: SessionState) -> None:
    """The round as the usual entries, for all that is not a round's usual course."""
    pending, state.round = state.round, None
    if pending is None:
        return
    portal, statement = pending.portal, pending.statement
    unchanged = not statement.plan.rewritten
    bound = Reply(Owed.BIND, statement=statement, portal=portal, unchanged=unchanged)
    state.names.set_portal(bound, b"", portal)
    state.queue.push(bound)
    if pending.described:
        state.queue.push(Reply(Owed.DESCRIBE_PORTAL, statement=statement, portal=portal))
    executed = Reply(Owed.EXECUTE, statement=statement, portal=portal, ticket=pending.ticket, unchanged=unchanged)
    state.queue.push(executed)
    state.queue.push(Reply(Owed.SYNC))


def end_round(state: SessionState, data: bytes, spans: Sequence[Span]) -> int:
    """How many messages are the whole usual answer and were passed on; 0: the round was unfolded instead; MUST_WAIT."""
    pending = state.round
    assert pending is not None  # noqa: S101  the caller looks
    count = _usual_answer(pending, spans)
    if count and state.tickets.holds(pending.ticket):
        return MUST_WAIT
    told = _told(state, pending, data, spans, count) if count else None
    if told is None:
        unfold(state)
        return 0
    end = spans[count - 1][2]
    status = backend.parse_ready_for_query(data[end - 1 : end])
    state.round = None
    state.values.ready(state.queue.pushed, status)
    state.settings.ready(state.queue.pushed, status, state.queue)
    state.executed = False
    state.names.all_answered(state.settings.transaction)
    if state.settings.transaction != b"I":
        state.names.portals[b""] = pending.portal
    state.to_client += told
    state.told_more = True
    return count


def _told(
    state: SessionState, pending: Round, data: bytes, spans: Sequence[Span], count: int
) -> Sequence[bytes] | None:
    """What the client gets for the first `count` messages; None: the usual way finds out what is wrong with them."""
    start, end = spans[0][1], spans[count - 1][2]
    if not retyped(pending.statement.plan):
        return None if may_hold_envelope(data, start, end) else (data[start:end],)
    first = 2 if pending.described else 1
    ending = spans[count - 2]
    if ending[2] - ending[1] > _LONGEST_END:
        return None
    told = [data[start : spans[0][2]]]
    try:
        if pending.described:
            told.append(told_columns(pending.portal, data[spans[1][1] : spans[1][2]]))
        if count - 2 > first:
            transformer_for(state, pending.portal).rows(data, spans[first : count - 2], told)
    except (CellUnreadable, ProtocolViolation):
        return None
    told.append(data[ending[1] : end])
    return told


def _usual_answer(pending: Round, spans: Sequence[Span]) -> int:
    size = len(spans)
    if size < 3 or spans[0][0] != _BOUND:
        return 0
    index = 1
    if pending.described:
        if spans[1][0] not in (_COLUMNS, _NO_DATA):
            return 0
        index = 2
    while index < size and spans[index][0] == _ROW:
        index += 1
    if index + 1 >= size or spans[index][0] not in _ENDS or spans[index + 1][0] != _READY:
        return 0
    return index + 2
