"""The round that drivers repeat: Bind, perhaps Describe, Execute and Sync of a prepared statement, in one write.

Where the statement touches nothing protected, nothing else is owed and nothing has changed since it was planned, the
round is forwarded as one slice; and its answer, when it comes whole and as usual, too, after one look for envelopes.
Anything else unfolds the round into the entries that `extended` would have made, and goes the usual way.  Read by
itself this module changes no conversation: it is the usual way, only shorter.
"""

from __future__ import annotations

from collections.abc import Sequence

from proxy.rows.envelopes import may_hold_envelope
from proxy.sql.plan import SessionEffect, StatementKind, StatementPlan
from proxy.wire import backend
from proxy.wire.framing import HEADER_SIZE, Span

from .replies import Owed, Reply, Round
from .state import SessionState
from .statements import Portal

_EXECUTE_AND_SYNC = b"E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04"
_DESCRIBE_TOO = b"D\0\0\0\x06P\0" + _EXECUTE_AND_SYNC
_NAME = HEADER_SIZE + 1  # behind the empty name of the portal
_BOUND, _COLUMNS, _NO_DATA, _ROW, _READY = (ord(tag) for tag in "2TnDZ")
_ENDS = frozenset(b"CI")
_KINDS = frozenset({StatementKind.SELECT, StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE})


def begin_round(state: SessionState, data: bytes, spans: Sequence[Span]) -> bool:
    """Forward the whole of `data` if it is a usual round; False: go message by message."""
    if len(state.queue) or state.round is not None or state.skipping or state.waiting or data[HEADER_SIZE] != 0:
        return False
    tail = data[spans[0][2] :]
    described = tail == _DESCRIBE_TOO
    if not described and tail != _EXECUTE_AND_SYNC:
        return False
    statement = state.names.statements.get(data[_NAME : data.find(0, _NAME)])
    if statement is None or statement.by_sql or not _plain(statement.plan) or statement.stamp != state.stamp():
        return False
    state.round = Round(statement, described)
    state.to_server.append(data)
    return True


def _plain(plan: StatementPlan) -> bool:
    """Nothing is opened, put in, accounted for or changed by it."""
    return (
        plan.kind in _KINDS
        and plan.effect is SessionEffect.NONE
        and plan.refusal is None
        and not (plan.rewritten or plan.touches_protected or plan.uses or plan.outputs or plan.hidden_outputs)
    )


def unfold(state: SessionState) -> None:
    """The round as the usual entries, for all that is not a round's usual course."""
    pending, state.round = state.round, None
    if pending is None:
        return
    statement = pending.statement
    portal = Portal(statement)
    bound = Reply(Owed.BIND, statement=statement, portal=portal)
    state.names.set_portal(bound, b"", portal)
    state.queue.push(bound)
    if pending.described:
        state.queue.push(Reply(Owed.DESCRIBE_PORTAL, statement=statement, portal=portal))
    state.queue.push(Reply(Owed.EXECUTE, statement=statement, portal=portal))
    state.queue.push(Reply(Owed.SYNC))


def end_round(state: SessionState, data: bytes, spans: Sequence[Span]) -> int:
    """How many messages are the whole usual answer and were forwarded; 0: the round was unfolded instead."""
    assert state.round is not None  # noqa: S101  the caller looks
    count = _usual_answer(state.round, spans)
    if not count or may_hold_envelope(data, spans[0][1], spans[count - 1][2]):
        unfold(state)
        return 0
    end = spans[count - 1][2]
    statement, state.round = state.round.statement, None
    status = backend.parse_ready_for_query(data[end - 1 : end])
    state.values.ready(state.queue.pushed, status)
    state.settings.ready(status, state.queue)
    state.executed = False
    state.names.all_answered(state.settings.transaction)
    if state.settings.transaction != b"I":
        state.names.portals[b""] = Portal(statement)
    state.to_client.append(data[spans[0][1] : end])
    return count


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
