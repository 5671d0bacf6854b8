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
from .effects import apply_effect, asked_for
from .refusals import RESERVED_NAMES, SET_STAND_IN_SQL, STAND_IN_PORTAL, STAND_IN_SQL, STAND_IN_STATEMENT
from .replies import Owed, Portal, Reply, Statement, remember
from .state import AnswersNeeded, SessionState, upstream_text

_HEADER = 5  # tag and length


def parse(state: SessionState, raw: bytes) -> None:
    message = frontend.parse_parse(raw[_HEADER:])
    if message.name in RESERVED_NAMES:
        raise ProtocolViolation("this statement name is reserved")
    statement = _planned(state, message)
    refusal = _refusal_to_parse(state, statement.plan)
    statement.parse_refused = refusal is not None
    entry = Reply(Owed.PARSE, statement=statement, refusal=refusal, unchanged=not statement.plan.rewritten)
    # A name that is taken is refused by the server (42P05), and undoing the change gives it its first meaning back;
    # whether it is taken depends on replies that may still be under way.
    state.set_statement(entry, message.name, statement)
    if refusal is not None:
        entry.ticket = state.account((statement.plan,), (refusal,))
        state.to_server.append(frontend.build_parse(message.name, STAND_IN_SQL))
    else:
        state.to_server.append(_upstream_parse(state, message.name, statement, raw))
    state.queue.push(entry)


def _refusal_to_parse(state: SessionState, plan: StatementPlan) -> FieldgateError | None:
    refusal = state.refusal_of(plan)
    if refusal is None and plan.effect is SessionEffect.FIELDGATE:
        try:
            asked_for(state, state.principal, plan)
        except FieldgateError as error:
            return error
    return refusal


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
    if portal_name in RESERVED_NAMES:
        raise ProtocolViolation("this portal name is reserved")
    state.settle_statement(name)
    statement = state.statements.get(name)
    if statement is None:
        _bind_unknown(state, name, portal_name)
        return
    refusal = state.refusal_now(statement) if statement.by_sql else _refresh(state, name, statement)
    statement = state.statements[name]
    portal = Portal(statement)
    if refusal is None and (statement.plan.slots or statement.plan.opens):
        try:
            names_end = _HEADER + len(portal_name) + len(name) + 2
            portal, raw = _rewritten_bind(state, statement, split_bind(raw, names_end))
        except (ValueRejected, CellUnreadable, ProtocolViolation) as error:
            refusal = error
    if refusal is not None and state.queue.may_fail_alone(statement.parse_number):
        raise AnswersNeeded  # if the Parse has failed, that is what the client must hear
    entry = Reply(Owed.BIND, statement=statement, portal=portal, refusal=refusal)
    entry.unchanged = not statement.plan.rewritten
    if refusal is not None:
        raw = frontend.build_bind(portal_name, STAND_IN_STATEMENT, (), (), ())
        portal.bind_refused = True
        if not statement.parse_refused:
            entry.ticket = state.account((statement.plan,), (refusal,))
    state.set_portal(entry, portal_name, portal)
    state.queue.push(entry)
    state.to_server.append(raw)


def _bind_unknown(state: SessionState, name: bytes, portal_name: bytes) -> None:
    """Nobody knows where its values would go, so they stay here; the server would say the same."""
    shown = name.decode("utf-8", "replace")
    refusal = FieldgateError(
        f'prepared statement "{shown}" does not exist' if name else "unnamed prepared statement does not exist",
        sqlstate=SqlState.INVALID_STATEMENT_NAME,
    )
    state.queue.push(Reply(Owed.BIND, refusal=refusal))
    state.to_server.append(frontend.build_bind(portal_name, STAND_IN_STATEMENT, (), (), ()))


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
    entry = Reply(Owed.PARSE, skip=True, statement=renewed, unchanged=not renewed.plan.rewritten)
    state.set_statement(entry, name, renewed)
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
        state.settle_statement(message.name)
        statement = state.statements.get(message.name)
        state.queue.push(Reply(Owed.DESCRIBE_STATEMENT, statement=statement))
    else:
        state.settle_portal(message.name)
        portal = state.portals.get(message.name)
        statement = portal.statement if portal else None
        state.queue.push(Reply(Owed.DESCRIBE_PORTAL, statement=statement, portal=portal))
    state.to_server.append(raw)


def execute(state: SessionState, raw: bytes) -> None:
    name = frontend.execute_portal_name(raw, _HEADER)
    state.settle_portal(name)
    portal = state.portals.get(name)
    if portal is None:
        _refuse_execute(state, None, _no_portal(name))
        return
    statement = portal.statement
    plan = statement.plan
    if (refusal := _refusal_to_execute(state, portal)) is not None:
        _refuse_execute(state, portal, refusal)
        return
    if (plan.opens or plan.hidden_outputs) and statement.fields is None and not state.queue.owes_description(statement):
        state.queue.push(Reply(Owed.DESCRIBE_PORTAL, skip=True, statement=statement, portal=portal))
        state.to_server.append(frontend.build_describe(b"P", name))
    entry = Reply(Owed.EXECUTE, statement=statement, portal=portal)
    entry.unchanged = not plan.rewritten
    if plan.uses:
        entry.ticket = state.account((plan,), (None,))
    if not statement.by_sql:  # what PREPARE and DECLARE have done is in our books
        apply_effect(state, plan, entry)
        begin_copy(state, (plan,), entry)
    state.queue.push(entry)
    state.to_server.append(raw)


def _refusal_to_execute(state: SessionState, portal: Portal) -> FieldgateError | None:
    """Between Bind and Execute rights may have changed, and the audit sink may have gone (I5, I8)."""
    plan = portal.statement.plan
    if (refusal := state.refusal_now(portal.statement)) is not None:
        return refusal
    if plan.effect is SessionEffect.FIELDGATE:
        return _refusal_to_parse(state, plan)
    return None


def _no_portal(name: bytes) -> FieldgateError:
    shown = name.decode("utf-8", "replace")
    return FieldgateError(f'portal "{shown}" does not exist', sqlstate=SqlState.INVALID_CURSOR_NAME)


def _refuse_execute(state: SessionState, portal: Portal | None, refusal: FieldgateError) -> None:
    entry = Reply(Owed.EXECUTE, refusal=refusal)
    if portal is not None and not portal.bind_refused:
        entry.ticket = state.account((portal.statement.plan,), (refusal,))
    state.queue.push(entry)
    state.to_server.append(frontend.build_execute(STAND_IN_PORTAL))


def close(state: SessionState, raw: bytes) -> None:
    message = frontend.parse_close(raw[_HEADER:])
    entry = Reply(Owed.CLOSE)
    if message.kind == b"S":
        state.set_statement(entry, message.name, None)
    else:
        state.set_portal(entry, message.name, None)
    state.queue.push(entry)
    state.to_server.append(raw)


def sync(state: SessionState, raw: bytes) -> None:
    copy = state.open_copy()
    if copy is None or not copy.in_copy:  # the server ignores Sync while it takes COPY data
        state.queue.push(Reply(Owed.SYNC, during_copy=(copy, copy.copy_ends) if copy is not None else None))
    state.skipping = False
    state.to_server.append(raw)
