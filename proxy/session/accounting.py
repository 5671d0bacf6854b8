"""Decisions over protected fields become records; the replies that they cover wait for them (I8)."""

from __future__ import annotations

from datetime import UTC, datetime

from proxy.errors import FieldgateError
from proxy.sql.plan import StatementPlan

from .account import Account, account_of
from .commands import RecordAudit
from .state import SessionState

_ACCOUNTS_KEPT = 64


def account(state: SessionState, plans: tuple[StatementPlan, ...], refusals: tuple[FieldgateError | None, ...]) -> int:
    """Ask for one durable record of these decisions; 0 when none of them concerns protected fields."""
    decided = [
        (plan, refusal)
        for plan, refusal in zip(plans, refusals, strict=True)
        if plan.recorded or plan.touches_protected or refusal is not None
    ]
    if not decided or not state.services.audit_available():
        return 0
    refused = next((refusal for _, refusal in decided if refusal is not None), None)
    if refused is None and len(decided) == 1:
        return _record(state, _kept(state, decided[0][0]))
    made = _made(state, [plan for plan, _ in decided], refused)
    return _record(state, made, str(refused.sqlstate) if refused is not None else "")


def account_allowed(state: SessionState, plan: StatementPlan) -> int:
    """The same for one execution of a plan that is not refused: what happens most."""
    return _record(state, _kept(state, plan)) if state.services.audit_available() else 0


def _record(state: SessionState, told: Account, refused: str = "") -> int:
    ticket = state.tickets.next()
    line = told.template.line(datetime.now(UTC).isoformat(), f"{state.record_prefix}{ticket:08x}")
    state.commands.append(RecordAudit(ticket, line, refused, told.observed or ""))
    return ticket


def _kept(state: SessionState, plan: StatementPlan) -> Account:
    found = state.accounts.get(id(plan))
    if found is not None and found.serves(state.principal, state.revision().decisions.revision):
        return found
    if len(state.accounts) >= _ACCOUNTS_KEPT:
        state.accounts.clear()
    made = state.accounts[id(plan)] = _made(state, [plan], None)
    return made


def _made(state: SessionState, plans: list[StatementPlan], refused: FieldgateError | None) -> Account:
    return account_of(plans, state.principal, state.revision().decisions.revision, state.session_id, refused)
