"""From a stored value, as PostgreSQL prints it, to a cell, and the proof that the cell gives it back.  Pure."""

from __future__ import annotations

from keys.envelope import HEAD_SIZE, TERM_END
from keys.errors import EnvelopeInvalid, SubjectDestroyed, UnknownKey
from keys.field import FieldCipher
from policies.fields import Field
from proxy.errors import FieldgateError
from proxy.rows.row_key import row_key_bytes
from proxy.wire.values.codec import Codec
from proxy.wire.values.settings import ValueSettings

from .ddl import sealing_of
from .errors import SealingFailed

# What facts.fix_settings makes the server print.
SETTINGS = ValueSettings(date_style="ISO, MDY", time_zone="UTC", interval_style="postgres", bytea_output="hex")


class CellMaker:
    """Cells of one field.  `key_oid` is the type of the column that row-bound cells are bound to."""

    def __init__(self, field: Field, cipher: FieldCipher, codec: Codec, key_oid: int | None) -> None:
        self._field, self._sealing = field, sealing_of(field)
        self._cipher, self._codec, self._key_oid = cipher, codec, key_oid

    def make(self, value: bytes, key: bytes | None) -> bytes:
        """Seals a value.  Raises SealingFailed when the value would not come back exactly as it is."""
        form = self._form(value)
        term_input = self._codec.term_input(form) if self._sealing.equality else None
        return self._cipher.seal(form, term_input=term_input, row_key=self.row_key(key))

    def matches(self, value: bytes | None, cell: bytes | None, key: bytes | None) -> bool:
        """Whether the cell opens to exactly the value, with its term; NULL matches NULL only."""
        if value is None or cell is None:
            return value is cell
        form = self._form(value)
        try:
            if self._cipher.open(cell, row_key=self.row_key(key)) != form:
                return False
        except (EnvelopeInvalid, UnknownKey):
            return False
        if not self._sealing.equality:
            return True
        return cell[HEAD_SIZE:TERM_END] == self._cipher.term(self._codec.term_input(form))

    def open(self, cell: bytes, key: bytes | None) -> bytes:
        """The value as PostgreSQL prints it.  Raises SealingFailed when the cell does not open."""
        try:
            form = self._cipher.open(cell, row_key=self.row_key(key))
        except SubjectDestroyed:
            raise SealingFailed(
                f"{self._field.name} holds cells of data subjects whose secrets were destroyed: they have no value"
            ) from None
        except (EnvelopeInvalid, UnknownKey):
            raise SealingFailed(
                f"{self._field.name} holds a cell that does not open: its key is not known here, or it was changed"
            ) from None
        return self._codec.to_text(form, SETTINGS)

    def _form(self, value: bytes) -> bytes:
        try:
            form = self._codec.from_text(value, self._sealing.typmod, SETTINGS)
            again = self._codec.to_text(form, SETTINGS)
        except FieldgateError as rejected:
            raise SealingFailed(
                f"{self._field.name} holds a value that cannot be sealed ({rejected.sqlstate})", detail=rejected.message
            ) from None
        if again != value:
            raise SealingFailed(f"{self._field.name} holds a value that would not come back as it is")
        return form

    def row_key(self, key: bytes | None) -> bytes | None:
        """What a cell is bound to, from the key as PostgreSQL prints it; None for cells that are not bound.

        Raises SealingFailed when a row has no key.
        """
        if not self._sealing.row_bound:
            return None
        if key is None or self._key_oid is None:
            raise SealingFailed(f"{self._field.name} is bound to its row, and a row has no key")
        return row_key_bytes(key, binary=False, type_oid=0, key_oid=self._key_oid)
