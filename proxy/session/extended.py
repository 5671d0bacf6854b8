"""The client's side of the extended protocol: Parse, Bind, Describe, Execute, Close, Sync.

Each function gets one whole message as `raw` (tag and length included) and puts one entry into the queue.  What
needs no change is forwarded as the client's own bytes.  docs/query-path.md lists the messages of our own.
"""

from __future__ import annotations

from proxy.errors import CellUnreadable, FieldgateError, ProtocolViolation, SqlState, ValueRejected
from proxy.rows.binding import Binding, BindParts, build_bind, make_binding, split_bind
from proxy.rows.params import ClientValues
from proxy.sql.plan import SessionEffect, StatementKind, StatementPlan
from proxy.wire import frontend

from .bulk import begin_copy
from .effects import apply_effect
from .refusals import SET_STAND_IN_SQL, STAND_IN_SQL, STAND_IN_STATEMENT
from .replies import BookChange, Owed, Portal, Reply, Statement, remember
from .state import SessionState, upstream_text

_HEADER = 5  # tag and length


def parse(state: SessionState, raw: bytes) -> None:
    message = frontend.parse_parse(raw[_HEADER:])
    if message.name == STAND_IN_STATEMENT:
        raise ProtocolViolation("this statement name is reserved")
    statement = _planned(state, message)
    refusal = state.refusal_of(statement.plan)
    entry = Reply(Owed.PARSE, statement=statement, refusal=refusal)
    # A name that is taken is refused by the server (42P05), and undoing the change gives it its first meaning back;
    # whether it is taken depends on replies that may still be under way.
    entry.note(_set(state.statements, message.name, statement))
    if refusal is not None:
        entry.ticket = state.account((statement.plan,), (refusal,))
        state.to_server.append(frontend.build_parse(message.name, STAND_IN_SQL))
    else:
        state.to_server.append(_upstream_parse(state, message.name, statement, raw))
    state.queue.push(entry)


def _planned(state: SessionState, message: frontend.Parse) -> Statement:
    declared = tuple(message.parameter_types)
    text = _decoded(message.query)
    if text is None:
        plan = _undecodable(state)
        text = ""
    else:
        plan = state.services.planner.plan_statement(text, declared, state.context())
    return Statement(plan, text, declared, state.stamp())


def _decoded(text: bytes) -> str | None:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _undecodable(state: SessionState) -> StatementPlan:
    refusal = FieldgateError('invalid byte sequence for encoding "UTF8"', sqlstate=SqlState.CHARACTER_NOT_IN_REPERTOIRE)
    return StatementPlan(StatementKind.UTILITY, (STAND_IN_SQL,), refusal=refusal)


def _upstream_parse(state: SessionState, name: bytes, statement: Statement, raw: bytes | None) -> bytes:
    plan = statement.plan
    if plan.effect is SessionEffect.FIELDGATE:
        return frontend.build_parse(name, SET_STAND_IN_SQL)
    if plan.rewritten:
        declared = state.declared_upstream(plan, statement.declared)
        return frontend.build_parse(name, upstream_text(plan), declared)
    if raw is not None:
        return raw
    return frontend.build_parse(name, statement.text.encode(), statement.declared)


def bind(state: SessionState, raw: bytes) -> None:
    name, portal_name = frontend.bind_statement_name(raw, _HEADER), frontend.bind_portal_name(raw, _HEADER)
    statement = state.statements.get(name)
    entry = Reply(Owed.BIND)
    if statement is None:  # the server says 26000, or knows a statement that SQL prepared
        entry.note(_set(state.portals, portal_name, None))
        state.queue.push(entry)
        state.to_server.append(raw)
        return
    refusal = _refresh(state, name, statement)
    statement = state.statements[name]
    portal = Portal(statement)
    if refusal is None and (statement.plan.slots or statement.plan.opens):
        try:
            names_end = _HEADER + len(portal_name) + len(name) + 2
            portal, raw = _rewritten_bind(state, statement, split_bind(raw, names_end))
        except (ValueRejected, CellUnreadable, ProtocolViolation) as error:
            refusal = error
    if refusal is not None:
        raw = frontend.build_bind(portal_name, STAND_IN_STATEMENT, (), (), ())
    entry.statement, entry.portal, entry.refusal = statement, portal, refusal
    entry.note(_set(state.portals, portal_name, portal))
    state.queue.push(entry)
    state.to_server.append(raw)


def _refresh(state: SessionState, name: bytes, statement: Statement) -> FieldgateError | None:
    """Plan again when something the plan depends on has changed since Parse; re-Parse upstream if the text differs."""
    if statement.stamp != state.stamp():
        plan = state.services.planner.plan_statement(statement.text, statement.declared, state.context())
        if plan == statement.plan:
            statement.stamp = state.stamp()
        else:
            renewed = Statement(plan, statement.text, statement.declared, state.stamp())
            if plan.refusal is None:
                _parse_again(state, name, renewed)
            else:
                state.statements[name] = renewed
    return state.refusal_of(state.statements[name].plan)


def _parse_again(state: SessionState, name: bytes, renewed: Statement) -> None:
    """Our own Close and Parse, both `skip`, in place of the statement that the client prepared before the change."""
    state.queue.push(Reply(Owed.CLOSE, skip=True))
    state.to_server.append(frontend.build_close(b"S", name))
    entry = Reply(Owed.PARSE, skip=True, statement=renewed)
    entry.note(_set(state.statements, name, renewed))
    state.queue.push(entry)
    state.to_server.append(_upstream_parse(state, name, renewed, None))


def _rewritten_bind(state: SessionState, statement: Statement, parts: BindParts) -> tuple[Portal, bytes]:
    binding = statement.bindings.get(parts.shape)
    if binding is None:
        binding = make_binding(statement.plan, parts)
        remember(statement.bindings, parts.shape, binding)
    values = _physical_values(state, statement, parts, binding) if statement.plan.slots else None
    return Portal(statement, binding.result_formats), build_bind(binding, parts, values)


def _physical_values(
    state: SessionState, statement: Statement, parts: BindParts, binding: Binding
) -> list[bytes | None]:
    plan = statement.plan
    drawn = state.draw((plan,))[0] if plan.draws else ()
    return state.filler().bind_values(plan, ClientValues(parts.values, binding.binary, statement.declared, drawn))


def describe(state: SessionState, raw: bytes) -> None:
    message = frontend.parse_describe(raw[_HEADER:])
    if message.kind == b"S":
        statement = state.statements.get(message.name)
        state.queue.push(Reply(Owed.DESCRIBE_STATEMENT, statement=statement))
    else:
        portal = state.portals.get(message.name)
        statement = portal.statement if portal else None
        state.queue.push(Reply(Owed.DESCRIBE_PORTAL, statement=statement, portal=portal))
    state.to_server.append(raw)


def execute(state: SessionState, raw: bytes) -> None:
    name = frontend.execute_portal_name(raw, _HEADER)
    portal = state.portals.get(name)
    if portal is None:
        state.queue.push(Reply(Owed.EXECUTE))
        state.to_server.append(raw)
        return
    statement = portal.statement
    plan = statement.plan
    if (plan.opens or plan.hidden_outputs) and statement.fields is None and not state.queue.owes_description(statement):
        state.queue.push(Reply(Owed.DESCRIBE_PORTAL, skip=True, statement=statement, portal=portal))
        state.to_server.append(frontend.build_describe(b"P", name))
    entry = Reply(Owed.EXECUTE, statement=statement, portal=portal)
    entry.unchanged = not plan.rewritten
    if plan.uses:
        entry.ticket = state.account((plan,), (None,))
    apply_effect(state, plan, entry)
    begin_copy(state, plan, None)
    state.queue.push(entry)
    state.to_server.append(raw)


def close(state: SessionState, raw: bytes) -> None:
    message = frontend.parse_close(raw[_HEADER:])
    entry = Reply(Owed.CLOSE)
    if message.kind == b"S" and message.name in state.statements:
        entry.note(_set(state.statements, message.name, None))
    elif message.kind == b"P" and message.name in state.portals:
        entry.note(_set(state.portals, message.name, None))
    state.queue.push(entry)
    state.to_server.append(raw)


def sync(state: SessionState, raw: bytes) -> None:
    if not state.copy_in:  # the server ignores Sync while it takes COPY data
        state.queue.push(Reply(Owed.SYNC, during_copy=state.copy_open))
    state.skipping = False
    state.to_server.append(raw)


def _set(book: dict[bytes, Statement] | dict[bytes, Portal], key: bytes, new: object) -> BookChange:
    change = BookChange(book, key, book.get(key), new)
    if new is None:
        book.pop(key, None)
    else:
        book[key] = new  # type: ignore[assignment]
    return change
