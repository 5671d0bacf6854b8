"""The client's side of the extended protocol: Bind, Describe, Execute, Close, Sync; Parse is in `preparing`.

Each function gets one whole message as `raw` (tag and length included) and puts one entry into the queue.  What
needs no change is forwarded as the client's own bytes.  docs/query-path.md lists the messages of our own.
"""

from __future__ import annotations

from proxy.errors import CellUnreadable, FieldgateError, ProtocolViolation, SqlState, Unsupported, ValueRejected
from proxy.rows.binding import split_bind
from proxy.sql.plan import CopyFrom, SessionEffect
from proxy.wire import frontend

from .accounting import account, account_allowed
from .binds import rewritten_bind
from .bulk import begin_copy
from .effects import change_names, change_session
from .fetching import fetch_in_steps, fetches_apart, form_of, refusal_of_form
from .locking import lock_first, needs_locks
from .names import AnswersNeeded
from .permits import refusal_of_portal, refusal_of_statement, refusal_of_values
from .preparing import refresh, refusal_to_parse
from .refusals import RESERVED_NAMES, STAND_IN_PORTAL, STAND_IN_STATEMENT
from .replies import Owed, Reply
from .result_rows import retyped
from .runs import unknown_statement
from .state import SessionState
from .statements import Portal
from .steps import first_step, greatest_number

_HEADER = 5  # tag and length


def bind(state: SessionState, raw: bytes) -> None:
    name, portal_name = frontend.bind_statement_name(raw, _HEADER), frontend.bind_portal_name(raw, _HEADER)
    if portal_name in RESERVED_NAMES:
        raise ProtocolViolation("this portal name is reserved")
    state.settle_path()
    prepared = state.names.statement(name)
    if prepared is None:
        _bind_unknown(state, name, portal_name)
        return
    prepared, refusal = refresh(state, name, prepared)
    statement = prepared.target
    portal = Portal(statement)
    if refusal is None and statement.plan.parameters_follow:
        refusal = refusal_of_values(state, reads=True, shows=False)
    if refusal is None and (statement.plan.slots or retyped(statement.plan) or statement.plan.copy is not None):
        try:
            names_end = _HEADER + len(portal_name) + len(name) + 2
            portal, raw = rewritten_bind(state, statement, split_bind(raw, names_end))
        except (ValueRejected, CellUnreadable, ProtocolViolation) as error:
            refusal = error
    if refusal is not None and state.queue.may_fail_alone(prepared.parse_number):
        raise AnswersNeeded  # if the Parse has failed, that is what the client must hear
    entry = Reply(Owed.BIND, statement=statement, portal=portal, refusal=refusal)
    entry.unchanged = not statement.plan.rewritten
    if refusal is not None:
        raw = frontend.build_bind(portal_name, STAND_IN_STATEMENT, (), (), ())
        portal.bind_refused = True
        if not prepared.parse_refused:
            entry.ticket = account(state, (statement.plan,), (refusal,))
    state.names.set_portal(entry, portal_name, portal)
    state.queue.push(entry)
    state.to_server.append(raw)


def _bind_unknown(state: SessionState, name: bytes, portal_name: bytes) -> None:
    refusal = unknown_statement(name.decode("utf-8", "replace"))
    state.queue.push(Reply(Owed.BIND, refusal=refusal))
    state.to_server.append(frontend.build_bind(portal_name, STAND_IN_STATEMENT, (), (), ()))


def describe(state: SessionState, raw: bytes) -> None:
    message = frontend.parse_describe(raw[_HEADER:])
    if message.kind == b"S":
        prepared = state.names.statement(message.name)
        state.queue.push(Reply(Owed.DESCRIBE_STATEMENT, statement=prepared.target if prepared else None))
    else:
        portal = state.names.portal(message.name)
        statement = portal.statement if portal else None
        state.queue.push(Reply(Owed.DESCRIBE_PORTAL, statement=statement, portal=portal))
    state.to_server.append(raw)


def execute(state: SessionState, raw: bytes) -> None:
    name = frontend.execute_portal_name(raw, _HEADER)
    portal = state.names.portal(name)
    state.batch = True
    if portal is None:
        _refuse_execute(state, None, _no_portal(name))
        return
    statement = portal.statement
    plan = statement.plan
    if (refusal := _refusal_to_execute(state, portal, greatest_number(raw))) is not None:
        _refuse_execute(state, portal, refusal)
        return
    described = statement.fields is not None or state.queue.owes_description(statement)
    if retyped(plan) and not described and not fetches_apart(plan):
        state.queue.push(Reply(Owed.DESCRIBE_PORTAL, skip=True, statement=statement, portal=portal))
        state.to_server.append(frontend.build_describe(b"P", name))
    entry = Reply(Owed.EXECUTE, statement=statement, portal=portal)
    if needs_locks(plan, portal) and not state.aborted:
        _write(state, entry, name, portal, greatest_number(raw))
        return
    if fetches_apart(plan) and not state.aborted:
        _fetch(state, entry, portal, greatest_number(raw))
        return
    if plan.counted_here:  # how many of its rows are the result only we can count
        entry.most = greatest_number(raw)
        portal.executed = True
        in_steps = plan.arranged is None
        if in_steps:
            portal.read_as = form_of(portal)
        raw = first_step(state, portal, entry, name) if in_steps else frontend.build_execute(name)
    entry.unchanged = not plan.rewritten
    if plan.recorded:
        entry.ticket = account_allowed(state, plan)
    change_names(state, plan, entry, statement.stamp, sought=portal.sought)
    change_session(state, plan, entry)
    begin_copy(state, (plan,), entry)
    state.queue.push(entry)
    state.to_server.append(raw)


def _fetch(state: SessionState, entry: Reply, portal: Portal, most: int) -> None:
    run = portal.statement.run
    assert run is not None and isinstance(run.source, Portal)  # noqa: S101 - as it was planned
    portal.executed, entry.unchanged = True, False
    entry.ticket = account_allowed(state, portal.statement.plan)
    fetch_in_steps(state, entry, (run.call.effect_value or "").encode(), run.source, portal, most)


def _write(state: SessionState, entry: Reply, name: bytes, portal: Portal, most: int) -> None:
    entry.unchanged, entry.most = False, most
    entry.ticket = account_allowed(state, portal.statement.plan)
    lock_first(state, entry, name, portal)


def _refusal_to_execute(state: SessionState, portal: Portal, most: int) -> FieldgateError | None:
    """Between Bind and Execute rights may have changed, and the audit sink may have gone (I5, I8)."""
    plan, prepares = portal.statement.plan, portal.statement.plan.effect is SessionEffect.PREPARES
    refusal = refusal_of_statement(state, portal.statement) if prepares else refusal_of_portal(state, portal)
    if refusal is not None:
        return refusal
    if plan.arranged is not None and portal.executed:
        return Unsupported(
            "rows that are put in order by a sealed column are given once: the portal can not be executed again",
            hint="Ask for all rows at once, or with LIMIT and OFFSET.",
        )
    if (refusal := _refusal_of_steps(portal, most)) is not None:
        return refusal
    if plan.effect is SessionEffect.FIELDGATE:
        return refusal_to_parse(state, plan)
    if isinstance(plan.copy, CopyFrom) and plan.parameters_follow:  # values come behind this message
        return refusal_of_values(state, reads=True, shows=False)
    in_text = not portal.formats or not all(portal.formats)
    reads = prepares and plan.constants_follow  # the server reads PREPARE's constants when it is executed
    return refusal_of_values(state, reads=reads, shows=plan.computes_follow or (plan.outputs_follow and in_text))


def _refusal_of_steps(portal: Portal, most: int) -> FieldgateError | None:
    """Of a portal whose rows are candidates."""
    plan, run = portal.statement.plan, portal.statement.run
    if plan.sift is None or plan.arranged is not None:
        return None
    source = run.source if run is not None and isinstance(run.source, Portal) else portal
    if plan.fetch is not None and (portal.executed or 0 < most < (plan.fetch.count or most + 1)):
        return Unsupported(
            "a FETCH of a search by part or range of a sealed column gives all its rows at once",
            hint="FETCH as many rows as are wanted, and execute it once.",
        )
    return refusal_of_form(source, form_of(portal), plan)


def _no_portal(name: bytes) -> FieldgateError:
    shown = name.decode("utf-8", "replace")
    return FieldgateError(f'portal "{shown}" does not exist', sqlstate=SqlState.INVALID_CURSOR_NAME)


def _refuse_execute(state: SessionState, portal: Portal | None, refusal: FieldgateError) -> None:
    entry = Reply(Owed.EXECUTE, refusal=refusal)
    if portal is not None and not portal.bind_refused:
        entry.ticket = account(state, (portal.statement.plan,), (refusal,))
    state.queue.push(entry)
    state.to_server.append(frontend.build_execute(STAND_IN_PORTAL))


def close(state: SessionState, raw: bytes) -> None:
    message = frontend.parse_close(raw[_HEADER:])
    entry = Reply(Owed.CLOSE)
    if message.kind == b"S":
        state.names.set_statement(entry, message.name, None)
    else:
        state.names.set_portal(entry, message.name, None)
    state.queue.push(entry)
    state.to_server.append(raw)


def sync(state: SessionState, raw: bytes) -> None:
    copy = state.open_copy()
    if copy is None or not copy.in_copy:  # the server ignores Sync while it takes COPY data
        state.queue.push(Reply(Owed.SYNC, during_copy=(copy, copy.copy_ends) if copy is not None else None))
    state.skipping = state.batch = False
    state.to_server.append(raw)
