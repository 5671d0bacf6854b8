"""A plan's slots filled for one execution: cells sealed, terms derived, principal's attributes put in.

Two forms: physical parameters for Bind (see `binding`), and literals for a simple Query.
Nothing made here is kept: a constant is sealed anew for each execution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from keys.envelope import ANY_TOKEN
from keys.errors import CryptoError, SealBudgetExhausted, SealBudgetUnavailable, SubjectDestroyed, UnknownKey
from keys.field import FieldCipher, FieldCiphers
from policies.fields import Field, LogicalType, Sealing
from policies.model import Principal
from proxy.errors import CellUnreadable, SqlState, ValueRejected
from proxy.sql.plan import Slot, SlotKind, StatementPlan, ValueSource
from proxy.wire.oids import BYTEA, INT4
from proxy.wire.values.arrays import build_binary_array, parse_binary_array, parse_text_array
from proxy.wire.values.codecs import Codec, accepts_source, codec_for
from proxy.wire.values.settings import ValueSettings

from .client_values import ClientValues, source_value
from .patterns import token_inputs
from .ranges import range_of
from .row_key import row_key_bytes

Spend = Callable[[int], None]
"""Called with the number of search terms before they are made; raises TooManySearches, and then none is made."""


_NOTHING = ClientValues()
_NOTHING_SENT = (SlotKind.COUNT, SlotKind.END, SlotKind.KEYS, SlotKind.UNUSED)


@dataclass(frozen=True, slots=True)
class SlotFiller:
    """Everything that filling slots needs besides the plan and the client's values."""

    ciphers: FieldCiphers
    principal: Principal
    settings: ValueSettings
    spend: Spend

    def bind_values(self, plan: StatementPlan, client: ClientValues) -> list[bytes | None]:
        """Values of the physical parameters, in slot order; `binding` says in which formats.

        Raises ValueRejected or CellUnreadable; the statement is then refused at this Bind.
        """
        return [self.slot_value(slot, client) for slot in plan.slots]

    def slot_value(self, slot: Slot, client: ClientValues) -> bytes | None:
        """Of one slot; raises as `bind_values`."""
        if slot.kind is SlotKind.PLAIN:
            return source_value(slot.source, client)[0]
        if slot.kind is SlotKind.PRINCIPAL:
            return self._attribute(slot)
        if slot.kind in _NOTHING_SENT:
            return None
        if slot.kind is SlotKind.TOKENS:
            tokens = self._tokens(slot, client)
            return None if tokens is None else build_binary_array(INT4, tokens)
        return self._sealed(slot, client)

    def literal(self, slot: Slot, client: ClientValues = _NOTHING) -> bytes:
        """The slot as an SQL literal, for the simple protocol; a cast, or a declared type, stands in the SQL around."""
        if slot.kind is SlotKind.PRINCIPAL:
            return _quoted(self._attribute(slot))
        if slot.kind is SlotKind.PLAIN:
            return _quoted(source_value(slot.source, client)[0])
        if slot.kind in _NOTHING_SENT:
            return b"NULL"
        if slot.kind is SlotKind.TOKENS:
            return _numbers_literal(self._tokens(slot, client))
        if slot.array:
            return _array_literal(self._elements(slot, client))
        value = self._sealed(slot, client)
        return b"NULL" if value is None else b"'\\x" + value.hex().encode() + b"'"

    def _tokens(self, slot: Slot, client: ClientValues) -> list[bytes] | None:
        field = slot.field
        if field is None or field.sealing is None:
            raise CellUnreadable("the plan searches a field that is not sealed", sqlstate=SqlState.INTERNAL_ERROR)
        if slot.bounds:
            within = range_of(field, slot.bounds, client, self.settings)
            return None if within is None else [ANY_TOKEN, *self._searched(field, within.inputs())]
        if slot.source is None or slot.comparing is None:
            raise CellUnreadable("the plan searches for nothing", sqlstate=SqlState.INTERNAL_ERROR)
        pattern = pattern_text(field, slot.source, client, self.settings)
        if pattern is None:
            return None
        return self._searched(field, token_inputs(slot.comparing, pattern, field.sealing.tokens, field.name))

    def _searched(self, field: Field, inputs: Iterable[bytes]) -> list[bytes]:
        """Of the epoch of the column that the plan searches, as with terms."""
        self.spend(1)
        try:
            return cipher_of(self.ciphers, field).tokens(inputs, field.token_epoch)
        except UnknownKey:
            raise _of_no_key(field) from None

    def _attribute(self, slot: Slot) -> bytes | None:
        value = getattr(self.principal, slot.attribute or "", None)
        return None if value is None else str(value).encode()

    def _sealed(self, slot: Slot, client: ClientValues) -> bytes | None:
        if slot.array:
            elements = self._elements(slot, client)
            return None if elements is None else build_binary_array(BYTEA, elements)
        maker = self.maker(slot, client)
        raw, binary, declared = source_value(slot.source, client)
        if raw is None:
            return None
        return maker.make(cell_reader(maker, binary, declared, self._settings(slot, client))(raw))

    def _elements(self, slot: Slot, client: ClientValues) -> list[bytes | None] | None:
        maker = replace(self.maker(slot, client), typmod=-1)
        raw, binary, _ = source_value(slot.source, client)
        if raw is None:
            return None
        items: list[bytes | None]
        if binary:
            element_oid, items = parse_binary_array(raw)
        else:
            element_oid, items = 0, parse_text_array(raw)
        read = cell_reader(maker, binary, element_oid, self._settings(slot, client))
        if slot.kind is SlotKind.TERM:
            self.spend(sum(item is not None for item in items))
        return [None if item is None else maker.make(read(item)) for item in items]

    def _settings(self, slot: Slot, client: ClientValues) -> ValueSettings:
        bound = slot.source is not None and slot.source.parameter is not None
        return self.settings if bound or client.parsed_under is None else client.parsed_under

    def maker(self, slot: Slot, client: ClientValues) -> Maker:
        """How values of a CELL or TERM slot are made; `client` matters for a row's key.  Raises as `bind_values`."""
        field = slot.field
        if field is None or field.sealing is None:
            raise CellUnreadable("the plan has a sealed slot without a sealed field", sqlstate=SqlState.INTERNAL_ERROR)
        codec = codec_for(field.sealing.logical_type)
        cipher = cipher_of(self.ciphers, field)
        if slot.kind is SlotKind.TERM:
            return Maker(field, codec, -1, self._term_maker(slot, cipher, codec))
        row_key = self.row_key(slot, client)
        return Maker(field, codec, field.sealing.typmod, _sealer(cipher, codec, field.sealing, row_key))

    def _term_maker(self, slot: Slot, cipher: FieldCipher, codec: Codec) -> Callable[[bytes], bytes]:
        """Of the epoch of the column that the plan compares with: another process may have changed it since.

        The elements of an array are counted together, so that an array is looked for as a whole or not at all.
        """
        spend, field = self.spend, slot.field
        epoch = field.term_epoch if field is not None else 1

        def term(cell: bytes) -> bytes:
            try:
                return cipher.term(codec.term_input(cell), epoch)
            except UnknownKey:
                raise _of_no_key(field) from None

        def make(cell: bytes) -> bytes:
            spend(1)
            return term(cell)

        return term if slot.array else make

    def row_key(self, slot: Slot, client: ClientValues) -> bytes | None:
        """The key that a cell is bound to.  Raises ValueRejected."""
        if slot.row_key is None:
            return None
        raw, binary, declared = source_value(slot.row_key, client)
        if raw is None:
            raise ValueRejected("the row's key may not be NULL here")
        return row_key_bytes(raw, binary=binary, type_oid=declared, key_oid=slot.row_key_type)


@dataclass(frozen=True, slots=True)
class Maker:
    field: Field
    codec: Codec
    typmod: int
    make: Callable[[bytes], bytes]


def _sealer(cipher: FieldCipher, codec: Codec, sealing: Sealing, row_key: bytes | None) -> Callable[[bytes], bytes]:
    def seal(cell: bytes) -> bytes:
        term_input = codec.term_input(cell) if sealing.equality else None
        try:
            return cipher.seal(cell, term_input=term_input, row_key=row_key)
        except SealBudgetExhausted as spent:
            raise budget_exhausted(spent) from None
        except SubjectDestroyed:
            raise subject_destroyed() from None

    return seal


def subject_destroyed() -> ValueRejected:
    return ValueRejected(
        "the data subject's key was destroyed, so nothing of this subject can be stored any more",
        sqlstate=SqlState.NOT_IN_PREREQUISITE_STATE,
    )


def budget_exhausted(spent: SealBudgetExhausted) -> CellUnreadable:
    """For good, or only until the ledger of seals answers again."""
    if isinstance(spent, SealBudgetUnavailable):
        return CellUnreadable(
            "no cell can be sealed now: the count of seals could not be raised in the control database",
            sqlstate=SqlState.CANNOT_CONNECT_NOW,
            hint="Try again in a few seconds; if it stays so, the control database cannot be reached.",
        )
    return CellUnreadable(
        "the field's key has sealed as many cells as one key may; it must be rotated",
        sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED,
    )


def _of_no_key(field: Field | None) -> CellUnreadable:
    """Of an old term key that was disabled or destroyed, while the table has its columns: one from a backup."""
    return CellUnreadable(
        f"there is no key for the terms that {field.name if field is not None else 'the field'} is searched by",
        sqlstate=SqlState.NOT_IN_PREREQUISITE_STATE,
        hint="Its term key has been rotated. A table that is from a backup needs the keys of that time.",
    )


def cipher_of(ciphers: FieldCiphers, field: Field) -> FieldCipher:
    assert field.sealing is not None  # noqa: S101  the caller has looked
    try:
        return ciphers.cipher(field.sealing.field_id)
    except CryptoError:
        raise CellUnreadable(f"there is no key for {field.name}", sqlstate=SqlState.INTERNAL_ERROR) from None


def cell_reader(maker: Maker, binary: bool, declared: int, settings: ValueSettings) -> Callable[[bytes], bytes]:
    """From what the client sent to cell form, for all values of one format and declared type.  Raises ValueRejected."""
    codec, typmod = maker.codec, maker.typmod
    if not accepts_source(codec.logical, declared):
        raise ValueRejected(
            f"a value of this type cannot be used for {maker.field.name}, which is of type {codec.logical}",
            sqlstate=SqlState.DATATYPE_MISMATCH,
            hint="Declare the parameter with the field's own type, or leave its type unspecified.",
        )
    if binary:
        sent = declared or codec.type_oid
        return lambda raw: codec.from_binary(raw, typmod, sent, settings)
    return lambda raw: codec.from_text(raw, typmod, settings, declared)


def pattern_text(field: Field, source: ValueSource, client: ClientValues, settings: ValueSettings) -> str | None:
    """The text that is searched for; None: NULL.  Raises ValueRejected."""
    raw, binary, declared = source_value(source, client)
    if raw is None:
        return None
    codec = codec_for(LogicalType.TEXT)
    if not accepts_source(codec.logical, declared):
        raise ValueRejected(
            f"a value of this type cannot be searched for in {field.name}",
            sqlstate=SqlState.DATATYPE_MISMATCH,
            hint="Declare the parameter as text, or leave its type unspecified.",
        )
    if binary:
        return codec.from_binary(raw, -1, declared or codec.type_oid, settings).decode("utf-8")
    return codec.from_text(raw, -1, settings, declared).decode("utf-8")


def _quoted(value: bytes | None) -> bytes:
    """A standard string literal; standard_conforming_strings is on in every session that plans (docs/query-path)."""
    return b"NULL" if value is None else b"'" + value.replace(b"'", b"''") + b"'"


def _numbers_literal(tokens: list[bytes] | None) -> bytes:
    if tokens is None:
        return b"NULL"
    numbers = (b"%d" % int.from_bytes(token, "big", signed=True) for token in tokens)
    return b"'{" + b",".join(numbers) + b"}'"


def _array_literal(elements: list[bytes | None] | None) -> bytes:
    if elements is None:
        return b"NULL"
    items = (b"NULL" if e is None else b'"\\\\x' + e.hex().encode() + b'"' for e in elements)
    return b"'{" + b",".join(items) + b"}'"
