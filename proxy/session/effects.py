"""What a statement does to our own books, applied when it is sent and taken back if the server never gets to it."""

from __future__ import annotations

from dataclasses import replace

from policies.model import Principal
from proxy.errors import Refused, SqlState
from proxy.rows.sifting import Sought
from proxy.sql.plan import SessionEffect, StatementPlan

from .commands import RefreshCatalog
from .replies import Reply
from .search_path import parse_search_path
from .state import SessionState
from .statements import Portal, Stamp, Statement

_VALUE_CHANGERS = frozenset({SessionEffect.VALUE_SETTINGS, SessionEffect.RESET_ALL, SessionEffect.DISCARD_ALL})
_TRANSACTION_CONTROL = frozenset({SessionEffect.ENDS_TRANSACTION, SessionEffect.RETURNS_TO_SAVEPOINT})


def change_names(
    state: SessionState,
    plan: StatementPlan,
    entry: Reply,
    stamp: Stamp,
    index: int = 0,
    sought: Sought | None = None,
) -> None:
    """What later statements of the same Query see already: names, and the path by which names are resolved.

    `stamp`: under which the plan was made.  `index`: which statement of a Query it is.  `sought`: of the cursor's rows.
    """
    path, number = state.settings.path, state.queue.pushed + 1
    match plan.effect:
        case SessionEffect.SEARCH_PATH:
            wanted = None if plan.effect_value is None else parse_search_path(plan.effect_value)
            entry.note(path.change(wanted, index, number))
        case SessionEffect.ENDS_TRANSACTION | SessionEffect.RETURNS_TO_SAVEPOINT:
            ends = plan.effect is SessionEffect.ENDS_TRANSACTION
            if change := path.transaction_ends(index, number) if ends else path.returns_to_savepoint(index, number):
                entry.note(change)
        case SessionEffect.RESET_ALL:
            entry.note(path.change(None, index, number))
        case SessionEffect.DISCARD_ALL:
            entry.note(path.change(None, index, number))
            _forget_all(state, entry, index)
        case SessionEffect.DEALLOCATE:
            _deallocate(state, plan.effect_value, entry, index)
        case SessionEffect.CLOSES:
            _close(state, plan.effect_value, entry, index)
        case SessionEffect.PREPARES | SessionEffect.DECLARES:
            _keep(state, plan, entry, stamp, index, sought)


def change_session(state: SessionState, plan: StatementPlan, entry: Reply, index: int = 0) -> None:
    """What counts from the next message on."""
    if plan.effect in _TRANSACTION_CONTROL:
        state.values.transaction_control_sent(state.queue.pushed + 1)
    if plan.effect in _VALUE_CHANGERS:
        state.values.sent(state.queue.pushed + 1)
    match plan.effect:
        case SessionEffect.RESET_ALL | SessionEffect.DISCARD_ALL:
            # A pooler's way to give a session to somebody else: what one said of itself must not stay.
            state.set_principal(entry, state.login, index)
        case SessionEffect.CATALOG:
            state.commands.append(RefreshCatalog())
        case SessionEffect.FIELDGATE:
            state.set_principal(entry, asked_for(state, state.principal, plan), index)


def may_change_values(state: SessionState, plan: StatementPlan) -> bool:
    """Whether behind this statement, in the same Query, DateStyle and TimeZone are not known any more."""
    if plan.effect in _TRANSACTION_CONTROL:
        return state.values.in_transaction
    return plan.effect in _VALUE_CHANGERS


def _forget_all(state: SessionState, entry: Reply, index: int) -> None:
    for name in list(state.names.statements):
        state.names.set_statement(entry, name, None, index)
    for name in list(state.names.portals):
        state.names.set_portal(entry, name, None, index)


def _deallocate(state: SessionState, name: str | None, entry: Reply, index: int) -> None:
    for each in list(state.names.statements) if name is None else [name.encode()]:
        if each in state.names.statements and (each or name is not None):
            state.names.set_statement(entry, each, None, index)


def _close(state: SessionState, name: str | None, entry: Reply, index: int) -> None:
    for each in list(state.names.portals) if name is None else [name.encode()]:
        if each in state.names.portals:
            state.names.set_portal(entry, each, None, index)


def _keep(
    state: SessionState, plan: StatementPlan, entry: Reply, stamp: Stamp, index: int, sought: Sought | None
) -> None:
    """PREPARE and DECLARE share their names with Parse and Bind."""
    name, kept = (plan.effect_value or "").encode(), plan.keeps
    if kept is None:
        return
    made = Statement(kept.plan, kept.text, kept.declared, state.settings.values, stamp)
    if plan.effect is SessionEffect.PREPARES:
        made.by_sql = True
        state.names.set_statement(entry, name, made, index)
    else:
        made.declaration = plan
        portal = Portal(made, held=kept.held, binary=kept.binary, sought=sought)
        state.names.set_portal(entry, name, portal, index)


def asked_for(state: SessionState, who: Principal, plan: StatementPlan) -> Principal:
    """Who `who` becomes by `SET fieldgate.*`, from the next statement on.  Raises FieldgateError: may not become it.

    An empty value is what the login said.  Plans of before are planned again.
    """
    name, _, value = (plan.effect_value or "").partition("=")
    name = name.removeprefix("fieldgate.")
    return state.services.identify(_with_attribute(who, state.login, name, value))


def _with_attribute(who: Principal, login: Principal, name: str, value: str) -> Principal:
    match name:
        case "purpose":
            return replace(who, purpose=value or login.purpose)
        case "case":
            return replace(who, case=value or login.case)
        case "person":
            return replace(who, person=value or login.person)
        case "subject":
            return replace(who, subject=value or login.subject)
    raise Refused(f"there is no setting fieldgate.{name}", sqlstate=SqlState.UNDEFINED_OBJECT)
