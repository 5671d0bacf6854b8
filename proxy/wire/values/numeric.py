"""numeric: the cell is its canonical text, as numeric_out prints it, with the display scale.

All arithmetic is on decimal digits as text: values have up to 147,455 digits, which are neither Python's `int` (slow
to convert) nor `decimal` (contexts).
"""

from __future__ import annotations

import re
from struct import Struct

from policies.fields import LogicalType
from proxy.errors import SqlState, ValueRejected
from proxy.wire.oids import ARRAYS, INT2, INT4, INT8, NUMERIC, UNKNOWN

from .codec import SPACE, bad_binary, bad_text
from .settings import ValueSettings

_INTEGER_SIZES = {INT2: 2, INT4: 4, INT8: 8}
_MOST_WHOLE_DIGITS = 131_072
_MOST_SCALE = 16_383
_NEGATIVE, _NAN, _INFINITY, _MINUS_INFINITY = 0x4000, 0xC000, 0xD000, 0xF000
_SPECIAL_SIGNS = {_NAN: b"NaN", _INFINITY: b"Infinity", _MINUS_INFINITY: b"-Infinity"}
_SIGNS = frozenset((0, _NEGATIVE, *_SPECIAL_SIGNS))
_SPECIALS = {text: sign for sign, text in _SPECIAL_SIGNS.items()}
_SPELLED_SPECIALS = {
    b"nan": b"NaN",
    b"infinity": b"Infinity",
    b"+infinity": b"Infinity",
    b"inf": b"Infinity",
    b"+inf": b"Infinity",
    b"-infinity": b"-Infinity",
    b"-inf": b"-Infinity",
}
_INFINITY_SCALE = 32  # no scale at all, but what numeric_send makes of an infinity's header
_HEADER = Struct("!HhHH")

_CANONICAL = re.compile(rb"(?:-?[1-9][0-9]{0,99}|0)(?:\.[0-9]{1,99})?")
_DIGITS = rb"[0-9]+(?:_[0-9]+)*"
_DECIMAL = re.compile(
    rb"([+-]?)(?:(" + _DIGITS + rb")(?:\.(" + _DIGITS + rb")?)?|\.(" + _DIGITS + rb"))(?:[eE]([+-]?" + _DIGITS + rb"))?"
)
_OTHER_BASE = re.compile(rb"([+-]?)0(?:[xX]((?:_?[0-9a-fA-F]+)+)|[oO]((?:_?[0-7]+)+)|[bB]((?:_?[01]+)+))")
_MOST_OTHER_DIGITS = 4000  # of 0x..., 0o..., 0b...: beyond PostgreSQL's use of them, within int()'s limits


class NumericCodec:
    type_oid = NUMERIC
    array_oid = ARRAYS[NUMERIC]
    logical = LogicalType.NUMERIC
    text_is_cell = True
    binary_is_cell = False

    def from_text(self, raw: bytes, typmod: int, settings: ValueSettings, source_oid: int = 0) -> bytes:
        return read_text(raw, typmod)

    def from_binary(self, raw: bytes, typmod: int, source_oid: int = 0, settings: ValueSettings | None = None) -> bytes:
        if source_oid in (0, UNKNOWN, NUMERIC):
            return read_binary(raw, typmod)
        if len(raw) != _INTEGER_SIZES.get(source_oid):
            raise bad_binary("numeric")
        return read_text(b"%d" % int.from_bytes(raw, "big", signed=True), typmod)

    def to_text(self, cell: bytes, settings: ValueSettings) -> bytes:
        return cell

    def to_binary(self, cell: bytes) -> bytes:
        special = _SPECIALS.get(cell)
        if special is not None:
            scale = 0 if special == _NAN else _INFINITY_SCALE
            return _HEADER.pack(0, 0, special, scale)
        whole, _, fraction = cell.lstrip(b"-").partition(b".")
        digits = whole.rjust(-(-len(whole) // 4) * 4, b"0") + fraction.ljust(-(-len(fraction) // 4) * 4, b"0")
        groups = [int(digits[i : i + 4]) for i in range(0, len(digits), 4)]
        weight = -(-len(whole) // 4) - 1
        first = next((i for i, group in enumerate(groups) if group), len(groups))
        while len(groups) > first and not groups[-1]:
            groups.pop()
        del groups[:first]
        weight = weight - first if groups else 0
        sign = _NEGATIVE if cell.startswith(b"-") else 0
        head = _HEADER.pack(len(groups), weight, sign, len(fraction))
        return head + Struct(f"!{len(groups)}H").pack(*groups)

    def term_input(self, cell: bytes) -> bytes:
        return without_trailing_zeros(cell)


def without_trailing_zeros(cell: bytes) -> bytes:
    """The canonical text of the number without its display scale: equal iff the numbers are."""
    return cell.rstrip(b"0").rstrip(b".") if b"." in cell else cell


def read_text(raw: bytes, typmod: int) -> bytes:
    """Canonical text of a number as numeric_in reads it."""
    stripped = raw.strip(SPACE)
    if typmod < 0 and _CANONICAL.fullmatch(stripped):
        return stripped
    decimal = _DECIMAL.fullmatch(stripped)
    if decimal is not None:
        whole, fraction = decimal[2] or b"", decimal[3] or decimal[4] or b""
        exponent = (decimal[5] or b"0").replace(b"_", b"")
        return _scaled(decimal[1] == b"-", whole.replace(b"_", b""), fraction.replace(b"_", b""), exponent, typmod)
    special = _SPELLED_SPECIALS.get(stripped.lower())
    if special is not None:
        return _special(special, typmod)
    return _other_base(raw, stripped, typmod)


def read_binary(raw: bytes, typmod: int) -> bytes:
    """Canonical text of a number as numeric_recv reads it."""
    if len(raw) < _HEADER.size:
        raise bad_binary("numeric")
    count, weight, sign, scale = _HEADER.unpack_from(raw)
    if len(raw) != _HEADER.size + 2 * count:
        raise bad_binary("numeric")
    groups = Struct(f"!{count}H").unpack_from(raw, _HEADER.size)
    if sign not in _SIGNS or scale > _MOST_SCALE or any(group > 9999 for group in groups):
        raise bad_binary("numeric")
    if sign in _SPECIAL_SIGNS:
        return _special(_SPECIAL_SIGNS[sign], typmod)
    digits = b"".join([b"%04d" % group for group in groups])
    whole_size = max((weight + 1) * 4, 0)
    whole = digits[:whole_size].ljust(whole_size, b"0")
    fraction = b"0" * (-(weight + 1) * 4) + digits[whole_size:]
    return _rounded(sign == _NEGATIVE, whole, fraction[:scale].ljust(scale, b"0"), typmod)


def _special(special: bytes, typmod: int) -> bytes:
    if typmod >= 0 and special != b"NaN":
        raise _overflow("numeric field overflow")  # an infinity fits no precision
    return special


def _scaled(negative: bool, whole: bytes, fraction: bytes, exponent_text: bytes, typmod: int) -> bytes:
    """whole.fraction * 10^exponent, its point moved, then rounded."""
    if len(exponent_text.lstrip(b"+-0")) > 10 or abs(exponent := int(exponent_text)) > 0x3FFF_FFFF:
        raise _overflow("value overflows numeric format")
    if not exponent:
        return _rounded(negative, whole, fraction, typmod)
    digits = whole + fraction
    point = len(whole) + exponent
    scale = max(len(fraction) - exponent, 0)
    leading = len(digits) - len(digits.lstrip(b"0"))
    if leading == len(digits):  # zero, whatever the exponent
        point, digits = 0, b""
    elif point - leading > _MOST_WHOLE_DIGITS:
        raise _overflow("value overflows numeric format")
    if scale > _MOST_SCALE:
        raise _overflow("value overflows numeric format")
    whole = digits[: max(point, 0)].ljust(max(point, 0), b"0")
    fraction = (b"0" * -point + digits[max(point, 0) :])[:scale].ljust(scale, b"0")
    return _rounded(negative, whole, fraction, typmod)


def _rounded(negative: bool, whole: bytes, fraction: bytes, typmod: int) -> bytes:
    """Canonical text, after numeric(p, s) of the typmod is applied."""
    whole = whole.lstrip(b"0")
    if len(whole) > _MOST_WHOLE_DIGITS or len(fraction) > _MOST_SCALE:
        raise _overflow("value overflows numeric format")
    if typmod >= 0:
        whole, fraction = _apply_typmod(whole, fraction, typmod)
        whole = whole.lstrip(b"0")
    sign = b"-" if negative and (whole or fraction.strip(b"0")) else b""
    return sign + (whole or b"0") + (b"." + fraction if fraction else b"")


def _apply_typmod(whole: bytes, fraction: bytes, typmod: int) -> tuple[bytes, bytes]:
    precision = ((typmod - 4) >> 16) & 0xFFFF
    scale = (((typmod - 4) & 0x7FF) ^ 1024) - 1024  # 11 bits, signed: PostgreSQL 15 allows numeric(3, -2)
    digits = whole + fraction
    kept = len(whole) + scale
    digits = b"" if kept < 0 else _rounded_half_up(digits.ljust(kept, b"0"), kept)
    size = len(digits) - scale  # of the whole part, also after a carry
    significant = digits.lstrip(b"0")
    if significant and len(significant) - scale > precision - scale:
        raise _overflow("numeric field overflow")
    if scale < 0:
        return digits + b"0" * -scale, b""
    return digits[:size] if size > 0 else b"", digits[max(size, 0) :].rjust(scale, b"0")


def _rounded_half_up(digits: bytes, kept: int) -> bytes:
    """The first `kept` digits, rounded away from zero; one digit longer if the carry runs over."""
    head = digits[:kept]
    if digits[kept : kept + 1] < b"5":
        return head
    stem = head.rstrip(b"9")
    nines = len(head) - len(stem)
    if not stem:
        return b"1" + b"0" * nines
    return stem[:-1] + bytes((stem[-1] + 1,)) + b"0" * nines


def _other_base(raw: bytes, stripped: bytes, typmod: int) -> bytes:
    match = _OTHER_BASE.fullmatch(stripped)
    if match is None:
        raise bad_text(raw, "numeric")
    digits, base = next((match[i].replace(b"_", b""), base) for i, base in ((2, 16), (3, 8), (4, 2)) if match[i])
    if len(digits) > _MOST_OTHER_DIGITS:
        raise _overflow("value overflows numeric format")
    return _rounded(match[1] == b"-", b"%d" % int(digits, base), b"", typmod)


def _overflow(text: str) -> ValueRejected:
    return ValueRejected(text, sqlstate=SqlState.NUMERIC_OUT_OF_RANGE)
