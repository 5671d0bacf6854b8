"""Cells that open only with their data subject's secret, so that destroying the secret destroys them.  Pure.

A field of a table that declares its subject has a data key like any other; each cell is sealed twice, under the secret
of the subject whose row it is, and then under the data key (docs/envelope.md, Per-subject secrets).  The key that the
cell is bound to names the subject.

Secrets are AES-256 keys, 32 random bytes that stand, wrapped, in the control database.  Here they are in a bounded
memory, and what is not in it must be loaded before it can be used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from .ciphers import Unshareable
from .envelope import HEAD_SIZE, pad, prefixed, unpad
from .errors import EnvelopeInvalid, SubjectDestroyed, SubjectSecretNeeded, UnknownKey
from .field import FieldKeyCipher
from .primitives import NONCE_SIZE, InvalidTag, Sealer, aead, random_bytes

SECRET_SIZE = 32
CAPACITY = 200_000  # secrets in memory; some 250 bytes each
READY = 1024  # of each kind, with their key schedules made
_UNKNOWN = bytes(1)  # no secret is so short


class SubjectName(NamedTuple):
    """`kind`: what numbers its subjects alike (`customer`); `key`: the canonical bytes of the subject's key."""

    kind: str
    key: bytes


class KindSecrets(Protocol):
    """Those of one kind of subjects."""

    def sealer(self, key: bytes) -> Sealer:
        """AES-256-GCM under the secret of this subject.

        Raises SubjectSecretNeeded when it must be loaded first, SubjectDestroyed, UnknownKey when there is none.
        """
        ...


class SubjectSecrets(Protocol):
    def of_kind(self, kind: str) -> KindSecrets: ...


class _Kind(Unshareable):
    """Some are kept ready, since all cells of a row are one subject's, and the columns of a run are opened in turn."""

    __slots__ = ("_kind", "_ready", "known")

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.known: dict[bytes, bytes | None] = {}  # None: there is none; empty: destroyed
        self._ready: dict[bytes, Sealer] = {}

    def sealer(self, key: bytes) -> Sealer:
        ready = self._ready.get(key)
        if ready is not None:
            return ready
        found = self.known.get(key, _UNKNOWN)
        if found is _UNKNOWN:
            raise SubjectSecretNeeded(SubjectName(self._kind, key))
        if found is None:
            raise UnknownKey("the data subject has no secret in the key store")
        if not found:
            raise SubjectDestroyed("the data subject's secret was destroyed")
        if len(self._ready) >= READY:
            self._ready.clear()
        ready = self._ready[key] = aead(found)
        return ready

    def forget_ready(self, key: bytes | None = None) -> None:
        """Of one subject, or of all."""
        if key is None:
            self._ready.clear()
        else:
            self._ready.pop(key, None)


class SubjectCache(Unshareable):
    """The secrets that are in memory, and what is known of others; the oldest go first.  One for each controller.

    What one piece of work needs stays together in memory for it, however much it is; the next one makes room again.
    """

    __slots__ = ("_capacity", "_kinds", "_size", "generation")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kinds: dict[str, _Kind] = {}
        self._size = 0
        self.generation = 0  # how often all were forgotten

    def of_kind(self, kind: str) -> _Kind:
        return self._kinds.setdefault(kind, _Kind(kind))

    def missing(self, names: Iterable[SubjectName]) -> set[SubjectName]:
        """Those that must be loaded before their cells can be opened."""
        return {name for name in names if name.key not in self.of_kind(name.kind).known}

    def absent(self, names: Iterable[SubjectName]) -> set[SubjectName]:
        """Those of which none is known: one is made, or loaded, before anything of theirs is sealed."""
        return {name for name in names if self.of_kind(name.kind).known.get(name.key) is None}

    def put(self, name: SubjectName, secret: bytes | None) -> None:
        """`secret`: empty when it was destroyed, None when there is none."""
        self.put_all({name: secret}, {name})

    def put_all(self, found: Mapping[SubjectName, bytes | None], needed: Collection[SubjectName]) -> None:
        """The same for many.  Afterwards nothing of `needed` is missing that was known, or is in `found`."""
        if any(secret and len(secret) != SECRET_SIZE for secret in found.values()):
            raise ValueError(f"a subject's secret has {SECRET_SIZE} bytes")
        needed = needed if isinstance(needed, set | frozenset) else set(needed)
        for name, secret in found.items():
            kind = self.of_kind(name.kind)
            kind.forget_ready(name.key)
            self._size += name.key not in kind.known
            kind.known[name.key] = secret
        if self._size > self._capacity:
            self._make_room(needed)

    def _make_room(self, needed: Collection[SubjectName]) -> None:
        for name in needed:  # behind all others: the oldest go first
            known = self.of_kind(name.kind).known
            if name.key in known:
                known[name.key] = known.pop(name.key)
        for kind in sorted(self._kinds, key=lambda each: len(self._kinds[each].known), reverse=True):
            known = self._kinds[kind].known
            while self._size > self._capacity and known:
                oldest = next(iter(known))
                if SubjectName(kind, oldest) in needed:
                    break
                del known[oldest]
                self._kinds[kind].forget_ready(oldest)
                self._size -= 1

    def forget_absent(self, names: Iterable[SubjectName]) -> None:
        """That there is no secret of these: somebody else may make one at any time."""
        for name in names:
            known = self.of_kind(name.kind).known
            if known.get(name.key, _UNKNOWN) is None:
                del known[name.key]
                self._size -= 1

    def forget(self) -> None:
        """All of them: one may have been destroyed elsewhere."""
        for kind in self._kinds.values():
            kind.known.clear()
            kind.forget_ready()
        self._size = 0
        self.generation += 1

    def __len__(self) -> int:
        return self._size


class SubjectFieldCipher(FieldKeyCipher):
    """One field whose cells are sealed under their subjects' secrets, too; they are bound to the subject's key."""

    __slots__ = ("_secrets",)

    def __init__(self, *, secrets: KindSecrets, **parts: Any) -> None:
        """`parts`: those of FieldKeyCipher, without `row_bound` and `per_subject`."""
        super().__init__(row_bound=True, per_subject=True, **parts)
        self._secrets = secrets

    def _sealed(self, plaintext: bytes, associated: bytes, row_key: bytes | None) -> bytes:
        """Raises SubjectSecretNeeded, SubjectDestroyed and UnknownKey besides what every cipher raises."""
        inner = self._secrets.sealer(row_key or b"")
        self._take_seals(1)
        nonce = random_bytes(NONCE_SIZE)
        inside = inner.encrypt(nonce, pad(plaintext, self._bucket) if self._bucket else plaintext, associated)
        return nonce + self._encrypt(nonce, inside, associated)

    def open(self, envelope: bytes, *, row_key: bytes | None = None) -> bytes:
        """Raises SubjectSecretNeeded and SubjectDestroyed besides what every cipher raises."""
        found, start = self._find(envelope)
        body = start + NONCE_SIZE
        associated = envelope[:start] + self._context + self._bound_or_invalid(row_key)
        nonce = envelope[start:body]
        inner = self._secrets.sealer(row_key or b"")
        try:
            plaintext = inner.decrypt(nonce, found[0](nonce, envelope[body:], associated), associated)
        except InvalidTag:
            raise EnvelopeInvalid("the envelope was changed, cut, or stands where it was not sealed for") from None
        found[5][0] += 1
        return unpad(plaintext) if found[1] else plaintext

    def open_rows(self, envelopes: Sequence[bytes | None], row_keys: Sequence[bytes | None]) -> list[bytes | None]:
        openers, end, context, sealer = self._openers, self._header_end, self._context, self._secrets.sealer
        opened: list[bytes | None] = []
        for envelope, key in zip(envelopes, row_keys, strict=True):
            found = None if envelope is None or key is None else openers.get(envelope[:HEAD_SIZE])
            if envelope is None or key is None or found is None or found[2] or len(envelope) < found[4]:
                opened.append(self._open_or_none(envelope, key))  # by the way that says what is wrong
                continue
            body = end + found[3] + NONCE_SIZE
            associated = envelope[: body - NONCE_SIZE] + context + prefixed(key)
            nonce = envelope[body - NONCE_SIZE : body]
            try:
                plaintext = sealer(key).decrypt(nonce, found[0](nonce, envelope[body:], associated), associated)
            except SubjectDestroyed:
                opened.append(None)
                continue
            except InvalidTag:
                raise EnvelopeInvalid("an envelope was changed, cut, or stands where it was not sealed for") from None
            found[5][0] += 1
            opened.append(unpad(plaintext) if found[1] else plaintext)
        return opened
