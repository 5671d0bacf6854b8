"""What EXECUTE, FETCH and MOVE come to, once it is known what stands behind the name: a plan of its own, as data.

EXECUTE of a statement that was rewritten calls it with its physical parameters: what meets a sealed field has to be a
constant and becomes a slot again, everything else is the client's own text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from policies.fields import LogicalType
from proxy.errors import Refused, SqlState, Unsupported

from .fragments import quoted
from .parameters import OIDS, TEXT_LIKE
from .plan import Argument, Bound, Slot, SlotKind, StatementPlan, Written
from .typenames import compatible

_INTEGERS = frozenset({LogicalType.INT2, LogicalType.INT4, LogicalType.INT8})
_NUMBERS = _INTEGERS | {LogicalType.NUMERIC}
_KEYS = _INTEGERS | TEXT_LIKE | {LogicalType.UUID}
_LOGICAL = {pair[0]: logical for logical, pair in OIDS.items()}
_WHOLE_OIDS = frozenset(OIDS[logical][0] for logical in _INTEGERS)
_UNQUOTED = frozenset({Written.INTEGER, Written.DECIMAL, Written.BOOLEAN})  # say what an ARRAY's type is
_WHOLE = re.compile(rb"-?[0-9]+")
_DECIMAL = re.compile(rb"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Execution:
    """`plan`: with slots where a value of ours stands; `values`: the client's, $1 first, for slots that name them."""

    plan: StatementPlan
    values: tuple[bytes | None, ...] = ()


def executed(call: StatementPlan, kept: StatementPlan, declared: Sequence[int]) -> Execution:
    """`call` is EXECUTE's own plan, `kept` the plan of what it runs.  Raises FieldgateError for what is refused."""
    arguments = call.arguments or ()
    if kept.touches_protected or kept.slots:
        _check_count(call, len(arguments), max(len(declared), kept.client_parameters))
    if not kept.slots:
        return Execution(_as(kept, call.segments))
    values: list[bytes | None] = [None] * kept.client_parameters
    segments: list[bytes | int] = [f"EXECUTE {quoted(call.effect_value or '')} (".encode()]
    slots: list[Slot] = []
    for slot in kept.slots:
        number = slot.source.parameter if slot.source is not None else None
        if slot.kind is SlotKind.PLAIN and number is not None:
            segments.append(arguments[number - 1].text)
        else:
            _take_constants(slot, arguments, declared, values)
            segments.append(len(slots))
            slots.append(slot)
        segments.append(b", ")
    segments[-1] = b")"
    plan = replace(_as(kept, tuple(segments)), slots=tuple(slots), draws=kept.draws, edited=True)
    return Execution(plan, tuple(values))


def _check_count(call: StatementPlan, given: int, wanted: int) -> None:
    if wanted and given != wanted:  # without parameters PostgreSQL does not look at arguments
        raise Refused(
            f'wrong number of parameters for prepared statement "{call.effect_value}"',
            detail=f"Expected {wanted} parameters but got {given}.",
            sqlstate=SqlState.SYNTAX_ERROR,
        )


def fetched(call: StatementPlan, kept: StatementPlan) -> StatementPlan:
    """FETCH shows the portal's rows; MOVE shows none, but runs the portal all the same."""
    made = replace(_as(kept, call.segments), fetch=call.fetch)
    if call.returns_rows or made.sift is not None:  # those that are passed over are counted, too
        return replace(made, returns_rows=call.returns_rows)
    return replace(made, outputs=None, hidden_outputs=0, returns_rows=False)


def _as(kept: StatementPlan, segments: tuple[bytes | int, ...]) -> StatementPlan:
    """The kept statement under another text, and without parameters."""
    return replace(
        kept, segments=segments, slots=(), draws=(), client_parameters=0, parameter_types=(), edited=False, keeps=None
    )


def _take_constants(
    slot: Slot, arguments: Sequence[Argument], declared: Sequence[int], values: list[bytes | None]
) -> None:
    """Put the constants that the slot needs into `values`."""
    source, key = slot.source, slot.row_key
    if slot.bounds:
        for bound in slot.bounds:
            if (number := bound.source.parameter) is not None:
                values[number - 1] = _end_text(slot, bound, arguments[number - 1], _oid(declared, number))
    elif slot.kind is SlotKind.COUNT and source is not None and source.parameter is not None:
        values[source.parameter - 1] = _count_text(arguments[source.parameter - 1])
    elif source is not None and source.parameter is not None and slot.kind is not SlotKind.END:
        argument = arguments[source.parameter - 1]
        values[source.parameter - 1] = _cell_text(slot, argument, _oid(declared, source.parameter))
    if key is not None and key.parameter is not None:
        values[key.parameter - 1] = _key_text(slot, arguments[key.parameter - 1])


def _oid(declared: Sequence[int], number: int) -> int:
    return declared[number - 1] if number <= len(declared) else 0


def _cell_text(slot: Slot, argument: Argument, oid: int) -> bytes | None:
    """The argument as PostgreSQL assigns it to the parameter's type, in text form."""
    field = slot.field
    assert field is not None and field.sealing is not None  # noqa: S101 - every other slot is plain
    if argument.written is None:
        raise _no_constant(f'for the sealed column "{field.name}"')
    text = _text_of(argument, field.sealing.logical_type, oid, array=slot.array)
    if text is None and argument.written is not Written.NULL:
        raise _not_of_type(field.sealing.logical_type, field.name)
    return text


def _end_text(slot: Slot, bound: Bound, argument: Argument, oid: int) -> bytes | None:
    """An end of a range, of the type that the parameter has: declared, cast to, or the column's own."""
    field = slot.field
    assert field is not None and field.sealing is not None  # noqa: S101 - as above
    logical = _LOGICAL.get(oid or bound.type_oid, field.sealing.logical_type)
    if argument.written is None:
        raise _no_constant(f'for the sealed column "{field.name}"')
    text = _text_of(argument, logical, oid, array=False)
    if text is None and argument.written is not Written.NULL:
        raise _not_of_type(logical, field.name)
    return text


def _count_text(argument: Argument) -> bytes | None:
    """For LIMIT and OFFSET."""
    whole = argument.written in (Written.INTEGER, Written.STRING, Written.NULL)
    if not whole or not all(cast is not None and cast[0] in _INTEGERS and not cast[1] for cast in argument.casts):
        raise _no_constant("for LIMIT or OFFSET")
    return None if argument.written is Written.NULL else argument.constant


def _no_constant(place: str) -> Unsupported:
    return Unsupported(
        f"an argument of EXECUTE {place} has to be a constant",
        hint="Work the value out first, or use a statement of your driver with parameters.",
    )


def _not_of_type(logical: LogicalType, name: str) -> Refused:
    return Refused(
        f'the argument is not of the type {logical.value} of column "{name}"',
        sqlstate=SqlState.DATATYPE_MISMATCH,
        hint="Leave casts out, or write it as a string.",
    )


def _text_of(argument: Argument, logical: LogicalType, oid: int, *, array: bool) -> bytes | None:
    """PostgreSQL's text form; None: NULL, or a constant that can not be assigned to that type."""
    if not all(cast is not None and cast[1] is array and _keeps(cast[0], logical) for cast in argument.casts):
        return None
    if array and argument.written is Written.ARRAY:
        of_text = not argument.casts and not any(e.written in _UNQUOTED for e in argument.elements)
        return _array_text(argument.elements, logical, oid) if not of_text or logical in TEXT_LIKE else None
    if array and argument.written is not Written.STRING:
        return None
    return argument.constant if array or _assignable(argument, logical, oid) else None


def _keeps(cast: LogicalType, logical: LogicalType) -> bool:
    return compatible(cast, logical) or (cast in _INTEGERS and logical in _NUMBERS)


def _assignable(argument: Argument, logical: LogicalType, oid: int) -> bool:
    match argument.written:
        case Written.STRING:
            return True
        case Written.INTEGER:
            return logical in _NUMBERS or logical in TEXT_LIKE
        case Written.BOOLEAN:
            return logical is LogicalType.BOOL or logical in TEXT_LIKE
        case Written.DECIMAL:
            whole = logical in _INTEGERS or oid in _WHOLE_OIDS
            pattern = _WHOLE if whole else _DECIMAL
            return logical in _NUMBERS and pattern.fullmatch(argument.constant) is not None
    return False


def _array_text(elements: Sequence[Argument], logical: LogicalType, oid: int) -> bytes | None:
    """ARRAY[...] in the form of a string."""
    texts = []
    for element in elements:
        text = _text_of(element, logical, oid, array=False)
        if text is None and element.written is not Written.NULL:
            return None
        texts.append(b"NULL" if text is None else _array_element(text))
    return b"{" + b",".join(texts) + b"}"


def _array_element(text: bytes) -> bytes:
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _key_text(slot: Slot, argument: Argument) -> bytes:
    """The row's key, which the cell is bound to: as it is written, so that it can be only one value."""
    simple = argument.written in (Written.STRING, Written.INTEGER) and all(
        cast is not None and cast[0] in _KEYS and not cast[1] for cast in argument.casts
    )
    if not simple:
        name = slot.field.name if slot.field is not None else ""
        raise Unsupported(
            f'the row\'s key beside a value of the sealed column "{name}" has to be a constant in EXECUTE',
            hint="Write the key as a number or a string.",
        )
    return argument.constant
