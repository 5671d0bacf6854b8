"""The control database's tables of keys, in memory: KeyTables for tests that need no server, and a provider for them.

Both pass the same suites as the real ones (tests/keys/test_database_store.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from keys.errors import KeyringLocked, ProviderUnavailable
from keys.key_tables import GRACE, Holder, Uses
from keys.primitives import InvalidTag, aead, random_bytes
from keys.provider import Wrapped, Wrapping
from keys.records import KeySnapshot, StoredKey


@dataclass
class MemoryTables:
    """One store; `sleep` moves its clock."""

    number: int = 1
    code: bytes | None = None
    rows: dict[bytes, StoredKey] = field(default_factory=dict)
    holders: dict[UUID, Holder] = field(default_factory=dict)
    used: dict[tuple[bytes, date], Uses] = field(default_factory=dict)
    ahead: timedelta = timedelta()

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)

    async def read(self) -> KeySnapshot:
        keys = sorted(self.rows.values(), key=lambda key: (key.info.slot, key.info.epoch))
        return KeySnapshot(self.number, self.code, tuple(keys), self.now)

    async def write(self, expected: int, rows: Sequence[StoredKey], code: bytes) -> bool:
        if expected != self.number:
            return False
        for row in rows:
            known = self.rows.get(row.info.key_id)
            granted = row.seals_granted if known is None else known.seals_granted
            self.rows[row.info.key_id] = replace(row, seals_granted=granted)
        self.number, self.code = expected + 1, code
        return True

    async def confirm(self, holder_id: UUID, number: int, lease: float) -> tuple[bool, int]:
        fine = holder_id in self.holders or number == self.number
        if fine:
            self.holders[holder_id] = Holder(holder_id, number, self.now + timedelta(seconds=lease))
        return fine, self.number

    async def leave(self, holder_id: UUID) -> None:
        self.holders.pop(holder_id, None)

    async def behind(self, number: int) -> tuple[Holder, ...]:
        over = self.now - timedelta(seconds=GRACE)
        late = [holder for holder in self.holders.values() if holder.confirmed < number]
        for holder in late:
            if holder.lease_until < over:
                del self.holders[holder.holder_id]
        return tuple(holder for holder in late if holder.holder_id in self.holders)

    async def count_uses(self, day: date, uses: Mapping[bytes, Uses]) -> None:
        for key_id, use in uses.items():
            known = self.used.get((key_id, day), Uses())
            self.used[key_id, day] = Uses(known.sealed + use.sealed, known.opened + use.opened)

    async def uses(self) -> Mapping[bytes, Uses]:
        summed: dict[bytes, Uses] = {}
        for (key_id, _), use in self.used.items():
            known = summed.get(key_id, Uses())
            summed[key_id] = Uses(known.sealed + use.sealed, known.opened + use.opened)
        return summed


class MemoryProvider:
    """A KekProvider whose versions are keys in memory; counts its calls, and can be `down`."""

    def __init__(self, uri: str = "memory:test") -> None:
        self._uri = uri
        self._keks = [random_bytes(32)]
        self.calls: list[str] = []
        self.down = False

    @property
    def uri(self) -> str:
        return self._uri

    async def open(self) -> None:
        self._ask("open")

    async def close(self) -> None:
        pass

    async def wrap(self, items: Sequence[Wrapping]) -> list[bytes]:
        if items:
            self._ask("wrap")
        return [self._wrapped(item.material, item.context) for item in items]

    async def unwrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        if items:
            self._ask("unwrap")
        return [self._unwrapped(item) for item in items]

    async def rewrap(self, items: Sequence[Wrapped]) -> list[bytes]:
        if items:
            self._ask("rewrap")
        return [self._wrapped(self._unwrapped(item), item.context) for item in items]

    async def rotate(self) -> str:
        self._ask("rotate")
        self._keks.append(random_bytes(32))
        return await self.version()

    async def version(self) -> str:
        self._ask("version")
        return str(len(self._keks))

    def version_of(self, blob: bytes) -> str:
        return str(blob[0])

    async def check(self) -> None:
        self._ask("check")

    def _ask(self, what: str) -> None:
        self.calls.append(what)
        if self.down:
            raise ProviderUnavailable(f"{self._uri} does not answer")

    def _wrapped(self, material: bytes, context: bytes) -> bytes:
        nonce = random_bytes(12)
        return bytes((len(self._keks),)) + nonce + aead(self._keks[-1]).encrypt(nonce, material, context)

    def _unwrapped(self, item: Wrapped) -> bytes:
        try:
            kek = self._keks[item.blob[0] - 1]
            return aead(kek).decrypt(item.blob[1:13], item.blob[13:], item.context)
        except (IndexError, InvalidTag, ValueError):
            raise KeyringLocked("a key does not unwrap in its context") from None
