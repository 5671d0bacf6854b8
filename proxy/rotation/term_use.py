"""What still uses an old term key: columns, CHECKs, fences and cells of the fields that share it.

A cell does not name its term key; two bits of it tell whether its epoch is even and whether it is of two.  So it is
looked at from the other side: every field has the columns of the active epoch alone, takes cells of that epoch alone,
and has none but these.  Parity does not tell an epoch from the one before the last, so before a key is disabled or
destroyed every cell is opened as well, and its terms and tokens are compared with those that the active key makes.
"""

from __future__ import annotations

import re
from dataclasses import replace

from keys.envelope import HEAD_SIZE, Scheme
from keys.keyring import KeyPurpose, Slot
from keys.lifecycle import KeyState
from keys.records import StoredKey
from policies.fields import Field
from proxy.keywork.handler import Work
from proxy.sealing.ddl import qualified, quote, sealing_of, term_column, token_column
from proxy.sealing.facts import Connection

from .errors import RotationRefused
from .exchange import admitted_now
from .fence import fence_state
from .places import Member, Place
from .survey import members_of
from .terms import SCHEME_AT, TWO_EPOCHS, bits_of, term_slot_of
from .tools import Tools, keys_of
from .verify import verify_place


def makes_terms(slot: Slot) -> bool:
    """Of fields: not the key that data subjects' secrets are found by."""
    return slot.purpose is KeyPurpose.TERM and slot.scope.partition(":")[0] in ("field", "group")


async def require_no_terms(tools: Tools, work: Work, key: StoredKey, *, opened: bool) -> list[str]:
    """Names what was looked at.  Raises RotationRefused when something is of the key, or could still come to be.

    `opened`: every cell is opened, too.
    """
    active = keys_of(await tools.store.read(), key.info.slot, KeyState.ACTIVE)
    if not active or active[0].info.epoch <= key.info.epoch:
        raise RotationRefused(f"key {key.name}", ["no newer key of its fields is active: rotate them first"])
    scanned = []
    for place in tools.places():
        if term_slot_of(place) != key.info.slot:
            continue
        where = f"{place.database} {place.field.name}"
        await work.checkpoint(f"scan {where}")
        async with tools.connection(place.database) as connection:
            await _require_none(connection, place, key, active[0].info.epoch)
        if opened:
            await _require_opened(tools, work, place, key)
        scanned.append(where)
    return scanned


async def _require_none(connection: Connection, place: Place, key: StoredKey, epoch: int) -> None:
    where = f"{place.field.name} of database {place.database}"
    members = await members_of(connection, place)
    for member in members:
        await _require_columns(connection, place.field, member, key, epoch)
    admitted = await admitted_now(connection, place.field)
    admitted |= (await fence_state(connection, place.field, members)).heads
    bits = bits_of(epoch)
    if any(len(head) != HEAD_SIZE or Scheme(head[SCHEME_AT]) & TWO_EPOCHS != bits for head in admitted):
        raise RotationRefused(f"key {key.name}", [f"{where} takes cells of another epoch: finish its rotation first"])
    await connection.execute("SET statement_timeout = 0; SET row_security = off")
    cell = quote(place.field.column)
    found = await connection.fetchval(
        f"SELECT pg_catalog.count(*) FROM {qualified(place.field.schema, place.field.table)}"  # noqa: S608 - quoted
        f" WHERE pg_catalog.get_byte({cell}, {SCHEME_AT}) & {int(TWO_EPOCHS)} <> {int(bits)}"
    )
    if found:
        raise RotationRefused(f"key {key.name}", [f"{found} cells of {where} are of another epoch than the active key"])


async def _require_columns(connection: Connection, field: Field, member: Member, key: StoredKey, epoch: int) -> None:
    """Those of the active epoch, and no others."""
    now, sealing = replace(field, term_epoch=epoch, token_epoch=epoch), sealing_of(field)
    wanted = {term_column(now)} if sealing.equality else set[str]()
    wanted |= {token_column(now)} if sealing.tokens else set[str]()
    first = "|".join(re.escape(name) for name in (field.term_column_of(1), field.token_column_of(1)))
    names = {row[0] for row in await connection.fetch(_COLUMNS, member.schema, member.name)}
    found = {name for name in names if re.fullmatch(rf"(?:{first})(?:_[1-9][0-9]*)?", name)}
    if found != wanted:
        told = ", ".join(sorted(found)) or "none"
        raise RotationRefused(
            f"key {key.name}",
            [
                f"{member.schema}.{member.name} has the columns {told}, and the active key's are"
                f" {', '.join(sorted(wanted))}: finish the rotation of {field.name} first"
            ],
        )


async def _require_opened(tools: Tools, work: Work, place: Place, key: StoredKey) -> None:
    findings = await verify_place(tools, work, place, (await tools.store.load()).keyring)
    wrong = findings.wrong_terms + findings.other_epoch
    if wrong or findings.damaged:
        raise RotationRefused(
            f"key {key.name}",
            [
                f"of the cells of {place.field.name} in database {place.database} {wrong} have other terms or tokens"
                f" than the active key makes, and {findings.damaged} do not open"
            ],
        )


_COLUMNS = """
SELECT a.attname::pg_catalog.text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
"""
