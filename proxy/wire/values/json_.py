"""json: the cell is the text as it came, checked to be well-formed.  jsonb: the cell is the text that jsonb_out prints.

Nesting is limited by Python's parser (nearly a thousand levels), PostgreSQL's by its stack (some thousands): deeper
values are rejected with 54000.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from json.encoder import encode_basestring

from policies.fields import LogicalType
from proxy.errors import SqlState, ValueRejected
from proxy.wire.oids import ARRAYS, JSON, JSONB

from .codec import bad_binary, bad_text, check_text
from .numeric import read_text, without_trailing_zeros
from .settings import ValueSettings

_VERSION = b"\x01"  # of jsonb's binary form
_SURROGATE = re.compile("[\ud800-\udfff]")
_MOST_NUMBER_SIZE = 200_000  # more digits than any numeric has


class JsonCodec:
    type_oid = JSON
    array_oid = ARRAYS[JSON]
    logical = LogicalType.JSON
    text_is_cell = True
    binary_is_cell = True

    def from_text(self, raw: bytes, typmod: int, settings: ValueSettings, source_oid: int = 0) -> bytes:
        if source_oid == JSONB:
            return canonical(raw)
        check_text(raw)
        _parse(raw, _nothing, _nothing)
        return raw

    def from_binary(self, raw: bytes, typmod: int, source_oid: int = 0, settings: ValueSettings | None = None) -> bytes:
        if source_oid == JSONB:
            return canonical(_without_version(raw))
        check_text(raw)
        _parse(raw, _nothing, _nothing)
        return raw

    def to_text(self, cell: bytes, settings: ValueSettings) -> bytes:
        return cell

    def to_binary(self, cell: bytes) -> bytes:
        return cell

    def term_input(self, cell: bytes) -> bytes:
        raise ValueRejected("type json has no equality", sqlstate=SqlState.UNDEFINED_FUNCTION)


class JsonbCodec:
    type_oid = JSONB
    array_oid = ARRAYS[JSONB]
    logical = LogicalType.JSONB
    text_is_cell = True
    binary_is_cell = False

    def from_text(self, raw: bytes, typmod: int, settings: ValueSettings, source_oid: int = 0) -> bytes:
        return canonical(raw)

    def from_binary(self, raw: bytes, typmod: int, source_oid: int = 0, settings: ValueSettings | None = None) -> bytes:
        return canonical(raw if source_oid == JSON else _without_version(raw))

    def to_text(self, cell: bytes, settings: ValueSettings) -> bytes:
        return cell

    def to_binary(self, cell: bytes) -> bytes:
        return _VERSION + cell

    def term_input(self, cell: bytes) -> bytes:
        """Numbers without their display scale: jsonb's `=` compares them as numeric."""
        return _canonical(cell, _number_value)


def canonical(raw: bytes) -> bytes:
    """As jsonb_out(jsonb_in(raw)): keys by length, then bytes; the last of equal keys; numbers as numeric."""
    check_text(raw)
    return _canonical(raw, _number_text)


def _canonical(raw: bytes, number: Callable[[str], str]) -> bytes:
    # Containers are written while they are parsed, innermost first, so that the text is walked only once.
    try:
        return _written(_parse(raw, _object, lambda digits: _Written(number(digits)))).encode()
    except RecursionError:
        raise _too_deep() from None


class _Written(str):
    """A part of the output, told from a string that is still to be quoted."""

    __slots__ = ()


def _object(pairs: list[tuple[str, object]]) -> _Written:
    members = {_checked(key): _written(value) for key, value in pairs}
    keys = sorted(members, key=_key_order)
    return _Written("{" + ", ".join([f"{encode_basestring(key)}: {members[key]}" for key in keys]) + "}")


def _key_order(key: str) -> tuple[int, bytes]:
    raw = key.encode()
    return len(raw), raw


def _written(value: object) -> str:
    if isinstance(value, _Written):
        return value
    if isinstance(value, str):
        return encode_basestring(_checked(value))
    if isinstance(value, list):
        return "[" + ", ".join([_written(item) for item in value]) + "]"
    return {None: "null", True: "true", False: "false"}[value]  # type: ignore[index]


def _checked(text: str) -> str:
    """A string without what jsonb can not store, which is text of the database."""
    if "\0" in text:
        raise ValueRejected("unsupported Unicode escape sequence", sqlstate=SqlState.UNTRANSLATABLE_CHARACTER)
    if not text.isascii() and _SURROGATE.search(text):
        raise ValueRejected("invalid input syntax for type json: a surrogate without its other half")
    return text


def _number_text(digits: str) -> str:
    if len(digits) > _MOST_NUMBER_SIZE:
        raise ValueRejected("value overflows numeric format", sqlstate=SqlState.NUMERIC_OUT_OF_RANGE)
    return read_text(digits.encode("ascii"), -1).decode("ascii")


def _number_value(digits: str) -> str:
    return without_trailing_zeros(digits.encode("ascii")).decode("ascii")


def _nothing(_: object) -> None:
    """A hook for values that are only checked."""


def _parse(
    raw: bytes,
    objects: Callable[[list[tuple[str, object]]], object],
    numbers: Callable[[str], object],
) -> object:
    try:
        return json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=objects,
            parse_float=numbers,
            parse_int=numbers,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise bad_text(raw, "json") from None


def _refuse_constant(name: str) -> object:
    """NaN and the infinities, which Python reads and which are not JSON."""
    raise ValueError(name)


def _too_deep() -> ValueRejected:
    return ValueRejected("json value is nested too deeply", sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED)


def _without_version(raw: bytes) -> bytes:
    if not raw.startswith(_VERSION):
        raise bad_binary("jsonb")
    return raw[1:]
