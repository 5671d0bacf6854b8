"""The whole of Fieldgate over a shop whose correspondence is sealed under its customers' secrets."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import asyncpg
import psycopg
import pytest

from policies.loader import SHOP
from proxy.demo import load, prepare
from proxy.demo.generate import Shop as Made
from proxy.demo.generate import TableRows, tables
from proxy.keywork.operation import Operation, OperationKind, OperationState, Target
from proxy.keywork.records import NewOperation
from proxy.keywork.records_database import DatabaseRecords
from tests.integration.stage import Stage, raised

pytestmark = [pytest.mark.integration]

HEADING = '[table.correspondence]\nrow_key = "id"\nsubject = "customer_id"\n'
DECLARED = '[table.correspondence]\nsubject = "customer_id"\nsubject_keys = true\nsubject_kind = "customer"\n'


def without_letters(shop: Made) -> list[TableRows]:
    """They are written through the proxy, which makes the secrets."""
    return [replace(table, rows=[]) if table.name == "correspondence" else table for table in tables(shop)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    policy = tmp_path_factory.mktemp("subjects") / "policy"
    shutil.copytree(SHOP, policy)
    datamap = policy / "datamap.toml"
    text = datamap.read_text(encoding="utf-8")
    assert HEADING in text
    datamap.write_text(text.replace(HEADING, DECLARED), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(prepare, "SHOP", policy)
        patched.setattr(load, "tables", without_letters)
        with raised(jobs=True) as made:
            yield made


def write(connection: psycopg.Connection, customers: range) -> None:
    connection.execute("SET fieldgate.person = 'anna'")
    for customer in customers:
        connection.execute(
            "INSERT INTO correspondence (customer_id, channel, at, subject, body) VALUES (%s, 'mail', now(), %s, %s)",
            [customer, f"about {customer}", None if customer % 2 else f"body for {customer}"],
        )


def asked_for(stage: Stage) -> int:
    """How often secrets have been looked up in the control database, by the server's own log."""
    log = stage.server.log_file.read_text(encoding="utf-8", errors="replace")
    return len(re.findall(r"execute [^\n]*:\s*\n?\s*SELECT s\.kind, s\.tag", log))


@pytest.fixture(scope="module")
def letters(stage: Stage) -> range:
    with stage.connect("shop_app") as connection:
        write(connection, range(1, 31))
    return range(1, 31)


async def shred(stage: Stage, subject: str) -> Operation:
    connection = await asyncpg.connect(stage.control.url())

    @asynccontextmanager
    async def lend() -> AsyncIterator[asyncpg.Connection]:
        yield connection

    try:
        records = DatabaseRecords(lend)
        name, target = uuid4().hex, Target("shop", subject=subject)
        digest = hashlib.sha256(name.encode()).digest()
        asked = await records.create(
            NewOperation(OperationKind.SHRED_SUBJECT, target, "anna", name, digest, needs_approval=True)
        )
        await records.approve(asked.operation.operation_id, "boris")
        async with asyncio.timeout(60):
            while True:
                found = await records.get(asked.operation.operation_id)
                if found.state in (OperationState.DONE, OperationState.FAILED):
                    return found
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


@pytest.mark.parametrize("binary", [False, True])
def test_what_was_written_is_read(stage: Stage, letters: range, binary: bool) -> None:
    with stage.connect("management") as connection:
        rows = connection.execute(
            "SELECT customer_id, subject, body FROM correspondence ORDER BY id", binary=binary
        ).fetchall()
    assert rows == [(n, f"about {n}", None if n % 2 else f"body for {n}") for n in letters]


def test_the_server_holds_ciphertext_and_no_name(stage: Stage, letters: range) -> None:
    with stage.raw.connect() as connection:
        cells = connection.execute("SELECT subject FROM correspondence").fetchall()
        assert all(bytes(cell)[:3] == b"\xf9\x67\x01" and bytes(cell)[3] & 64 for (cell,) in cells)
    for place in stage.places:
        for file in [place] if place.is_file() else [f for f in place.rglob("*") if f.is_file()]:
            assert b"body for 1" not in file.read_bytes()


def test_rows_of_one_subject_are_changed_where_the_statement_names_it(stage: Stage, letters: range) -> None:
    with stage.connect("management") as connection:
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="row's key"):
            connection.execute("UPDATE correspondence SET body = 'x' WHERE id = 2")
        connection.execute("UPDATE correspondence SET body = 'changed' WHERE id = 2 AND customer_id = 2")
        changed = connection.execute("SELECT body FROM correspondence WHERE id = 2").fetchall()
        connection.execute("UPDATE correspondence SET body = %s WHERE customer_id = %s", ["body for 2", 2])
    assert changed == [("changed",)]


def test_copy_both_ways(stage: Stage, letters: range) -> None:
    with stage.connect("shop_app") as connection:
        connection.execute("SET fieldgate.person = 'anna'")
        into = "COPY correspondence (customer_id, channel, at, subject, body) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            for customer in range(31, 51):
                copy.write(f"{customer}\tmail\t2026-01-01\tcopied {customer}\t\\N\n")
    with stage.connect("management") as connection, connection.cursor() as cursor:
        query = "COPY (SELECT customer_id, subject FROM correspondence WHERE customer_id > 30 ORDER BY 1) TO STDOUT"
        with cursor.copy(query) as copy:
            got = b"".join(bytes(part) for part in copy).decode()
        connection.execute("SELECT 1")
    assert got == "".join(f"{n}\tcopied {n}\n" for n in range(31, 51))


async def test_secrets_are_looked_up_in_batches_and_kept(stage: Stage, letters: range) -> None:
    connection = await stage.open("management")
    statement = "SELECT customer_id, subject FROM correspondence"
    await connection.fetch(statement)
    before = asked_for(stage)
    rows = await connection.fetch(statement)
    assert len(rows) >= len(letters) and asked_for(stage) == before
    await connection.close()


async def test_a_customer_is_destroyed_and_all_others_stay(stage: Stage, letters: range) -> None:
    connection = await stage.open("management")
    before = await connection.fetch("SELECT customer_id, subject, body FROM correspondence ORDER BY id")
    done = await shred(stage, "customer:4")
    assert done.state is OperationState.DONE, done.problem
    assert done.result["opened"] == {} and done.result["tables"] == ["shop public.correspondence"]
    after = await connection.fetch("SELECT customer_id, subject, body FROM correspondence ORDER BY id")
    for old, new in zip(before, after, strict=True):
        assert new == old if old["customer_id"] != 4 else tuple(new) == (4, None, None)
    await connection.close()
    with stage.connect("shop_app") as app:
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="data subject's key was destroyed"):
            write(app, range(4, 5))
        write(app, range(5, 6))
