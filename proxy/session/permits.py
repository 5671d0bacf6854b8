"""Whether an analysed statement may run now: rights, settings, the audit sink, and what was analysed before."""

from __future__ import annotations

from dataclasses import replace

from policies.model import Principal
from proxy.errors import AuditUnavailable, FieldgateError, Refused
from proxy.sql.plan import SessionEffect, SlotKind, StatementPlan

from .names import AnswersNeeded
from .state import SessionState
from .statements import Portal, Run, Statement
from .value_changes import unknown_values


def refusal_of(state: SessionState, plan: StatementPlan) -> FieldgateError | None:
    """Why this plan may not run now: its own refusal, a setting that makes analysis unsound, no audit sink."""
    if plan.refusal is not None:
        return plan.refusal
    blocked = state.settings.blocking()
    if blocked and (plan.touches_protected or _read_differently(plan)) and not state.revision().catalog.lenient:
        return blocked
    if not plan.touches_protected:
        return None
    if state.outcast is not None:
        return state.outcast
    if not state.services.audit_available():
        return AuditUnavailable(
            "no audit record can be written, so protected fields are not available",
            hint="Ask the operator to look at the audit sink.",
        )
    return state.services.keys_refusal()


def refusal_of_statement(state: SessionState, statement: Statement) -> FieldgateError | None:
    """Why what PREPARE or Parse made may not be run as it stands: PostgreSQL would resolve its names again now."""
    if statement.stamp != state.stamp():
        plan = state.services.planner.plan_statement(statement.text, statement.declared, state.context())
        if plan.refusal is not None:
            return plan.refusal
        if plan != statement.plan:
            return _changed("prepared", "Prepare it again.")
        statement.stamp = state.stamp()
    return refusal_of(state, statement.plan)


def refusal_now(state: SessionState, statement: Statement) -> FieldgateError | None:
    """Why a portal may not run any more.  Only rights, catalog and person count: its names are long resolved."""
    if statement.run is not None:
        return _refusal_of_run(state, statement, statement.run)
    revision, principal, path = statement.stamp
    now = state.revision()
    other = not revision.plans_as(now) or (revision is not now and _outdated_by_keys(statement.plan))
    if other or principal != state.principal:
        context = replace(state.context(), search_path=path)
        plan = state.services.planner.plan_statement(statement.text, statement.declared, context)
        if plan.refusal is not None:
            return plan.refusal
        made_anew = plan != (statement.declaration or statement.plan) or plan.has_literals
        if made_anew or _is_of_another(state, plan, principal):
            return _changed("bound", "Bind it again.")
        statement.stamp = (state.revision(), state.principal, path)
    return refusal_of(state, statement.plan)


def _outdated_by_keys(plan: StatementPlan) -> bool:
    """Whether its text holds what other keys would make otherwise: terms.  Cells in it open, or the server refuses them
    by its fence (I7)."""
    return plan.has_literals and any(slot.kind is not SlotKind.CELL for slot in plan.slots)


def refusal_of_portal(state: SessionState, portal: Portal) -> FieldgateError | None:
    """The same for one of a statement's portals, which keeps what it was bound with when others are bound later."""
    if portal.bound_for is not None and _is_of_another(state, portal.statement.plan, portal.bound_for):
        return _changed("bound", "Bind it again.")
    return refusal_now(state, portal.statement)


def _refusal_of_run(state: SessionState, statement: Statement, run: Run) -> FieldgateError | None:
    """The same where the portal is that of an EXECUTE, FETCH or MOVE, which looks its name up when it is executed."""
    name = (run.call.effect_value or "").encode()
    by_statement = run.call.effect is SessionEffect.RUNS_STATEMENT
    now = state.names.statement(name) if by_statement else state.names.portal(name)
    if now is not None and now is not run.source:
        return _changed("bound", "Bind it again.")
    if run.read_under is not None and run.read_under is not state.settings.values:
        return unknown_values()
    match run.source:
        case Portal():
            return refusal_of_portal(state, run.source)
        case Statement():
            if _is_of_another(state, run.source.plan, statement.stamp[1]):
                return _changed("bound", "Bind it again.")
            return refusal_of_statement(state, run.source)
    return refusal_of(state, statement.plan)


def _is_of_another(state: SessionState, plan: StatementPlan, before: Principal) -> bool:
    """Whether attributes of the principal were put in that are others now: the rows would be somebody else's."""
    names = [slot.attribute or "" for slot in plan.slots if slot.kind is SlotKind.PRINCIPAL]
    return any(getattr(before, name, None) != getattr(state.principal, name, None) for name in names)


def _changed(since: str, hint: str) -> Refused:
    return Refused(f"what this session may see has changed since this was {since}", hint=hint)


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
