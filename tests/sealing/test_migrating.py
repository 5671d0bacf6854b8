"""Fields whose form is changing, as the proxy's start and its grants see them on a real server."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest

from policies.fields import DataMap
from proxy.catalog_loader import load_catalog
from proxy.sealing.job import seal_field, unseal_field
from proxy.sealing.run import Hooks
from proxy.sealing.verify import verify_sealed
from proxy.stored_forms import stored_forms
from tests.sealing.making import id_of
from tests.sealing.people import CIPHERS, MAP, NOTE, QUICK
from tests.support.servers import Database

pytestmark = pytest.mark.integration
KEY = ("public", "people")


def migrating(*columns: str) -> DataMap:
    table = MAP.tables[KEY]
    fields = {n: replace(f, migrating=f.sealing if n in columns else None) for n, f in table.fields.items()}
    return replace(MAP, tables={KEY: replace(table, fields=fields)})


async def found(connection: asyncpg.Connection, made: DataMap) -> list[str]:
    return [str(problem) for problem in await verify_sealed(connection, made, CIPHERS.heads())]


async def test_both_forms_are_sound_and_nothing_else(people: Database, connection: asyncpg.Connection) -> None:
    all_of_them = migrating("email", "Home City", "note")
    assert await found(connection, all_of_them) == []
    assert len(await found(connection, migrating("email", "Home City"))) == 1  # note is plain, and should not be
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert await found(connection, all_of_them) == []
    assert await found(connection, migrating("email", "Home City")) == []
    await connection.execute(f"ALTER TABLE people DROP CONSTRAINT fg_{id_of(NOTE)}")
    assert await found(connection, all_of_them) == [
        "public.people.note: is bytea: neither sealed nor plain as the data map says"
    ]


@pytest.mark.parametrize("change", ["ALTER note TYPE varchar(30)", "ALTER email DROP NOT NULL"])
async def test_a_plain_one_is_just_as_its_cells_would_be_shown(connection: asyncpg.Connection, change: str) -> None:
    await connection.execute(f"ALTER TABLE people {change}")
    assert len(await found(connection, migrating("email", "Home City", "note"))) == 1


async def test_the_catalog_follows_the_switch_in_one_snapshot(connection: asyncpg.Connection) -> None:
    made = replace(migrating("email", "Home City", "note"), database="shop")
    reader = connection

    async def sealed_now() -> set[str]:
        catalog = await load_catalog(reader, made)
        table = catalog.by_name[KEY].protected
        assert table is not None
        stored = await stored_forms(reader, made)
        assert stored.tables[KEY] == table
        return {name for name, field in table.fields.items() if field.sealing is not None}

    assert await sealed_now() == set()
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert await sealed_now() == {"note"}
    await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    await unseal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert await sealed_now() == {"email"}


async def test_the_switch_is_told_to_every_proxy(people: Database, connection: asyncpg.Connection) -> None:
    listener = await people.connect_async()
    heard: list[str] = []
    await listener.add_listener("fieldgate_catalog", lambda *arguments: heard.append(arguments[2]))
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    await listener.execute("SELECT 1")
    assert heard == ["fieldgate_catalog"] * 2  # prepared, switched
    await listener.close()


async def test_what_hangs_on_the_switch_fails_with_it(connection: asyncpg.Connection) -> None:
    async def refuse(_connection: asyncpg.Connection) -> None:
        raise RuntimeError("no grants")

    with pytest.raises(RuntimeError):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK, hooks=Hooks(in_switch=refuse))
    assert await connection.fetchval("SELECT note FROM people WHERE id = 1") == "note of 1"
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
