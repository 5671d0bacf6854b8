"""The rows of wrapped keys as data, and the codes over them.  Pure.

Each row's code covers everything that somebody acts on: id, slot, epoch, state, dates, KEK and wrapped bytes; only the
count of seals granted is not covered.  One more code covers the number of the revision and the codes of all rows, so
that a row cannot be removed, or put back as it once was, either.  Both are HMACs under the store's own key, which is
itself a row (purpose `ledger`) and never leaves the process that unwrapped it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from .envelope import prefixed
from .errors import KeyringLocked
from .keyring import KeyInfo
from .lifecycle import KeyState
from .primitives import derive, equal, keyed_hash

_ROW_LABEL = b"fieldgate key row code v1"
_SET_LABEL = b"fieldgate key set code v1"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One row.  `wrapped` and `kek_uri` are None for a destroyed key; dates are UTC."""

    info: KeyInfo
    kek_uri: str | None
    wrapped: bytes | None = field(repr=False)
    created_at: datetime
    activated_at: datetime | None = None
    retired_at: datetime | None = None
    disabled_at: datetime | None = None
    destroyed_at: datetime | None = None
    seals_granted: int = 0
    code: bytes = field(default=b"", repr=False)

    @property
    def name(self) -> str:
        return self.info.key_id.hex()


@dataclass(frozen=True, slots=True)
class KeySnapshot:
    """All rows of one moment.  `now` is the database's clock; `code` is None before the store is made."""

    number: int
    code: bytes | None = field(repr=False)
    keys: tuple[StoredKey, ...]
    now: datetime

    def key(self, key_id: bytes) -> StoredKey | None:
        return next((key for key in self.keys if key.info.key_id == key_id), None)


class Codes:
    """Makes and verifies codes; holds two keys derived from the store's."""

    __slots__ = ("_row", "_set")

    def __init__(self, store_key: bytes) -> None:
        self._row = keyed_hash(derive(store_key, label=_ROW_LABEL), b"")
        self._set = keyed_hash(derive(store_key, label=_SET_LABEL), b"")

    def of_row(self, key: StoredKey) -> bytes:
        return self._row(_row_bytes(key))

    def of_set(self, number: int, keys: Iterable[StoredKey]) -> bytes:
        each = sorted(key.info.key_id + key.code for key in keys)
        return self._set(number.to_bytes(8, "big") + b"".join(each))

    def verify(self, snapshot: KeySnapshot) -> None:
        """Raises KeyringLocked naming the key whose row is not as it was written."""
        for key in snapshot.keys:
            if not equal(key.code, self.of_row(key)):
                raise KeyringLocked(
                    f"the row of key {key.name} in the control database was changed by hand: put it back from an export"
                )
        if not equal(snapshot.code or b"", self.of_set(snapshot.number, snapshot.keys)):
            raise KeyringLocked(
                "rows of keys were removed from the control database, or put back as they once were:"
                " restore the whole table, or import an export"
            )


def _row_bytes(key: StoredKey) -> bytes:
    info = key.info
    dates = (key.created_at, key.activated_at, key.retired_at, key.disabled_at, key.destroyed_at)
    parts = (
        info.context,
        info.state.encode(),
        _optional(key.kek_uri.encode() if key.kek_uri is not None else None),
        _optional(key.wrapped),
        *(_optional(_date(moment)) for moment in dates),
    )
    return b"".join(map(prefixed, parts))


def _optional(part: bytes | None) -> bytes:
    return b"" if part is None else b"\1" + part


def _date(moment: datetime | None) -> bytes | None:
    """To the microsecond, as PostgreSQL keeps it."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%f").encode()


def moment_of(state: KeyState) -> str | None:
    """The field that says since when a key is in this state; None for the one that it begins in."""
    return {
        KeyState.ACTIVE: "activated_at",
        KeyState.DECRYPT_ONLY: "retired_at",
        KeyState.DISABLED: "disabled_at",
        KeyState.DESTROYED: "destroyed_at",
    }.get(state)
