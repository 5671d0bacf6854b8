"""The client's side of the simple protocol: Query with any number of statements, and FunctionCall.

A Query stays one Query: what is refused in its middle is replaced there by a statement that fails (I4), so that the
server runs what stands before it and nothing after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from proxy.errors import CellUnreadable, FieldgateError, Refused, SqlState, ValueRejected
from proxy.rows.client_values import ClientValues
from proxy.rows.params import SlotFiller
from proxy.rows.sifting import Sought
from proxy.sql.plan import SessionEffect, StatementKind, StatementPlan
from proxy.wire import frontend

from .accounting import account
from .binds import what_is_sought
from .bulk import begin_copy
from .effects import asked_for, change_names, change_session, may_change_values
from .fetching import fetches_apart, query_in_steps, refusal_of_source, select_in_steps
from .locking import prepared_write, refusal_beside_others, refusal_in_batch
from .names import AnswersNeeded
from .permits import refusal_of, refusal_of_values
from .refusals import STAND_IN_SQL, own_setting_sql
from .replies import Owed, Reply
from .runs import RUNNERS, resolve
from .state import KeysNeeded, SessionState
from .statements import Portal
from .subjects import draw_for
from .upstream_text import upstream_text
from .value_changes import unknown_values

_HEADER = 5


@dataclass(slots=True)
class _Step:
    """One statement on its way to the server; what EXECUTE, FETCH and MOVE run stands in their place."""

    plan: StatementPlan
    refusal: FieldgateError | None
    client: ClientValues = field(default_factory=ClientValues)
    sought: Sought | None = None  # what its rows are looked at for, or those of the cursor that it declares
    cursor: tuple[bytes, Portal] | None = None  # what it fetches in steps
    reads: bool = False  # it is a SELECT, which stands in the Query itself


def query(state: SessionState, raw: bytes) -> None:
    sql = frontend.parse_query(raw[_HEADER:])
    try:
        text = sql.decode("utf-8")
    except UnicodeDecodeError:
        _refuse_whole(state)
        return
    state.settle_path()
    script = state.services.planner.plan_script(text, state.context())
    entry = Reply(Owed.QUERY)
    steps, drawn = _steps(state, entry, script.statements)
    in_steps = len(steps) == 1 and steps[0].refusal is None and not state.aborted
    if in_steps and state.batch:
        in_steps = False
        if steps[0].plan.locks is not None or steps[0].cursor is not None:
            steps[0].refusal = refusal_in_batch()
    if in_steps and (saying := _own_way(state, steps[0])) is not None and _said(state, steps[0], saying):
        return
    if in_steps and steps[0].cursor is not None:
        _fetch(state, steps[0], steps[0].cursor)
        return
    entry.unchanged = script.unchanged and not any(step.refusal or step.plan.rewritten for step in steps)
    upstream = raw
    if not entry.unchanged:
        upstream = frontend.build_query(b";".join(_texts(state, steps, drawn)))
        del steps[_refused_at(steps) + 1 :]
        entry.take_back(_refused_at(steps))
    entry.statements = tuple(step.plan for step in steps)
    entry.refusals = tuple(step.refusal for step in steps)
    entry.soughts = tuple(step.sought for step in steps)
    _account(state, entry, steps)
    reached = entry.statements[: _refused_at(steps)]
    for index, plan in enumerate(reached):
        change_session(state, plan, entry, index)
    begin_copy(state, reached, entry)
    state.queue.push(entry)
    state.to_server.append(upstream)


def _own_way(state: SessionState, step: _Step) -> Callable[[], Callable[[int], None]] | None:
    """How a Query is said by messages of ours; None: as a Query."""
    plan, sought = step.plan, step.sought
    if plan.locks is not None:
        return lambda: prepared_write(state, plan)
    if step.reads and plan.arranged is None and sought is not None and sought.limit is not None:
        return lambda: select_in_steps(state, plan, sought)
    return None


def _said(state: SessionState, step: _Step, saying: Callable[[], Callable[[int], None]]) -> bool:
    """False: it is refused for a value in it."""
    try:
        begin = saying()
    except (ValueRejected, CellUnreadable) as error:
        step.refusal = error
        return False
    begin(account(state, (step.plan,), (None,)))
    return True


def _fetch(state: SessionState, step: _Step, cursor: tuple[bytes, Portal]) -> None:
    entry = Reply(Owed.EXECUTE, ticket=account(state, (step.plan,), (None,)), unchanged=False)
    query_in_steps(state, entry, *cursor, step.plan)


def _steps(
    state: SessionState, entry: Reply, plans: tuple[StatementPlan, ...]
) -> tuple[list[_Step], list[list[bytes]]]:
    """The statements up to the first that is refused, each as the ones before it leave our books; and keys for them.

    What stands behind a refused one is never reached, and not sent.  Raises AnswersNeeded or KeysNeeded, and then has
    changed nothing.
    """
    unsettled = dict(state.names.unsettled)
    try:
        steps = _in_order(state, entry, plans)
        return steps, draw_for(state, [step.plan for step in steps], [step.client for step in steps])
    except (AnswersNeeded, KeysNeeded):
        entry.take_back()
        state.names.unsettled = unsettled
        raise


def _in_order(state: SessionState, entry: Reply, plans: tuple[StatementPlan, ...]) -> list[_Step]:
    steps: list[_Step] = []
    who, changed, stamp = state.principal, False, state.stamp()
    for index, plan in enumerate(plans):
        step = _step(state, plan, changed, alone=len(plans) == 1)
        if step.refusal is None and plan.effect is SessionEffect.FIELDGATE:
            try:
                who = asked_for(state, who, plan)
            except FieldgateError as error:
                step.refusal = error
        steps.append(step)
        if step.refusal is not None:
            break
        changed = changed or may_change_values(state, step.plan)
        change_names(state, step.plan, entry, stamp, index, step.sought)
    return steps


def _step(state: SessionState, plan: StatementPlan, changed: bool, *, alone: bool) -> _Step:
    if plan.effect in RUNNERS:
        running = resolve(state, plan)
        step = _Step(running.plan, running.refusal, running.client)
        if fetches_apart(step.plan) and isinstance(running.source, Portal) and step.refusal is None:
            step.cursor = ((plan.effect_value or "").encode(), running.source)
            step.refusal = refusal_of_source(running.source, step.plan, alone=alone)
    else:
        step = _Step(plan, refusal_of(state, plan), reads=plan.kind is StatementKind.SELECT)
    step.refusal = step.refusal or _refusal_of_values(state, step.plan, changed)
    if step.refusal is None and step.plan.locks is not None and not alone:
        step.refusal = refusal_beside_others()
    if step.refusal is None and step.cursor is None:
        try:
            step.sought = what_is_sought(state, step.plan, step.client)
        except ValueRejected as error:
            step.refusal = error
    return step


def _refusal_of_values(state: SessionState, plan: StatementPlan, changed: bool) -> FieldgateError | None:
    """`changed`: an earlier statement of this Query may change how dates and times are read and shown."""
    reads, shows = plan.constants_follow or plan.parameters_follow, plan.outputs_follow
    if changed and (reads or shows):
        return unknown_values()
    return refusal_of_values(state, reads=reads, shows=shows)


def _refused_at(steps: list[_Step]) -> int:
    """The statement that is made to fail: those before it run, nothing after it is reached."""
    return next((index for index, step in enumerate(steps) if step.refusal is not None), len(steps))


def _texts(state: SessionState, steps: list[_Step], drawn: list[list[bytes]]) -> list[bytes]:
    """One upstream text for each statement; a constant that does not fit its field turns into a refusal here."""
    texts: list[bytes] = []
    filler = state.filler()
    for step, keys in zip(steps, drawn, strict=True):
        if step.refusal is None:
            try:
                texts.append(_text(filler, step, keys))
                continue
            except (ValueRejected, CellUnreadable) as error:
                step.refusal = error
        return [*texts, STAND_IN_SQL]
    return texts


def _text(filler: SlotFiller, step: _Step, keys: list[bytes]) -> bytes:
    if step.plan.effect is SessionEffect.FIELDGATE:
        return own_setting_sql(step.plan)
    client = replace(step.client, drawn=keys)
    return upstream_text(step.plan, {k: filler.literal(slot, client) for k, slot in enumerate(step.plan.slots)})


def _account(state: SessionState, entry: Reply, steps: list[_Step]) -> None:
    """What runs is recorded as allowed, what is refused as denied; what is never reached is not recorded."""
    end, plans = _refused_at(steps), entry.statements
    if any(plan.recorded for plan in plans[:end]):
        entry.ticket = account(state, plans[:end], (None,) * end)
    if end < len(plans):
        entry.ticket = account(state, plans[end:], (steps[end].refusal,)) or entry.ticket


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
