"""The unwrapped keys in memory, and the ciphers made of them.  Frozen; shows no material; is not copied or pickled.

A key has a purpose (cells, terms, or the ledger of seals), belongs to one scope of one controller, and has an epoch
that counts up in its scope.  One key of a scope is active; older ones only open what they once sealed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from .envelope import KEY_ID_SIZE, Scheme, prefixed
from .errors import KeyringInvalid, UnknownKey
from .field import EPOCHS, SCHEME_AT, DataKey, FieldKeyCipher, SealLeases, Searching, TermKey, TokenKey, Unshareable
from .lifecycle import OPENING, KeyState
from .primitives import KEY_SIZE, random_bytes
from .subjects import SubjectFieldCipher, SubjectSecrets


class KeyPurpose(StrEnum):
    CELL = "cell"
    TERM = "term"
    LEDGER = "ledger"
    SUBJECT = "subject"  # wraps the secrets of data subjects


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """What a key is for.  `scope` is `field:<id>` or, for terms, `group:<name>`."""

    controller: str
    scope: str
    purpose: KeyPurpose


def subject_slots(controller: str, kind: str) -> tuple[Slot, Slot]:
    """Of the key that wraps the secrets of a kind of subjects, and of the one that makes the tags they are found by."""
    scope = f"subjects:{kind}"
    return Slot(controller, scope, KeyPurpose.SUBJECT), Slot(controller, scope, KeyPurpose.TERM)


LEDGER_SLOT = Slot("", "ledger", KeyPurpose.LEDGER)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """Everything about a key that is not secret."""

    key_id: bytes
    slot: Slot
    epoch: int
    state: KeyState
    created_at: str  # UTC, ISO 8601, to the second

    @property
    def context(self) -> bytes:
        """What the key is wrapped in, canonical: a wrapped key unwraps for this id, purpose and epoch only."""
        slot = self.slot
        parts = (b"fieldgate wrapped key v1", slot.purpose.encode(), slot.controller.encode(), slot.scope.encode())
        return b"".join(map(prefixed, parts)) + self.key_id + self.epoch.to_bytes(4, "big")


@dataclass(frozen=True, slots=True, eq=False)
class HeldKey(Unshareable):
    info: KeyInfo
    material: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyNeed:
    """What a sealed field needs of the keyring, in this package's words; `name` is for messages."""

    controller: str
    field_id: str
    name: str = ""
    equality: bool = False
    join_group: str | None = None
    normalisers: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()  # modes of inexact search
    row_bound: bool = False
    pad_to: int = 0
    subject_kind: str | None = None  # its cells are sealed under the secrets of subjects of this kind, too

    @property
    def cell_slot(self) -> Slot:
        return Slot(self.controller, f"field:{self.field_id}", KeyPurpose.CELL)

    @property
    def term_slot(self) -> Slot | None:
        """Of the key that terms and search tokens are made with; tokens are a field's own, whoever shares the key."""
        if not self.equality and not self.tokens:
            return None
        scope = f"field:{self.field_id}" if self.join_group is None else f"group:{self.join_group}"
        return Slot(self.controller, scope, KeyPurpose.TERM)

    @property
    def slots(self) -> tuple[Slot, ...]:
        own = (self.cell_slot,) if self.term_slot is None else (self.cell_slot, self.term_slot)
        return own if self.subject_kind is None else (*own, *subject_slots(self.controller, self.subject_kind))


@dataclass(frozen=True, slots=True, eq=False)
class Keyring(Unshareable):
    """Raises KeyringInvalid when the keys contradict each other."""

    keys: tuple[HeldKey, ...] = field(repr=False)

    def __post_init__(self) -> None:
        infos = self.infos
        if len({info.key_id for info in infos}) < len(infos):
            raise KeyringInvalid("two keys of the keyring have the same id")
        if any(count > 1 for count in Counter((info.slot, info.epoch) for info in infos).values()):
            raise KeyringInvalid("two keys of the keyring have the same purpose and epoch")
        if any(count > 1 for count in Counter(i.slot for i in infos if i.state is KeyState.ACTIVE).values()):
            raise KeyringInvalid("two keys of the keyring are active for the same purpose")
        if any(len(key.info.key_id) != KEY_ID_SIZE or len(key.material) != KEY_SIZE for key in self.keys):
            raise KeyringInvalid("a key of the keyring has a wrong size")

    @property
    def infos(self) -> tuple[KeyInfo, ...]:
        return tuple(key.info for key in self.keys)

    def active(self, slot: Slot) -> HeldKey | None:
        return next((k for k in self.keys if k.info.slot == slot and k.info.state is KeyState.ACTIVE), None)

    def missing_for(self, needs: Iterable[KeyNeed]) -> tuple[Slot, ...]:
        """The slots without an active key, each once, sorted."""
        held = {info.slot for info in self.infos if info.state is KeyState.ACTIVE}
        return tuple(sorted({slot for need in needs for slot in need.slots} - held))

    def with_new_keys(self, slots: Iterable[Slot], created_at: str) -> Keyring:
        """The keyring with a first random key for each slot; its ids are new to this keyring."""
        taken = {info.key_id for info in self.infos}
        made = []
        for slot in slots:
            key_id = _unused_id(taken)
            taken.add(key_id)
            made.append(HeldKey(KeyInfo(key_id, slot, 1, KeyState.ACTIVE, created_at), random_bytes(KEY_SIZE)))
        return Keyring((*self.keys, *made))

    def ciphers(
        self,
        needs: Iterable[KeyNeed],
        leases: SealLeases,
        admitted: Mapping[str, Collection[bytes]] | None = None,
        subjects: SubjectSecrets | None = None,
    ) -> KeyringCiphers:
        """Ciphers for exactly these fields.  Raises KeyringInvalid naming the fields whose keys are missing.

        `admitted` holds the heads of cells that the database takes, by field id: a field is sealed with its active key
        if the database takes its cells, else with the newest key that opens and whose cells it takes.  `subjects` gives
        the secrets of data subjects, where fields need them.
        """
        needs = tuple(needs)
        absent = set(self.missing_for(needs))
        if absent:
            names = ", ".join(sorted({n.name or n.field_id for n in needs if absent & set(n.slots)}))
            raise KeyringInvalid(f"the keyring has no keys for {names}: run `fieldgate keys add`")
        heads = admitted or {}
        made = {n.field_id: self._cipher(n, leases, heads.get(n.field_id, ()), subjects) for n in needs}
        return KeyringCiphers(made)

    def _cipher(
        self, need: KeyNeed, leases: SealLeases, admitted: Collection[bytes], subjects: SubjectSecrets | None
    ) -> FieldKeyCipher:
        primary = self._sealing(need.cell_slot, {head[-KEY_ID_SIZE:] for head in admitted})
        mine = {Scheme(head[SCHEME_AT]) & EPOCHS for head in admitted if head[-KEY_ID_SIZE:] == primary.info.key_id}
        first, second = self._searching(need.term_slot, mine) if need.term_slot else (None, None)
        make: Callable[..., FieldKeyCipher] = partial(FieldKeyCipher, row_bound=need.row_bound)
        if need.subject_kind is not None:
            if subjects is None:
                raise KeyringInvalid(f'{need.name} needs its data subjects\' secrets: keys.store = "database"')
            make = partial(SubjectFieldCipher, secrets=subjects.of_kind(need.subject_kind))
        return make(
            controller=need.controller,
            field_id=need.field_id,
            primary=DataKey(primary.info.key_id, primary.material),
            readable=[DataKey(k.info.key_id, k.material) for k in self._opening(need.cell_slot)],
            leases=leases,
            term_key=_term_key(need, first),
            token_key=_token_key(need, first),
            next_searching=Searching(_term_key(need, second), _token_key(need, second)) if second else None,
            others=[
                Searching(_term_key(need, key), _token_key(need, key))
                for key in (self._opening(need.term_slot) if need.term_slot else ())
            ],
            pad_to=need.pad_to,
        )

    def _searching(self, slot: Slot, admitted: Collection[Scheme]) -> tuple[HeldKey, HeldKey | None]:
        """The term keys that cells are to carry terms of: the newest whose cells the database takes (I7).

        `admitted` holds the bits of a scheme that tell epochs.  A rotation goes from the older epoch through both to
        the newer one, and the database takes cells of two of these at a time.
        """
        active, keys = self._required(slot), {key.info.epoch: key for key in self._opening(slot)}
        pairs: list[tuple[HeldKey, HeldKey | None]] = [(key, None) for key in keys.values()]
        pairs += [(key, keys[epoch + 1]) for epoch, key in keys.items() if epoch + 1 in keys]
        near = [pair for pair in pairs if _near(pair, active.info.epoch) and _epoch_bits(pair) in admitted]
        return max(near, key=_newest, default=(active, None))

    def _sealing(self, slot: Slot, admitted: Collection[bytes]) -> HeldKey:
        """The active key, unless the database refuses its cells and takes those of another (I7)."""
        active = self._required(slot)
        if active.info.key_id in admitted:
            return active
        others = [key for key in self._opening(slot) if key.info.key_id in admitted]
        return max(others, key=lambda key: key.info.epoch, default=active)

    def _opening(self, slot: Slot) -> tuple[HeldKey, ...]:
        return tuple(key for key in self.keys if key.info.slot == slot and key.info.state in OPENING)

    def _required(self, slot: Slot) -> HeldKey:
        found = self.active(slot)
        if found is None:
            raise KeyringInvalid(f"the keyring has no active key for {slot.purpose} {slot.scope}")
        return found


def _near(pair: tuple[HeldKey, HeldKey | None], active: int) -> bool:
    """Of the active epoch and its neighbours: parity tells no others apart."""
    first, second = pair
    return abs(first.info.epoch - active) <= 1 and (second is None or abs(second.info.epoch - active) <= 1)


def _newest(pair: tuple[HeldKey, HeldKey | None]) -> tuple[int, int]:
    first, second = pair
    return (second or first).info.epoch, first.info.epoch


def _epoch_bits(pair: tuple[HeldKey, HeldKey | None]) -> Scheme:
    first, second = pair
    even = Scheme.EVEN if first.info.epoch % 2 == 0 else Scheme(0)
    return even | (Scheme.SECOND if second is not None else Scheme(0))


def _term_key(need: KeyNeed, key: HeldKey | None) -> TermKey | None:
    if key is None or not need.equality:
        return None
    return TermKey(key.info.slot.scope, key.material, need.normalisers, key.info.epoch)


def _token_key(need: KeyNeed, key: HeldKey | None) -> TokenKey | None:
    return TokenKey(key.material, need.tokens, key.info.epoch) if key is not None and need.tokens else None


def _unused_id(taken: set[bytes]) -> bytes:
    while (key_id := random_bytes(KEY_ID_SIZE)) in taken:
        pass
    return key_id


class KeyringCiphers(Unshareable):
    """The real FieldCiphers.  Belongs to one thread and one process: make it after a fork, not before."""

    __slots__ = ("_ciphers",)

    def __init__(self, ciphers: dict[str, FieldKeyCipher]) -> None:
        self._ciphers = ciphers

    def cipher(self, field_id: str) -> FieldKeyCipher:
        try:
            return self._ciphers[field_id]
        except KeyError:
            raise UnknownKey("the keyring has no key for the field") from None

    def heads(self) -> dict[str, frozenset[bytes]]:
        """The heads that may be written now, by field id: what the columns' CHECKs must admit, and nothing else."""
        return {field_id: frozenset({cipher.head}) for field_id, cipher in self._ciphers.items()}

    def known_heads(self) -> dict[str, frozenset[bytes]]:
        """The heads of all keys that open, by field id: while a key is being rotated, CHECKs admit several of these."""
        return {field_id: cipher.known_heads for field_id, cipher in self._ciphers.items()}

    def epochs(self) -> dict[str, tuple[int, ...]]:
        """Of the term keys whose terms and tokens sealed cells have now, by field id; two while one is rotated."""
        return {field_id: cipher.epochs for field_id, cipher in self._ciphers.items()}

    def uses(self) -> dict[bytes, tuple[int, int]]:
        """How often each key has sealed and opened by these ciphers so far."""
        counted: dict[bytes, tuple[int, int]] = {}
        for cipher in self._ciphers.values():
            for key_id, sealed, opened in cipher.uses():
                before = counted.get(key_id, (0, 0))
                counted[key_id] = (before[0] + sealed, before[1] + opened)
        return counted

    def sealing_keys(self) -> frozenset[bytes]:
        """The ids of the keys that cells are sealed with now."""
        return frozenset(cipher.head[-KEY_ID_SIZE:] for cipher in self._ciphers.values())

    def renew(self, below: int = 1 << 16) -> None:
        """Takes leases early, where fewer seals than this are left of one that is in use: off the query path."""
        for cipher in self._ciphers.values():
            cipher.renew(below)

    def close(self) -> None:
        """Gives back what is left of the leases, at an orderly end."""
        for cipher in self._ciphers.values():
            cipher.close()
