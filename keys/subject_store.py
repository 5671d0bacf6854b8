"""Data subjects' secrets in the control database: loaded and made in batches, destroyed one at a time.

A batch is one statement to load, and one more to make what is not there, however many subjects are asked for.  Secrets
are wrapped by a data key of the controller's for this kind of subjects (AES-256-GCM; associated data: controller, kind,
tag and key id), so no provider is asked.  Who the row is for is told by a tag, a keyed hash of the subject's key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from .ciphers import SealLeases, Unshareable
from .envelope import prefixed
from .errors import KeyringInvalid, SubjectSecretInvalid
from .keyring import HeldKey, Keyring, subject_slots
from .lifecycle import OPENING
from .primitives import NONCE_SIZE, InvalidTag, aead, keyed_hash, random_bytes
from .subjects import SECRET_SIZE, SubjectName

TAG_SIZE = 16
TAG_LABEL = b"fieldgate subject tag v1"
WRAP_LABEL = b"fieldgate subject secret v1"

Connections = Callable[[], AbstractAsyncContextManager[Any]]
"""Gives an asyncpg connection to the control database, for the time of a `with`."""


@dataclass(frozen=True, slots=True, eq=False)
class SubjectKeys(Unshareable):
    """What secrets of one kind are wrapped by, and found by.  The newest is used for new ones."""

    primary: HeldKey
    readable: Mapping[bytes, HeldKey]
    tags: HeldKey

    @classmethod
    def of(cls, keyring: Keyring, controller: str, kind: str) -> SubjectKeys:
        """Raises KeyringInvalid when the keyring lacks one."""
        wrapping, tagging = subject_slots(controller, kind)
        primary, tags = keyring.active(wrapping), keyring.active(tagging)
        if primary is None or tags is None:
            raise KeyringInvalid(f"the keyring has no keys for subjects of the kind {kind}: run `fieldgate keys add`")
        opening = [key for key in keyring.keys if key.info.slot == wrapping and key.info.state in OPENING]
        return cls(primary, {key.info.key_id: key for key in opening}, tags)


class SubjectStore(Unshareable):
    """For one controller.  `keys` are those of each kind."""

    __slots__ = ("_connections", "_controller", "_keys", "_leases", "_left", "round_trips")

    def __init__(
        self, controller: str, keys: Mapping[str, SubjectKeys], connections: Connections, leases: SealLeases
    ) -> None:
        self._controller, self._keys, self._connections, self._leases = controller, keys, connections, leases
        self._left: dict[bytes, int] = {}
        self.round_trips = 0

    def tag(self, name: SubjectName) -> bytes:
        """Raises KeyringInvalid for a kind without keys."""
        material = self._of(name.kind).tags.material
        where = prefixed(TAG_LABEL) + prefixed(self._controller.encode()) + prefixed(name.kind.encode())
        return keyed_hash(material, where)(prefixed(name.key))[:TAG_SIZE]

    async def load(self, names: Iterable[SubjectName]) -> dict[SubjectName, bytes | None]:
        """Each one's secret; empty when it was destroyed, None when there is none.  Raises SubjectSecretInvalid."""
        tags = {(name.kind, self.tag(name)): name for name in names}
        rows = await self._read(tags)
        return {name: rows.get(at) for at, name in tags.items()}

    async def make(self, names: Iterable[SubjectName]) -> dict[SubjectName, bytes | None]:
        """The same; for those that have none one is made, unless somebody else makes it at the same time."""
        tags = {(name.kind, self.tag(name)): name for name in names}
        rows = await self._read(tags)
        new = [at for at in tags if at not in rows]
        if new:
            await self._write(new)
            rows |= await self._read(new)
        return {name: rows.get(at) for at, name in tags.items()}

    async def destroy(self, name: SubjectName) -> bool:
        """Afterwards there is no secret of this subject, and none will be made.  False when it was so before."""
        tag, primary = self.tag(name), self._of(name.kind).primary
        async with self._connections() as connection:
            self.round_trips += 1
            done = await connection.fetchval(_DESTROY, self._controller, name.kind, tag, primary.info.key_id)
        return done is not None

    async def destroyed(self, name: SubjectName) -> bool:
        [found] = (await self.load([name])).values()
        return found == b""

    # -- inside --

    def _of(self, kind: str) -> SubjectKeys:
        found = self._keys.get(kind)
        if found is None:
            raise KeyringInvalid(f"the data map has no subjects of the kind {kind}")
        return found

    async def _read(self, tags: Iterable[tuple[str, bytes]]) -> dict[tuple[str, bytes], bytes | None]:
        asked = list(tags)
        if not asked:
            return {}
        async with self._connections() as connection:
            self.round_trips += 1
            rows = await connection.fetch(_LOAD, self._controller, *map(list, zip(*asked, strict=True)))
        return {(row["kind"], row["tag"]): self._unwrapped(row) for row in rows}

    async def _write(self, tags: Sequence[tuple[str, bytes]]) -> None:
        rows = [(kind, tag, *self._wrapped(kind, tag)) for kind, tag in sorted(tags)]
        async with self._connections() as connection:
            self.round_trips += 1
            await connection.execute(_MAKE, self._controller, *map(list, zip(*rows, strict=True)))

    def _wrapped(self, kind: str, tag: bytes) -> tuple[bytes, bytes]:
        """The wrapping key's id and a new secret, wrapped by it.  Raises SealBudgetExhausted."""
        key = self._of(kind).primary
        key_id = key.info.key_id
        if self._left.get(key_id, 0) <= 0:
            self._left[key_id] = self._leases.lease(key_id)
        self._left[key_id] -= 1
        nonce = random_bytes(NONCE_SIZE)
        sealed = aead(key.material).encrypt(nonce, random_bytes(SECRET_SIZE), self._context(kind, tag, key_id))
        return key_id, nonce + sealed

    def _unwrapped(self, row: Any) -> bytes:
        if row["wrapped"] is None:
            return b""
        wrapped, key = bytes(row["wrapped"]), self._of(row["kind"]).readable.get(row["key_id"])
        if key is None:
            raise SubjectSecretInvalid("a data subject's secret is wrapped by a key that opens nothing")
        context = self._context(row["kind"], row["tag"], row["key_id"])
        try:
            return aead(key.material).decrypt(wrapped[:NONCE_SIZE], wrapped[NONCE_SIZE:], context)
        except (InvalidTag, ValueError):
            raise SubjectSecretInvalid("a data subject's secret does not unwrap: the row was changed") from None

    def _context(self, kind: str, tag: bytes, key_id: bytes) -> bytes:
        parts = (WRAP_LABEL, self._controller.encode(), kind.encode(), tag)
        return b"".join(map(prefixed, parts)) + key_id


_LOAD = """
SELECT s.kind, s.tag, s.key_id, s.wrapped FROM fieldgate.subject_secrets s
JOIN ROWS FROM (pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.bytea[])) AS a(kind, tag)
  ON s.kind OPERATOR(pg_catalog.=) a.kind AND s.tag OPERATOR(pg_catalog.=) a.tag
WHERE s.controller OPERATOR(pg_catalog.=) $1
"""
_MAKE = """
INSERT INTO fieldgate.subject_secrets (controller, kind, tag, key_id, wrapped)
SELECT $1, a.kind, a.tag, a.key_id, a.wrapped
FROM ROWS FROM (pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.bytea[]),
                pg_catalog.unnest($4::pg_catalog.bytea[]), pg_catalog.unnest($5::pg_catalog.bytea[]))
     AS a(kind, tag, key_id, wrapped)
ON CONFLICT (controller, kind, tag) DO NOTHING
"""
# A subject that has no secret yet gets none later either: what is sealed from now on would not be destroyed.
_DESTROY = """
INSERT INTO fieldgate.subject_secrets AS s (controller, kind, tag, key_id, wrapped, destroyed_at)
VALUES ($1, $2, $3, $4, NULL, pg_catalog.now())
ON CONFLICT (controller, kind, tag) DO UPDATE SET wrapped = NULL, destroyed_at = pg_catalog.now()
WHERE s.destroyed_at IS NULL RETURNING 1
"""
