"""What a database takes is read from its CHECKs; where these do not say what they should, nothing is."""

from __future__ import annotations

from proxy.sealing.admitted import read_admitted
from proxy.sealing.ddl import check_constraint
from tests.sealing.making import EMAIL, NOTE, ciphers_for, create_sealed, data_map, id_of
from tests.support.servers import Database

MAP = data_map()
CIPHERS, OTHERS = ciphers_for(MAP), ciphers_for(MAP)
CHECK = f'"fg_{id_of(EMAIL)}"'


async def admitted(database: Database) -> dict[str, frozenset[bytes]]:
    connection = await database.connect_async()
    try:
        return await read_admitted(connection, MAP)
    finally:
        await connection.close()


async def test_each_field_s_heads(database: Database) -> None:
    database.run(*create_sealed(MAP, CIPHERS))
    assert await admitted(database) == CIPHERS.heads()


async def test_several_heads(database: Database) -> None:
    both = CIPHERS.heads()[id_of(EMAIL)] | OTHERS.heads()[id_of(EMAIL)]
    database.run(
        *create_sealed(MAP, CIPHERS),
        f"ALTER TABLE people DROP CONSTRAINT {CHECK}, ADD {check_constraint(EMAIL, both)}",
    )
    assert (await admitted(database))[id_of(EMAIL)] == both


async def test_every_table_of_the_field_must_take_it(database: Database) -> None:
    heads = OTHERS.heads()[id_of(EMAIL)]
    database.run(
        *create_sealed(MAP, CIPHERS),
        "CREATE TABLE child () INHERITS (people)",
        f"ALTER TABLE ONLY people DROP CONSTRAINT {CHECK}, ADD {check_constraint(EMAIL, heads)} NO INHERIT",
    )
    found = await admitted(database)
    assert found[id_of(EMAIL)] == frozenset() and found[id_of(NOTE)] == CIPHERS.heads()[id_of(NOTE)]


async def test_what_is_not_there_admits_nothing(database: Database) -> None:
    assert set((await admitted(database)).values()) == {frozenset()}
    database.run(
        *create_sealed(MAP, CIPHERS), f"ALTER TABLE people DROP CONSTRAINT {CHECK}, ADD CONSTRAINT {CHECK} CHECK (true)"
    )
    assert (await admitted(database))[id_of(EMAIL)] == frozenset()
