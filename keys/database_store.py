"""The store of wrapped keys in the control database: make, read, change, rewrap.

Nothing is taken from a row before its code is verified, and nothing is written before what was wrapped has been
unwrapped again and compared.  Each change reads all rows, works outside of any transaction (providers may be slow), and
is written only if nobody has changed keys meanwhile; else it begins anew.  Raises CryptoErrors; those of the connection
pass through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .envelope import KEY_ID_SIZE
from .errors import KeyringInvalid, KeyringLocked, KeyTransitionRefused, ProviderRefused
from .key_tables import KeyTables, shown
from .keyring import LEDGER_SLOT, HeldKey, KeyInfo, KeyNeed, Keyring, Slot
from .lifecycle import OPENING, KeyState, require_transition
from .primitives import KEY_SIZE, equal, random_bytes
from .provider import KekProvider, Wrapped, Wrapping
from .records import Codes, KeySnapshot, StoredKey, moment_of

ATTEMPTS = 20
BATCH = 500


@dataclass(frozen=True, slots=True)
class Move:
    """One key's change of state; refused when the key is not in `before` any more."""

    key_id: bytes
    before: KeyState
    after: KeyState


@dataclass(frozen=True, slots=True, eq=False)
class LoadedKeys:
    """The keys of one revision, unwrapped: those that open something, and the store's own."""

    number: int
    keyring: Keyring


class DatabaseKeyStore:
    """`provider` wraps new keys; `others` still unwrap what they have wrapped, until it is rewrapped.

    The others are opened when they are needed; `provider` by `open`, or by whoever has made it.
    """

    def __init__(self, tables: KeyTables, provider: KekProvider, others: Sequence[KekProvider] = ()) -> None:
        self.tables = tables
        self.provider = provider
        self._providers = {each.uri: each for each in (*others, provider)}
        self._opened = {provider.uri}
        self._codes: tuple[bytes, bytes, Codes] | None = None  # of which ledger row they are

    @property
    def others(self) -> tuple[KekProvider, ...]:
        return tuple(each for uri, each in self._providers.items() if uri != self.provider.uri)

    async def open(self) -> None:
        await self.provider.open()

    async def close(self) -> None:
        """Closes all providers."""
        for uri in self._opened:
            await self._providers[uri].close()
        self._opened = {self.provider.uri}

    async def initialise(self) -> bool:
        """Makes the store's own key; False when there is one.  Raises KeyringInvalid for keys without it."""
        snapshot = await self.tables.read()
        if snapshot.keys:
            await self._verified(snapshot)
            return False
        if snapshot.code is not None:
            raise KeyringInvalid("the control database has lost its keys: restore it, or import an export")
        material = random_bytes(KEY_SIZE)
        slots = [(LEDGER_SLOT, KeyState.ACTIVE)]
        rows = await self._made(snapshot, slots, [material])
        return await self._write(snapshot, rows, Codes(material)) is not None or await self.initialise()

    async def read(self) -> KeySnapshot:
        """All rows, their codes verified.  Asks the provider once for the store's own key, and then never again."""
        snapshot = await self.tables.read()
        await self._verified(snapshot)
        return snapshot

    async def load(self, known: Keyring | None = None) -> LoadedKeys:
        """All keys that open something, unwrapped; those that are in `known` are not unwrapped again."""
        return await self.unwrapped(await self.tables.read(), known)

    async def unwrapped(self, snapshot: KeySnapshot, known: Keyring | None = None) -> LoadedKeys:
        """The same of any snapshot, also of one that is not in the tables (yet)."""
        await self._verified(snapshot)
        held = {key.info.key_id: key for key in known.keys} if known is not None else {}
        wanted = [key for key in snapshot.keys if key.info.state in OPENING]
        missing = [key for key in wanted if key.info.key_id not in held]
        unwrapped = dict(zip((key.info.key_id for key in missing), await self._unwrap(missing), strict=True))
        keys = [HeldKey(k.info, unwrapped.get(k.info.key_id) or held[k.info.key_id].material) for k in wanted]
        return LoadedKeys(snapshot.number, Keyring(tuple(keys)))

    async def create(self, slots: Iterable[Slot], state: KeyState = KeyState.PRE_ACTIVE) -> tuple[StoredKey, ...]:
        """A new key for each slot, of its next epoch, pre-active or active.  Raises KeyTransitionRefused."""
        if state not in (KeyState.PRE_ACTIVE, KeyState.ACTIVE):
            raise KeyTransitionRefused(f"a key does not begin as {state}")
        wanted = [(slot, state) for slot in slots]

        async def make(snapshot: KeySnapshot) -> list[StoredKey]:
            return await self._made(snapshot, wanted, [random_bytes(KEY_SIZE) for _ in wanted])

        return await self._change(make)

    async def add_missing(self, needs: Iterable[KeyNeed]) -> tuple[StoredKey, ...]:
        """Active keys for the slots of these fields that have none."""
        slots = sorted({slot for need in needs for slot in need.slots})

        async def make(snapshot: KeySnapshot) -> list[StoredKey]:
            active = {key.info.slot for key in snapshot.keys if key.info.state is KeyState.ACTIVE}
            wanted = [(slot, KeyState.ACTIVE) for slot in slots if slot not in active]
            return await self._made(snapshot, wanted, [random_bytes(KEY_SIZE) for _ in wanted])

        return await self._change(make)

    async def take_in(self, keys: Sequence[tuple[HeldKey, int]]) -> tuple[StoredKey, ...]:
        """Keys from elsewhere under their own ids, each with the number of seals granted; those that are there already
        are left as they are.  Raises KeyringInvalid when an id, or a purpose and epoch, belongs to another key.
        """

        async def make(snapshot: KeySnapshot) -> list[StoredKey]:
            new = [(key, granted) for key, granted in keys if not await self._is_there(snapshot, key)]
            wrapped = await self._wrap([key.info for key, _ in new], [key.material for key, _ in new])
            rows = [
                replace(
                    _new_row(key.info, self.provider.uri, blob, _moment(key.info, snapshot.now)), seals_granted=granted
                )
                for (key, granted), blob in zip(new, wrapped, strict=True)
            ]
            _require_one_active(snapshot, rows)
            return rows

        return await self._change(make)

    async def transition(self, moves: Sequence[Move]) -> tuple[StoredKey, ...]:
        """All of these changes at once, or none.  A destroyed key's wrapped bytes are gone.

        Raises KeyTransitionRefused: the key is not as expected, the state may not follow, or two keys would be active.
        """

        async def make(snapshot: KeySnapshot) -> list[StoredKey]:
            rows = [_moved(snapshot, move) for move in moves]
            _require_one_active(snapshot, rows)
            return rows

        return await self._change(make)

    async def touch(self) -> None:
        """A new revision of the same keys: everyone reads them again, and forgets what stood beside them."""
        for _ in range(ATTEMPTS):
            snapshot = await self.read()
            code = self._known_codes().of_set(snapshot.number + 1, snapshot.keys)
            if await self.tables.write(snapshot.number, (), code):
                return
        raise KeyringInvalid("keys are being changed by others all the time: try again later")

    async def rewrap(self, progress: Callable[[int, int], Awaitable[None]] | None = None, batch: int = BATCH) -> int:
        """Wraps every key by the provider's newest version, in batches; how many were changed.  Touches no cell.

        Killed at any point it goes on where it was, because a batch is one change.
        """
        done: set[bytes] = set()
        while True:
            version, left = await self.provider.version(), 0

            async def make(snapshot: KeySnapshot, version: str = version, done: set[bytes] = done) -> list[StoredKey]:
                nonlocal left
                old = [k for k in snapshot.keys if k.wrapped and not self._is_newest(k, version)]
                old = [key for key in old if key.info.key_id not in done]
                left = max(0, len(old) - batch)
                return await self._rewrapped(old[:batch])

            changed = await self._change(make)
            done |= {key.info.key_id for key in changed}
            if progress is not None:
                await progress(len(done), len(done) + left)
            if not changed:
                return len(done)

    # -- inside --

    async def _change(self, make: Callable[[KeySnapshot], Awaitable[list[StoredKey]]]) -> tuple[StoredKey, ...]:
        """Reads, makes the rows to be put, and writes them unless keys have changed meanwhile."""
        for _ in range(ATTEMPTS):
            snapshot = await self.read()
            rows = await make(snapshot)
            if not rows:
                return ()
            written = await self._write(snapshot, rows, self._known_codes())
            if written is not None:
                return written
        raise KeyringInvalid("keys are being changed by others all the time: try again later")

    async def _write(
        self, snapshot: KeySnapshot, rows: Sequence[StoredKey], codes: Codes
    ) -> tuple[StoredKey, ...] | None:
        """The rows with their codes; None when keys have changed since the snapshot."""
        coded = tuple(replace(row, code=codes.of_row(row)) for row in rows)
        put = {row.info.key_id for row in coded}
        kept = [key for key in snapshot.keys if key.info.key_id not in put]
        code = codes.of_set(snapshot.number + 1, [*kept, *coded])
        return coded if await self.tables.write(snapshot.number, coded, code) else None

    async def _verified(self, snapshot: KeySnapshot) -> None:
        own = [key for key in snapshot.keys if key.info.slot == LEDGER_SLOT and key.info.state is KeyState.ACTIVE]
        if not own or own[0].wrapped is None:
            raise KeyringInvalid(
                "the control database has no keys: run `fieldgate init`, or import an export"
                if not snapshot.keys and snapshot.code is None
                else "the key that the control database's keys are verified by is gone: restore it, or import an export"
            )
        stored = own[0]
        if self._codes is None or self._codes[:2] != (stored.info.key_id, stored.wrapped):
            [material] = await self._unwrap([stored])
            self._codes = (stored.info.key_id, own[0].wrapped or b"", Codes(material))
        self._codes[2].verify(snapshot)

    def _known_codes(self) -> Codes:
        if self._codes is None:
            raise RuntimeError("rows are read before they are changed")
        return self._codes[2]

    async def _made(
        self, snapshot: KeySnapshot, wanted: Sequence[tuple[Slot, KeyState]], materials: Sequence[bytes]
    ) -> list[StoredKey]:
        """New keys, wrapped; their ids are new to the database, where no row is ever deleted."""
        taken = {key.info.key_id for key in snapshot.keys}
        epochs = {slot: 0 for slot, _ in wanted}
        epochs |= _newest_epochs(snapshot.keys)
        infos = []
        for slot, state in wanted:
            epochs[slot] += 1
            infos.append(KeyInfo(_unused_id(taken), slot, epochs[slot], state, shown(snapshot.now)))
        wrapped = await self._wrap(infos, materials)
        rows = [
            _new_row(info, self.provider.uri, blob, snapshot.now) for info, blob in zip(infos, wrapped, strict=True)
        ]
        _require_one_active(snapshot, rows)
        return rows

    async def _wrap(self, infos: Sequence[KeyInfo], materials: Sequence[bytes]) -> list[bytes]:
        """Wrapped, and unwrapped again: a key that could not be read back is never used."""
        pairs = list(zip(infos, materials, strict=True))
        wrapped = await self.provider.wrap([Wrapping(material, info.context) for info, material in pairs])
        again = await self.provider.unwrap([Wrapped(b, i.context) for b, i in zip(wrapped, infos, strict=True)])
        _require_same(again, materials)
        return wrapped

    async def _rewrapped(self, old: Sequence[StoredKey]) -> list[StoredKey]:
        if not old:
            return []
        materials = await self._unwrap(old)
        own = [key for key in old if key.kek_uri == self.provider.uri]
        blobs = dict(
            zip(
                (key.info.key_id for key in own),
                await self.provider.rewrap([Wrapped(key.wrapped or b"", key.info.context) for key in own]),
                strict=True,
            )
        )
        foreign = [(k, m) for k, m in zip(old, materials, strict=True) if k.info.key_id not in blobs]
        wrapped = await self.provider.wrap([Wrapping(material, key.info.context) for key, material in foreign])
        blobs |= dict(zip((key.info.key_id for key, _ in foreign), wrapped, strict=True))
        rows = [replace(key, kek_uri=self.provider.uri, wrapped=blobs[key.info.key_id]) for key in old]
        _require_same(await self._unwrap(rows), materials)
        return rows

    async def _is_there(self, snapshot: KeySnapshot, key: HeldKey) -> bool:
        known = snapshot.key(key.info.key_id)
        place = (key.info.slot, key.info.epoch)
        if known is None:
            if any((other.info.slot, other.info.epoch) == place for other in snapshot.keys):
                raise KeyringInvalid(f"the database has another {key.info.slot.purpose} key for {key.info.slot.scope}")
            return False
        if (known.info.slot, known.info.epoch) != place or known.wrapped is None:
            raise KeyringInvalid(f"the database has key {known.name} for something else, or has destroyed it")
        [material] = await self._unwrap([known])
        if not equal(material, key.material):
            raise KeyringInvalid(f"the database has another key under the id {known.name}")
        return True

    def _is_newest(self, key: StoredKey, version: str) -> bool:
        return key.kek_uri == self.provider.uri and self.provider.version_of(key.wrapped or b"") == version

    async def _unwrap(self, keys: Sequence[StoredKey]) -> list[bytes]:
        """In their order; each provider is asked once.  Raises KeyringLocked, naming a key."""
        found: dict[bytes, bytes] = {}
        for uri in dict.fromkeys(key.kek_uri or "" for key in keys):
            mine = [key for key in keys if (key.kek_uri or "") == uri]
            provider = self._providers.get(uri)
            if provider is None:
                raise KeyringLocked(
                    f"key {mine[0].name} is wrapped by {uri or 'nothing'}, which [keys.provider] does not name"
                )
            if uri not in self._opened:
                await provider.open()
                self._opened.add(uri)
            asked = [Wrapped(key.wrapped or b"", key.info.context) for key in mine]
            materials = await provider.unwrap(asked)
            if any(len(material) != KEY_SIZE for material in materials):
                raise KeyringLocked(f"{uri} unwraps to something that is no key")
            found |= dict(zip((key.info.key_id for key in mine), materials, strict=True))
        return [found[key.info.key_id] for key in keys]


def _moved(snapshot: KeySnapshot, move: Move) -> StoredKey:
    found = snapshot.key(move.key_id)
    if found is None:
        raise KeyTransitionRefused(f"there is no key {move.key_id.hex()}")
    if found.info.slot == LEDGER_SLOT:
        raise KeyTransitionRefused("the key that all rows are verified by has no states")
    if found.info.state is not move.before:
        raise KeyTransitionRefused(f"key {found.name} is {found.info.state}, not {move.before} as was expected")
    require_transition(move.before, move.after)
    moment = moment_of(move.after)
    dates: dict[str, datetime] = {moment: snapshot.now} if moment is not None else {}
    info = replace(found.info, state=move.after)
    if move.after is KeyState.DESTROYED:
        return replace(found, info=info, kek_uri=None, wrapped=None, destroyed_at=snapshot.now)
    return replace(found, info=info, **dates)  # type: ignore[arg-type]  # names of dates only


def _require_one_active(snapshot: KeySnapshot, rows: Iterable[StoredKey]) -> None:
    """Raises KeyTransitionRefused when a slot would have two active keys."""
    after = {key.info.key_id: key.info for key in (*snapshot.keys, *rows)}
    active: set[Slot] = set()
    for info in after.values():
        if info.state is KeyState.ACTIVE:
            if info.slot in active:
                raise KeyTransitionRefused(
                    f"{info.slot.scope} has an active {info.slot.purpose} key already: retire it in the same change"
                )
            active.add(info.slot)


def _newest_epochs(keys: Iterable[StoredKey]) -> dict[Slot, int]:
    newest: dict[Slot, int] = {}
    for key in keys:
        newest[key.info.slot] = max(key.info.epoch, newest.get(key.info.slot, 0))
    return newest


def _new_row(info: KeyInfo, kek_uri: str, wrapped: bytes, now: datetime) -> StoredKey:
    activated = now if info.state is KeyState.ACTIVE else None
    return StoredKey(info, kek_uri, wrapped, now, activated)


def _moment(info: KeyInfo, now: datetime) -> datetime:
    """When it was made, as it says itself."""
    try:
        made = datetime.fromisoformat(info.created_at)
    except ValueError:
        return now
    return made if made.tzinfo is not None else made.replace(tzinfo=UTC)


def _unused_id(taken: set[bytes]) -> bytes:
    while (key_id := random_bytes(KEY_ID_SIZE)) in taken:
        pass
    taken.add(key_id)
    return key_id


def _require_same(again: Sequence[bytes], materials: Sequence[bytes]) -> None:
    if len(again) != len(materials) or not all(map(equal, again, materials)):
        raise ProviderRefused("the provider did not give back what it had wrapped; nothing was changed")
