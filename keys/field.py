"""What the data path asks of cryptography: seal, open and term, for one field.  Pure.

The protocol below is the contract; see docs/envelope.md for the bytes.
"""

from __future__ import annotations

from typing import Protocol


class FieldCipher(Protocol):
    """The ciphers of one field, ready for use on the data path (no I/O, no waiting)."""

    def seal(self, plaintext: bytes, *, term_input: bytes | None = None, row_key: bytes | None = None) -> bytes:
        """An envelope.  `term_input` is required iff the field has an equality term; `row_key` iff it is row-bound.

        Raises SealBudgetExhausted.
        """
        ...

    def open(self, envelope: bytes, *, row_key: bytes | None = None) -> bytes:
        """The plaintext.  Raises EnvelopeInvalid or UnknownKey, and nothing else."""
        ...

    def term(self, term_input: bytes) -> bytes:
        """The 16-byte equality term, as it stands in `fg_<column>_eq`."""
        ...


class FieldCiphers(Protocol):
    """All fields' ciphers, by field id (32 hex digits)."""

    def cipher(self, field_id: str) -> FieldCipher:
        """Raises UnknownKey when the keyring has no key for the field."""
        ...
