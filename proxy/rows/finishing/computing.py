"""A computation of the plan made into a function over one row of the server's.

Cells are opened, everything else is worked out by `texts` and `moments`, and the value is written in the form that the
client asked for.  What the client gave is read once: constants as the plan holds them, parameters of one execution.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from keys.errors import CryptoError, SubjectDestroyed, SubjectSecretNeeded
from keys.field import FieldCiphers
from policies.fields import LogicalType
from proxy.errors import CellUnreadable, SqlState, ValueRejected
from proxy.rows.cells import from_text, unreadable
from proxy.rows.client_values import ClientValues, source_value
from proxy.rows.params import cipher_of
from proxy.rows.row_key import row_key_bytes
from proxy.sql.computation import (
    Call,
    CellLeaf,
    CellPlace,
    Computation,
    GivenLeaf,
    Operation,
    Term,
    TextLeaf,
    given_leaves,
)
from proxy.wire.backend import FieldDescription
from proxy.wire.oids import BYTEA, FLOAT8, TEXT
from proxy.wire.values.codecs import accepts_source, codec_for
from proxy.wire.values.settings import DEFAULT_SETTINGS, ValueSettings

from .moments import extractor, midnight, writer
from .texts import NUMBERS, STRICT, Value, joined, joined_with, lowered

_TEXT_LIKE = (LogicalType.TEXT, LogicalType.VARCHAR)
_INT4 = struct.Struct("!i").pack

Row = Sequence[bytes | None]
Given = Mapping[GivenLeaf, Value]
"""The values of one execution's parameters."""


class Working(Protocol):
    """What a computation needs of the result that it belongs to."""

    fields: Sequence[FieldDescription]
    ciphers: FieldCiphers
    settings: ValueSettings


def given_values(computations: Sequence[Computation], client: ClientValues, settings: ValueSettings) -> Given:
    """Raises ValueRejected: the statement is then refused at its Bind."""
    leaves = {leaf for each in computations for leaf in given_leaves(each.term) if leaf.source.parameter is not None}
    return {leaf: _parameter(leaf, client, settings) for leaf in leaves}


def _parameter(leaf: GivenLeaf, client: ClientValues, settings: ValueSettings) -> Value:
    raw, binary, declared = source_value(leaf.source, client)
    if raw is None:
        return None
    codec = codec_for(leaf.logical)
    if not accepts_source(codec.logical, declared):
        raise ValueRejected("a parameter has another type than it is used with", sqlstate=SqlState.DATATYPE_MISMATCH)
    if binary:
        cell = codec.from_binary(raw, -1, declared or codec.type_oid, settings)
    else:
        cell = codec.from_text(raw, -1, settings, declared)
    if leaf.least is not None and int.from_bytes(cell, "big", signed=True) < leaf.least:
        raise ValueRejected("negative substring length not allowed", sqlstate=SqlState.SUBSTRING_ERROR)
    return _inside(cell, leaf.logical)


def _inside(cell: bytes, logical: LogicalType) -> Value:
    return cell.decode("utf-8") if logical in _TEXT_LIKE else cell


class Computed:
    """One column of a result.  Raises CellUnreadable where the origin of a cell is not proven (I2)."""

    __slots__ = ("_cells", "_term", "_texts", "_write")

    def __init__(
        self,
        made: Computation,
        fields: Sequence[FieldDescription],
        server_formats: Sequence[int] | None,
        ciphers: FieldCiphers,
        settings: ValueSettings,
        given: Given,
        *,
        binary: bool,
    ) -> None:
        self._cells = [_opener(place, fields, server_formats, ciphers) for place in made.cells]
        self._texts = [_checked_text(column, fields) for column in made.texts]
        try:
            self._term = compiled(made.term, given, settings)
        except ValueRejected as error:  # a time zone that is not known here
            raise CellUnreadable(error.message, sqlstate=error.sqlstate, hint=error.hint) from None
        self._write = _writer(made, settings, binary)

    def value(self, row: Row) -> bytes | None:
        """As the client gets it."""
        made = self.inside(row)
        return None if made is None else self._write(made)

    def inside(self, row: Row) -> Value:
        cells = [opener(row) for opener in self._cells]
        texts = [None if (raw := row[column]) is None else raw.decode("utf-8") for column in self._texts]
        return self._term(cells, texts)


_Worked = Callable[[Sequence[Value], Sequence[Value]], Value]


def _opener(
    place: CellPlace, fields: Sequence[FieldDescription], formats: Sequence[int] | None, ciphers: FieldCiphers
) -> Callable[[Row], Value]:
    described = fields[place.column] if place.column < len(fields) else None
    proven = described is not None and (described.table_oid, described.attnum, described.type_oid) == (
        place.relation_oid,
        place.attnum,
        BYTEA,
    )
    if not proven or place.field.sealing is None:
        raise CellUnreadable(
            f"the origin of a column is not proven to be {place.field.name}",
            hint="The table may have changed; prepare the statement again.",
        )
    cipher, column, field = cipher_of(ciphers, place.field), place.column, place.field
    logical, binary = place.field.sealing.logical_type, bool(formats and formats[place.column])
    key_of = _key_reader(place, fields, formats)

    def opened(row: Row) -> Value:
        value = row[column]
        if value is None:
            return None
        try:
            envelope = value if binary else from_text(value, field)
            return _inside(cipher.open(envelope, row_key=key_of(row)), logical)
        except SubjectSecretNeeded:
            raise
        except SubjectDestroyed:
            return None
        except CryptoError:
            raise unreadable(field) from None

    return opened


def _key_reader(
    place: CellPlace, fields: Sequence[FieldDescription], formats: Sequence[int] | None
) -> Callable[[Row], bytes | None]:
    if place.row_key is None:
        return lambda row: None
    column, binary, oid = place.row_key, bool(formats and formats[place.row_key]), fields[place.row_key].type_oid

    def key(row: Row) -> bytes:
        raw = row[column]
        if raw is None:
            raise unreadable(place.field)
        return row_key_bytes(raw, binary=binary, type_oid=oid, key_oid=oid)

    return key


def _checked_text(column: int, fields: Sequence[FieldDescription]) -> int:
    if column >= len(fields) or fields[column].type_oid != TEXT:
        raise CellUnreadable("the server describes another column than the analysis")
    return column


def compiled(term: Term, given: Given, settings: ValueSettings) -> _Worked:
    if isinstance(term, CellLeaf):
        index = term.index
        return lambda cells, texts: cells[index]
    if isinstance(term, TextLeaf):
        index = term.index
        return lambda cells, texts: texts[index]
    if isinstance(term, GivenLeaf):
        value = given[term] if term.source.parameter is not None else _constant(term)
        return lambda cells, texts: value
    arguments = [compiled(each, given, settings) for each in term.arguments]
    return _carried_out(term, arguments, settings)


def _constant(leaf: GivenLeaf) -> Value:
    if leaf.source.constant is None:
        return None
    return _inside(codec_for(leaf.logical).from_text(leaf.source.constant, -1, DEFAULT_SETTINGS), leaf.logical)


def _carried_out(call: Call, arguments: list[_Worked], settings: ValueSettings) -> _Worked:
    match call.operation:
        case Operation.COALESCE:
            return lambda cells, texts: next((v for a in arguments if (v := a(cells, texts)) is not None), None)
        case Operation.CONCAT:
            return lambda cells, texts: joined([a(cells, texts) for a in arguments])
        case Operation.CONCAT_WS:
            return lambda cells, texts: joined_with([a(cells, texts) for a in arguments])
    function = _strict(call, settings)
    whole = [
        call.operation in STRICT and isinstance(each, GivenLeaf) and each.logical is LogicalType.INT4
        for each in call.arguments
    ]

    def work(cells: Sequence[Value], texts: Sequence[Value]) -> Value:
        values = [a(cells, texts) for a in arguments]
        if None in values:
            return None
        return function(
            *[int.from_bytes(v, "big", signed=True) if w else v for v, w in zip(values, whole, strict=True)]
        )

    return work


def _strict(call: Call, settings: ValueSettings) -> Callable[..., Value]:
    operation = call.operation
    if operation in STRICT:
        return STRICT[operation]
    if operation in NUMBERS:
        number = NUMBERS[operation]
        return lambda *values: _INT4(number(*values))
    casing = call.casing
    match operation:
        case Operation.LOWER if casing is not None:
            return lambda text: lowered(text, casing)
        case Operation.UPPER if casing is not None:
            return lambda text: text.translate(casing.upper)
        case Operation.TEXT:
            return _as_text(call.taken, settings)
        case Operation.MOMENT:
            return midnight
        case Operation.EXTRACT:
            return extractor(call.unit, call.taken, settings)
        case Operation.TO_CHAR:
            return writer(call.unit, call.taken, settings)
    raise CellUnreadable("the plan works out what is not known here", sqlstate=SqlState.INTERNAL_ERROR)


def _as_text(logical: LogicalType, settings: ValueSettings) -> Callable[[bytes], str]:
    if logical is LogicalType.BOOL:
        return lambda cell: "true" if cell == b"\x01" else "false"
    codec = codec_for(logical)
    return lambda cell: codec.to_text(cell, settings).decode("utf-8")


def _writer(made: Computation, settings: ValueSettings, binary: bool) -> Callable[[Value], bytes]:
    if made.logical in _TEXT_LIKE:
        return str.encode
    if made.type_oid == FLOAT8:
        return (lambda cell: struct.pack("!d", float(cell))) if binary else bytes
    codec = codec_for(made.logical)
    return codec.to_binary if binary else lambda cell: codec.to_text(cell, settings)
