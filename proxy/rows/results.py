"""Rows on their way to the client: which columns to copy, open, retype and strip, decided once per result.

Where the rows themselves are walked: `run`, and here for cells that are bound to their row's key.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import partial

from keys.errors import CryptoError, SubjectDestroyed, SubjectSecretNeeded
from keys.field import FieldCiphers
from keys.normalisers import normaliser_of
from keys.subjects import SubjectName
from policies.fields import Field
from proxy.errors import CellUnreadable, ProtocolViolation, SqlState, ValueRejected
from proxy.sql.plan import OutputAction, OutputColumn, StatementPlan
from proxy.wire import oids
from proxy.wire.backend import FieldDescription, build_data_row, parse_data_row
from proxy.wire.framing import HEADER_SIZE, Span
from proxy.wire.values.codecs import codec_for
from proxy.wire.values.settings import ValueSettings

from .apart import Values, column_values
from .cells import from_text, unreadable
from .describe import check_shape
from .envelopes import may_hold_envelope, value_holds_envelope
from .finishing.computing import Computed, Given
from .opened import RememberingCiphers
from .params import cipher_of
from .row_key import row_key_bytes
from .run import ColumnUnreadable, OpenAll, Opener, OpenRows, transform, transform_all
from .subjects import KeyReader

_MANY = 4  # rows, for which it is worth while to go column by column

# Values of these types have no room for an envelope; one of any other is looked at, also beside opened ones (I2).
_ROOMLESS = frozenset(
    {oids.BOOL, oids.CHAR, oids.INT2, oids.INT4, oids.INT8, oids.OID, oids.FLOAT4, oids.FLOAT8, oids.UUID}
    | {oids.DATE, oids.TIME, oids.TIMETZ, oids.TIMESTAMP, oids.TIMESTAMPTZ, oids.INTERVAL, oids.INET, oids.CIDR}
)


class RowTransformer:
    """Turns runs of the server's DataRow messages into the client's."""

    __slots__ = ("_bound", "_columns", "_computed", "_keys", "_openers", "_outputs", "_together", "ciphers")

    def __init__(
        self,
        plan: StatementPlan,
        fields: Sequence[FieldDescription],
        client_formats: Sequence[int] | None,
        server_formats: Sequence[int] | None,
        ciphers: FieldCiphers,
        settings: ValueSettings,
        given: Given | None = None,
    ) -> None:
        """Formats None: a simple query, everything is text.  `given`: what is bound, where values are worked out of it.

        Raises CellUnreadable when lineage is not proven.
        """
        check_shape(plan, fields)
        self.ciphers = ciphers = RememberingCiphers(ciphers) if plan.sift is not None else ciphers
        self._keys = KeyReader(plan.subject_places, fields, server_formats)
        outputs = plan.outputs or ()
        self._outputs = outputs
        self._columns = len(fields)
        self._openers: list[Opener | None] = []
        self._together: list[OpenAll | None] = []  # None: copied, and looked at
        self._bound: dict[int, _BoundColumn] = {}
        self._computed: dict[int, Computed] = {}
        for index, output in enumerate(outputs):
            client_binary = bool(client_formats and client_formats[index])
            server_binary = bool(server_formats and server_formats[index])
            self._openers.append(None)
            self._together.append(None)
            if output.computation is not None:
                self._computed[index] = Computed(
                    output.computation, fields, server_formats, ciphers, settings, given or {}, binary=client_binary
                )
            elif output.action is not OutputAction.OPEN:
                if fields[index].type_oid not in _ROOMLESS:
                    self._openers[index] = _guard
            elif output.row_key_output is not None:
                key_binary = bool(server_formats and server_formats[output.row_key_output])
                key_oid = fields[output.row_key_output].type_oid
                self._bound[index] = _BoundColumn(
                    output, ciphers, settings, client_binary, server_binary, output.row_key_output, key_binary, key_oid
                )
            else:
                self._openers[index] = _opener(output, ciphers, settings, client_binary, server_binary)
                self._together[index] = _all_opener(output, ciphers, settings, client_binary, server_binary)

    def rows(self, data: bytes, spans: Sequence[Span], out: list[bytes]) -> None:
        """Append to `out`, in pieces, the client's messages for the server's at `spans`.

        Raises CellUnreadable or ProtocolViolation; the rows before that one are then in `out`, and nothing of it is.
        Raises SubjectSecretNeeded, and then has appended nothing.
        """
        mark = len(out)
        try:
            if not self._computed and len(spans) >= _MANY and self._all_rows(data, spans, out):
                return
            if self._bound or self._computed:
                for _, start, end in spans:
                    out.append(self._row_by_columns(data[start + HEADER_SIZE : end]))
            else:
                transform(data, spans, self._columns, self._openers, out)
        except ColumnUnreadable as error:
            raise unreadable(_sealed_field(self._outputs[error.column])) from None
        except SubjectSecretNeeded:
            del out[mark:]
            raise
        except (
            ValueRejected,
            ValueError,
            LookupError,
            struct.error,
        ):  # a key or a cell that is none of the type it should be
            raise CellUnreadable("a value in this result does not have the form of its type") from None

    def _all_rows(self, data: bytes, spans: Sequence[Span], out: list[bytes]) -> bool:
        """False: nothing was done, and it goes row by row, because one of them is not as usual."""
        made: list[bytes] = []
        try:
            copied = transform_all(data, spans, self._columns, self._all_openers(data, spans), made)
        except (CryptoError, CellUnreadable, ValueRejected, ValueError, LookupError, struct.error):
            return False
        if copied is None or may_hold_envelope(copied, 0, len(copied)):
            return False
        out += made
        return True

    def _all_openers(self, data: bytes, spans: Sequence[Span]) -> Sequence[OpenAll | OpenRows | None]:
        """Of whole columns; of bound cells with the keys of these very rows.  Raises ValueError, ValueRejected."""
        if not self._bound:
            return self._together
        openers: list[OpenAll | OpenRows | None] = [*self._together]
        keys: dict[int, list[bytes | None]] = {}
        for index, bound in self._bound.items():
            if bound.key_index not in keys:
                keys[bound.key_index] = bound.keys(column_values(data, spans, self._columns, bound.key_index))
            openers[index] = OpenRows(partial(bound.open_rows, keys[bound.key_index]))
        return openers

    def subjects(self, data: bytes, spans: Sequence[Span]) -> set[SubjectName]:
        """The data subjects whose secrets these rows need.  Raises ProtocolViolation."""
        return self._keys.subjects(data, spans)

    def _row_by_columns(self, body: bytes) -> bytes:
        columns = parse_data_row(body)
        if len(columns) != self._columns:
            raise ProtocolViolation("the server sent a malformed row")
        out: list[bytes | None] = []
        for index, opener in enumerate(self._openers):
            value, bound, computed = columns[index], self._bound.get(index), self._computed.get(index)
            if computed is not None:
                value = computed.value(columns)
            elif value is not None and bound is not None:
                value = bound.open(value, columns)
            elif value is not None and opener is not None:
                value = self._opened(index, opener, value)
            out.append(value)
        return build_data_row(out)

    def _opened(self, index: int, opener: Opener, value: bytes) -> bytes:
        try:
            return opener(value)
        except CryptoError:
            raise unreadable(_sealed_field(self._outputs[index])) from None


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
        self._cipher = cipher_of(ciphers, self._field)
        self._present = _presenter(output, settings, client_binary)
        self._server_binary = server_binary
        self.key_index, self._key_binary, self._key_oid = key_index, key_binary, key_oid

    def keys(self, raw: Values | None) -> list[bytes | None]:
        """The rows' keys in canonical form.  Raises ValueError for rows that are none, and ValueRejected."""
        if raw is None:
            raise ValueError("a malformed row")
        binary, oid = self._key_binary, self._key_oid
        return [None if each is None else row_key_bytes(each, binary=binary, type_oid=oid, key_oid=oid) for each in raw]

    def open_rows(self, keys: Sequence[bytes | None], column: Values) -> Values:
        """`open` for a whole column.  Raises what ciphers raise: the rows are then gone through one by one."""
        if not self._server_binary:
            column = [None if value is None else from_text(value, self._field) for value in column]
        cells, present = self._cipher.open_rows(column, keys), self._present
        return cells if present is None else [None if cell is None else present(cell) for cell in cells]

    def open(self, value: bytes, columns: Sequence[bytes | None]) -> bytes | None:
        """None: the subject's secret was destroyed, and with it the value.  Raises SubjectSecretNeeded."""
        raw = columns[self.key_index]
        if raw is None:
            raise unreadable(self._field)
        key = row_key_bytes(raw, binary=self._key_binary, type_oid=self._key_oid, key_oid=self._key_oid)
        envelope = value if self._server_binary else from_text(value, self._field)
        try:
            cell = self._cipher.open(envelope, row_key=key)
        except SubjectSecretNeeded:
            raise
        except SubjectDestroyed:
            return None
        except CryptoError:
            raise unreadable(self._field) from None
        return cell if self._present is None else self._present(cell)


def _opener(
    output: OutputColumn,
    ciphers: FieldCiphers,
    settings: ValueSettings,
    client_binary: bool,
    server_binary: bool,
) -> Opener:
    """Raises CryptoError when it is used, besides CellUnreadable.  The usual case is the cipher's own function."""
    field = _sealed_field(output)
    open_cell = cipher_of(ciphers, field).open
    present = _presenter(output, settings, client_binary)
    if server_binary:
        return open_cell if present is None else lambda value: present(open_cell(value))
    if present is None:
        return lambda value: open_cell(from_text(value, field))
    return lambda value: present(open_cell(from_text(value, field)))


def _all_opener(
    output: OutputColumn,
    ciphers: FieldCiphers,
    settings: ValueSettings,
    client_binary: bool,
    server_binary: bool,
) -> OpenAll:
    """The same for a whole column."""
    field = _sealed_field(output)
    opened = cells_opener(output, ciphers, settings, binary=client_binary)
    return opened if server_binary else lambda values: opened([from_text(value, field) for value in values])


def _guard(value: bytes) -> bytes:
    """For a column that is passed on as it is."""
    if may_hold_envelope(value, 0, len(value)) and value_holds_envelope(value):
        raise CellUnreadable("a sealed cell stands where the analysis expects none")
    return value


def _presenter(output: OutputColumn, settings: ValueSettings, binary: bool) -> Opener | None:
    """From cell form to what the client asked for; None when they are the same bytes."""
    sealing = _sealed_field(output).sealing
    assert sealing is not None  # noqa: S101  _sealed_field has looked
    if output.normalised:  # text and varchar only, whose cell form is what is shown
        return normaliser_of(sealing.normalisers)
    codec = codec_for(sealing.logical_type)
    if binary:
        return None if codec.binary_is_cell else codec.to_binary
    if codec.text_is_cell:
        return None
    return lambda cell: codec.to_text(cell, settings)


def _sealed_field(output: OutputColumn) -> Field:
    if output.field is None or output.field.sealing is None:
        raise CellUnreadable("the plan opens a column that is not sealed", sqlstate=SqlState.INTERNAL_ERROR)
    return output.field


def cell_opener(
    output: OutputColumn, ciphers: FieldCiphers, settings: ValueSettings, *, binary: bool
) -> Callable[[bytes, bytes | None], bytes | None]:
    """From an envelope and its row's key to the value as the client wants it, for COPY; None: it was destroyed.

    Raises CellUnreadable.
    """
    field = _sealed_field(output)
    open_cell = cipher_of(ciphers, field).open
    present = _presenter(output, settings, binary)

    def opened(envelope: bytes, row_key: bytes | None) -> bytes | None:
        try:
            cell = open_cell(envelope, row_key=row_key)
        except SubjectDestroyed:
            return None
        except CryptoError:
            raise unreadable(field) from None
        return cell if present is None else present(cell)

    return opened


def cells_opener(output: OutputColumn, ciphers: FieldCiphers, settings: ValueSettings, *, binary: bool) -> OpenAll:
    """The same for many cells at once; not for those that are bound to their row's key."""
    field = _sealed_field(output)
    open_all = cipher_of(ciphers, field).open_all
    present = _presenter(output, settings, binary)

    def opened(envelopes: Sequence[bytes]) -> Sequence[bytes]:
        try:
            cells = open_all(envelopes)
        except CryptoError:
            raise unreadable(field) from None
        return cells if present is None else list(map(present, cells))

    return opened


def envelope_from_text(value: bytes, output: OutputColumn) -> bytes:
    """bytea as the server writes it.  Raises CellUnreadable."""
    return from_text(value, _sealed_field(output))
