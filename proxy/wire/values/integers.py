"""int2, int4 and int8: the cell is the binary form.

Spellings are those of PostgreSQL 16 and later, which also reads 0x1F, 0o17, 0b11 and 1_000.  The term input is the
number in decimal, so that fields of different integer types, and numeric, can share a join group.
"""

from __future__ import annotations

import re

from policies.fields import LogicalType
from proxy.wire.oids import ARRAYS, INT2, INT4, INT8, NUMERIC, UNKNOWN

from .codec import SPACE, bad_binary, bad_text, inexact, out_of_range
from .numeric import read_binary, read_text
from .settings import ValueSettings

SIZES = {INT2: 2, INT4: 4, INT8: 8}
_NAMES = {INT2: "smallint", INT4: "integer", INT8: "bigint"}
_PLAIN = re.compile(rb"[+-]?[0-9]{1,20}")
_DIGIT_RUNS = rb"[0-9]+(?:_[0-9]+)*|0[xX](?:_?[0-9a-fA-F]+)+|0[oO](?:_?[0-7]+)+|0[bB](?:_?[01]+)+"
_SPELLED = re.compile(rb"([+-]?)(" + _DIGIT_RUNS + rb")")
_BASES = {b"0x": 16, b"0o": 8, b"0b": 2}
_MOST_DIGITS = 200  # leading zeros are allowed, but int() of a long text is slow


class IntegerCodec:
    text_is_cell = False
    binary_is_cell = True

    def __init__(self, logical: LogicalType, type_oid: int) -> None:
        self.logical = logical
        self.type_oid = type_oid
        self.array_oid = ARRAYS[type_oid]
        self._name = _NAMES[type_oid]
        self._size = SIZES[type_oid]
        self._greatest = (1 << 8 * self._size - 1) - 1

    def from_text(self, raw: bytes, typmod: int, settings: ValueSettings, source_oid: int = 0) -> bytes:
        if source_oid == NUMERIC:
            return self._pack(self._whole(read_text(raw, -1)))
        number = parse_integer(raw, self._name)
        if source_oid in SIZES and not _fits(number, SIZES[source_oid]):
            raise out_of_range(_NAMES[source_oid])
        return self._pack(number)

    def from_binary(self, raw: bytes, typmod: int, source_oid: int = 0, settings: ValueSettings | None = None) -> bytes:
        if source_oid == NUMERIC:
            return self._pack(self._whole(read_binary(raw, -1)))
        source = self.type_oid if source_oid in (0, UNKNOWN) else source_oid
        if len(raw) != SIZES.get(source):
            raise bad_binary(self._name)
        return raw if source == self.type_oid else self._pack(int.from_bytes(raw, "big", signed=True))

    def to_text(self, cell: bytes, settings: ValueSettings) -> bytes:
        return b"%d" % int.from_bytes(cell, "big", signed=True)

    def to_binary(self, cell: bytes) -> bytes:
        return cell

    def term_input(self, cell: bytes) -> bytes:
        return b"%d" % int.from_bytes(cell, "big", signed=True)

    def _pack(self, number: int) -> bytes:
        if not -self._greatest - 1 <= number <= self._greatest:
            raise out_of_range(self._name)
        return number.to_bytes(self._size, "big", signed=True)

    def _whole(self, numeric: bytes) -> int:
        """A numeric in canonical text, if it is a whole number."""
        digits, _, fraction = numeric.partition(b".")
        if not digits.lstrip(b"-").isdigit() or fraction.strip(b"0"):
            raise inexact(self._name)
        if len(digits) > 20:
            raise out_of_range(self._name)
        return int(digits)


def parse_integer(raw: bytes, type_name: str) -> int:
    stripped = raw.strip(SPACE)
    if _PLAIN.fullmatch(stripped):
        return int(stripped)
    spelled = _SPELLED.fullmatch(stripped)
    if spelled is None:
        raise bad_text(raw, type_name)
    sign, digits = spelled[1], spelled[2].replace(b"_", b"").lower()
    base = _BASES.get(digits[:2], 10)
    significant = (digits if base == 10 else digits[2:]).lstrip(b"0") or b"0"
    if len(significant) > _MOST_DIGITS:
        raise out_of_range(type_name)
    number = int(significant, base)
    return -number if sign == b"-" else number


def _fits(number: int, size: int) -> bool:
    return -(1 << 8 * size - 1) <= number < 1 << 8 * size - 1
