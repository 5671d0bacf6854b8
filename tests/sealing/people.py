"""A table of people with three columns to seal, and ways to look at them; on both servers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from keys.keyring import KeyringCiphers
from policies.fields import Field
from proxy.rows.row_key import row_key_bytes
from proxy.sealing.cells import SETTINGS
from proxy.sealing.ddl import sealing_of
from proxy.sealing.run import SealOptions
from proxy.wire.values.codecs import codec_for
from tests.sealing.making import KEY, ciphers_for, data_map, field_of, id_of
from tests.support.servers import Database

EMAIL = field_of("email", 1, equality=True, unique=True, not_null=True)
CITY = field_of("Home City", 2, equality=True)
NOTE = field_of("note", 3, row_bound=True, pad_to=16)
MAP = data_map(KEY, EMAIL, CITY, NOTE)
CIPHERS = ciphers_for(MAP)
QUICK = SealOptions(batch=7, lock_seconds=0.5, settle_seconds=0)
PEOPLE = (
    'CREATE TABLE people (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, "Home City" text, note text, other int)',
    'CREATE INDEX city_index ON people ("Home City")',
    """INSERT INTO people SELECT n, 'person' || n || '@example.org', CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE
       'Київ ' || n % 3 END, CASE WHEN n % 5 > 0 THEN 'note of ' || n END, n FROM generate_series(1, 100) n""",
)


@pytest.fixture(params=["PostgreSQL 18", "PostgreSQL 15"])
def people(request: pytest.FixtureRequest) -> Database:
    made: Database = request.getfixturevalue("database" if request.param == "PostgreSQL 18" else "tls_database")
    made.run(*PEOPLE)
    return made


@pytest.fixture
async def connection(people: Database) -> AsyncIterator[asyncpg.Connection]:
    made = await people.connect_async()
    yield made
    await made.close()


async def opened(
    connection: asyncpg.Connection, field: Field, ciphers: KeyringCiphers = CIPHERS, key: str = "id"
) -> dict[int, str | None]:
    """The field as an application would see it, by row."""
    cipher, codec = ciphers.cipher(id_of(field)), codec_for(sealing_of(field).logical_type)
    found: dict[int, str | None] = {}
    for row in await connection.fetch(f'SELECT "{key}" AS key, "{field.column}" AS cell FROM {field.table}'):
        bound = row_key_bytes(b"%d" % row["key"], binary=False, type_oid=0, key_oid=20)
        if row["cell"] is None:
            found[row["key"]] = None
            continue
        cell = cipher.open(row["cell"], row_key=bound if sealing_of(field).row_bound else None)
        found[row["key"]] = codec.to_text(cell, SETTINGS).decode()
    return found


async def plain(connection: asyncpg.Connection, column: str) -> dict[int, str | None]:
    return {row[0]: row[1] for row in await connection.fetch(f'SELECT id, "{column}" FROM people')}


async def columns(connection: asyncpg.Connection) -> list[tuple[str, int]]:
    query = "SELECT attname, attnum FROM pg_attribute WHERE attrelid = 'people'::regclass AND attnum > 0 ORDER BY 2"
    return [(row[0], row[1]) for row in await connection.fetch(query) if not row[0].startswith("....")]
