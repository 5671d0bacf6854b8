"""Ciphers that open a cell once where it is looked at and then shown: searches open first what results open again.

Only for cells that are opened without a row's key: what an envelope opens to follows from field and envelope alone, so
nothing is shown that would not have been opened.  What is remembered lasts for one batch of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keys.field import FieldCipher, FieldCiphers


class RememberingCipher:
    """The cipher of one field."""

    __slots__ = ("_cipher", "_opened")

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher
        self._opened: dict[bytes, bytes] = {}

    def look(self, envelope: bytes) -> bytes:
        """Opens it, and keeps what it opened to.  Raises as `open`."""
        opened = self._opened.get(envelope)
        if opened is None:
            opened = self._opened[envelope] = self._cipher.open(envelope)
        return opened

    def forget(self) -> None:
        self._opened.clear()

    def open(self, envelope: bytes, *, row_key: bytes | None = None) -> bytes:
        opened = self._opened.get(envelope) if row_key is None else None
        return self._cipher.open(envelope, row_key=row_key) if opened is None else opened

    def look_at_all(self, envelopes: Sequence[bytes]) -> list[bytes]:
        opened = self._cipher.open_all(envelopes)
        self._opened.update(zip(envelopes, opened, strict=True))
        return opened

    def open_all(self, envelopes: Sequence[bytes]) -> list[bytes]:
        found = list(map(self._opened.get, envelopes))
        known = [opened for opened in found if opened is not None]
        return known if len(known) == len(found) else [self.open(envelope) for envelope in envelopes]

    def seal(self, plaintext: bytes, *, term_input: bytes | None = None, row_key: bytes | None = None) -> bytes:
        return self._cipher.seal(plaintext, term_input=term_input, row_key=row_key)

    def seal_all(self, plaintexts: Sequence[bytes], term_inputs: Sequence[bytes] | None = None) -> list[bytes]:
        return self._cipher.seal_all(plaintexts, term_inputs)

    def open_rows(self, envelopes: Sequence[bytes | None], row_keys: Sequence[bytes | None]) -> list[bytes | None]:
        return self._cipher.open_rows(envelopes, row_keys)

    def term(self, term_input: bytes, epoch: int | None = None) -> bytes:
        return self._cipher.term(term_input, epoch)

    def tokens(self, inputs: Iterable[bytes], epoch: int | None = None) -> list[bytes]:
        return self._cipher.tokens(inputs, epoch)


class RememberingCiphers:
    """The ciphers of one result."""

    __slots__ = ("_ciphers", "_made")

    def __init__(self, ciphers: FieldCiphers) -> None:
        self._ciphers = ciphers
        self._made: dict[str, RememberingCipher] = {}

    def cipher(self, field_id: str) -> RememberingCipher:
        """Raises UnknownKey."""
        made = self._made.get(field_id)
        if made is None:
            made = self._made[field_id] = RememberingCipher(self._ciphers.cipher(field_id))
        return made

    def forget(self) -> None:
        for made in self._made.values():
            made.forget()
