"""Which data keys are due for rotation by themselves: those that are too old, or have sealed too many cells.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from keys.keyring import KeyPurpose
from keys.leases import SEALS_PER_KEY
from keys.lifecycle import KeyState
from keys.records import KeySnapshot, StoredKey
from proxy.keywork.operation import OperationKind, Target
from proxy.keywork.records import NewOperation

from .places import Place
from .tools import slot_of

AFTER_CELLS = 1 << 30
PRINCIPAL = "fieldgate"  # in whose name they are asked for
_LATEST = SEALS_PER_KEY // 2  # a key is rotated here at the latest, whatever the configuration says


@dataclass(frozen=True, slots=True)
class Limits:
    """None: keys do not grow too old.  Cells count as sealed once they have been granted."""

    after: timedelta | None = timedelta(days=90)
    after_cells: int = AFTER_CELLS


def due_keys(snapshot: KeySnapshot, limits: Limits) -> list[StoredKey]:
    """Active keys of cells."""
    return [
        key
        for key in snapshot.keys
        if key.info.slot.purpose is KeyPurpose.CELL
        and key.info.state is KeyState.ACTIVE
        and (_too_old(key, snapshot, limits) or key.seals_granted >= min(limits.after_cells, _LATEST))
    ]


def _too_old(key: StoredKey, snapshot: KeySnapshot, limits: Limits) -> bool:
    return limits.after is not None and snapshot.now >= (key.activated_at or key.created_at) + limits.after


def wishes(keys: Iterable[StoredKey], places: Iterable[Place]) -> Iterator[NewOperation]:
    """One operation for each key; asked for again it is the same one, so that a key is rotated once.

    A key that no registered database has a field for has nothing to be rotated.
    """
    first = {slot_of(place): place for place in reversed(tuple(places))}
    for key in keys:
        place = first.get(key.info.slot)
        if place is not None:
            target = Target(database=place.database, field=place.field.name)
            name = f"automatic rotation of key {key.name}"
            yield NewOperation(
                kind=OperationKind.ROTATE_DATA_KEY,
                target=target,
                requested_by=PRINCIPAL,
                idempotency_key=name,
                digest=sha256(f"{name} {target}".encode()).digest(),
                locks=(f"keys {key.info.slot.controller}/{key.info.slot.scope}",),
            )
