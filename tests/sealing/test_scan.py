"""The scan finds plaintext in each form in which PostgreSQL keeps it, and none when it is gone."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import asyncpg
import pytest

from policies.fields import LogicalType
from proxy.sealing.decompress import lz4, pglz
from proxy.sealing.errors import SealingRefused
from proxy.sealing.job import seal_field
from proxy.sealing.run import SealOptions
from proxy.sealing.scan import Needles, ScanResult, scan_field, search
from tests.sealing.making import KEY, ciphers_for, data_map, field_of
from tests.support.servers import Database

NOTE = field_of("note", 3, equality=True)
MAP = data_map(KEY, NOTE)
CIPHERS = ciphers_for(MAP)
QUICK = SealOptions(batch=50, settle_seconds=0)


def long_text(seed: int, size: int) -> str:
    """Words in no order: pglz and lz4 make it shorter, and it stays longer than a page's row may be."""
    chance = random.Random(seed)
    words = [f"w{chance.randrange(10**6)}" for _ in range(40)]
    return " ".join(chance.choice(words) for _ in range(size // 7))


@pytest.fixture(params=["PostgreSQL 18", "PostgreSQL 15"])
def scanned(request: pytest.FixtureRequest) -> Database:
    made: Database = request.getfixturevalue("database" if request.param == "PostgreSQL 18" else "tls_database")
    made.run("CREATE TABLE people (id bigint PRIMARY KEY, note text)")
    return made


@pytest.fixture
async def connection(scanned: Database) -> AsyncIterator[asyncpg.Connection]:
    made = await scanned.connect_async()
    yield made
    await made.close()


async def scan(connection: asyncpg.Connection, **more: object) -> ScanResult:
    return await scan_field(connection, MAP, "people.note", CIPHERS, samples=50, **more)  # type: ignore[arg-type]


def forms(result: ScanResult) -> set[tuple[str, str]]:
    return {(find.relation or find.path.split("/")[0], find.form) for find in result.finds}


PLANTED = {
    "as it is": (["plaintext one"], "EXTENDED", {"as it is"}),
    "compressed in the row": (["abcdefgh" * 400], "MAIN", {"as it is, compressed"}),
    "compressed elsewhere": ([long_text(1, 40_000)], "EXTENDED", {"as it is, compressed"}),
    "in pieces": ([long_text(2, 9_000)], "EXTERNAL", {"as it is, in pieces"}),
}


@pytest.mark.integration
@pytest.mark.parametrize("method", ["pglz", "lz4"])
@pytest.mark.parametrize("kind", PLANTED)
async def test_planted_values_are_found_and_gone_when_it_is_sealed(
    connection: asyncpg.Connection, kind: str, method: str
) -> None:
    values, storage, expected = PLANTED[kind]
    try:
        await connection.execute(f"SET default_toast_compression = {method}")
    except asyncpg.InvalidParameterValueError:
        pytest.skip("this server is built without lz4")
    await connection.execute(f"ALTER TABLE people ALTER note SET STORAGE {storage}")
    await connection.executemany("INSERT INTO people VALUES ($1, $2)", list(enumerate(values)))
    before = await scan(connection)
    assert {form for _, form in forms(before)} == expected
    assert before.values == len(values)
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    after = await scan(connection)
    assert (after.values, after.finds) == (len(values), ())
    assert after.files >= 4


@pytest.mark.integration
async def test_indexes_statistics_hex_and_deleted_rows(connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE INDEX notes ON people (note)")
    await connection.execute("ALTER TABLE people ADD copy text, SET (autovacuum_enabled = off)")
    await connection.execute("INSERT INTO people SELECT n, 'a common plaintext' FROM generate_series(1, 50) n")
    await connection.execute("INSERT INTO people VALUES (99, 'plaintext that goes')")
    await connection.execute("UPDATE people SET copy = encode(convert_to(note, 'UTF8'), 'hex') WHERE id = 7")
    await connection.execute("ANALYZE people")
    needles = Needles([b"a common plaintext", b"plaintext that goes"])
    await connection.execute("DELETE FROM people WHERE id = 99")
    before = await search(connection, NOTE, needles)
    assert forms(before) == {
        ("people", "as it is"), ("people", "hex"), ("notes", "as it is"), ("pg_statistic", "as it is"),
    }  # fmt: skip
    assert (
        await search(connection, NOTE, Needles([b"plaintext that goes"]))
    ).finds  # a deleted row, and its index entry
    await connection.execute("UPDATE people SET copy = NULL WHERE id = 7")
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert forms(await search(connection, NOTE, needles)) == {("pg_statistic", "as it is")}  # rows that are dead
    await connection.execute("VACUUM FULL pg_catalog.pg_statistic")
    assert (await search(connection, NOTE, needles)).finds == ()
    elsewhere = {place for place, _ in forms(await search(connection, NOTE, needles, whole=True))}
    assert elsewhere == {"pg_wal"}  # the operator's duty (remains.py)


@pytest.mark.integration
async def test_what_cannot_be_searched_is_said(scanned: Database, connection: asyncpg.Connection) -> None:
    born = data_map(KEY, field_of("born", 5, logical_type=LogicalType.DATE))
    with pytest.raises(SealingRefused, match="too short to be told"):
        await scan_field(connection, born, "people.born", CIPHERS)
    reader = scanned.role("reader")
    scanned.run(f"GRANT SELECT ON people TO {reader}")
    other = await scanned.connect_async(reader, "secret")
    with pytest.raises(SealingRefused, match="pg_read_server_files"):
        await scan_field(other, MAP, "people.note", CIPHERS)
    await other.close()


def test_needles_show_nothing() -> None:
    assert "secret" not in repr(Needles([b"secret value"]))


def test_decompression_of_known_blocks() -> None:
    """Worked out by hand from the formats' descriptions; the servers' own blocks are in the tests above."""
    assert lz4(b"", 100) == b""
    # three letters, then nine bytes from three back, then two letters by themselves at the end
    assert lz4(bytes([0x35]) + b"abc" + bytes([3, 0, 0x20]) + b"x!", 100) == b"abcabcabcabcx!"
    assert lz4(bytes([0xF0, 5]) + b"a" * 20, 100) == b"a" * 20
    assert lz4(bytes([0x10]) + b"a" + bytes([9, 0]), 100) == b"a"  # points before the beginning
    assert pglz(bytes([0b1000]) + b"abc" + bytes([0x03, 3]), 100) == b"abcabcabc"
    assert pglz(bytes([0b10]) + b"a" + bytes([0x0F, 1, 2]), 100) == b"a" * 21
    assert pglz(bytes([0b10]) + b"a" + bytes([0x03, 9]), 100) == b"a"  # points before the beginning
    assert pglz(bytes([0b10]) + b"a" + bytes([0x0F, 1, 2]), 5) == b"aaaaa"


@pytest.mark.parametrize("method", [lz4, pglz])
def test_decompression_takes_anything(method: object) -> None:
    chance = random.Random(7)
    for size in range(200):
        data = chance.randbytes(size)
        assert len(method(data, 1000)) <= 1000  # type: ignore[operator]
