"""Seal, open and term for one field: the class that does it.  Pure; what it is asked for stands in `ciphers`.

`FieldKeyCipher.open` is the inner loop of every result: one dictionary look-up by the envelope's first 12 bytes finds
key, scheme and version at once, so an envelope of another version, scheme or key never reaches AES.  docs/envelope.md
has the bytes.  Nothing here waits, except that a spent lease asks `SealLeases` for the next one (see keys/leases.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from .ciphers import DataKey, FieldCipher, FieldCiphers, SealLeases, Searching, TermKey, TokenKey, Unshareable
from .envelope import (
    HEAD_SIZE,
    MAX_BUCKET,
    MAX_PLAINTEXT,
    TERM_SIZE,
    TOKEN_COUNT_SIZE,
    TOKEN_SIZE,
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
    second_size,
    tokens_at,
    unpad,
)
from .errors import CipherMisused, EnvelopeInvalid, SubjectDestroyed, UnknownKey
from .primitives import NONCE_SIZE, TAG_SIZE, InvalidTag, aead, random_bytes
from .searching import kinds_that_open, makers, merged, require_fitting
from .tokens.making import TokenMaker

__all__ = [
    "DataKey", "FieldCipher", "FieldCiphers", "FieldKeyCipher", "SealLeases", "Searching", "TermKey", "TokenKey",
    "Unshareable",
]  # fmt: skip

SCHEME_AT, _KEY_ID_AT = 3, 4
EPOCHS = Scheme.SECOND | Scheme.EVEN


Decrypt = Callable[[bytes, bytes, bytes], bytes]
# Decrypts; is padded; has search tokens; how many bytes stand behind these; the least size; how often it was used.
Opening = tuple[Decrypt, bool, bool, int, int, list[int]]


class FieldKeyCipher(Unshareable):
    """One field under its keys: `primary` seals, and each of `readable` opens.  Belongs to one thread.

    `next_searching` is given while a term key is rotated: every cell then carries the terms and tokens of both epochs.
    `search_next` says that `term` and `tokens` answer for the next epoch already, since every cell has its.
    `others` are what cells were, or will be, found by under other epochs of the term key: `term` and `tokens` answer
    for these when they are asked.

    Raises ValueError when the parts do not fit together.
    """

    __slots__ = (
        "_asked_term", "_asked_tokens", "_bucket", "_context", "_encrypt", "_epochs", "_head", "_header_end",
        "_key_ids", "_leased", "_leases", "_left", "_next_term", "_next_tokens", "_opened", "_openers", "_primary_id",
        "_reserve", "_row_bound", "_term", "_terms", "_tokens", "_tokens_by_epoch", "epochs", "field_id",
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
        next_searching: Searching | None = None,
        search_next: bool = False,
        others: Iterable[Searching] = (),
        row_bound: bool = False,
        pad_to: int = 0,
        per_subject: bool = False,
    ) -> None:
        if not 0 <= pad_to <= MAX_BUCKET:
            raise ValueError(f"cells are padded to multiples of at most {MAX_BUCKET} bytes")
        searching = Searching(term_key, token_key)
        require_fitting(searching, next_searching, search_next)
        scheme = scheme_of(
            term=term_key is not None,
            row_bound=row_bound,
            padded=pad_to > 0,
            tokens=token_key is not None,
            second=next_searching is not None,
            even=searching.epoch % 2 == 0,
            per_subject=per_subject,
        )
        self.field_id = field_id
        # Of the term key, whose terms and tokens the cells have that are sealed here; ascending.
        self.epochs = (searching.epoch,) if next_searching is None else (searching.epoch, next_searching.epoch)
        self._context = context(controller, field_id)
        self._bucket = pad_to
        self._row_bound = row_bound
        self._header_end = tokens_at(scheme)
        self._term, self._tokens = makers(controller, field_id, searching)
        self._next_term, self._next_tokens = makers(controller, field_id, next_searching or Searching())
        found_by = {each.epoch: makers(controller, field_id, each) for each in others}
        found_by[searching.epoch] = self._term, self._tokens
        if next_searching is not None:
            found_by[next_searching.epoch] = self._next_term, self._next_tokens
        self._terms = {epoch: term for epoch, (term, _) in found_by.items()}
        self._tokens_by_epoch = {epoch: tokens for epoch, (_, tokens) in found_by.items()}
        firsts = {Scheme.EVEN if epoch % 2 == 0 else Scheme(0) for epoch in found_by}
        self._epochs = firsts | {first | Scheme.SECOND for first in firsts}
        self._asked_term = self._next_term if search_next else self._term
        self._asked_tokens = self._next_tokens if search_next else self._tokens
        self._leases, self._left, self._reserve, self._leased = leases, 0, 0, 0
        self._primary_id = primary.key_id
        self._head = build_head(scheme, primary.key_id)
        self._encrypt = aead(primary.material).encrypt
        keys = {key.key_id: key for key in (*readable, primary)}
        self._key_ids = frozenset(keys)
        self._opened = {key_id: [0] for key_id in keys}  # counted in place: the inner loop has no time for more
        self._openers = {
            build_head(kind, key.key_id): (
                decrypt,
                bool(kind & Scheme.PADDED),
                bool(kind & Scheme.TOKENS),
                second_size(kind),
                minimum_size(kind & ~Scheme.PADDED),
                self._opened[key.key_id],
            )
            for key in keys.values()
            for decrypt in (aead(key.material).decrypt,)
            for kind in kinds_that_open(scheme)
        }

    @property
    def head(self) -> bytes:
        """The 12 bytes that every cell sealed from now on begins with; the column's CHECK admits just these."""
        return self._head

    @property
    def known_heads(self) -> frozenset[bytes]:
        """The heads of this scheme under any key that opens, with terms of each epoch that is held, and the next."""
        scheme = Scheme(self._head[SCHEME_AT]) & ~EPOCHS
        kinds = {scheme} if not scheme & (Scheme.TERM | Scheme.TOKENS) else {scheme | bits for bits in self._epochs}
        return frozenset(build_head(kind, key_id) for kind in kinds for key_id in self._key_ids)

    def seal(self, plaintext: bytes, *, term_input: bytes | None = None, row_key: bytes | None = None) -> bytes:
        header = self._header(plaintext, term_input)
        associated = header + self._context
        if row_key is not None or self._row_bound:
            associated += self._bound(row_key)
        if len(plaintext) > MAX_PLAINTEXT:
            raise CipherMisused("the value is too long for a sealed field")
        return header + self._sealed(plaintext, associated, row_key)

    def found_by(self, plaintext: bytes, term_input: bytes | None = None) -> bytes:
        """What stands in a cell's header behind the head: the terms and tokens that this value is found by."""
        return self._header(plaintext, term_input)[HEAD_SIZE:]

    def reseal(
        self,
        envelope: bytes,
        *,
        row_key: bytes | None = None,
        term_input: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        """The same value under the primary key, whichever readable key it was sealed by.

        Terms and search tokens stay as they are, since opening has authenticated them.  Tokens are made, or dropped,
        where the cell was sealed before they were switched on or off; and where it carries terms of other epochs than
        are written now all are made: `term_input` then gives the input of a plaintext.  Raises as `open` and `seal`.
        """
        plaintext = self.open(envelope, row_key=row_key)
        differing = envelope[SCHEME_AT] ^ self._head[SCHEME_AT]
        if differing & EPOCHS:
            made = term_input(plaintext) if term_input is not None and self._term is not None else None
            return self.seal(plaintext, term_input=made, row_key=row_key)
        header = self._head + self._kept(envelope, plaintext, differing)
        associated = header + self._context
        if self._row_bound:
            associated += self._bound(row_key)
        return header + self._sealed(plaintext, associated, row_key)

    def _kept(self, envelope: bytes, plaintext: bytes, differing: int) -> bytes:
        """What follows the head of a cell that has been opened, with tokens as they are written now."""
        scheme, start = envelope[SCHEME_AT], self._header_end
        end = header_end(envelope, start) if scheme & Scheme.TOKENS else start
        behind = second_size(Scheme(scheme))
        if not differing & Scheme.TOKENS:
            return envelope[HEAD_SIZE : end + behind]
        tokens = b"" if self._tokens is None else build_tokens(self._tokens_of(self._tokens, plaintext))
        return envelope[HEAD_SIZE:start] + tokens + envelope[end : end + behind]

    def _sealed(self, plaintext: bytes, associated: bytes, row_key: bytes | None) -> bytes:
        """Nonce, ciphertext and tag; counts one seal."""
        del row_key  # it is in what is associated
        self._take_seals(1)
        nonce = random_bytes(NONCE_SIZE)
        return nonce + self._encrypt(nonce, pad(plaintext, self._bucket) if self._bucket else plaintext, associated)

    def seal_all(self, plaintexts: Sequence[bytes], term_inputs: Sequence[bytes] | None = None) -> list[bytes]:
        inputs: Sequence[bytes | None] = [None] * len(plaintexts) if term_inputs is None else term_inputs
        unusual = self._row_bound or (self._term is None) is not (term_inputs is None)
        if unusual or not plaintexts or max(map(len, plaintexts)) > MAX_PLAINTEXT:
            return [self.seal(plain, term_input=given) for plain, given in zip(plaintexts, inputs, strict=True)]
        made: list[bytes] = []
        while (done := len(made)) < len(plaintexts):  # as many at once as are left of the lease
            following = done + self._take_seals(len(plaintexts) - done)
            made += self._sealed_together(plaintexts[done:following], inputs[done:following])
        return made

    def _sealed_together(self, plaintexts: Sequence[bytes], inputs: Sequence[bytes | None]) -> list[bytes]:
        drawn = random_bytes(NONCE_SIZE * len(plaintexts))
        nonces = [drawn[at : at + NONCE_SIZE] for at in range(0, len(drawn), NONCE_SIZE)]
        padded = [pad(plain, self._bucket) for plain in plaintexts] if self._bucket else plaintexts
        encrypt, behind, head, associated = self._encrypt, self._context, self._head, self._head + self._context
        if self._header_end == HEAD_SIZE and self._tokens is None and self._next_term is None:
            return [
                head + nonce + encrypt(nonce, plain, associated) for nonce, plain in zip(nonces, padded, strict=True)
            ]
        headers = map(self._header, plaintexts, inputs)
        return [
            header + nonce + encrypt(nonce, plain, header + behind)
            for header, nonce, plain in zip(headers, nonces, padded, strict=True)
        ]

    def open(self, envelope: bytes, *, row_key: bytes | None = None) -> bytes:
        found = self._openers.get(envelope[:HEAD_SIZE])  # as in `_find`: a call would be a fifth of the time
        if found is None or len(envelope) < found[4]:
            self._explain(envelope)
        decrypt, padded, has_tokens, behind, _, opened = found
        start = self._header_end + behind
        if has_tokens:
            start = header_end(envelope, self._header_end) + behind
            if len(envelope) < start + NONCE_SIZE + TAG_SIZE:
                self._explain(envelope)
        body = start + NONCE_SIZE
        associated = envelope[:start] + self._context
        if row_key is not None or self._row_bound:
            associated += self._bound_or_invalid(row_key)
        try:
            plaintext = decrypt(envelope[start:body], envelope[body:], associated)
        except InvalidTag:
            raise _changed() from None
        opened[0] += 1
        return unpad(plaintext) if padded else plaintext

    def _header(self, plaintext: bytes, term_input: bytes | None) -> bytes:
        header = self._head
        if self._term is not None or term_input is not None:
            header += self._required_term(self._term, term_input)
        if self._tokens is not None:
            header += build_tokens(self._tokens_of(self._tokens, plaintext))
        if self._next_term is not None:
            header += self._required_term(self._next_term, term_input)
        return header

    def _take_seals(self, most: int) -> int:
        """How many of so many cells may be sealed now, which are counted."""
        if self._left <= 0:
            self._left = self._next_block()
        taken = min(most, self._left)
        self._left -= taken
        return taken

    def _find(self, envelope: bytes) -> tuple[Opening, int]:
        """What opens this envelope, and where its nonce stands.  Raises EnvelopeInvalid or UnknownKey."""
        found = self._openers.get(envelope[:HEAD_SIZE])
        if found is None or len(envelope) < found[4]:
            self._explain(envelope)
        start = self._header_end + found[3]
        if found[2]:
            start = header_end(envelope, self._header_end) + found[3]
            if len(envelope) < start + NONCE_SIZE + TAG_SIZE:
                self._explain(envelope)
        return found, start

    def open_all(self, envelopes: Sequence[bytes]) -> list[bytes]:
        heads = {envelope[:HEAD_SIZE] for envelope in envelopes}
        found = self._openers.get(min(heads)) if len(heads) == 1 and not self._row_bound else None
        if found is None or min(map(len, envelopes)) < found[4]:
            return [self.open(envelope) for envelope in envelopes]
        decrypt, padded, has_tokens, second, _, counted = found
        start, behind = self._header_end + second, self._context
        body = start + NONCE_SIZE
        try:
            if has_tokens:
                opened = self._open_behind_tokens(envelopes, decrypt, second)
            elif start == HEAD_SIZE:
                associated = envelopes[0][:start] + behind
                opened = [decrypt(each[start:body], each[body:], associated) for each in envelopes]
            else:
                opened = [decrypt(each[start:body], each[body:], each[:start] + behind) for each in envelopes]
        except InvalidTag:
            raise _changed() from None
        counted[0] += len(opened)
        return list(map(unpad, opened)) if padded else opened

    def _open_behind_tokens(self, envelopes: Sequence[bytes], decrypt: Decrypt, second: int) -> list[bytes]:
        """The number of tokens is read as `header_end` reads it."""
        at, behind = self._header_end, self._context
        fixed, rest = at + TOKEN_COUNT_SIZE + second, NONCE_SIZE + TAG_SIZE
        opened: list[bytes] = []
        for each in envelopes:
            start = fixed + TOKEN_SIZE * (each[at] << 8 | each[at + 1])
            if len(each) < start + rest:
                self._explain(each)
            body = start + NONCE_SIZE
            opened.append(decrypt(each[start:body], each[body:], each[:start] + behind))
        return opened

    def open_rows(self, envelopes: Sequence[bytes | None], row_keys: Sequence[bytes | None]) -> list[bytes | None]:
        return [self._open_or_none(envelope, key) for envelope, key in zip(envelopes, row_keys, strict=True)]

    def _open_or_none(self, envelope: bytes | None, row_key: bytes | None) -> bytes | None:
        try:
            return None if envelope is None else self.open(envelope, row_key=row_key)
        except SubjectDestroyed:
            return None

    def term(self, term_input: bytes, epoch: int | None = None) -> bytes:
        if epoch is None or self._asked_term is None:
            return self._required_term(self._asked_term, term_input)
        made = self._terms.get(epoch)
        if made is None:
            raise UnknownKey("the key of these terms is not among those that are held")
        return self._required_term(made, term_input)

    def tokens(self, inputs: Iterable[bytes], epoch: int | None = None) -> list[bytes]:
        if self._asked_tokens is None:
            raise CipherMisused("the field has no search tokens")
        made = self._asked_tokens if epoch is None else self._tokens_by_epoch.get(epoch)
        if made is None:
            raise UnknownKey("the key of these search tokens is not among those that are held")
        return made.of_inputs(inputs)

    def uses(self) -> Iterable[tuple[bytes, int, int]]:
        """How often each key has sealed and opened here, since this cipher was made: (key id, sealed, opened)."""
        for key_id, opened in self._opened.items():
            yield key_id, self._leased - self._left if key_id == self._primary_id else 0, opened[0]

    def renew(self, below: int) -> None:
        """Takes the next lease early, when fewer seals than this are left of one in use: call it off the query path.

        The one method that another thread may call: it only fills the reserve, and `seal` only empties it.
        """
        if 0 < self._left < below and not self._reserve:
            self._reserve = self._leases.lease(self._primary_id)

    def close(self) -> None:
        """Gives the rest of the lease back; the next seal takes a new one."""
        self._leased -= self._left
        unused, self._left, self._reserve = self._left + self._reserve, 0, 0
        if unused > 0:
            self._leases.give_back(self._primary_id, unused)

    def _next_block(self) -> int:
        block, self._reserve = self._reserve, 0
        block = block or self._leases.lease(self._primary_id)
        self._leased += block
        return block

    def _required_term(self, made: Callable[[bytes], bytes] | None, term_input: bytes | None) -> bytes:
        if made is None:
            raise CipherMisused("the field has no equality term")
        if term_input is None:
            raise CipherMisused("the field has an equality term, and its input was not given")
        return made(term_input)[:TERM_SIZE]

    def _tokens_of(self, maker: TokenMaker, plaintext: bytes) -> bytes:
        """Those of both epochs in one list: a search by either finds the cell."""
        made = maker.of_cell(plaintext)
        return made if self._next_tokens is None else merged(made, self._next_tokens.of_cell(plaintext))

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


def _changed() -> EnvelopeInvalid:
    return EnvelopeInvalid("the envelope was changed, cut, or stands where it was not sealed for")
