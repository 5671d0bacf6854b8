"""A client's Bind made into the server's.  What depends on the statement and the formats is worked out once for them.

Values are put in by `params.SlotFiller`; names stay the client's own bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from proxy.errors import ProtocolViolation, SqlState, ValueRejected
from proxy.sql.plan import SlotKind, StatementPlan
from proxy.wire.framing import HEADER_SIZE, message
from proxy.wire.frontend import BINARY_FORMAT, check_formats, format_of
from proxy.wire.reader import pack_uint16, pack_uint16s, pack_values

from .describe import upstream_formats

_COUNT = struct.Struct("!H").unpack_from
_SIZE = struct.Struct("!i").unpack_from


@dataclass(frozen=True, slots=True)
class BindParts:
    """A Bind taken apart; the sections are the message's own bytes, with their counts."""

    names: bytes
    formats: bytes
    values: list[bytes | None]
    value_section: bytes
    results: bytes

    @property
    def shape(self) -> tuple[bytes, int, bytes]:
        return self.formats, len(self.values), self.results


@dataclass(frozen=True, slots=True)
class Binding:
    """`binary` and `result_formats` are the client's; the sections are what the server gets."""

    binary: tuple[bool, ...]
    result_formats: tuple[int, ...]
    formats: bytes
    results: bytes


def split_bind(raw: bytes, names_end: int) -> BindParts:
    """`raw` is the whole message.  Raises ProtocolViolation; format codes are looked at in `make_binding`."""
    values: list[bytes | None] = []
    try:
        values_at = at = names_end + 2 + 2 * _COUNT(raw, names_end)[0]
        (count,) = _COUNT(raw, at)
        at += 2
        for _ in range(count):
            (size,) = _SIZE(raw, at)
            at += 4
            if size < 0:
                if size != -1:
                    raise _malformed()
                values.append(None)
                continue
            values.append(raw[at : at + size])
            at += size
        end = at + 2 + 2 * _COUNT(raw, at)[0]
    except struct.error:
        raise _malformed() from None
    if end != len(raw):
        raise _malformed()
    return BindParts(raw[HEADER_SIZE:names_end], raw[names_end:values_at], values, raw[values_at:at], raw[at:])


def make_binding(plan: StatementPlan, parts: BindParts) -> Binding:
    """For all Binds of this shape.  Raises ProtocolViolation or ValueRejected."""
    codes, asked, count = _codes(parts.formats), _codes(parts.results), len(parts.values)
    check_formats(codes, count)
    check_formats(asked, None)
    if plan.slots and count != plan.client_parameters:
        raise ValueRejected(
            f"bind message supplies {count} parameters, but the prepared statement requires {plan.client_parameters}",
            sqlstate=SqlState.PROTOCOL_VIOLATION,
        )
    binary = tuple(format_of(codes, index) == BINARY_FORMAT for index in range(count))
    formats = pack_uint16s(physical_formats(plan, binary)) if plan.slots else parts.formats
    opens = plan.opens or plan.hidden_outputs
    results = pack_uint16s(upstream_formats(plan, asked)) if opens else parts.results
    return Binding(binary, asked, formats, results)


def build_bind(binding: Binding, parts: BindParts, values: Sequence[bytes | None] | None) -> bytes:
    """The server's Bind; `values` of the physical parameters, None: as the client sent them."""
    section = parts.value_section if values is None else pack_uint16(len(values)) + pack_values(values)
    return message(b"B", parts.names + binding.formats + section + binding.results)


def physical_formats(plan: StatementPlan, binary: Sequence[bool]) -> list[int]:
    """What we make is binary, a principal's attribute is text, and what is passed on is what it was."""
    formats = []
    for slot in plan.slots:
        number = slot.source.parameter if slot.source is not None else None
        if slot.kind is SlotKind.PLAIN:
            formats.append(int(number is not None and binary[number - 1]))
        else:
            formats.append(int(slot.kind is not SlotKind.PRINCIPAL))
    return formats


def _codes(section: bytes) -> tuple[int, ...]:
    return struct.Struct(f"!{len(section) // 2}H").unpack(section)[1:]


def _malformed() -> ProtocolViolation:
    return ProtocolViolation("malformed Bind message")
