"""The client's side of the simple protocol: Query with any number of statements, and FunctionCall.

A Query stays one Query: what is refused in its middle is replaced there by a statement that fails (I4), so that the
server runs what stands before it and nothing after it.
"""

from __future__ import annotations

from collections.abc import Sequence

from proxy.errors import CellUnreadable, FieldgateError, Refused, SqlState, ValueRejected
from proxy.sql.plan import SessionEffect, StatementPlan
from proxy.wire import frontend

from .accounting import account
from .bulk import begin_copy
from .effects import apply_effect, asked_for, may_change_values
from .permits import refusal_of, refusal_of_values
from .refusals import STAND_IN_SQL, own_setting_sql
from .replies import Owed, Reply
from .state import SessionState
from .upstream_text import upstream_text
from .value_changes import unknown_values

_HEADER = 5


def query(state: SessionState, raw: bytes) -> None:
    sql = frontend.parse_query(raw[_HEADER:])
    try:
        text = sql.decode("utf-8")
    except UnicodeDecodeError:
        _refuse_whole(state)
        return
    state.settle_path()
    script = state.services.planner.plan_script(text, state.context())
    plans = script.statements
    refusals = _refusals(state, plans)
    drawn = state.draw(plans)
    entry = Reply(Owed.QUERY, statements=plans, unchanged=script.unchanged)
    if script.unchanged and not any(refusals):
        upstream = raw
    else:
        entry.unchanged = False
        upstream = frontend.build_query(b";".join(_texts(state, plans, refusals, drawn)))
    entry.refusals = tuple(refusals)
    _account(state, entry, plans, refusals)
    reached = plans[: _refused_at(refusals)]
    for index, plan in enumerate(reached):
        apply_effect(state, plan, entry, index)
    begin_copy(state, reached, entry)
    state.queue.push(entry)
    state.to_server.append(upstream)


def _refusals(state: SessionState, plans: tuple[StatementPlan, ...]) -> list[FieldgateError | None]:
    refusals: list[FieldgateError | None] = []
    who, changed = state.principal, False
    for plan in plans:
        refusal = refusal_of(state, plan) or _refusal_of_values(state, plan, changed)
        if refusal is None and plan.effect is SessionEffect.FIELDGATE:
            try:
                who = asked_for(state, who, plan)
            except FieldgateError as error:
                refusal = error
        refusals.append(refusal)
        changed = changed or may_change_values(state, plan)
    return refusals


def _refusal_of_values(state: SessionState, plan: StatementPlan, changed: bool) -> FieldgateError | None:
    """`changed`: an earlier statement of this Query may change how dates and times are read and shown."""
    reads, shows = plan.constants_follow or plan.parameters_follow, plan.outputs_follow
    if changed and (reads or shows):
        return unknown_values()
    return refusal_of_values(state, reads=reads, shows=shows)


def _refused_at(refusals: Sequence[FieldgateError | None]) -> int:
    """The statement that is made to fail: those before it run, nothing after it is reached."""
    return next((index for index, refusal in enumerate(refusals) if refusal is not None), len(refusals))


def _texts(
    state: SessionState,
    plans: tuple[StatementPlan, ...],
    refusals: list[FieldgateError | None],
    drawn: list[list[bytes]],
) -> list[bytes]:
    """One upstream text for each statement; a constant that does not fit its field turns into a refusal here."""
    texts: list[bytes] = []
    filler = state.filler()
    for index, plan in enumerate(plans):
        if refusals[index] is None and plan.effect is SessionEffect.FIELDGATE:
            texts.append(own_setting_sql(plan))
            continue
        if refusals[index] is None:
            try:
                literals = {k: filler.literal(slot, drawn[index]) for k, slot in enumerate(plan.slots)}
                texts.append(upstream_text(plan, literals))
                continue
            except (ValueRejected, CellUnreadable) as error:
                refusals[index] = error
        texts.append(STAND_IN_SQL)
    return texts


def _account(
    state: SessionState,
    entry: Reply,
    plans: tuple[StatementPlan, ...],
    refusals: list[FieldgateError | None],
) -> None:
    """What runs is recorded as allowed, what is refused as denied; what is never reached is not recorded."""
    end = _refused_at(refusals)
    if any(plan.uses for plan in plans[:end]):
        entry.ticket = account(state, plans[:end], (None,) * end)
    if end < len(plans):
        entry.ticket = account(state, plans[end : end + 1], (refusals[end],)) or entry.ticket


def _refuse_whole(state: SessionState) -> None:
    refusal = FieldgateError('invalid byte sequence for encoding "UTF8"', sqlstate=SqlState.CHARACTER_NOT_IN_REPERTOIRE)
    state.queue.push(Reply(Owed.QUERY, refusal=refusal, unchanged=False))
    state.to_server.append(frontend.build_query(STAND_IN_SQL))


def function_call(state: SessionState, raw: bytes) -> None:
    """FunctionCall goes around all analysis, so it is refused where anything is protected."""
    del raw
    refusal = Refused(
        "the fast-path function call is refused because its reach is unknown",
        hint="Call the function in a SELECT.",
        sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
    )
    state.queue.push(Reply(Owed.FUNCTION, refusal=refusal))
    state.to_server.append(frontend.build_function_call(0, (), (), 0))
