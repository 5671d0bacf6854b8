"""SHRED_SUBJECT: a data subject's secret is destroyed, and with it every cell and every old version of one.

    destroy   the secret's wrapped bytes are gone from the control database, and none is ever made again
    forget    everyone who holds keys has forgotten the secret (or has stopped serving, its lease over)
    wait      transactions that were writing to the tables then have ended: their cells are there, or never will be
    try       every cell of the subject is tried by keys that were read anew: none may open
    erase     what still stands there is replaced: by NULL, or where that may not be by an erased cell, whose search
              term is random; so nothing of the subject's is found by a term any more
    certify   the report says what was done, and what it does not cover

Each step looks at what is there, so a kill at any point is followed by running the same again.  After `destroy` there
is no way back, and nothing is left to cancel.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg

from keys.envelope import ERASED_SIZE, HEAD_SIZE, erased
from keys.errors import CryptoError, SubjectDestroyed
from keys.keyring import Keyring
from keys.subjects import SubjectName
from policies.fields import Field
from proxy.errors import FieldgateError
from proxy.keywork.handler import NoWayBack, Work
from proxy.keywork.subjects import parse_subject
from proxy.rows.row_key import row_key_bytes
from proxy.sealing.admitted import read_admitted
from proxy.sealing.ddl import quote, sealing_of
from proxy.sealing.facts import Connection
from proxy.wire.oids import TEXT

from .errors import CellsDamaged, RotationRefused, StepWaits
from .exchange import admitted_now
from .places import Member, Place
from .secrets import secrets_of
from .session import settle
from .survey import survey
from .tools import Tools
from .writers import writers_end

BATCH = 200
ATTEMPTS = 100  # to have rows that somebody else holds
PAUSE = 0.1

COVERS = (
    "every cell of the subject in the tables named here, wherever a copy of it stands: rows, old row versions, WAL,"
    " replicas and backups of the data database hold ciphertext that no key opens any more",
)
DOES_NOT_COVER = (
    "backups, replicas and WAL of the control database from before hold the wrapped secret: until they are gone,"
    " whoever has them, the keys, and old copies of the cells could open these",
    "search terms in backups, replicas and WAL of the data database: whoever has the field's term key can test guesses"
    " against them until that key is destroyed",
    "columns that are stored plain, and what applications have copied elsewhere",
)


@dataclass(slots=True)
class Tally:
    """By field name."""

    tried: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)
    nulls: Counter[str] = field(default_factory=Counter)
    erased: Counter[str] = field(default_factory=Counter)

    def report(self) -> dict[str, object]:
        return {name: dict(sorted(getattr(self, name).items())) for name in ("tried", "opened", "nulls", "erased")}


async def shred_subject(tools: Tools, work: Work) -> None:
    """The handler.  A second person has approved it.

    Raises CellsDamaged when a cell still opens; nothing of it has then been erased, so that it can be looked into.
    """
    operation = work.operation
    name = parse_subject(operation.target.subject or "")
    if operation.approved_by is None or operation.approved_by == operation.requested_by:
        raise RotationRefused("the subject", ["a second person has to approve it"])
    places = _places(tools, operation.target.database, name.kind)
    await _require_whole(tools, name, places)
    keyring = (await tools.store.load()).keyring
    store = secrets_of(tools.store, tools.leases, keyring, places[0].controller, name.kind)
    if not await store.destroyed(name):
        await work.checkpoint("destroy")
    work = NoWayBack(work)
    if await store.destroy(name) or "destroyed_at" not in operation.result:
        await work.report({"destroyed_at": datetime.now(UTC).isoformat(timespec="seconds")})
    await work.checkpoint("forget")
    await tools.store.touch()
    await tools.confirmed(work, "forget")
    for of_table in _by_table(places):
        await _wait_for_writers(tools, work, of_table[0])
    tally = Tally()
    for step in (_try, _erase):
        for places_of_table in _by_table(places):
            await step(tools, work, keyring, name, places_of_table, tally)
        if tally.opened:
            raise CellsDamaged(f"{sum(tally.opened.values())} cells still open: nothing was erased")
    await work.report(
        {
            "kind": name.kind,
            "tag": store.tag(name).hex(),
            "tables": sorted({f"{p.database} {p.field.schema}.{p.field.table}" for p in places}),
            **tally.report(),
            "covers": list(COVERS),
            "does_not_cover": list(DOES_NOT_COVER),
            "certified_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )


def _places(tools: Tools, database: str | None, kind: str) -> list[Place]:
    """The fields whose cells need the secrets of this kind, in every database of the controller."""
    found = [place for place in tools.places() if place.table.subject_kind == kind]
    here = next((place for place in found if place.database == database), None)
    if here is None:
        raise RotationRefused("the subject", [f"no table of database {database} has secrets for subjects of this kind"])
    return [place for place in found if place.controller == here.controller]


def _by_table(places: Sequence[Place]) -> list[list[Place]]:
    tables: dict[tuple[str, str, str], list[Place]] = {}
    for place in places:
        tables.setdefault((place.database, place.field.schema, place.field.table), []).append(place)
    return list(tables.values())


async def _require_whole(tools: Tools, name: SubjectName, places: Sequence[Place]) -> None:
    """Nothing is destroyed of which the rest could not be done.  Raises RotationRefused."""
    for place in places:
        async with tools.connection(place.database) as connection:
            for member in await survey(await settle(connection), place):
                _key(name, member)
            await admitted_now(connection, place.field)  # it is sealed, in every part of its table


async def _wait_for_writers(tools: Tools, work: Work, place: Place) -> None:
    """A cell that was sealed before the secret was forgotten may stand in a transaction that is still open."""
    table = f"{place.field.schema}.{place.field.table}"

    async def waiting() -> None:
        await work.checkpoint(f"wait: a transaction that writes to {table} is open")

    async with tools.connection(place.database) as connection:
        await writers_end(await settle(connection), place.field.schema, place.field.table, waiting)


async def _try(
    tools: Tools, work: Work, keyring: Keyring, name: SubjectName, places: Sequence[Place], tally: Tally
) -> None:
    """Every cell of one table, by keys and secrets that are asked for anew."""
    await work.checkpoint(f"try {places[0].field.schema}.{places[0].field.table}")
    ciphers = {}
    for place in places:
        keeper = tools.keeper(keyring, place)
        if keeper is None:
            continue
        await keeper.have([name], make=False)
        ciphers[place.field.name] = tools.ciphers(keyring, place, keeper).cipher(place.field_id)
    async with tools.connection(places[0].database) as connection:
        for member in await survey(await settle(connection), places[0]):
            rows = await connection.fetch(_cells(member, places), *_key(name, member))
            for row in rows:
                for place, cell in zip(places, row.values(), strict=True):
                    if cell is None or _is_erased(cell):
                        continue
                    tally.tried[place.field.name] += 1
                    try:
                        ciphers[place.field.name].open(cell, row_key=name.key)
                        tally.opened[place.field.name] += 1
                    except SubjectDestroyed:
                        pass
                    except CryptoError:  # under a key that is gone, or damaged: it does not open either
                        pass


async def _erase(
    tools: Tools, work: Work, keyring: Keyring, name: SubjectName, places: Sequence[Place], tally: Tally
) -> None:
    await work.checkpoint(f"erase {places[0].field.schema}.{places[0].field.table}")
    async with tools.connection(places[0].database) as connection:
        await settle(connection)
        admitted = await read_admitted(connection, tools.data_maps()[places[0].database])
        heads = {
            place.field.name: tools.ciphers(keyring, place, admitted=admitted).cipher(place.field_id).head
            for place in places
        }
        for member in await survey(connection, places[0]):
            while await _batch(connection, member, name, places, heads, tally):
                await work.checkpoint(f"erase {member.schema}.{member.name}")


async def _batch(
    connection: Connection,
    member: Member,
    name: SubjectName,
    places: Sequence[Place],
    heads: dict[str, bytes],
    tally: Tally,
) -> bool:
    """Some rows, locked and erased in one transaction; False when there was none.  Raises StepWaits."""
    for _ in range(ATTEMPTS):
        try:
            async with connection.transaction():
                rows = await connection.fetch(_left(member, places), *_key(name, member), BATCH)
                if rows:
                    await connection.executemany(_replace(member, places), [_new(row, places, heads) for row in rows])
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(PAUSE)
            continue
        for row in rows:
            _count(row, places, tally)
        return bool(rows)
    raise StepWaits(f"{member.schema}.{member.name}: rows of the subject are held by somebody else")


def _new(row: Any, places: Sequence[Place], heads: dict[str, bytes]) -> list[object]:
    cells: list[object] = []
    for place, cell in zip(places, tuple(row)[1:], strict=True):
        keeps = cell is not None and sealing_of(place.field).not_null
        cells.append((cell if _is_erased(cell) else erased(heads[place.field.name])) if keeps else None)
    return [row[0], *cells]


def _count(row: Any, places: Sequence[Place], tally: Tally) -> None:
    for place, cell in zip(places, tuple(row)[1:], strict=True):
        if cell is not None and not _is_erased(cell):
            (tally.erased if sealing_of(place.field).not_null else tally.nulls)[place.field.name] += 1


def _is_erased(cell: bytes) -> bool:
    return len(cell) >= HEAD_SIZE + ERASED_SIZE and not any(cell[-ERASED_SIZE:])


# -- statements --


def _key(name: SubjectName, member: Member) -> tuple[str, ...]:
    """The subject's key as text.  Raises RotationRefused when it cannot be one of this column."""
    try:
        canonical = row_key_bytes(name.key, binary=False, type_oid=TEXT, key_oid=member.row_key_oid or 0)
    except FieldgateError:
        canonical = b""
    if canonical != name.key:
        raise RotationRefused("the subject", [f"its key does not have the form of {member.schema}.{member.name}'s"])
    return (name.key.decode(),)


def _of_subject(member: Member) -> str:
    column = f"t.{quote(member.row_key or '')}"
    return f"pg_catalog.format('%s', {column}) = $1::pg_catalog.text"


def _columns(places: Sequence[Place]) -> str:
    return ", ".join(f"t.{quote(place.field.column)}" for place in places)


def _cells(member: Member, places: Sequence[Place]) -> str:
    return f"SELECT {_columns(places)} FROM {member.sql} t WHERE {_of_subject(member)}"  # noqa: S608


def _left(member: Member, places: Sequence[Place]) -> str:
    live = " OR ".join(_is_live(place.field) for place in places)
    return (
        f"SELECT t.ctid, {_columns(places)} FROM {member.sql} t WHERE {_of_subject(member)} AND ({live})"  # noqa: S608
        " ORDER BY t.ctid LIMIT $2 FOR NO KEY UPDATE OF t"
    )


def _is_live(one: Field) -> str:
    cell, zeros = f"t.{quote(one.column)}", bytes(ERASED_SIZE).hex()
    end = f"pg_catalog.substr({cell}, pg_catalog.octet_length({cell}) - {ERASED_SIZE - 1})"
    return f"({cell} IS NOT NULL AND {end} <> E'\\\\x{zeros}'::pg_catalog.bytea)"


def _replace(member: Member, places: Sequence[Place]) -> str:
    sets = ", ".join(f"{quote(place.field.column)} = ${n}" for n, place in enumerate(places, 2))
    return f"UPDATE {member.sql} t SET {sets} WHERE t.ctid = $1::pg_catalog.tid"  # noqa: S608
