"""EXECUTE, FETCH and MOVE: what stands behind the name in our books, and what it comes to (I5).

Names are shared with Parse and Bind, so it does not matter who has made what is run.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from proxy.errors import CellUnreadable, FieldgateError, SqlState, Unsupported, ValueRejected
from proxy.rows.client_values import ClientValues
from proxy.sql.executions import executed, fetched
from proxy.sql.plan import SessionEffect, SlotKind, StatementKind, StatementPlan

from .binds import what_is_sought
from .permits import refusal_now, refusal_of, refusal_of_statement, refusal_of_values
from .state import SessionState
from .statements import Portal, Run, Statement
from .subjects import draw_for
from .upstream_text import upstream_text

RUNNERS = frozenset({SessionEffect.RUNS_STATEMENT, SessionEffect.RUNS_PORTAL})
_RUNNABLE = frozenset(
    {StatementKind.SELECT, StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE, StatementKind.MERGE}
)


@dataclass(frozen=True, slots=True)
class Running:
    """`plan`: of what is run, under the text of the EXECUTE, FETCH or MOVE; `client`: the values for its slots."""

    source: Statement | Portal | None
    plan: StatementPlan
    refusal: FieldgateError | None = None
    client: ClientValues = field(default_factory=ClientValues)


def resolve(state: SessionState, call: StatementPlan) -> Running:
    """What runs if the server gets to `call` now.  Raises AnswersNeeded."""
    by_statement = call.effect is SessionEffect.RUNS_STATEMENT
    found = _statement(state, call) if by_statement else _portal(state, call)
    return replace(found, refusal=found.refusal or refusal_of(state, found.plan))


def _statement(state: SessionState, call: StatementPlan) -> Running:
    name = call.effect_value or ""
    statement = state.names.statement(name.encode())
    if statement is None:
        return Running(None, call, unknown_statement(name))
    kept = statement.plan
    if kept.locks is not None:
        return Running(statement, kept, _written())
    if kept.arranged is not None or kept.computations:
        return Running(statement, kept, _finished())
    if kept.kind not in _RUNNABLE:
        return Running(statement, kept, _not_run("EXECUTE"))
    refusal = refusal_of_statement(state, statement)
    if refusal is None and call.arguments is None:
        if kept.touches_protected or kept.slots or kept.effect is not SessionEffect.NONE:
            return Running(statement, kept, _explained())
        return Running(statement, call)
    if refusal is not None:
        return Running(statement, kept, refusal)
    try:
        execution = executed(call, kept, statement.declared)
    except FieldgateError as error:
        return Running(statement, kept, error)
    values = execution.values
    client = ClientValues(values, (False,) * len(values), statement.declared, (), statement.values)
    return Running(statement, execution.plan, client=client)


def _portal(state: SessionState, call: StatementPlan) -> Running:
    portal = state.names.portal((call.effect_value or "").encode())
    if portal is None:
        return Running(None, call)  # it takes no values there, and the server says that there is none
    kept = portal.statement.plan
    if kept.locks is not None:
        return Running(portal, kept, _written())
    if kept.arranged is not None or kept.computations:
        return Running(portal, kept, _finished())
    if kept.kind not in _RUNNABLE or kept.effect is not SessionEffect.NONE:
        return Running(portal, kept, _not_run("FETCH"))
    if kept.sift is not None and call.fetch is None:
        return Running(portal, kept, _backward())
    return Running(portal, fetched(call, kept), refusal_now(state, portal.statement))


def unknown_statement(name: str) -> FieldgateError:
    """Nobody knows where its values would go, so they stay here; the server would say the same."""
    shown = f'prepared statement "{name}" does not exist' if name else "unnamed prepared statement does not exist"
    return FieldgateError(shown, sqlstate=SqlState.INVALID_STATEMENT_NAME)


def _not_run(how: str) -> Unsupported:
    return Unsupported(f"{how} of this kind of statement is not supported here", hint="Send the statement itself.")


def _finished() -> Unsupported:
    return Unsupported(
        "an expression over a sealed column, or ORDER BY, DISTINCT, min or max of one can not be run by name in SQL",
        hint="Send the statement itself.",
    )


def _written() -> Unsupported:
    return Unsupported(
        "UPDATE and DELETE by a search of a sealed column can not be run by name in SQL",
        hint="Send the statement itself.",
    )


def _backward() -> Unsupported:
    return Unsupported(
        "a cursor over a search of a sealed column by part or range goes forward only, by a number of rows or all",
        hint="FETCH FORWARD, or read the rows into the application.",
    )


def _explained() -> Unsupported:
    return Unsupported(
        "EXPLAIN EXECUTE of a statement over protected tables is not supported", hint="EXPLAIN the statement itself."
    )


def attach(state: SessionState, statement: Statement) -> FieldgateError | None:
    """What Parse of an EXECUTE, FETCH or MOVE has to know; the refusal, if it may not run.

    Raises AnswersNeeded or KeysNeeded; nothing has then been changed.
    """
    running = resolve(state, statement.plan)
    try:
        refusal = running.refusal or _refusal_of_dates(state, running.plan)
        plan = running.plan if refusal is not None else _filled(state, running)
    except (ValueRejected, CellUnreadable) as error:
        plan, refusal = running.plan, error
    if refusal is not None:
        plan = replace(plan, refusal=refusal)
    values, stamp = state.settings.values, state.stamp()
    resolved = Statement(plan, statement.text, (), values, stamp, run=_run(state, statement.plan, running))
    if refusal is None and plan.sift is not None and isinstance(running.source, Statement):
        try:
            resolved.sought = what_is_sought(state, plan, running.client)
        except ValueRejected as error:
            refusal, resolved.plan = error, replace(plan, refusal=error)
    statement.resolved = resolved
    return refusal


def _refusal_of_dates(state: SessionState, plan: StatementPlan) -> FieldgateError | None:
    return refusal_of_values(state, reads=plan.parameters_follow, shows=False)


def _run(state: SessionState, call: StatementPlan, running: Running) -> Run:
    slots = running.plan.slots
    once = any(slot.kind is SlotKind.CELL for slot in slots) or bool(running.plan.draws)
    read_under = state.settings.values if running.plan.parameters_follow else None
    return Run(call, running.source, once, read_under)


def _filled(state: SessionState, running: Running) -> StatementPlan:
    """The extended protocol has no parameters inside EXECUTE, so values are literals there too."""
    plan = running.plan
    if not plan.slots:
        return plan
    [drawn] = draw_for(state, (plan,), (running.client,))
    filler, client = state.filler(), replace(running.client, drawn=drawn)
    literals = {index: filler.literal(slot, client) for index, slot in enumerate(plan.slots)}
    return replace(plan, segments=(upstream_text(plan, literals),), slots=(), draws=())


def still_runs(state: SessionState, statement: Statement) -> bool:
    """Whether what Parse of an EXECUTE, FETCH or MOVE was resolved to may be bound as it is.  Raises AnswersNeeded."""
    resolved = statement.resolved
    if resolved is None or resolved.run is None or resolved.plan.refusal is not None:
        return False
    run = resolved.run
    name = (run.call.effect_value or "").encode()
    by_statement = run.call.effect is SessionEffect.RUNS_STATEMENT
    now = state.names.statement(name) if by_statement else state.names.portal(name)
    if now is not run.source:
        return False
    if not resolved.plan.rewritten:
        return True
    spent = run.once and resolved.bound
    follows = run.read_under is None or run.read_under is state.settings.values
    return not spent and follows and resolved.stamp == state.stamp()
