"""Wrapped keys for escrow: all rows of the store and their codes, as JSON; and what an import puts back.  Pure.

Nothing in an export is unwrapped: without the provider it opens nothing.  With the provider and a backup of the data
it opens everything, so it is kept apart from both.  Its codes are the store's own; here only the form is looked at, and
what would stand in the store is verified and unwrapped before it is written (escrow_check.py).

An import puts back the revision that was exported, and no other: into a store that is empty, or into one that stands
at this very revision and has lost or changed rows of it.  Wrapped bytes that stand in the store are never written over:
a forged import would destroy a key without a second person.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

from keys.key_tables import shown
from keys.keyring import KeyInfo, KeyPurpose, Slot
from keys.leases import SEALS_PER_KEY
from keys.lifecycle import KeyState
from keys.records import KeySnapshot, StoredKey

from .refusals import Code, Refusal

FORMAT = "fieldgate-wrapped-keys-1"
MOST_KEYS = 100_000


def _bytes(value: object) -> bytes:
    if not isinstance(value, str) or len(value) > 8192:
        raise ValueError("bytes are written in base64")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("bytes are written in base64") from None


Base64 = Annotated[
    bytes,
    PlainValidator(_bytes),
    PlainSerializer(lambda value: base64.b64encode(value).decode(), return_type=str),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "maxLength": 8192}),
]
KeyId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="A key's id, 16 hex digits.")]
Name = Annotated[str, Field(min_length=1, max_length=256)]


class EscrowKey(BaseModel):
    """One row of the store of keys, as it stands there."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    key_id: KeyId
    controller: Annotated[str, Field(max_length=256)]
    scope: Name
    purpose: KeyPurpose
    epoch: Annotated[int, Field(ge=1, le=2**31 - 1)]
    state: KeyState
    kek_uri: Name | None
    wrapped: Base64 | None
    created_at: AwareDatetime
    activated_at: AwareDatetime | None
    retired_at: AwareDatetime | None
    disabled_at: AwareDatetime | None
    destroyed_at: AwareDatetime | None
    seals_granted: Annotated[int, Field(ge=0, le=SEALS_PER_KEY)]
    code: Base64


class Escrow(BaseModel):
    """All keys of one revision, wrapped."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    format: Literal["fieldgate-wrapped-keys-1"]
    exported_at: AwareDatetime
    revision: Annotated[int, Field(ge=1, le=2**62)]
    code: Base64
    keys: Annotated[tuple[EscrowKey, ...], Field(min_length=1, max_length=MOST_KEYS)]


@dataclass(frozen=True, slots=True)
class PutBack:
    """What an import writes: `number` and `code` of the revision, and the rows that the store lacks."""

    number: int
    code: bytes
    rows: tuple[StoredKey, ...]
    present: int


def export_of(snapshot: KeySnapshot) -> Escrow:
    """Raises Refusal when there is nothing to export."""
    if snapshot.code is None or not snapshot.keys:
        raise Refusal(Code.EXPORT_INVALID, "the control database has no keys yet")
    return Escrow.model_validate(
        {
            "format": FORMAT,
            "exported_at": snapshot.now,
            "revision": snapshot.number,
            "code": base64.b64encode(snapshot.code).decode(),
            "keys": [_line(key) for key in snapshot.keys],
        }
    )


def plan_import(escrow: Escrow, there: KeySnapshot) -> PutBack:
    """Raises Refusal: the export contradicts itself, or the store is at another revision."""
    rows = _checked(escrow)
    empty = there.code is None and not there.keys
    if empty:
        if escrow.revision < there.number:
            raise Refusal(Code.EXPORT_INVALID, "the export's revision is older than the empty store's number")
        return PutBack(escrow.revision, escrow.code, tuple(map(_used_up, rows)), 0)
    if (there.number, there.code) != (escrow.revision, escrow.code):
        raise Refusal(
            Code.STORE_NOT_EMPTY,
            f"the store has keys of revision {there.number}, the export is of revision {escrow.revision}: an import"
            " puts back the same revision, or fills an empty store",
        )
    known = {key.info.key_id: key for key in there.keys}
    if not known.keys() <= {row.info.key_id for row in rows}:
        raise Refusal(Code.STORE_NOT_EMPTY, "the store has keys that the export of the same revision does not name")
    wanting = [row for row in rows if not _same(known.get(row.info.key_id), row)]
    for row in wanting:
        _require_nothing_lost(known.get(row.info.key_id), row)
    put = tuple(_kept(known.get(row.info.key_id), row) for row in wanting)
    return PutBack(escrow.revision, escrow.code, put, len(rows) - len(put))


def store_after(put: PutBack, there: KeySnapshot) -> KeySnapshot:
    """What whoever loads keys would find."""
    rows = {key.info.key_id: key for key in (*there.keys, *put.rows)}
    return KeySnapshot(put.number, put.code, tuple(rows.values()), there.now)


def _checked(escrow: Escrow) -> tuple[StoredKey, ...]:
    ids = {key.key_id for key in escrow.keys}
    places = {(key.controller, key.scope, key.purpose, key.epoch) for key in escrow.keys}
    active = [(key.controller, key.scope, key.purpose) for key in escrow.keys if key.state is KeyState.ACTIVE]
    if len(ids) < len(escrow.keys) or len(places) < len(escrow.keys) or len(set(active)) < len(active):
        raise Refusal(Code.EXPORT_INVALID, "two keys of the export contradict each other")
    for key in escrow.keys:
        destroyed = key.state is KeyState.DESTROYED
        if destroyed != (key.wrapped is None) or destroyed != (key.kek_uri is None):
            raise Refusal(Code.EXPORT_INVALID, f"key {key.key_id} of the export has a state that its row contradicts")
        if len(key.code) != 32:
            raise Refusal(Code.EXPORT_INVALID, f"key {key.key_id} of the export has no code")
    if not any(key.purpose is KeyPurpose.LEDGER and key.state is KeyState.ACTIVE for key in escrow.keys):
        raise Refusal(Code.EXPORT_INVALID, "the export lacks the key that all rows are verified by")
    if len(escrow.code) != 32:
        raise Refusal(Code.EXPORT_INVALID, "the export has no code")
    return tuple(map(_row, escrow.keys))


def _line(key: StoredKey) -> dict[str, object]:
    slot = key.info.slot
    return {
        "key_id": key.name,
        "controller": slot.controller,
        "scope": slot.scope,
        "purpose": slot.purpose,
        "epoch": key.info.epoch,
        "state": key.info.state,
        "kek_uri": key.kek_uri,
        "wrapped": None if key.wrapped is None else base64.b64encode(key.wrapped).decode(),
        "created_at": key.created_at,
        "activated_at": key.activated_at,
        "retired_at": key.retired_at,
        "disabled_at": key.disabled_at,
        "destroyed_at": key.destroyed_at,
        "seals_granted": key.seals_granted,
        "code": base64.b64encode(key.code).decode(),
    }


def _row(key: EscrowKey) -> StoredKey:
    slot = Slot(key.controller, key.scope, key.purpose)
    info = KeyInfo(bytes.fromhex(key.key_id), slot, key.epoch, key.state, shown(_utc(key.created_at)))
    return StoredKey(
        info,
        key.kek_uri,
        key.wrapped,
        _utc(key.created_at),
        _maybe_utc(key.activated_at),
        _maybe_utc(key.retired_at),
        _maybe_utc(key.disabled_at),
        _maybe_utc(key.destroyed_at),
        seals_granted=key.seals_granted,
        code=key.code,
    )


def _same(there: StoredKey | None, row: StoredKey) -> bool:
    """But for the count of seals, which goes on."""
    return there is not None and replace(there, seals_granted=0) == replace(row, seals_granted=0)


def _require_nothing_lost(there: StoredKey | None, row: StoredKey) -> None:
    """Nothing here can tell which of two wrapped keys is the right one.  Raises Refusal."""
    if there is None or (there.wrapped is None and row.wrapped is None):
        return
    if (there.wrapped, there.kek_uri, there.code) != (row.wrapped, row.kek_uri, row.code):
        raise Refusal(
            Code.STORE_NOT_EMPTY,
            f"key {row.name} is wrapped otherwise in the store, and an import writes over no wrapped key: if the"
            " store's row is the wrong one, the owner of the control database takes it away first",
        )


def _kept(there: StoredKey | None, row: StoredKey) -> StoredKey:
    return _used_up(row) if there is None else replace(row, seals_granted=there.seals_granted)


def _used_up(row: StoredKey) -> StoredKey:
    """Nobody knows what was sealed since the export: half of the budget counts as used, or all of it."""
    half = SEALS_PER_KEY // 2
    return replace(row, seals_granted=half if row.seals_granted <= half else SEALS_PER_KEY)


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Refusal(Code.EXPORT_INVALID, "a date of the export is out of range") from None


def _maybe_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else _utc(moment)
