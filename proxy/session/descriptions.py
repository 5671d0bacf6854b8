"""What the server says of parameters and results, and what the client is told in its place: logical types, no more."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.errors import CellUnreadable, ProtocolViolation, ValueRejected
from proxy.rows.client_values import ClientValues
from proxy.rows.describe import client_fields, expand_formats
from proxy.rows.envelopes import may_hold_envelope
from proxy.rows.finishing.arranging import Arranger, Counts
from proxy.rows.finishing.folding import Folder, arranger_of
from proxy.rows.reading import Reading
from proxy.rows.results import RowTransformer
from proxy.rows.sifting import Sifter, counts_of
from proxy.sql.arrangement import Arrangement
from proxy.sql.plan import SlotKind
from proxy.wire import backend
from proxy.wire.backend import FieldDescription
from proxy.wire.framing import HEADER_SIZE

from .forwarding import Forwarding
from .replies import Owed, Reply, misplaced
from .result_rows import fail_result, retyped
from .statements import Portal, Statement, remember


def description(forwarding: Forwarding, head: Reply, start: int, end: int) -> bool:
    if head.owed is Owed.QUERY:
        return _query_description(forwarding, head, start, end)
    if head.owed not in (Owed.DESCRIBE_STATEMENT, Owed.DESCRIBE_PORTAL):
        raise ProtocolViolation("the server sent a description that nobody asked for")
    forwarding.refuse_envelope(start, end)  # in a column's name
    forwarding.state.queue.pop()
    statement = head.statement
    if statement is None or not retyped(statement.plan):
        return not head.skip
    fields = backend.parse_row_description(forwarding.body(start, end))
    if head.owed is Owed.DESCRIBE_STATEMENT or statement.fields is None:
        statement.described(fields)
    if head.skip:
        return False
    formats = None
    if head.owed is Owed.DESCRIBE_PORTAL and head.portal is not None:
        formats = expand_formats(head.portal.formats, len(statement.plan.outputs or ()))
    return forwarding.put(start, backend.build_row_description(client_fields(statement.plan, fields, formats)))


def _query_description(forwarding: Forwarding, head: Reply, start: int, end: int) -> bool:
    """Text, but for FETCH from a BINARY cursor: the server says so."""
    plan = head.plan
    head.transformer = head.sifter = head.arranger = head.reading = None
    forwarding.refuse_envelope(start, end)
    if plan is None or not retyped(plan):
        return True
    fields = backend.parse_row_description(forwarding.body(start, end))
    ciphers, values = forwarding.state.revision().ciphers, forwarding.state.settings.values
    formats = [field.format for field in fields] if any(field.format for field in fields) else None
    try:
        head.transformer = RowTransformer(plan, fields, formats, formats, ciphers, values)
        if plan.sift is not None:
            sought = head.soughts[head.index]
            if sought is None:
                raise CellUnreadable("it is not known what the rows of this result are looked at for")
            head.sifter = Sifter(plan.sift, sought, fields, head.transformer.ciphers, binary=False)
            head.reading = Reading(sought.limit, sought.offset, 0) if plan.arranged is None else None
        if plan.arranged is not None:
            head.arranger = _arranger(forwarding, plan.arranged, fields)
    except (CellUnreadable, ValueRejected) as error:
        forwarding.flush(start)
        fail_result(forwarding, head, error)
        return False
    return forwarding.put(start, backend.build_row_description(client_fields(plan, fields, formats)))


def _arranger(forwarding: Forwarding, arranged: Arrangement, fields: Sequence[FieldDescription]) -> Arranger | Folder:
    state = forwarding.state
    counts = Counts(*counts_of(arranged.limit, arranged.offset, ClientValues()))
    ciphers, values = state.revision().ciphers, state.settings.values
    return arranger_of(arranged, counts, fields, None, ciphers, values, {}, state.services.bounds())


def told_columns(portal: Portal, raw: bytes) -> bytes:
    """The client's RowDescription for the server's (whole messages), of a portal whose statement is described.

    Raises ProtocolViolation.
    """
    statement = portal.statement
    told = statement.told.get((portal.formats, raw))
    if told is None:
        if may_hold_envelope(raw, 0, len(raw)):
            raise ProtocolViolation("the server sent a sealed cell where none can be")
        fields = backend.parse_row_description(raw[HEADER_SIZE:])
        formats = expand_formats(portal.formats, len(statement.plan.outputs or ()))
        told = backend.build_row_description(client_fields(statement.plan, fields, formats))
        remember(statement.told, (portal.formats, raw), told)
    return told


def no_data(forwarding: Forwarding, head: Reply) -> bool:
    if head.owed not in (Owed.DESCRIBE_STATEMENT, Owed.DESCRIBE_PORTAL):
        raise ProtocolViolation("the server sent NoData that nobody asked for")
    state = forwarding.state
    state.queue.pop()
    of_query = 0 < state.query_from <= head.number  # whose cursor is not there; a Query has no such answer
    return not (head.skip or of_query)


def parameters(forwarding: Forwarding, head: Reply, start: int, end: int) -> bool:
    if head.owed is not Owed.DESCRIBE_STATEMENT:
        raise misplaced()
    if head.skip:
        return False
    statement = head.statement
    if statement is None or not statement.plan.slots:
        return True
    upstream = backend.parse_parameter_description(forwarding.body(start, end))
    told = _client_parameter_types(statement, upstream)
    return forwarding.put(start, backend.build_parameter_description(told))


def _client_parameter_types(statement: Statement, upstream: Sequence[int]) -> list[int]:
    """In the client's own numbering: what it declared, what the server inferred, or the field's logical type."""
    plan = statement.plan
    types = [0] * plan.client_parameters
    for position, slot in enumerate(plan.slots):
        number = slot.source.parameter if slot.source is not None else None
        if slot.kind is SlotKind.PLAIN and number and position < len(upstream) and not types[number - 1]:
            types[number - 1] = upstream[position]
    for number, oid in plan.parameter_types:
        types[number - 1] = oid
    for index, oid in enumerate(statement.declared[: len(types)]):
        if oid:
            types[index] = oid
    return types
