"""A store of keys that writes an audit record before and after each change of a key's state (I8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from keys.database_store import DatabaseKeyStore, Move
from keys.key_tables import KeyTables
from keys.keyring import Slot
from keys.lifecycle import KeyState
from keys.provider import KekProvider
from keys.records import StoredKey
from policies.audit.key_events import Author, KeyEvent, KeyRecord, Outcome
from proxy.keywork.trail import Trail


class AuditedKeyStore(DatabaseKeyStore):
    """Raises Refusal besides, when the record cannot be written: then nothing is changed."""

    def __init__(
        self,
        tables: KeyTables,
        provider: KekProvider,
        others: Sequence[KekProvider] = (),
        *,
        trail: Trail,
        author: Author,
    ) -> None:
        super().__init__(tables, provider, others)
        self._trail, self._author = trail, author

    @classmethod
    def of(cls, store: DatabaseKeyStore, trail: Trail, author: Author) -> AuditedKeyStore:
        """The same store, audited."""
        return cls(store.tables, store.provider, store.others, trail=trail, author=author)

    async def create(self, slots: Iterable[Slot], state: KeyState = KeyState.PRE_ACTIVE) -> tuple[StoredKey, ...]:
        """A new key's id is known only afterwards; the record before names none."""
        record = KeyRecord(KeyEvent.KEY_STATE, self._author, state=state.value)
        async with self._trail.asking(record):
            made = await super().create(slots, state)
        await self._trail.write(replace(record, keys=tuple(key.name for key in made)))
        return made

    async def transition(self, moves: Sequence[Move]) -> tuple[StoredKey, ...]:
        for move in moves:
            record = KeyRecord(KeyEvent.KEY_STATE, self._author, state=move.after.value, keys=(move.key_id.hex(),))
            await self._trail.write(replace(record, outcome=Outcome.ASKED))
        moved = await super().transition(moves)
        for key in moved:
            record = KeyRecord(KeyEvent.KEY_STATE, self._author, state=key.info.state.value, keys=(key.name,))
            await self._trail.write(record)
        return moved
