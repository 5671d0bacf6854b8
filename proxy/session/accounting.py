"""Decisions over protected fields become records; the replies that they cover wait for them (I8)."""

from __future__ import annotations

from datetime import UTC, datetime

from proxy.errors import FieldgateError
from proxy.sql.plan import StatementPlan

from .account import Account
from .commands import RecordAudit
from .state import SessionState

_ACCOUNTS_KEPT = 256


def account(state: SessionState, plans: tuple[StatementPlan, ...], refusals: tuple[FieldgateError | None, ...]) -> int:
    """Ask for one durable record of these decisions; 0 when none of them concerns protected fields."""
    decided = [
        (plan, refusal)
        for plan, refusal in zip(plans, refusals, strict=True)
        if plan.uses or plan.touches_protected or refusal is not None
    ]
    if not decided or not state.services.audit_available():
        return 0
    state.last_ticket += 1
    state.waiting.add(state.last_ticket)
    state.commands.append(RecordAudit(state.last_ticket, _record(state, decided)))
    return state.last_ticket


def _record(state: SessionState, decided: list[tuple[StatementPlan, FieldgateError | None]]) -> dict[str, object]:
    refused = next((r for _, r in decided if r is not None), None)
    told = _account(state, [plan for plan, _ in decided])
    return {
        "at": datetime.now(UTC).isoformat(),
        "id": f"{state.record_prefix}{state.last_ticket:08x}",
        **_who(state),
        "decision": "deny" if refused is not None else "allow",
        "error": str(refused.sqlstate) if refused is not None else None,
        "fields": told.fields,
        "rules": told.rules,
        "kind": told.kind,
        "fingerprint": told.fingerprint,
        "revision": state.revision().decisions.revision,
        "session": state.session_id,
    }


def _who(state: SessionState) -> dict[str, object]:
    """The principal's part of an audit record; made anew when the principal is another."""
    who = state.principal
    if state.described is None or state.described[0] is not who:
        told = {"person": who.person, "login": who.login, "roles": sorted(who.roles), "subject": who.subject}
        own = {"controller": who.controller, "purpose": who.purpose, "case": who.case}
        state.described = (who, {**told, **own})
    return state.described[1]


def _account(state: SessionState, plans: list[StatementPlan]) -> Account:
    if len(plans) > 1:
        return Account.of(plans)
    (plan,) = plans
    found = state.accounts.get(id(plan))
    if found is None:
        if len(state.accounts) >= _ACCOUNTS_KEPT:
            state.accounts.clear()
        found = state.accounts[id(plan)] = Account.of(plans)
    return found
