"""Rows on their way to the client: which columns to copy, open, retype and strip, decided once per result.

`RowTransformer.row` is the inner loop; it stays small so that it can be compiled later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct, unpack_from

from keys.errors import CryptoError
from keys.field import FieldCipher, FieldCiphers
from policies.fields import Field
from proxy.errors import CellUnreadable, SqlState
from proxy.sql.plan import OutputAction, OutputColumn, StatementPlan
from proxy.wire.backend import FieldDescription
from proxy.wire.values.codecs import codec_for
from proxy.wire.values.settings import ValueSettings

from .describe import check_shape
from .row_key import row_key_bytes

_HEADER = Struct("!ciH")
_LENGTH = Struct("!i")
_NULL = b"\xff\xff\xff\xff"

Opener = Callable[[bytes], bytes]  # what the server sent for a cell -> what the client gets


class RowTransformer:
    """Turns the bodies of DataRow messages into whole DataRow messages for the client."""

    __slots__ = ("_bound", "_openers", "_visible")

    def __init__(
        self,
        plan: StatementPlan,
        fields: Sequence[FieldDescription],
        client_formats: Sequence[int] | None,
        server_formats: Sequence[int] | None,
        ciphers: FieldCiphers,
        settings: ValueSettings,
    ) -> None:
        """Formats None: a simple query, everything is text.  Raises CellUnreadable when lineage is not proven."""
        check_shape(plan, fields)
        outputs = plan.outputs or ()
        self._visible = len(outputs)
        self._openers: list[Opener | None] = []
        self._bound: dict[int, _BoundColumn] = {}
        for index, output in enumerate(outputs):
            client_binary = bool(client_formats and client_formats[index])
            server_binary = bool(server_formats and server_formats[index])
            self._openers.append(None)
            if output.action is not OutputAction.OPEN:
                continue
            if output.row_key_output is not None:
                key_binary = bool(server_formats and server_formats[output.row_key_output])
                key_oid = fields[output.row_key_output].type_oid
                self._bound[index] = _BoundColumn(
                    output, ciphers, settings, client_binary, server_binary, output.row_key_output, key_binary, key_oid
                )
            else:
                self._openers[index] = _opener(output, ciphers, settings, client_binary, server_binary)

    def row(self, data: bytes, start: int, end: int) -> bytes:
        """The client's DataRow for the server's body `data[start:end]`.  Raises CellUnreadable."""
        if self._bound:
            return self._row_with_bound_cells(data, start, end)
        parts: list[bytes] = [b""]
        append = parts.append
        position = start + 2
        size = 0
        for opener in self._openers:
            (length,) = unpack_from("!i", data, position)
            if length < 0:
                append(_NULL)
                position += 4
                size += 4
                continue
            follow = position + 4 + length
            if follow > end:
                raise _malformed()
            if opener is None:
                append(data[position:follow])
                size += 4 + length
            else:
                value = opener(bytes(data[position + 4 : follow]))
                append(len(value).to_bytes(4, "big"))
                append(value)
                size += 4 + len(value)
            position = follow
        parts[0] = _HEADER.pack(b"D", 6 + size, self._visible)
        return b"".join(parts)

    def _row_with_bound_cells(self, data: bytes, start: int, end: int) -> bytes:
        columns = _split(data, start, end)
        out: list[bytes | None] = []
        for index, opener in enumerate(self._openers):
            value = columns[index]
            bound = self._bound.get(index)
            if value is not None and bound is not None:
                value = bound.open(value, columns)
            elif value is not None and opener is not None:
                value = opener(value)
            out.append(value)
        body = b"".join(_NULL if v is None else _LENGTH.pack(len(v)) + v for v in out)
        return _HEADER.pack(b"D", 6 + len(body), self._visible) + body


class _BoundColumn:
    """A cell that is bound to its row's key, which stands in another column of the same row."""

    def __init__(
        self,
        output: OutputColumn,
        ciphers: FieldCiphers,
        settings: ValueSettings,
        client_binary: bool,
        server_binary: bool,
        key_index: int,
        key_binary: bool,
        key_oid: int,
    ) -> None:
        self._field = _sealed_field(output)
        self._cipher = _cipher(ciphers, self._field)
        self._present = _presenter(self._field, settings, client_binary)
        self._server_binary = server_binary
        self._key_index, self._key_binary, self._key_oid = key_index, key_binary, key_oid

    def open(self, value: bytes, columns: Sequence[bytes | None]) -> bytes:
        raw = columns[self._key_index]
        if raw is None:
            raise _unreadable(self._field)
        key = row_key_bytes(raw, binary=self._key_binary, type_oid=self._key_oid, key_oid=self._key_oid)
        envelope = value if self._server_binary else _from_text(value, self._field)
        try:
            cell = self._cipher.open(envelope, row_key=key)
        except CryptoError:
            raise _unreadable(self._field) from None
        return cell if self._present is None else self._present(cell)


def _opener(
    output: OutputColumn,
    ciphers: FieldCiphers,
    settings: ValueSettings,
    client_binary: bool,
    server_binary: bool,
) -> Opener:
    field = _sealed_field(output)
    open_cell = _cipher(ciphers, field).open
    present = _presenter(field, settings, client_binary)

    def from_binary(value: bytes) -> bytes:
        try:
            cell = open_cell(value)
        except CryptoError:
            raise _unreadable(field) from None
        return cell if present is None else present(cell)

    return from_binary if server_binary else lambda value: from_binary(_from_text(value, field))


def _presenter(field: Field, settings: ValueSettings, binary: bool) -> Opener | None:
    """From cell form to what the client asked for; None when they are the same bytes."""
    assert field.sealing is not None  # noqa: S101  _sealed_field has looked
    codec = codec_for(field.sealing.logical_type)
    if binary:
        return None if codec.binary_is_cell else codec.to_binary
    if codec.text_is_cell:
        return None
    return lambda cell: codec.to_text(cell, settings)


def _sealed_field(output: OutputColumn) -> Field:
    if output.field is None or output.field.sealing is None:
        raise CellUnreadable("the plan opens a column that is not sealed", sqlstate=SqlState.INTERNAL_ERROR)
    return output.field


def _cipher(ciphers: FieldCiphers, field: Field) -> FieldCipher:
    assert field.sealing is not None  # noqa: S101  _sealed_field has looked
    try:
        return ciphers.cipher(field.sealing.field_id)
    except CryptoError:
        raise CellUnreadable(f"there is no key for {field.name}", sqlstate=SqlState.INTERNAL_ERROR) from None


def _from_text(value: bytes, field: Field) -> bytes:
    """bytea in text form: hex, or escape when the session asked for that (bytea_output)."""
    try:
        if value.startswith(b"\\x"):
            return bytes.fromhex(value[2:].decode("ascii"))
        return _unescape(value)
    except ValueError:
        raise _unreadable(field) from None


def _unescape(value: bytes) -> bytes:
    out = bytearray()
    position = 0
    while position < len(value):
        if value[position] != 0x5C:
            out.append(value[position])
            position += 1
        elif value[position + 1 : position + 2] == b"\\":
            out.append(0x5C)
            position += 2
        else:
            out.append(int(value[position + 1 : position + 4].decode("ascii"), 8))
            position += 4
    return bytes(out)


def _split(data: bytes | bytearray, start: int, end: int) -> list[bytes | None]:
    columns: list[bytes | None] = []
    position = start + 2
    while position < end:
        (length,) = unpack_from("!i", data, position)
        position += 4
        if length < 0:
            columns.append(None)
            continue
        if position + length > end:
            raise _malformed()
        columns.append(bytes(data[position : position + length]))
        position += length
    return columns


def _malformed() -> CellUnreadable:
    return CellUnreadable("the server sent a malformed row", sqlstate=SqlState.PROTOCOL_VIOLATION)


def _unreadable(field: Field) -> CellUnreadable:
    return CellUnreadable(
        f"a sealed cell of {field.name} cannot be opened",
        detail="It was changed, moved from another column or row, or sealed under a key that is not at hand.",
    )
