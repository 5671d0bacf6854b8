"""ROTATE_DATA_KEY: a field gets a new data key while applications read and write, and its old cells are re-encrypted.

    key        a new key, pre-active; everyone who holds keys has loaded it
    admit      the column's CHECK admits its head, too
    activate   it is active, the old one opens only; everyone has loaded that, so live proxies seal by it now
    fence      from here on the table takes no cell of another head, whoever writes
    re-encrypt what is left under old heads, in batches (proxy/rotation/reencrypt.py)
    narrow     no old cell is left: the CHECK admits the new head alone; its validation is a second scan
    unfence    the fence goes

Each step looks at what the databases say and does what is missing, so that a kill at any point is followed by running
the same again.  Until `activate` a cancelled rotation is taken back; afterwards it stops where it is: all cells open,
and the next rotation of the field goes on with this key instead of making another.  The old key stays, for opening:
open cursors and restored backups need it, until somebody disables it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from keys.database_store import Move
from keys.keyring import Keyring
from keys.lifecycle import KeyState
from keys.records import StoredKey
from proxy.keywork.handler import Cancelled, Work
from proxy.sealing.ddl import qualified
from proxy.sealing.facts import Connection

from .errors import RotationRefused, StepWaits
from .exchange import admitted_now, exchange_check
from .fence import fence_state, lower_fence, raise_fence
from .locking import Locking
from .places import Member, Place, wanted_places
from .session import settle
from .statements import any_old
from .survey import members_of, survey
from .sweep import Wish, sweep
from .tools import Tools, keys_of, slot_of

_HEAD_BEFORE_KEY = 4


async def rotate_data_key(tools: Tools, work: Work) -> None:
    """The handler.  The target's field may be `schema.table.*`: all sealed fields of a table, in one pass over it."""
    target = work.operation.target
    rotations = [
        Rotation(tools, work, places) for places in wanted_places(tools.places(), target.database, target.field or "")
    ]
    for rotation in rotations:
        await rotation.prepare()
    await work.checkpoint("re-encrypt")
    wishes = [wish for rotation in rotations for wish in rotation.wishes()]
    try:
        while True:
            await sweep(tools, work, wishes)
            await work.checkpoint("narrow")
            if all([await rotation.narrow() for rotation in rotations]):
                break
    finally:
        for wish in wishes:
            wish.cipher.close()
    await work.checkpoint("unfence")
    for rotation in rotations:
        await rotation.unfence()
    await work.report({"finished": datetime.now(UTC).isoformat(timespec="seconds")})


@dataclass(slots=True)
class Rotation:
    """Of one field, wherever its cells stand."""

    tools: Tools
    work: Work
    places: tuple[Place, ...]
    keyring: Keyring | None = None
    head: bytes = b""

    @property
    def name(self) -> str:
        return self.places[0].field.name

    async def prepare(self) -> None:
        """All steps up to the fence."""
        for place in self.places:
            async with self.tools.connection(place.database) as connection:
                await survey(await settle(connection), place)
        key = await self._key()
        self.head = await self._head_of(key)
        if key.info.state is not KeyState.ACTIVE:
            try:
                await self._confirmed("key")
                await self.admit()
                await self.work.checkpoint("activate")
            except Cancelled:
                await self._take_back(key)
                raise
            await self._activate(key)
        else:
            await self.admit()
        await self._confirmed("activated")
        await self.fence()

    def wishes(self) -> list[Wish]:
        """What is to be re-encrypted.  One cipher for each place, which is closed when it is done."""
        if self.keyring is None:
            raise RuntimeError("a rotation is prepared first")
        made = []
        for place in self.places:
            keeper = self.tools.keeper(self.keyring, place)
            cipher = self.tools.ciphers(self.keyring, place, keeper, {place.field_id: {self.head}}).cipher(
                place.field_id
            )
            if cipher.head != self.head:
                raise StepWaits(f"{self.name}: another key has become active meanwhile")
            made.append(Wish(place, self.head, cipher, keeper))
        return made

    # --- the key

    async def _key(self) -> StoredKey:
        """The key to rotate to: the one that this operation made, one that another left behind, or a new one."""
        snapshot = await self.tools.store.read()
        slot = slot_of(self.places[0])
        known = self.work.operation.result.get("keys")
        mine = known.get(self.name) if isinstance(known, dict) else None
        found = next((key for key in keys_of(snapshot, slot) if key.name == mine), None)
        if found is not None and found.info.state in (KeyState.PRE_ACTIVE, KeyState.ACTIVE):
            return found
        if found is not None:
            raise RotationRefused(self.name, [f"its key {found.name} is {found.info.state} by now: rotate again"])
        active = keys_of(snapshot, slot, KeyState.ACTIVE)
        if not active:
            raise RotationRefused(self.name, ["it has no active key"])
        waiting = keys_of(snapshot, slot, KeyState.PRE_ACTIVE)
        if waiting:
            chosen = waiting[-1]
        elif await self._unfinished(active[0]):
            chosen = active[0]
        else:
            [chosen] = await self.tools.store.create([slot])
        before = {**known} if isinstance(known, dict) else {}
        await self.work.report({"keys": {**before, self.name: chosen.name}})
        return chosen

    async def _unfinished(self, active: StoredKey) -> bool:
        """Whether a rotation to the active key was left halfway: a CHECK or a fence says so."""
        head = await self._head_of(active)
        for place in self.places:
            async with self.tools.connection(place.database) as connection:
                if await admitted_now(connection, place.field) != {head}:
                    return True
                if (await fence_state(connection, place.field, await members_of(connection, place))).heads:
                    return True
        return False

    async def _activate(self, key: StoredKey) -> None:
        """In one change: two keys are never active, and there is never none."""
        snapshot = await self.tools.store.read()
        retired = [
            Move(old.info.key_id, KeyState.ACTIVE, KeyState.DECRYPT_ONLY)
            for old in keys_of(snapshot, slot_of(self.places[0]), KeyState.ACTIVE)
        ]
        await self.tools.store.transition([*retired, Move(key.info.key_id, KeyState.PRE_ACTIVE, KeyState.ACTIVE)])
        self.keyring = (await self.tools.store.load(self.keyring)).keyring

    async def _confirmed(self, step: str) -> None:
        await self.work.checkpoint(step)
        await self.tools.confirmed(self.work, step)

    async def _take_back(self, key: StoredKey) -> None:
        """No cell was sealed by the new key, which nobody had as the active one."""
        snapshot = await self.tools.store.read()
        [active] = keys_of(snapshot, slot_of(self.places[0]), KeyState.ACTIVE)
        head = await self._head_of(active)
        for place in self.places:
            async with self.tools.connection(place.database) as connection:
                if self.head in await admitted_now(connection, place.field):
                    await exchange_check(connection, place.field, {head}, Locking(connection))
        await self.tools.store.transition([Move(key.info.key_id, KeyState.PRE_ACTIVE, KeyState.DISABLED)])

    async def _head_of(self, key: StoredKey) -> bytes:
        """Of the cells that are sealed by this key, as the data map says now."""
        self.keyring = (await self.tools.store.load(self.keyring)).keyring
        place = self.places[0]
        async with self.tools.connection(place.database) as connection:
            admitted = await admitted_now(connection, place.field)  # a term key may be between two epochs
        cipher = self.tools.ciphers(self.keyring, place, admitted={place.field_id: admitted}).cipher(place.field_id)
        return cipher.head[:_HEAD_BEFORE_KEY] + key.info.key_id

    # --- the data databases

    def _locking(self, connection: Connection, step: str) -> Locking:
        async def waiting() -> None:
            await self.work.checkpoint(f"{step}: waiting for a transaction that holds the table")

        return Locking(connection, waiting)

    async def admit(self) -> None:
        await self.work.checkpoint("admit")
        for place in self.places:
            async with self.tools.connection(place.database) as connection:
                admitted = await admitted_now(connection, place.field)
                if self.head not in admitted:
                    wider = admitted | {self.head}
                    await exchange_check(connection, place.field, wider, self._locking(connection, "admit"))

    async def fence(self) -> None:
        await self.work.checkpoint("fence")
        for place in self.places:
            async with self.tools.connection(place.database) as connection:

                async def fence(place: Place = place, connection: Connection = connection) -> None:
                    await self._raise_fence(connection, place)

                await self._locking(connection, "fence")(fence)

    async def _raise_fence(self, connection: Connection, place: Place) -> None:
        members = await members_of(connection, place)
        if (await fence_state(connection, place.field, members)).head == self.head:
            return
        await connection.execute(f"LOCK TABLE {_table(place)} IN SHARE ROW EXCLUSIVE MODE")
        await self._require_ours(connection, place, members)
        if self.head not in await admitted_now(connection, place.field):
            raise StepWaits(f"{self.name}: another run has narrowed its CHECK")
        if (await fence_state(connection, place.field, members)).heads:  # parts of one
            for statement in lower_fence(place.field, members):
                await connection.execute(statement)
        for statement in raise_fence(place.field, self.head, members):
            await connection.execute(statement)

    async def _require_ours(self, connection: Connection, place: Place, members: Sequence[Member]) -> None:
        """A runner that was stopped for long may find the fence of a later rotation: that is not its to touch."""
        if (await fence_state(connection, place.field, members)).heads - {self.head}:
            raise StepWaits(f"{self.name}: another rotation has begun")

    async def narrow(self) -> bool:
        """The CHECK admits the new head alone; False when cells are left that it would refuse."""
        for place in self.places:
            async with self.tools.connection(place.database) as connection:
                await connection.execute("SET statement_timeout = 0")
                if await connection.fetchval(any_old(_table(place), place.field, self.head)):
                    return False
                locking = self._locking(connection, "narrow")
                if not await exchange_check(connection, place.field, {self.head}, locking):
                    return False
        return True

    async def unfence(self) -> None:
        for place in self.places:
            async with self.tools.connection(place.database) as connection:

                async def unfence(place: Place = place, connection: Connection = connection) -> None:
                    members = await members_of(connection, place)
                    if (await fence_state(connection, place.field, members)).heads:
                        await connection.execute(f"LOCK TABLE {_table(place)} IN ACCESS EXCLUSIVE MODE")
                        await self._require_ours(connection, place, members)
                    for statement in lower_fence(place.field, members):
                        await connection.execute(statement)

                await self._locking(connection, "unfence")(unfence)


def _table(place: Place) -> str:
    return qualified(place.field.schema, place.field.table)
