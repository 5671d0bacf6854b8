"""UPDATE and DELETE by a search: first the SELECT that finds and locks their rows, then the statement by their keys.

The SELECT is a statement and a portal under a name that no client can give: Close, Close, Parse, Bind, Describe,
Execute and Flush.  When its candidates have been looked at, the statement is bound anew with the keys of those that
were found, and executed; all of it in the transaction in which it stands, without a Sync between.  The client's next
message waits until then (steps.py).  In place of a Query both are messages of ours, and the Sync behind them is the
Query's end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from proxy.errors import CellUnreadable, FieldgateError, SqlState, Unsupported
from proxy.rows.binding import physical_formats
from proxy.rows.client_values import ClientValues
from proxy.rows.describe import upstream_formats
from proxy.rows.sifting import Sought
from proxy.sql.plan import Locks, Slot, SlotKind, StatementPlan
from proxy.wire import backend, frontend
from proxy.wire.backend import FieldDescription
from proxy.wire.framing import HEADER_SIZE, Span
from proxy.wire.values.arrays import build_binary_array

from .binds import what_is_sought
from .fetching import clear_own, end_query
from .refusals import OWN_NAME
from .replies import Owed, Reply
from .state import SessionState
from .statements import Bound, Portal, Statement
from .steps import stand_in
from .upstream_text import declared_upstream, upstream_text

_SUSPENDED = ord("s")


@dataclass(slots=True, eq=False)
class Locking:
    """`entry`: the reply to the statement, whose portal is `name`; `found`: keys of its rows, column by column."""

    locks: Locks
    entry: Reply
    name: bytes
    bound: Bound
    most_rows: int
    found: list[list[bytes]] = field(default_factory=list)

    def take(self, fields: Sequence[FieldDescription] | None, data: bytes, rows: Sequence[Span]) -> None:
        """The keys of rows that passed.  Raises CellUnreadable or ProtocolViolation."""
        key = self.locks.key
        self._check(fields or ())
        for _, start, end in rows:
            values = backend.parse_data_row(data[start + HEADER_SIZE : end])[-len(key) :]
            for column, value in zip(self.found, values, strict=True):
                if value is None:
                    raise CellUnreadable("a row that is to be written has no key")
                column.append(value)

    def _check(self, fields: Sequence[FieldDescription]) -> None:
        if self.found:
            return
        key = self.locks.key
        told = [(each.table_oid, each.attnum, each.type_oid) for each in fields[-len(key) :]]
        if told != [(each.relation_oid, each.attnum, each.type_oid) for each in key]:
            raise CellUnreadable("the origin of a row's key is not proven")
        self.found = [[] for _ in key]

    def values(self, slots: Sequence[Slot]) -> list[bytes | None]:
        """The statement's physical parameters, with the keys."""
        columns = self.found or [[] for _ in self.locks.key]
        arrays = [
            build_binary_array(column.type_oid, found) for column, found in zip(self.locks.key, columns, strict=True)
        ]
        return [
            arrays[int(slot.attribute or 0)] if slot.kind is SlotKind.KEYS else value
            for slot, value in zip(slots, self.bound.values, strict=True)
        ]


def lock_first(state: SessionState, entry: Reply, name: bytes, portal: Portal) -> None:
    """In place of the client's Execute, whose reply is `entry`."""
    statement, bound = portal.statement, portal.bound
    assert bound is not None and statement.plan.locks is not None  # noqa: S101 - the caller has looked
    portal.executed = True
    locks = statement.plan.locks
    _lock(state, entry, name, bound, statement, locks, portal.sought)


def prepared_write(state: SessionState, plan: StatementPlan) -> Callable[[int], None]:
    """What to call with the ticket, to write in place of a Query.  Raises ValueRejected or CellUnreadable."""
    statement = Statement(plan, "", (), state.settings.values, state.stamp())
    client = ClientValues(parsed_under=state.settings.values)
    bound = Bound(client, tuple(state.filler().bind_values(plan, client)))
    portal = Portal(statement, bound=bound)
    assert plan.locks is not None  # noqa: S101 - as above
    locks, sought = plan.locks, what_is_sought(state, plan.locks.plan, client)

    def begin(ticket: int) -> None:
        entry = Reply(Owed.EXECUTE, statement=statement, portal=portal, ticket=ticket, unchanged=False)
        state.query_from = state.queue.pushed + 1
        _lock(state, entry, OWN_NAME, bound, statement, locks, sought)

    return begin


def refusal_beside_others() -> FieldgateError:
    return Unsupported(
        "UPDATE and DELETE by a search of a sealed column are not available beside other statements in one Query",
        hint="Send it as a Query of its own.",
    )


def refusal_in_batch() -> FieldgateError:
    """The Sync that ends messages of ours would commit what the server would still take back with the batch."""
    return Unsupported(
        "a Query that writes by a search of a sealed column, or fetches from one, is not available behind an Execute"
        " without a Sync",
        hint="Send a Sync first.",
    )


def _lock(
    state: SessionState,
    entry: Reply,
    name: bytes,
    bound: Bound,
    statement: Statement,
    locks: Locks,
    sought: Sought | None,
) -> None:
    plan, most = locks.plan, state.services.bounds().locked_rows
    found = Statement(plan, "", statement.declared, statement.values, statement.stamp)
    shown = Portal(found, formats=(1,), sought=sought)
    made = dict(zip(statement.plan.slots, bound.values, strict=True))
    values = [None if slot.kind is SlotKind.UNUSED else made[slot] for slot in plan.slots]
    clear_own(state)
    text, declared = upstream_text(plan), declared_upstream(plan, statement.declared)
    _own(state, Owed.PARSE, frontend.build_parse(OWN_NAME, text, declared), found)
    formats = physical_formats(plan, bound.client.binary)
    message = frontend.build_bind(OWN_NAME, OWN_NAME, formats, values, upstream_formats(plan, (1,)))
    _own(state, Owed.BIND, message, found)
    _own(state, Owed.DESCRIBE_PORTAL, frontend.build_describe(b"P", OWN_NAME), found)
    locking = Locking(locks, entry, name, bound, most)
    reply = Reply(Owed.EXECUTE, skip=True, statement=found, portal=shown, stepping=OWN_NAME, locking=locking)
    reply.unchanged = False
    state.queue.push(reply)
    state.stepping = reply.number
    state.to_server += (frontend.build_execute(OWN_NAME, most + 1), frontend.FLUSH)


def _own(state: SessionState, owed: Owed, message: bytes, statement: Statement | None = None) -> None:
    state.queue.push(Reply(owed, skip=True, statement=statement, unchanged=False))
    state.to_server.append(message)


def locked(state: SessionState, head: Reply, tag: int) -> None:
    """The candidates are here, and locked."""
    locking = head.locking
    assert locking is not None  # noqa: S101 - the caller has looked
    if tag == _SUSPENDED and head.broken is None:
        head.broken = _too_many(locking.most_rows)
    if head.broken is not None:
        stand_in(state, head)
        return
    state.queue.pop()
    _write(state, locking)


def _too_many(most: int) -> FieldgateError:
    return FieldgateError(
        f"too many rows would have to be looked at to find those that are written: more than {most}",
        sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED,
        hint="Write fewer rows at once, or ask the operator for a higher limits.locked_rows.",
    )


def _write(state: SessionState, locking: Locking) -> None:
    entry, name = locking.entry, locking.name
    statement, portal = entry.statement, entry.portal
    assert statement is not None and portal is not None  # noqa: S101 - as it was made
    plan = statement.plan
    clear_own(state)
    text, declared = upstream_text(plan), declared_upstream(plan, statement.declared)
    _own(state, Owed.PARSE, frontend.build_parse(OWN_NAME, text, declared), statement)
    if name != OWN_NAME:
        _own(state, Owed.CLOSE, frontend.build_close(b"P", name))
    formats = physical_formats(plan, locking.bound.client.binary)
    results = upstream_formats(plan, portal.formats) if plan.outputs is not None else portal.formats
    message = frontend.build_bind(name, OWN_NAME, formats, locking.values(plan.slots), results)
    _own(state, Owed.BIND, message, statement)
    if name == OWN_NAME and plan.returns_rows:
        state.queue.push(Reply(Owed.DESCRIBE_PORTAL, statement=statement, portal=portal, unchanged=False))
        state.to_server.append(frontend.build_describe(b"P", name))
    state.queue.push(entry)
    state.to_server.append(frontend.build_execute(name, entry.most))
    clear_own(state)
    end_query(state)


def needs_locks(plan: StatementPlan, portal: Portal) -> bool:
    """Once executed, the portal goes on as the server has it."""
    return plan.locks is not None and portal.bound is not None and not portal.executed
