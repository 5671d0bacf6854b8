"""What COPY into protected tables has in common in all formats: sealed columns, the row's key, where a row failed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

from keys.errors import SealBudgetExhausted, SubjectDestroyed
from keys.field import FieldCiphers
from keys.subjects import SubjectName
from policies.fields import LogicalType
from proxy.errors import FieldgateError, SqlState, ValueRejected
from proxy.sql.plan import CopyColumn, CopyFrom
from proxy.wire.copying.options import CopyFormat
from proxy.wire.values.codec import bad_encoding, is_text
from proxy.wire.values.codecs import codec_for
from proxy.wire.values.settings import ValueSettings

from .params import budget_exhausted, cipher_of, subject_destroyed
from .row_key import row_key_bytes
from .subjects import kind_of, subject_name

MESSAGE = 256 * 1024  # bytes of rows in one message, or one longer row
Absent = Callable[[set[SubjectName]], set[SubjectName]]
TOGETHER = 256  # rows whose columns are worked on together: few enough to stay in the processor's cache
Seal = Callable[[bytes, bytes | None], bytes]
SealAll = Callable[[Sequence[bytes]], list[bytes]]


def nobody(_names: set[SubjectName]) -> set[SubjectName]:
    """Of tables whose cells need no data subjects' secrets."""
    return set()


class CopySealing(ABC):
    """What both kinds share: the sealed columns, the row's key, the place for errors; rows that wait for secrets."""

    def __init__(self, copy: CopyFrom, ciphers: FieldCiphers, settings: ValueSettings, absent: Absent) -> None:
        """`absent`: of these data subjects those whose secrets must be made or loaded first."""
        self.wanted: set[SubjectName] = set()  # the secrets that rows wait for
        self._absent = absent
        self._kind = next((kind for column in copy.columns if (kind := kind_of(column.field)) is not None), None)
        self._ended = False  # the client has sent all
        self.failure: FieldgateError | None = None
        self._copy = copy
        self._done = 0  # rows, with the header
        self._column: int | None = None  # in which a row failed
        binary = copy.options.format is CopyFormat.BINARY
        self._sealed = [
            (index, _seal(column, ciphers, settings, binary=binary))
            for index, column in enumerate(copy.columns)
            if column.field is not None
        ]

    def look_for_failure(self, of_reader: ValueRejected | None) -> None:
        """After the rows that have come: what ended them, and where."""
        error = self.failure = self.failure or of_reader
        if error is not None:
            where = f"COPY {self._copy.table}, line {self._done + 1}"
            column = self._column
            error.context = where if column is None else f"{where}, column {self._copy.columns[column].name}"

    @abstractmethod
    def resume(self, out: list[bytes]) -> None:
        """The secrets that rows waited for are at hand, or have been asked for; the rows go on, or wait again."""

    def _must_wait(self, keys: Iterable[tuple[bytes | None, bool]]) -> bool:
        """Whether rows of subjects with these keys (and whether each is binary) cannot be sealed yet."""
        if self._kind is None:
            return False
        oid = self._copy.row_key_type
        made = (subject_name(self._kind, raw, oid, binary=binary) for raw, binary in keys if raw is not None)
        needed = {name for name in made if name is not None}
        self.wanted = needed if self._absent(needed) else set()
        return bool(self.wanted)

    def row_key(self, raw: bytes | None, *, binary: bool) -> bytes:
        if raw is None:
            raise ValueRejected("the row's key may not be NULL here", sqlstate=SqlState.NOT_NULL_VIOLATION)
        kind = self._copy.row_key_type
        return row_key_bytes(raw, binary=binary, type_oid=kind, key_oid=kind)


def sealed_together(
    copy: CopyFrom, ciphers: FieldCiphers, settings: ValueSettings, *, binary: bool
) -> list[tuple[int, SealAll]] | None:
    """The sealed columns, where whole columns can be sealed; None where cells need their row's key."""
    found = []
    for index, column in enumerate(copy.columns):
        if column.field is not None:
            made = _seal_all(column, ciphers, settings, binary=binary)
            if made is None or copy.row_key is not None:
                return None
            found.append((index, made))
    return found


def _seal_all(column: CopyColumn, ciphers: FieldCiphers, settings: ValueSettings, *, binary: bool) -> SealAll | None:
    """`_seal` for many values at once; None where cells are bound to their rows.

    Raises ValueRejected or CellUnreadable if it would be raised for one of them.
    """
    field = column.field
    assert field is not None and field.sealing is not None  # noqa: S101  the caller looks
    sealing, codec = field.sealing, codec_for(field.sealing.logical_type)
    if sealing.row_bound:
        return None
    seal, typmod, oid = cipher_of(ciphers, field).seal_all, sealing.typmod, codec.type_oid
    from_text, from_binary = codec.from_text, codec.from_binary
    as_it_is, term_input = codec.logical is LogicalType.TEXT, codec.term_input if sealing.equality else None

    def sealed(values: Sequence[bytes]) -> list[bytes]:
        if as_it_is:
            if not is_text(b"\n".join(values)):
                raise bad_encoding()
        elif binary:
            values = [from_binary(raw, typmod, oid, settings) for raw in values]
        else:
            values = [from_text(raw, typmod, settings) for raw in values]
        try:
            return seal(values, [term_input(value) for value in values] if term_input else None)
        except SealBudgetExhausted as spent:
            raise budget_exhausted(spent) from None

    return sealed


def _seal(column: CopyColumn, ciphers: FieldCiphers, settings: ValueSettings, *, binary: bool) -> Seal:
    """All in one function, because it runs for each value."""
    field = column.field
    assert field is not None and field.sealing is not None  # noqa: S101  the caller looks
    sealing, codec = field.sealing, codec_for(field.sealing.logical_type)
    seal, typmod, oid = cipher_of(ciphers, field).seal, sealing.typmod, codec.type_oid
    from_text, from_binary, term_input = codec.from_text, codec.from_binary, codec.term_input
    equality, bound = sealing.equality, sealing.row_bound
    as_it_is = codec.logical is LogicalType.TEXT  # in either form, with nothing to convert

    def sealed(raw: bytes, key: bytes | None) -> bytes:
        if as_it_is:
            if not is_text(raw):
                raise bad_encoding()
            cell = raw
        else:
            cell = from_binary(raw, typmod, oid, settings) if binary else from_text(raw, typmod, settings)
        try:
            return seal(cell, term_input=term_input(cell) if equality else None, row_key=key if bound else None)
        except SealBudgetExhausted as spent:
            raise budget_exhausted(spent) from None
        except SubjectDestroyed:
            raise subject_destroyed() from None

    return sealed
