"""COPY data from the client: forwarded while the server takes it, sealed on its way into a protected table.

A client may send its data before it has seen CopyInResponse.  Data belongs to the COPYs of the newest Query or Execute,
in their order; what belongs to none that was sent is dropped here as the server would drop it, since it could be meant
for one that was refused (I1).

A row that cannot be taken makes the server fail at that very row: CopyFail stands in its place, nothing behind it is
sent, and the server's error is swapped for ours (I4).
"""

from __future__ import annotations

from collections.abc import Sequence

from proxy.errors import CellUnreadable, FieldgateError
from proxy.rows.copy_in import CopyIn, copy_in
from proxy.sql.plan import CopyFrom, SessionEffect, StatementPlan
from proxy.wire import frontend
from proxy.wire.framing import HEADER_SIZE, Span

from .accounting import account
from .refusals import CLIENT_FAILED, ROW_REFUSED
from .replies import Reply
from .state import KeysNeeded, SessionState

_DATA, _DONE = ord("d"), ord("c")


def begin_copy(state: SessionState, plans: tuple[StatementPlan, ...], entry: Reply) -> None:
    """These statements are being sent for `entry`; the client's data is theirs from now on."""
    entry.taking = tuple(plan for plan in plans if plan.effect is SessionEffect.TAKES_DATA)
    entry.copies = len(entry.taking)
    state.copy = entry if entry.copies else None


def copy_data(state: SessionState, data: bytes, spans: Sequence[Span], first: int) -> int:
    """All CopyData messages in a row from `first`; returns the index behind them."""
    last = first
    while last < len(spans) and spans[last][0] == _DATA:
        last += 1
    entry = state.open_copy()
    if state.skipping or entry is None:
        return last
    plan = entry.taking[entry.copy_ends]
    if plan.copy is None:
        state.to_server.append(data[spans[first][1] : spans[last - 1][2]])
        return last
    payloads = [data[start + HEADER_SIZE : end] for _, start, end in spans[first:last]]
    if (copying := _copying(state, entry, plan)) is not None:
        copying.data(payloads[0] if len(payloads) == 1 else b"".join(payloads), state.to_server)
        _fail_if_bad(state, entry, plan, copying.failure)
    return last


def go_on(state: SessionState) -> None:
    """Rows that wait for data subjects' secrets go on.  Raises KeysNeeded while these are not at hand."""
    entry = state.open_copy()
    if entry is None or entry.copying_in is None or not entry.copying_in.wanted or state.skipping:
        return
    copying = entry.copying_in
    if not state.absent_secrets(copying.wanted):
        copying.wanted = set()
        copying.resume(state.to_server)
        _fail_if_bad(state, entry, entry.taking[entry.copy_ends], copying.failure)
    if copying.wanted:
        raise KeysNeeded({}, copying.wanted)


def copy_end(state: SessionState, tag: int, raw: bytes) -> None:
    """CopyDone, CopyFail."""
    entry = state.open_copy()
    if state.skipping or entry is None:
        return
    plan = entry.taking[entry.copy_ends]
    if plan.copy is not None:
        raw = _protected_end(state, entry, plan, tag)
        go_on(state)
        if not raw:
            return
    _count_end(entry)
    state.to_server.append(raw)


def _protected_end(state: SessionState, entry: Reply, plan: StatementPlan, tag: int) -> bytes:
    """What ends the data for the server; empty if a bad row has."""
    if tag != _DONE:
        return frontend.build_copy_fail(CLIENT_FAILED)  # the client's own words may hold what it could not send
    copying = _copying(state, entry, plan)
    if copying is None:
        return b""
    copying.end(state.to_server)
    _fail_if_bad(state, entry, plan, copying.failure)
    return b"" if copying.failure is not None else frontend.COPY_DONE


def _copying(state: SessionState, entry: Reply, plan: StatementPlan) -> CopyIn | None:
    """Made when the first data comes, so that the session's settings are those under which the COPY runs."""
    if entry.copying_in is None:
        assert isinstance(plan.copy, CopyFrom)  # noqa: S101  COPY TO takes no data
        try:
            ciphers, values = state.revision().ciphers, state.settings.values
            entry.copying_in = copy_in(plan.copy, ciphers, values, state.absent_secrets)
        except CellUnreadable as error:
            _fail_if_bad(state, entry, plan, error)
    return entry.copying_in


def _fail_if_bad(state: SessionState, entry: Reply, plan: StatementPlan, failure: FieldgateError | None) -> None:
    """The server fails, and runs nothing more of this entry: no later COPY of it will take data either."""
    if failure is None:
        return
    state.to_server.append(frontend.build_copy_fail(ROW_REFUSED))
    entry.copy_refusal = failure
    entry.ticket = account(state, (plan,), (failure,)) or entry.ticket
    _count_end(entry)
    entry.copies = entry.copy_ends


def _count_end(entry: Reply) -> None:
    entry.copy_ends += 1
    entry.copying_in = None
