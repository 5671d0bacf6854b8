"""Ranges of opened values: which values lie within all ends that one execution gives, and the tokens that find them.

NULL as an end is true of no value.  Ends are read by the settings that hold where they stand: in the text, or bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keys.tokens.ranges import LADDERS, step_of_days, step_of_integer, step_of_microseconds, step_of_number
from policies.fields import Field, LogicalType
from proxy.errors import SqlState, ValueRejected
from proxy.sql.plan import Bound, End
from proxy.wire.oids import INT2, INT4, INT8, NUMERIC, UNKNOWN
from proxy.wire.values.codecs import codec_for
from proxy.wire.values.ordering import Ends, Position, check_comparable, ends_of, number_text, position
from proxy.wire.values.settings import ValueSettings

from .client_values import ClientValues, source_value

_BEYOND = 1 << 65  # all positions that are numbers
_WIDER = {INT2: 2, INT4: 4, INT8: 8, NUMERIC: 16}


@dataclass(frozen=True, slots=True)
class Range:
    """Values from `low` to `high`; None: no end.  Strict: the end itself is not within."""

    logical: LogicalType
    mode: str
    low: Position | None = None
    high: Position | None = None
    low_strict: bool = False
    high_strict: bool = False

    def test(self) -> Callable[[bytes], bool]:
        """`holds`, for many cells."""
        if self.logical is LogicalType.NUMERIC:
            return self.holds
        low = -_BEYOND if self.low is None else self.low + self.low_strict
        high = _BEYOND if self.high is None else self.high - self.high_strict
        number = int.from_bytes
        return lambda cell: low <= number(cell, "big", signed=True) <= high

    def holds(self, cell: bytes) -> bool:
        """Raises ValueError for what is no cell of the type."""
        found = position(self.logical, cell)
        if self.low is not None and (found <= self.low if self.low_strict else found < self.low):
            return False
        return self.high is None or (found < self.high if self.high_strict else found <= self.high)

    def inputs(self) -> frozenset[bytes]:
        """Inputs of tokens, of which each value within has one at least."""
        return LADDERS[self.mode].cover(
            self._step(self.low, self.low_strict, 1), self._step(self.high, self.high_strict, -1)
        )

    def _step(self, end: Position | None, strict: bool, inwards: int) -> int | None:
        if end is None:
            return None
        return _STEPS[self.logical](end + inwards if strict and isinstance(end, int) else end)

    def above(self, low: Position, *, strict: bool) -> Range:
        if self.low is not None and (self.low, self.low_strict) >= (low, strict):
            return self
        return Range(self.logical, self.mode, low, self.high, strict, self.high_strict)

    def below(self, high: Position, *, strict: bool) -> Range:
        if self.high is not None and (self.high, not self.high_strict) <= (high, not strict):
            return self
        return Range(self.logical, self.mode, self.low, high, self.low_strict, strict)


def range_of(field: Field, bounds: Sequence[Bound], client: ClientValues, settings: ValueSettings) -> Range | None:
    """None: an end is NULL.  Raises ValueRejected."""
    assert field.sealing is not None  # noqa: S101
    found = Range(field.sealing.logical_type, next(mode for mode in field.sealing.tokens if mode in LADDERS))
    either: list[Ends] = []
    given = [_ends(found.logical, bound, client, settings) for bound in bounds]
    for bound, ends in zip(bounds, given, strict=True):
        if ends is None:
            return None
        if bound.end is End.EITHER:
            either.append(ends)
        else:
            found = _NARROWED[bound.end](found, ends)
    for pair in zip(either[::2], either[1::2], strict=True):
        low, high = sorted(pair)
        found = found.above(low.ceiling, strict=False).below(high.floor, strict=False)
    return found


def _ends(logical: LogicalType, bound: Bound, client: ClientValues, settings: ValueSettings) -> Ends | None:
    raw, binary, declared = source_value(bound.source, client)
    source, sent = _type_of(logical, bound, declared)
    if raw is None:
        return None
    if bound.source.parameter is None and client.parsed_under is not None:
        settings = client.parsed_under
    return ends_of(logical, source, raw, settings, binary=binary, sent=sent)


def _type_of(logical: LogicalType, bound: Bound, declared: int) -> tuple[LogicalType, int]:
    """The type that an end is of, and the OID of that in whose form it comes."""
    wanted = bound.type_oid or codec_for(logical).type_oid
    if declared in (0, UNKNOWN):
        return check_comparable(logical, wanted), wanted
    source = check_comparable(logical, declared)
    if (
        bound.type_oid
        and declared != bound.type_oid
        and not 0 < _WIDER.get(declared, 0) < _WIDER.get(bound.type_oid, 0)
    ):
        raise ValueRejected(
            "a parameter of another type is cast before a sealed field is compared with it",
            sqlstate=SqlState.DATATYPE_MISMATCH,
            hint="Declare the parameter with the type that it is cast to, or leave its type unspecified.",
        )
    return source, declared


_NARROWED: dict[End, Callable[[Range, Ends], Range]] = {
    End.LESS: lambda found, ends: found.below(ends.ceiling, strict=True),
    End.AT_MOST: lambda found, ends: found.below(ends.floor, strict=False),
    End.MORE: lambda found, ends: found.above(ends.floor, strict=True),
    End.AT_LEAST: lambda found, ends: found.above(ends.ceiling, strict=False),
}


_STEPS: dict[LogicalType, Callable[[Position], int]] = {
    LogicalType.DATE: step_of_days,
    LogicalType.TIMESTAMP: step_of_microseconds,
    LogicalType.TIMESTAMPTZ: step_of_microseconds,
    LogicalType.INT2: step_of_integer,
    LogicalType.INT4: step_of_integer,
    LogicalType.INT8: step_of_integer,
    LogicalType.NUMERIC: lambda found: step_of_number(number_text(found)),
}
