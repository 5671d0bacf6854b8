"""DISABLE_KEY, ENABLE_KEY and DESTROY_KEY: a key is retired when nothing is of it, and gone for good in two phases.

Before a key is disabled every registered database is scanned, behind a CHECK that does not admit its cells; and once
more when nobody opens by it any more.  Of a term key no column, CHECK, fence or cell may be left (term_use.py).  A
destroyed key's wrapped bytes are gone from the control database; that says nothing about backups of it, and the report
says so.
"""

from __future__ import annotations

from datetime import timedelta

from keys.database_store import Move
from keys.keyring import KeyPurpose
from keys.lifecycle import KeyState
from keys.records import StoredKey
from proxy.keywork.handler import Cancelled, NoWayBack, Work
from proxy.sealing.ddl import qualified

from .errors import RotationRefused
from .exchange import admitted_now
from .fence import fence_state
from .places import Place
from .statements import count_under
from .survey import members_of
from .term_use import makes_terms, require_no_terms
from .tools import Tools, slot_of

DESTROY_AFTER = timedelta(days=7)


async def disable_key(tools: Tools, work: Work) -> None:
    """The handler.  A key that is disabled already is scanned again, which is how a killed run goes on."""
    key = await _key(tools, work)
    if key.info.state is KeyState.ACTIVE:
        raise RotationRefused(f"key {key.name}", ["it is active: rotate its field first"])
    if key.info.state is KeyState.DESTROYED:
        raise RotationRefused(f"key {key.name}", ["it is destroyed"])
    scanned = await _require_unused(tools, work, key, opened=True)
    if key.info.state is not KeyState.DISABLED:
        await tools.store.transition([Move(key.info.key_id, key.info.state, KeyState.DISABLED)])
    try:
        await tools.confirmed(work, "disabled")
        await _require_unused(tools, work, key, opened=False)
    except (RotationRefused, Cancelled):
        await tools.store.transition([Move(key.info.key_id, KeyState.DISABLED, KeyState.DECRYPT_ONLY)])
        raise
    await work.report({"key": key.name, "scanned": scanned})


async def enable_key(tools: Tools, work: Work) -> None:
    """The handler: a disabled key opens again."""
    key = await _key(tools, work)
    if key.info.state not in (KeyState.DISABLED, KeyState.DECRYPT_ONLY):
        raise RotationRefused(f"key {key.name}", [f"it is {key.info.state}, not disabled"])
    if key.info.state is KeyState.DISABLED:
        await tools.store.transition([Move(key.info.key_id, KeyState.DISABLED, KeyState.DECRYPT_ONLY)])
    await tools.confirmed(work, "enabled")
    await work.report({"key": key.name})


async def destroy_key(tools: Tools, work: Work, destroy_after: timedelta = DESTROY_AFTER) -> None:
    """The handler.  A second person has approved it, and the key has been disabled for long enough."""
    operation, key = work.operation, await _key(tools, work)
    if operation.approved_by is None or operation.approved_by == operation.requested_by:
        raise RotationRefused(f"key {key.name}", ["a second person has to approve its destruction"])
    if key.info.state is not KeyState.DESTROYED:
        if key.info.state is not KeyState.DISABLED:
            raise RotationRefused(f"key {key.name}", [f"it is {key.info.state}: disable it first"])
        snapshot = await tools.store.read()
        if key.disabled_at is None or snapshot.now < key.disabled_at + destroy_after:
            raise RotationRefused(f"key {key.name}", [f"it has to be disabled for {destroy_after} first"])
        scanned = await _require_unused(tools, work, key, opened=True)
        await work.report({"scanned": scanned})
        await tools.store.transition([Move(key.info.key_id, KeyState.DISABLED, KeyState.DESTROYED)])
    work = NoWayBack(work)
    await tools.confirmed(work, "destroyed")
    await work.report(
        {
            "key": key.name,
            "destroyed": "the wrapped key is gone from the control database",
            "remains": _TERMS_REMAIN if makes_terms(key.info.slot) else _REMAINS,
        }
    )


_REMAINS = "backups and replicas of the control database, and exports, hold it as long as they are kept"
_TERMS_REMAIN = (
    f"{_REMAINS}; terms and search tokens of it stand in backups and WAL of the data from before its rotation: who has"
    " one of these and such a copy of the key can test guesses against them, and nobody else can"
)


async def _key(tools: Tools, work: Work) -> StoredKey:
    named = work.operation.target.key_id or ""
    key = next((key for key in (await tools.store.read()).keys if key.name == named), None)
    if key is None:
        raise RotationRefused(f"key {named}", ["there is no such key"])
    if key.info.slot.purpose is not KeyPurpose.CELL and not makes_terms(key.info.slot):
        raise RotationRefused(f"key {named}", ["it is no key of fields: only these are retired by themselves"])
    return key


async def _require_unused(tools: Tools, work: Work, key: StoredKey, *, opened: bool) -> list[str]:
    """Names what was scanned.  Raises RotationRefused when a cell is of the key, or could still come to be.

    `opened`: where its head does not tell, a cell is opened.
    """
    if makes_terms(key.info.slot):
        return await require_no_terms(tools, work, key, opened=opened)
    places = [place for place in tools.places() if slot_of(place) == key.info.slot]
    scanned = []
    for place in places:
        await work.checkpoint(f"scan {place.database} {place.field.name}")
        await _require_unused_in(tools, place, key)
        scanned.append(f"{place.database} {place.field.name}")
    return scanned


async def _require_unused_in(tools: Tools, place: Place, key: StoredKey) -> None:
    where = f"{place.field.name} of database {place.database}"
    async with tools.connection(place.database) as connection:
        members = await members_of(connection, place)
        admitted = await admitted_now(connection, place.field)
        admitted |= (await fence_state(connection, place.field, members)).heads
        if any(head[-len(key.info.key_id) :] == key.info.key_id for head in admitted):
            raise RotationRefused(f"key {key.name}", [f"{where} still admits its cells: finish its rotation first"])
        table = qualified(place.field.schema, place.field.table)
        await connection.execute("SET statement_timeout = 0; SET row_security = off")
        found = await connection.fetchval(count_under(table, place.field, key.info.key_id), key.info.key_id)
    if found:
        raise RotationRefused(f"key {key.name}", [f"{found} cells of {where} are under it"])
