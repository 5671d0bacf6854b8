"""The rows go in sealed: what is opened again is what was made up, and nothing of it stands on the server's disk."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from keys.keyring import KeyringCiphers
from keys.providers.local import LOWEST_COST
from keys.store import add_missing_keys, init_keyring, open_keyring
from policies.fields import DataMap
from policies.loader import SHOP, load_policy
from proxy.demo.generate import make_shop, tables
from proxy.demo.load import load_shop, text_form
from proxy.demo.people import ANNA
from proxy.demo.schema import logical_schema, physical_schema
from proxy.sealing.needs import key_needs
from proxy.wire.values.codecs import codec_for
from proxy.wire.values.settings import ValueSettings
from tests.support.servers import Database

ROWS = 60
PASSPHRASE = "only for this test"


@pytest.fixture(scope="module")
def data_map() -> DataMap:
    return load_policy(SHOP).data_map


@pytest.fixture
def ciphers(tmp_path: Path, data_map: DataMap) -> Iterator[KeyringCiphers]:
    init_keyring(tmp_path / "keyring", PASSPHRASE, cost=LOWEST_COST)
    add_missing_keys(tmp_path / "keyring", PASSPHRASE, key_needs(data_map))
    opened = open_keyring(tmp_path / "keyring", PASSPHRASE)
    made = opened.keyring.ciphers(key_needs(data_map), opened.leases())
    yield made
    made.close()


async def load(database: Database, data_map: DataMap, ciphers: KeyringCiphers) -> list[tuple[str, int, int]]:
    told: list[tuple[str, int, int]] = []
    connection = await database.connect_async()
    try:
        await connection.execute(physical_schema(logical_schema(), data_map, ciphers.heads()))
        await load_shop(connection, make_shop(ROWS, 1), data_map, ciphers, lambda *now: told.append(now))
    finally:
        await connection.close()
    return told


async def test_every_cell_opens_to_what_was_made_up(
    database: Database, data_map: DataMap, ciphers: KeyringCiphers
) -> None:
    told = await load(database, data_map, ciphers)
    made = {table.name: table for table in tables(make_shop(ROWS, 1))}
    assert {(name, len(table.rows), len(table.rows)) for name, table in made.items() if table.rows} <= set(told)
    with database.connect() as connection:
        for table in made.values():
            protected = data_map.tables["public", table.name]
            stored = connection.execute(f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY id").fetchall()
            assert len(stored) == len(table.rows)
            for expected, found in zip(table.rows, stored, strict=True):
                for column, value, cell in zip(table.columns, expected, found, strict=True):
                    sealing = protected.fields[column].sealing
                    if sealing is None or value is None:
                        assert cell == value or str(cell) == str(value)
                        continue
                    row_key = str(expected[0]).encode() if sealing.row_bound else None
                    opened = ciphers.cipher(sealing.field_id).open(cell, row_key=row_key)
                    codec = codec_for(sealing.logical_type)
                    assert opened == codec.from_text(text_form(value), sealing.typmod, ValueSettings())


async def test_equality_terms_find_and_numbers_go_on(
    database: Database, data_map: DataMap, ciphers: KeyringCiphers
) -> None:
    await load(database, data_map, ciphers)
    email = data_map.tables["public", "customers"].fields["email"].sealing
    assert email is not None
    term = ciphers.cipher(email.field_id).term(ANNA.mailbox(0).encode())
    with database.connect() as connection:
        assert connection.execute("SELECT id FROM customers WHERE fg_email_eq = %s", (term,)).fetchall() == [(1,)]
        visit = connection.execute("INSERT INTO site_visits (page) VALUES ('/') RETURNING id").fetchone()
    assert visit == (2 * ROWS + 1,)


async def test_no_plaintext_reaches_the_servers_disk(
    database: Database, data_map: DataMap, ciphers: KeyringCiphers
) -> None:
    await load(database, data_map, ciphers)
    database.run("CHECKPOINT")
    plain = [text.encode() for text in (ANNA.mailbox(0), ANNA.address, ANNA.full_name, "PAY-")]
    server = database.server
    for file in (*(f for f in server.data_dir.rglob("*") if f.is_file()), server.log_file):
        content = file.read_bytes()
        assert not [text for text in plain if text in content], file


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Анна", "Анна".encode()),
        (Decimal("8921.90"), b"8921.90"),
        (datetime.date(1994, 1, 15), b"1994-01-15"),
        (b"\x00\xff", b"\\x00ff"),
        (7, b"7"),
    ],
)
def test_values_are_written_as_postgresql_writes_them(value: object, text: bytes) -> None:
    assert text_form(value) == text


def test_what_has_no_text_form_is_refused() -> None:
    with pytest.raises(TypeError):
        text_form(object())
