"""What the data path asks of ciphers, and what keys are handed to them as (docs/envelope.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, Protocol


class FieldCipher(Protocol):
    """The ciphers of one field, ready for use on the data path (no I/O, no waiting)."""

    def seal(self, plaintext: bytes, *, term_input: bytes | None = None, row_key: bytes | None = None) -> bytes:
        """An envelope.  `term_input` is required iff the field has an equality term; `row_key` iff it is row-bound.

        The field's normalisers are applied to `term_input` here, so that no caller can forget them.
        Raises SealBudgetExhausted.
        """
        ...

    def seal_all(self, plaintexts: Sequence[bytes], term_inputs: Sequence[bytes] | None = None) -> list[bytes]:
        """What `seal` makes of each, quicker; for fields that are not bound to their rows.  Raises as `seal`."""
        ...

    def open(self, envelope: bytes, *, row_key: bytes | None = None) -> bytes:
        """The plaintext.  Raises EnvelopeInvalid or UnknownKey, and nothing else."""
        ...

    def open_all(self, envelopes: Sequence[bytes]) -> list[bytes]:
        """What `open` gives for each, quicker; for fields that are not bound to their rows.  Raises as `open`."""
        ...

    def open_rows(self, envelopes: Sequence[bytes | None], row_keys: Sequence[bytes | None]) -> list[bytes | None]:
        """What `open` makes of each with its row's key; None where there is none, or its subject was destroyed."""
        ...

    def term(self, term_input: bytes, epoch: int | None = None) -> bytes:
        """The 16-byte equality term, as it stands in the term column of this epoch; normalised as in `seal`.

        Without an epoch: of the one that is searched by now.  Raises UnknownKey for one whose key is not held.
        """
        ...

    def tokens(self, inputs: Iterable[bytes], epoch: int | None = None) -> list[bytes]:
        """The search tokens of these inputs, as they stand in the token column of this epoch: 4 bytes each, ascending,
        each once.

        Without an epoch: of the one that is searched by now.  Raises UnknownKey for one whose key is not held.
        """
        ...


class FieldCiphers(Protocol):
    """All fields' ciphers, by field id (32 hex digits)."""

    def cipher(self, field_id: str) -> FieldCipher:
        """Raises UnknownKey when the keyring has no key for the field."""
        ...


class SealLeases(Protocol):
    """Grants blocks of seals, so that no key ever seals more than 2^32 cells (random 96-bit nonces)."""

    def lease(self, key_id: bytes) -> int:
        """How many more seals this process may make; recorded durably before it returns.

        Raises SealBudgetExhausted.
        """
        ...

    def give_back(self, key_id: bytes, unused: int) -> None:
        """What is left of a lease at an orderly end; a crash just forfeits it."""
        ...


class Unshareable:
    """Mixin: refuses to be copied or pickled, so that key material does not wander into caches, queues or dumps."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds key material and cannot be copied or pickled")


@dataclass(frozen=True, slots=True, eq=False)
class DataKey(Unshareable):
    """One data key with its id, as it is handed to a cipher."""

    key_id: bytes
    material: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class TermKey(Unshareable):
    """A term key and the name it stands under: a field's own, or that of a join group, whose fields share it.

    `normalisers` are part of what a term says: under others the same key gives other terms.  `epoch` is the key's.
    """

    scope: str
    material: bytes = field(repr=False)
    normalisers: tuple[str, ...] = ()
    epoch: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class TokenKey(Unshareable):
    """The key of a field's search tokens, and the modes that they are made for (keys/tokens); `epoch` is the key's."""

    material: bytes = field(repr=False)
    modes: tuple[str, ...] = ()
    epoch: int = 1


@dataclass(frozen=True, slots=True)
class Searching:
    """What a field's cells are found by under one epoch of its term key: a term, tokens, or both."""

    term: TermKey | None = None
    tokens: TokenKey | None = None

    @property
    def epoch(self) -> int:
        return self.term.epoch if self.term is not None else self.tokens.epoch if self.tokens is not None else 1
