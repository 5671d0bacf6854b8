"""Whether an analysed statement may run now: rights, settings, the audit sink, and what EXECUTE and FETCH name."""

from __future__ import annotations

from dataclasses import replace

from proxy.errors import AuditUnavailable, FieldgateError, Refused, Unsupported
from proxy.sql.plan import SessionEffect, StatementKind, StatementPlan

from .names import AnswersNeeded
from .state import SessionState
from .statements import Statement
from .value_changes import unknown_values

_RUNNERS = frozenset({SessionEffect.RUNS_STATEMENT, SessionEffect.RUNS_PORTAL})
_RUNNABLE = frozenset(
    {StatementKind.SELECT, StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE, StatementKind.MERGE}
)


def refusal_of(state: SessionState, plan: StatementPlan) -> FieldgateError | None:
    """Why this plan may not run now: its own refusal, a setting that makes analysis unsound, no audit sink."""
    if plan.refusal is not None:
        return plan.refusal
    if (blocked := state.settings.blocking()) and (plan.touches_protected or _read_differently(plan)):
        return blocked
    if plan.effect in _RUNNERS:
        return _refusal_to_run(state, plan)
    if not plan.touches_protected:
        return None
    if state.outcast is not None:
        return state.outcast
    if not state.services.audit_available():
        return AuditUnavailable(
            "no audit record can be written, so protected fields are not available",
            hint="Ask the operator to look at the audit sink.",
        )
    return None


def _refusal_to_run(state: SessionState, plan: StatementPlan) -> FieldgateError | None:
    """EXECUTE and FETCH may name what Parse and Bind made; there its values and its rows would go past us."""
    name = (plan.effect_value or "").encode()
    if plan.effect is SessionEffect.RUNS_STATEMENT:
        state.names.settle_statement(name)
        statement = state.names.statements.get(name)
    else:
        state.names.settle_portal(name)
        portal = state.names.portals.get(name)
        statement = portal.statement if portal is not None else None
    if statement is None:
        return None
    if statement.by_sql:
        return refusal_now(state, statement)
    inside = statement.plan
    if inside.touches_protected or inside.kind not in _RUNNABLE or inside.effect is not SessionEffect.NONE:
        return Unsupported(
            "EXECUTE and FETCH of what the extended protocol has prepared are not supported here",
            hint="Use Bind and Execute: the driver's own prepared statements and cursors.",
        )
    return None


def refusal_now(state: SessionState, statement: Statement) -> FieldgateError | None:
    """Why what was analysed before may not run any more; only rights and catalog count, names are long resolved."""
    revision, principal, path = statement.stamp
    if revision is not state.revision() or principal != state.principal:
        context = replace(state.context(), search_path=path)
        plan = state.services.planner.plan_statement(statement.text, statement.declared, context)
        if plan.refusal is not None:
            return plan.refusal
        if plan != statement.plan or plan.has_literals:
            return Refused("what this session may see has changed since this was bound", hint="Bind it again.")
        statement.stamp = (state.revision(), state.principal, path)
    return None if statement.by_sql else refusal_of(state, statement.plan)


def refusal_of_values(state: SessionState, *, reads: bool, shows: bool) -> FieldgateError | None:
    """Why dates and times can be neither sealed nor shown as the session's settings say: they are being changed.

    Raises AnswersNeeded where a ReadyForQuery is under way that settles it.  Rows that come behind it need no waiting.
    """
    since = state.values.unknown_since
    if not since or not (reads or shows):
        return None
    if not state.queue.owes_ready(since):
        return unknown_values()
    if reads:
        raise AnswersNeeded
    return None


def _read_differently(plan: StatementPlan) -> bool:
    """With other string literals or another encoding the server may see another statement than we have analysed."""
    text = b"".join(part for part in plan.segments if isinstance(part, bytes))
    return b"\\" in text or not text.isascii()
