"""What a statement does to our own books, applied when it is sent and taken back if the server never gets to it."""

from __future__ import annotations

from dataclasses import replace

from policies.model import Principal
from proxy.sql.plan import SessionEffect, StatementKind, StatementPlan

from .commands import RefreshCatalog
from .replies import BookChange, Reply
from .settings import parse_search_path
from .state import SessionState

_STARTERS = ("begin", "start")


def apply_effect(state: SessionState, plan: StatementPlan, entry: Reply) -> None:
    if plan.kind is StatementKind.TRANSACTION and not _starts(plan):
        if change := state.settings.transaction_control_sent():
            entry.note(change)
        return
    if plan.effect is not SessionEffect.NONE:
        _apply(state, plan, entry)


def _apply(state: SessionState, plan: StatementPlan, entry: Reply) -> None:
    match plan.effect:
        case SessionEffect.SEARCH_PATH:
            path = None if plan.effect_value is None else parse_search_path(plan.effect_value)
            entry.note(state.settings.change_path(path))
        case SessionEffect.RESET_ALL:
            entry.note(state.settings.change_path(None))
        case SessionEffect.DISCARD_ALL:
            entry.note(state.settings.change_path(None))
            _forget_all(state, entry)
        case SessionEffect.DEALLOCATE:
            _deallocate(state, plan.effect_value, entry)
        case SessionEffect.CATALOG:
            state.commands.append(RefreshCatalog())
        case SessionEffect.FIELDGATE:
            set_principal_attribute(state, plan.effect_value or "")


def _starts(plan: StatementPlan) -> bool:
    first = plan.segments[0] if plan.segments else b""
    return isinstance(first, bytes) and first.decode("utf-8", "replace").strip().lower().startswith(_STARTERS)


def _forget_all(state: SessionState, entry: Reply) -> None:
    for name, statement in list(state.statements.items()):
        entry.note(BookChange(state.statements, name, statement, None))
        del state.statements[name]
    for name, portal in list(state.portals.items()):
        entry.note(BookChange(state.portals, name, portal, None))
        del state.portals[name]


def _deallocate(state: SessionState, name: str | None, entry: Reply) -> None:
    if name is None:
        names = [n for n in state.statements if n]
    else:
        names = [n for n in (name.encode(),) if n in state.statements]
    for each in names:
        entry.note(BookChange(state.statements, each, state.statements[each], None))
        del state.statements[each]


def set_principal_attribute(state: SessionState, assignment: str) -> None:
    """`purpose=...`, `case=...` or `person=...`: from the next statement on.  Plans of before are planned again."""
    name, _, value = assignment.partition("=")
    name = name.removeprefix("fieldgate.")
    state.principal = with_attribute(state.principal, name, value)


def with_attribute(principal: Principal, name: str, value: str) -> Principal:
    match name:
        case "purpose":
            return replace(principal, purpose=value)
        case "case":
            return replace(principal, case=value or None)
        case "person":
            return replace(principal, person=value)
    return principal
