"""Parse, and Parse once more: how a statement is prepared, and prepared again when what its plan depends on changes."""

from __future__ import annotations

from proxy.errors import CellUnreadable, FieldgateError, ProtocolViolation, SqlState, ValueRejected
from proxy.sql.plan import SessionEffect, StatementKind, StatementPlan
from proxy.wire import frontend

from .accounting import account
from .effects import asked_for
from .names import cut
from .permits import refusal_now, refusal_of, refusal_of_statement, refusal_of_values
from .refusals import RESERVED_NAMES, STAND_IN_SQL, own_setting_sql
from .replies import Owed, Reply
from .runs import RUNNERS, attach, still_runs
from .state import SessionState
from .statements import Statement
from .upstream_text import declared_upstream, upstream_text

_HEADER = 5  # tag and length


def parse(state: SessionState, raw: bytes) -> None:
    message = frontend.parse_parse(raw[_HEADER:])
    if message.name in RESERVED_NAMES:
        raise ProtocolViolation("this statement name is reserved")
    statement = _planned(state, message)
    refusal = refusal_to_parse(state, statement.plan)
    if refusal is None and statement.plan.effect in RUNNERS:
        refusal = attach(state, statement)
    upstream, plan = b"", statement.target.plan
    if refusal is None:
        try:
            upstream = _upstream_parse(state, message.name, statement, raw)
        except (ValueRejected, CellUnreadable) as error:
            refusal = error
    statement.parse_refused = refusal is not None
    entry = Reply(Owed.PARSE, statement=statement, refusal=refusal, unchanged=not plan.rewritten)
    # A name that is taken is refused by the server (42P05), and undoing the change gives it its first meaning back;
    # whether it is taken depends on replies that may still be under way.
    state.names.set_statement(entry, message.name, statement)
    if refusal is not None:
        entry.ticket = account(state, (plan,), (refusal,))
        upstream = frontend.build_parse(message.name, STAND_IN_SQL)
    state.to_server.append(upstream)
    state.queue.push(entry)


def refusal_to_parse(state: SessionState, plan: StatementPlan) -> FieldgateError | None:
    refusal = refusal_of(state, plan)
    if refusal is None and plan.constants_follow:
        return refusal_of_values(state, reads=True, shows=False)
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
        state.settle_path()
        plan = state.services.planner.plan_statement(text, declared, state.context())
    return Statement(plan, text, declared, state.settings.values, state.stamp())


def _decoded(text: bytes) -> str | None:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _undecodable(state: SessionState) -> StatementPlan:
    refusal = FieldgateError('invalid byte sequence for encoding "UTF8"', sqlstate=SqlState.CHARACTER_NOT_IN_REPERTOIRE)
    return StatementPlan(StatementKind.UTILITY, (STAND_IN_SQL,), refusal=refusal)


def _upstream_parse(state: SessionState, name: bytes, statement: Statement, raw: bytes | None) -> bytes:
    """Raises ValueRejected or CellUnreadable where values are written into the text."""
    plan = statement.target.plan
    if plan.has_literals:
        filler = state.filler()
        return frontend.build_parse(name, upstream_text(plan, {k: filler.literal(s) for k, s in enumerate(plan.slots)}))
    if plan.effect is SessionEffect.FIELDGATE:
        return frontend.build_parse(name, own_setting_sql(plan))
    if plan.rewritten:
        declared = declared_upstream(plan, statement.declared) if statement.resolved is None else statement.declared
        return frontend.build_parse(name, upstream_text(plan), declared)
    if raw is not None:
        return raw
    return frontend.build_parse(name, statement.text.encode(), statement.declared)


def refresh(state: SessionState, name: bytes, statement: Statement) -> tuple[Statement, FieldgateError | None]:
    """What is bound under this name, and why not: prepared again if something it depends on has changed since Parse."""
    if statement.by_sql:
        return statement, refusal_of_statement(state, statement)
    if statement.plan.effect in RUNNERS:
        return _refreshed_run(state, name, statement)
    if statement.stamp != state.stamp():
        plan = state.services.planner.plan_statement(statement.text, statement.declared, state.context())
        if plan == statement.plan and not plan.has_literals:
            statement.stamp = state.stamp()
        else:
            statement = Statement(plan, statement.text, statement.declared, statement.values, state.stamp())
            if plan.refusal is None:
                try:
                    _parse_again(state, name, statement)
                except (ValueRejected, CellUnreadable) as error:
                    return statement, error
            else:
                state.names.statements[cut(name)] = statement
    return statement, refusal_of(state, statement.plan)


def _refreshed_run(state: SessionState, name: bytes, statement: Statement) -> tuple[Statement, FieldgateError | None]:
    """An EXECUTE, FETCH or MOVE: the name in it may stand for something else by now, and cells are sealed only once."""
    if statement.parse_refused:
        return statement, statement.target.plan.refusal
    before = statement.target
    if not still_runs(state, statement):
        renewed = Statement(statement.plan, statement.text, statement.declared, statement.values, state.stamp())
        refusal = attach(state, renewed)
        if refusal is not None:
            return renewed, refusal
        if renewed.target.plan.rewritten or before.plan.rewritten:
            _parse_again(state, name, renewed)
        else:
            state.names.statements[cut(name)] = renewed
            renewed.parse_number = statement.parse_number
        statement = renewed
    statement.target.bound = True
    return statement, refusal_now(state, statement.target)


def _parse_again(state: SessionState, name: bytes, renewed: Statement) -> None:
    """Our own Close and Parse, both `skip`, in place of the statement that the client prepared before the change."""
    upstream = _upstream_parse(state, name, renewed, None)
    state.queue.push(Reply(Owed.CLOSE, skip=True))
    state.to_server.append(frontend.build_close(b"S", name))
    entry = Reply(Owed.PARSE, skip=True, statement=renewed, unchanged=not renewed.target.plan.rewritten)
    state.names.set_statement(entry, name, renewed)
    state.queue.push(entry)
    state.to_server.append(upstream)
