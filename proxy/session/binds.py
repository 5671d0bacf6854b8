"""The client's Bind of a rewritten statement made into the server's; what depends on its shape is worked out once."""

from __future__ import annotations

from dataclasses import replace

from proxy.errors import SqlState, ValueRejected
from proxy.rows.binding import Binding, BindParts, build_bind, make_binding
from proxy.rows.client_values import ClientValues
from proxy.rows.filling import make_filling
from proxy.rows.finishing.arranging import Counts
from proxy.rows.finishing.computing import Given, given_values
from proxy.rows.sifting import Sought, counts_of, sought_of
from proxy.sql.plan import SessionEffect, StatementPlan

from .state import SessionState
from .statements import Bound, Portal, Statement, remember
from .subjects import draw_for


def rewritten_bind(state: SessionState, statement: Statement, parts: BindParts) -> tuple[Portal, bytes]:
    """Raises ValueRejected, CellUnreadable or ProtocolViolation; the statement is then refused at this Bind."""
    if statement.plan.copy is not None:
        return Portal(statement), _without_values(parts)
    binding = statement.bindings.get(parts.shape)
    if binding is None:
        binding = make_binding(statement.plan, parts)
        remember(statement.bindings, parts.shape, binding)
    values = _physical_values(state, statement, parts, binding) if statement.plan.slots else None
    portal = Portal(
        statement,
        binding.result_formats,
        bound_for=state.principal,
        sought=_sought(state, statement, parts, binding),
        given=_given(state, statement, parts, binding),
        counts=_counts(statement, parts, binding),
    )
    if statement.plan.locks is not None and values is not None:
        client = ClientValues(parts.values, binding.binary, statement.declared, (), statement.values)
        portal.bound = Bound(client, tuple(values))
    return portal, build_bind(binding, parts, values)


def _sought(state: SessionState, statement: Statement, parts: BindParts, binding: Binding) -> Sought | None:
    """What the rows of this execution are looked at for."""
    if statement.sought is not None:
        return statement.sought
    if statement.run is not None and isinstance(statement.run.source, Portal):
        return statement.run.source.sought
    client = ClientValues(parts.values, binding.binary, statement.declared, (), statement.values)
    return what_is_sought(state, statement.plan, client)


def what_is_sought(state: SessionState, plan: StatementPlan, client: ClientValues) -> Sought | None:
    """For what a statement looks at its rows, or DECLARE at those of its cursor.  Raises ValueRejected."""
    sift = plan.sift if plan.locks is None else plan.locks.plan.sift
    if plan.effect is SessionEffect.DECLARES and plan.keeps is not None:
        sift = plan.keeps.plan.sift
    return None if sift is None else sought_of(sift, client, state.settings.values)


def _given(state: SessionState, statement: Statement, parts: BindParts, binding: Binding) -> Given | None:
    """What its rows are worked out with."""
    if not statement.plan.computes_bound:
        return None
    client = ClientValues(parts.values, binding.binary, statement.declared, (), statement.values)
    return given_values(statement.plan.computations, client, state.settings.values)


def _counts(statement: Statement, parts: BindParts, binding: Binding) -> Counts | None:
    arranged = statement.plan.arranged
    if arranged is None:
        return None
    client = ClientValues(parts.values, binding.binary, statement.declared, (), statement.values)
    return Counts(*counts_of(arranged.limit, arranged.offset, client))


def _without_values(parts: BindParts) -> bytes:
    """COPY has no parameters; what is bound all the same is not sent."""
    if parts.values:
        raise ValueRejected(
            f"bind message supplies {len(parts.values)} parameters, but the prepared statement requires 0",
            sqlstate=SqlState.PROTOCOL_VIOLATION,
        )
    return build_bind(Binding((), (), parts.formats, parts.results), parts, None)


def _physical_values(
    state: SessionState, statement: Statement, parts: BindParts, binding: Binding
) -> list[bytes | None]:
    filler, filling = state.filler(), statement.fillings.get(parts.shape)
    if filling is None or filling.filler is not filler:
        filling = make_filling(filler, statement.plan, binding.binary, statement.declared, statement.values)
        if filling is None:
            return _with_drawn_keys(state, statement, parts, binding)
        remember(statement.fillings, parts.shape, filling)
    return filling.values(parts.values)


def _with_drawn_keys(
    state: SessionState, statement: Statement, parts: BindParts, binding: Binding
) -> list[bytes | None]:
    client = ClientValues(parts.values, binding.binary, statement.declared, (), statement.values)
    [drawn] = draw_for(state, (statement.plan,), (client,))
    client = replace(client, drawn=drawn)
    return state.filler().bind_values(statement.plan, client)
