"""Seal, open and term for one field: the class that does it.  Pure; what it is asked for stands in `ciphers`.

`FieldKeyCipher.open` is the inner loop of every result: one dictionary look-up by the envelope's first 12 bytes finds
key, scheme and version at once, so an envelope of another version, scheme or key never reaches AES.  docs/envelope.md
has the bytes.  Nothing here waits, except that a spent lease asks `SealLeases` for the next one (see keys/leases.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from .ciphers import DataKey, FieldCipher, FieldCiphers, SealLeases, TermKey, TokenKey, Unshareable
from .envelope import (
    HEAD_SIZE,
    MAX_BUCKET,
    MAX_PLAINTEXT,
    TERM_SIZE,
    Scheme,
    build_head,
    build_tokens,
    context,
    header_end,
    minimum_size,
    pad,
    parse,
    prefixed,
    scheme_of,
    tokens_at,
    unpad,
)
from .errors import CipherMisused, EnvelopeInvalid, UnknownKey
from .normalisers import normaliser_of
from .primitives import NONCE_SIZE, TAG_SIZE, InvalidTag, aead, keyed_hash, random_bytes
from .tokens.making import TokenMaker

__all__ = [
    "DataKey", "FieldCipher", "FieldCiphers", "FieldKeyCipher", "SealLeases", "TermKey", "TokenKey", "Unshareable",
]  # fmt: skip

TERM_LABEL = b"fieldgate term v1"
NORMALISED_TERM_LABEL = b"fieldgate normalised term v1"


class FieldKeyCipher(Unshareable):
    """One field under its keys: `primary` seals, and each of `readable` opens.  Belongs to one thread.

    Raises ValueError when the parts do not fit together.
    """

    __slots__ = (
        "_bucket", "_context", "_encrypt", "_head", "_header_end", "_key_ids", "_leases", "_left", "_minimum",
        "_openers", "_primary_id", "_reserve", "_row_bound", "_term", "_tokens", "field_id",
    )  # fmt: skip

    def __init__(
        self,
        *,
        controller: str,
        field_id: str,
        primary: DataKey,
        leases: SealLeases,
        readable: Iterable[DataKey] = (),
        term_key: TermKey | None = None,
        token_key: TokenKey | None = None,
        row_bound: bool = False,
        pad_to: int = 0,
    ) -> None:
        if not 0 <= pad_to <= MAX_BUCKET:
            raise ValueError(f"cells are padded to multiples of at most {MAX_BUCKET} bytes")
        scheme = scheme_of(
            term=term_key is not None, row_bound=row_bound, padded=pad_to > 0, tokens=token_key is not None
        )
        self.field_id = field_id
        self._context = context(controller, field_id)
        self._bucket = pad_to
        self._row_bound = row_bound
        self._header_end = tokens_at(scheme)
        self._minimum = minimum_size(scheme & ~(Scheme.PADDED | Scheme.TOKENS))
        self._term = _term_function(controller, term_key) if term_key else None
        self._tokens = TokenMaker(controller, field_id, token_key.material, token_key.modes) if token_key else None
        self._leases, self._left, self._reserve = leases, 0, 0
        self._primary_id = primary.key_id
        self._head = build_head(scheme, primary.key_id)
        self._encrypt = aead(primary.material).encrypt
        keys = {key.key_id: key for key in (*readable, primary)}
        self._key_ids = frozenset(keys)
        # Padding and search tokens may be switched on and off in a field's life, so all kinds open.  Term and row
        # binding may not: an envelope without the binding would be a way around it.
        bare = scheme & ~(Scheme.PADDED | Scheme.TOKENS)
        self._openers = {
            build_head(kind, key.key_id): (decrypt, bool(kind & Scheme.PADDED), bool(kind & Scheme.TOKENS))
            for key in keys.values()
            for decrypt in (aead(key.material).decrypt,)
            for kind in (bare, bare | Scheme.PADDED, bare | Scheme.TOKENS, bare | Scheme.PADDED | Scheme.TOKENS)
        }

    @property
    def head(self) -> bytes:
        """The 12 bytes that every cell sealed from now on begins with; the column's CHECK admits just these."""
        return self._head

    def seal(self, plaintext: bytes, *, term_input: bytes | None = None, row_key: bytes | None = None) -> bytes:
        header = self._head
        if self._term is not None or term_input is not None:
            header += self._required_term(term_input)
        if self._tokens is not None:
            header += build_tokens(self._tokens.of_cell(plaintext))
        associated = header + self._context
        if row_key is not None or self._row_bound:
            associated += self._bound(row_key)
        if len(plaintext) > MAX_PLAINTEXT:
            raise CipherMisused("the value is too long for a sealed field")
        if self._left <= 0:
            self._left = self._next_block()
        self._left -= 1
        nonce = random_bytes(NONCE_SIZE)
        return (
            header
            + nonce
            + self._encrypt(nonce, pad(plaintext, self._bucket) if self._bucket else plaintext, associated)
        )

    def seal_all(self, plaintexts: Sequence[bytes], term_inputs: Sequence[bytes] | None = None) -> list[bytes]:
        inputs: Sequence[bytes | None] = [None] * len(plaintexts) if term_inputs is None else term_inputs
        if len(plaintexts) > self._left or self._term is not None or self._tokens is not None or self._row_bound:
            return [self.seal(plain, term_input=given) for plain, given in zip(plaintexts, inputs, strict=True)]
        if term_inputs is not None:
            raise CipherMisused("the field has no equality term")
        if any(len(plain) > MAX_PLAINTEXT for plain in plaintexts):
            raise CipherMisused("the value is too long for a sealed field")
        self._left -= len(plaintexts)
        drawn = random_bytes(NONCE_SIZE * len(plaintexts))
        nonces = [drawn[at : at + NONCE_SIZE] for at in range(0, len(drawn), NONCE_SIZE)]
        padded = [pad(plain, self._bucket) for plain in plaintexts] if self._bucket else plaintexts
        head, encrypt, associated = self._head, self._encrypt, self._head + self._context
        return [head + nonce + encrypt(nonce, plain, associated) for nonce, plain in zip(nonces, padded, strict=True)]

    def open(self, envelope: bytes, *, row_key: bytes | None = None) -> bytes:
        found = self._openers.get(envelope[:HEAD_SIZE])
        if found is None or len(envelope) < self._minimum:
            self._explain(envelope)
        decrypt, padded, has_tokens = found
        start = self._header_end
        if has_tokens:
            start = header_end(envelope, start)
            if len(envelope) < start + NONCE_SIZE + TAG_SIZE:
                self._explain(envelope)
        body = start + NONCE_SIZE
        associated = envelope[:start] + self._context
        if row_key is not None or self._row_bound:
            associated += self._bound_or_invalid(row_key)
        try:
            plaintext = decrypt(envelope[start:body], envelope[body:], associated)
        except InvalidTag:
            raise EnvelopeInvalid("the envelope was changed, cut, or stands where it was not sealed for") from None
        return unpad(plaintext) if padded else plaintext

    def term(self, term_input: bytes) -> bytes:
        return self._required_term(term_input)

    def tokens(self, inputs: Iterable[bytes]) -> list[bytes]:
        if self._tokens is None:
            raise CipherMisused("the field has no search tokens")
        return self._tokens.of_inputs(inputs)

    def renew(self, below: int) -> None:
        """Takes the next lease early, when fewer seals than this are left of one in use: call it off the query path.

        The one method that another thread may call: it only fills the reserve, and `seal` only empties it.
        """
        if 0 < self._left < below and not self._reserve:
            self._reserve = self._leases.lease(self._primary_id)

    def close(self) -> None:
        """Gives the rest of the lease back; the next seal takes a new one."""
        unused, self._left, self._reserve = self._left + self._reserve, 0, 0
        if unused > 0:
            self._leases.give_back(self._primary_id, unused)

    def _next_block(self) -> int:
        block, self._reserve = self._reserve, 0
        return block or self._leases.lease(self._primary_id)

    def _required_term(self, term_input: bytes | None) -> bytes:
        if self._term is None:
            raise CipherMisused("the field has no equality term")
        if term_input is None:
            raise CipherMisused("the field has an equality term, and its input was not given")
        return self._term(term_input)[:TERM_SIZE]

    def _bound(self, row_key: bytes | None) -> bytes:
        if row_key is None:
            raise CipherMisused("the field is bound to its row, and the row's key was not given")
        if not self._row_bound:
            raise CipherMisused("the field is not bound to its row")
        return prefixed(row_key)

    def _bound_or_invalid(self, row_key: bytes | None) -> bytes:
        try:
            return self._bound(row_key)
        except CipherMisused as misuse:
            raise EnvelopeInvalid(str(misuse)) from None

    def _explain(self, envelope: bytes) -> NoReturn:
        """Says why an envelope cannot be opened that has none of the expected heads, or is too short."""
        parts = parse(envelope)
        if parts.key_id not in self._key_ids:
            raise UnknownKey("the envelope's key is not among the keys that open this field")
        raise EnvelopeInvalid("the envelope is not of the field's scheme")


def _term_function(controller: str, key: TermKey) -> Callable[[bytes], bytes]:
    """From the term input to the whole hash.  Raises NormaliserUnusable."""
    where = prefixed(controller.encode()) + prefixed(key.scope.encode())
    if not key.normalisers:
        exact = keyed_hash(key.material, prefixed(TERM_LABEL) + where)
        return lambda term_input: exact(prefixed(term_input))
    names = prefixed(" ".join(key.normalisers).encode())
    lossy = keyed_hash(key.material, prefixed(NORMALISED_TERM_LABEL) + where + names)
    normalise = normaliser_of(key.normalisers)
    return lambda term_input: lossy(prefixed(normalise(term_input)))
