"""ROTATE_TERM_KEY: all fields of one term key get another, while applications search, join and write.

    column     each table has a term column of the next epoch, too; it is NULL where a cell has no such term
    admit      CHECKs admit cells that carry the terms, and the search tokens, of both epochs
    key        the new key, pre-active; everyone who holds keys has loaded it, and writes cells with both
    fence      from here on the tables take no other cells
    re-encrypt what has the old ones alone
    narrow     CHECKs admit cells with both alone
    compare    cells are equal by the new terms where they are by the old ones
    switch     all tables of a database: the new term columns take over indexes and constraints, the old ones go, and
               columns of tokens get the name of the new epoch
    activate   the new key is active, the old one decrypt-only; everyone has loaded that, and the catalog with it
    ...        admit, fence, re-encrypt, narrow for cells with the new term alone; everyone has heard of these

Every step looks at what the databases say and does what is missing, so that a kill at any point is followed by running
the same again.  Until `key` a cancelled rotation is taken back; later it stops where it is, all searches are right, and
the next rotation of the key goes on with this one.  Whoever plans by an old column after `switch` gets an error, since
it is gone: never fewer rows.  A plan names a column and the epoch of what it looks for in it together; before `switch`
every cell has what the old columns are searched for, and after it every cell has what the new ones are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from keys.database_store import Move
from keys.envelope import Scheme
from keys.keyring import Slot
from keys.lifecycle import KeyState
from keys.records import StoredKey
from proxy.keywork.handler import Cancelled, Work
from proxy.sealing.facts import Connection

from .errors import RotationRefused
from .exchange import admitted_now, exchange_check
from .fence import fence_state
from .locking import Locking
from .places import Place
from .rotate import Rotation
from .session import settle
from .survey import members_of, survey
from .sweep import sweep
from .term_columns import (
    Privileges,
    TwoEpochs,
    add_column,
    drop_column,
    exchange_columns,
    is_searched,
    renamed_by,
    require_same,
)
from .term_obstacles import require_possible
from .terms import SCHEME_AT, bits_of, is_first, term_slot_of, with_bits
from .tools import Tools, keys_of


async def rotate_term_key(tools: Tools, privileges: Privileges, work: Work) -> None:
    """The handler.  The target's field stands for all that share its term key, in all databases."""
    target = work.operation.target
    slot, places = sharing(tools.places(), target.database, target.field or "")
    rotation = TermRotation(tools, privileges, work, slot, places)
    await rotation.run()
    await work.report({"finished": datetime.now(UTC).isoformat(timespec="seconds")})


def sharing(places: Sequence[Place], database: str | None, name: str) -> tuple[Slot, tuple[Place, ...]]:
    """The slot of a field's term key, and the places of all fields that have it.  Raises RotationRefused."""
    named = [place for place in places if place.field.name == name and database in (None, place.database)]
    if len(named) != 1:
        raise RotationRefused(name, ["it is not a sealed field of one database"])
    slot = term_slot_of(named[0])
    if slot is None:
        raise RotationRefused(name, ["it has no terms"])
    return slot, tuple(place for place in places if term_slot_of(place) == slot)


@dataclass(slots=True)
class TermRotation:
    tools: Tools
    privileges: Privileges
    work: Work
    slot: Slot
    places: tuple[Place, ...]
    old: int = 0
    moving: list[TwoEpochs] = field(default_factory=list)

    async def run(self) -> None:
        key = await self._key()
        if key is None or key.info.state is KeyState.PRE_ACTIVE:
            await self._require_possible()
            if key is None:
                key = await self._expand()
            await self.work.checkpoint("key")
            await self.tools.confirmed(self.work, "key")
            await self._all_have(bits_of(self.old) | Scheme.SECOND)
            await self._switch()
            await self._activate(key)
        await self.work.checkpoint("activated")
        await self.tools.confirmed(self.work, "activated")
        for place in self.places:
            async with self.tools.connection(place.database) as connection:
                await self._admit(connection, place, bits_of(self.old + 1), "admit")
        await self.tools.store.touch()
        await self.tools.confirmed(self.work, "admit")
        await self._all_have(bits_of(self.old + 1))

    # --- the key

    async def _key(self) -> StoredKey | None:
        """The key to rotate to: the one that this operation made, or another left behind; None: it is to be made."""
        snapshot = await self.tools.store.read()
        active, waiting = (keys_of(snapshot, self.slot, s) for s in (KeyState.ACTIVE, KeyState.PRE_ACTIVE))
        if not active:
            raise RotationRefused(self.slot.scope, ["it has no active key"])
        mine = self.work.operation.result.get("term_key")
        found = next((key for key in keys_of(snapshot, self.slot) if key.name == mine), None)
        if found is not None and found.info.state not in (KeyState.PRE_ACTIVE, KeyState.ACTIVE):
            raise RotationRefused(self.slot.scope, [f"its key {found.name} is {found.info.state} by now: rotate again"])
        if found is None:
            found = waiting[-1] if waiting else active[0] if await self._unfinished(active[0].info.epoch) else None
        self.old = active[0].info.epoch if found is not active[0] else active[0].info.epoch - 1
        self.moving = [TwoEpochs(place, self.old) for place in self.places]
        newest = max(key.info.epoch for key in keys_of(snapshot, self.slot))
        if (found.info.epoch if found is not None else newest + 1) != self.old + 1:
            raise RotationRefused(self.slot.scope, ["an epoch of its key was left out, and epochs follow one another"])
        return found

    async def _unfinished(self, active: int) -> bool:
        """Whether a rotation to the active key was left halfway: cells whose second term is its are admitted.

        Where its is the first, a rotation has begun that has no key yet.
        """
        for place in self.places:
            async with self.tools.connection(place.database) as connection:
                admitted = await admitted_now(connection, place.field)
                if any(head[SCHEME_AT] & Scheme.SECOND and not is_first(head, active) for head in admitted):
                    return True
                if (await fence_state(connection, place.field, await members_of(connection, place))).heads:
                    return True
        return False

    async def _activate(self, key: StoredKey) -> None:
        snapshot = await self.tools.store.read()
        retired = [
            Move(each.info.key_id, KeyState.ACTIVE, KeyState.DECRYPT_ONLY)
            for each in keys_of(snapshot, self.slot, KeyState.ACTIVE)
        ]
        await self.tools.store.transition([*retired, Move(key.info.key_id, KeyState.PRE_ACTIVE, KeyState.ACTIVE)])

    # --- the data databases

    async def _require_possible(self) -> None:
        for two in self.moving:
            async with self.tools.connection(two.place.database) as connection:
                renamed = renamed_by(self.moving, two.place.database)
                await require_possible(connection, two, renamed, self.tools.rewrite_limit)
                await survey(await settle(connection), two.place)

    async def _expand(self) -> StoredKey:
        """The columns, then the CHECKs, then the key: who has loaded it finds both."""
        try:
            await self.work.checkpoint("column")
            for two in self.moving:
                async with self.tools.connection(two.place.database) as connection:
                    await add_column(connection, two, self._locking(connection, "column"))
            for place in self.places:
                async with self.tools.connection(place.database) as connection:
                    await self._admit(connection, place, bits_of(self.old) | Scheme.SECOND, "admit")
        except Cancelled:
            await self._take_back()
            raise
        [key] = await self.tools.store.create([self.slot])
        await self.work.report({"term_key": key.name})
        return key

    async def _take_back(self) -> None:
        for two in self.moving:
            async with self.tools.connection(two.place.database) as connection:
                admitted = await admitted_now(connection, two.place.field)
                single = {head for head in admitted if not head[SCHEME_AT] & Scheme.SECOND}
                await exchange_check(connection, two.place.field, single, Locking(connection))
                await drop_column(connection, two, Locking(connection))

    async def _all_have(self, bits: Scheme) -> None:
        """Every cell, and every one that will be written, has the terms that these bits of a scheme tell of."""
        rotations = [await self._rotation(place, bits) for place in self.places]
        for rotation in rotations:
            await rotation.fence()
        await self.work.checkpoint("re-encrypt")
        wishes = [wish for rotation in rotations for wish in rotation.wishes()]
        try:
            while True:
                await sweep(self.tools, self.work, wishes)
                await self.work.checkpoint("narrow")
                if all([await rotation.narrow() for rotation in rotations]):
                    break
        finally:
            for wish in wishes:
                wish.cipher.close()
        await self.work.checkpoint("unfence")
        for rotation in rotations:
            await rotation.unfence()

    async def _rotation(self, place: Place, bits: Scheme) -> Rotation:
        """From one head to another of the same data key."""
        made = Rotation(self.tools, self.work, (place,), (await self.tools.store.load()).keyring)
        async with self.tools.connection(place.database) as connection:
            made.head = with_bits(next(iter(await admitted_now(connection, place.field))), bits)
            await self._admit(connection, place, bits, "admit")
        return made

    async def _admit(self, connection: Connection, place: Place, bits: Scheme, step: str) -> None:
        """Beside what the CHECK admits by now; more than two kinds of cells are never admitted."""
        await self.work.checkpoint(step)
        admitted = await admitted_now(connection, place.field)
        head = with_bits(next(iter(admitted)), bits)
        if len({each[SCHEME_AT + 1 :] for each in admitted}) > 1:
            raise RotationRefused(place.field.name, ["its data key is being rotated: finish that first"])
        if head not in admitted:
            await exchange_check(connection, place.field, admitted | {head}, self._locking(connection, step))

    async def _switch(self) -> None:
        await self.work.checkpoint("compare")
        databases: dict[str, list[TwoEpochs]] = {}
        for two in self.moving:
            databases.setdefault(two.place.database, []).append(two)
        for database, moving in databases.items():
            async with self.tools.connection(database) as connection:
                left = [two for two in moving if await is_searched(connection, two.before)]
                for two in left:
                    await require_same(await settle(connection), two)
                await self.work.checkpoint("switch")
                if left:
                    locking = self._locking(connection, "switch")
                    await exchange_columns(connection, moving, self.privileges, locking)

    def _locking(self, connection: Connection, step: str) -> Locking:
        async def waiting() -> None:
            await self.work.checkpoint(f"{step}: waiting for a transaction that holds the table")

        return Locking(connection, waiting)
