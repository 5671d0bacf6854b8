"""Statements over fields whose form is changing: right in the form that they were planned for, an error in the other.

Every golden case is planned twice, for the plain and for the sealed database, and each plan is run on both.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest

from policies.fields import DataMap, Field, LogicalType, ProtectedTable, Sealing
from proxy import catalog_loader
from proxy.sql import forms, statement
from proxy.sql.cache import CachedPlanner
from proxy.sql.catalog import Catalog, Column, Relation
from proxy.sql.plan import CopyFrom, StatementPlan
from tests.support.servers import Database

from .golden import Case
from .shop import context
from .test_execution import _answer, _cases
from .world import DATA_MAP, create, guessed_parameters, literals

pytestmark = pytest.mark.integration


@dataclass(slots=True)
class Side:
    """One of the two databases, and what a proxy would know when it has this form."""

    connection: psycopg.Connection[Any]
    catalog: Catalog

    def plan(self, case: Case) -> StatementPlan:
        asked = replace(context(case.role), catalog=self.catalog)
        return CachedPlanner().plan_statement(case.sql, (), asked)

    def run(self, text: str, plan: StatementPlan) -> tuple[object, ...]:
        with self.connection.transaction(force_rollback=True):
            return _answer(self.connection, text, plan)


def migrating(*, sealed: bool) -> DataMap:
    def changed(field: Field) -> Field:
        return replace(field, sealing=field.sealing if sealed else None, migrating=field.sealing)

    tables = {
        name: replace(table, fields={column: changed(f) for column, f in table.fields.items()})
        for name, table in DATA_MAP.tables.items()
    }
    return replace(DATA_MAP, tables=tables)


@pytest.fixture
def sides(
    database: Database, tls_database: Database, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[tuple[Side, Side]]:
    """Plain and sealed; the plain one on PostgreSQL 18, the sealed one on 15, or the other way round."""
    plain, sealed = (database, tls_database) if request.param == "plain on 18" else (tls_database, database)
    monkeypatch.setattr(catalog_loader, "as_stored", lambda data_map, checks: data_map)
    with contextlib.closing(plain.connect()) as one, contextlib.closing(sealed.connect()) as other:
        create(one, sealed=False)
        create(other, sealed=True)
        yield Side(one, _catalog(plain, sealed=False)), Side(other, _catalog(sealed, sealed=True))


def _catalog(database: Database, *, sealed: bool) -> Catalog:
    async def load() -> Catalog:
        connection = await database.connect_async()
        try:
            wanted = replace(migrating(sealed=sealed), database=database.name)
            return await catalog_loader.load_catalog(connection, wanted)
        finally:
            await connection.close()

    catalog = replace(asyncio.run(load()), database="shop")
    allowed = {name: tuple(replace(f, allowed=name == "harmless") for f in each)
               for name, each in catalog.functions.items()}  # fmt: skip
    return replace(catalog, functions=allowed)


def _failure(side: Side, text: str) -> dict[bytes, bytes]:
    """The fields of the server's error; none when it answers."""
    try:
        with side.connection.transaction(force_rollback=True):
            if text.startswith("COPY"):
                with side.connection.cursor().copy(text.encode()) as copy:
                    list(copy)
            else:
                side.connection.execute(text.encode())
        if text.startswith("PREPARE"):
            side.connection.execute("DEALLOCATE ALL")
    except psycopg.Error as error:
        code, message = error.sqlstate or "", error.diag.message_primary or ""
        return {b"C": code.encode(), b"M": message.encode(), b"n": (error.diag.constraint_name or "").encode()}
    return {}


@pytest.mark.parametrize("sides", ["plain on 18", "plain on 15"], indirect=True)
def test_every_golden_case_in_both_forms(sides: tuple[Side, Side]) -> None:
    looked = 0
    for case in _cases():
        for mine, other in (sides, sides[::-1]):
            plan = mine.plan(case)
            if plan.refusal is not None or not plan.unsettled or isinstance(plan.copy, CopyFrom) or plan.keeps:
                continue
            if "shop.public" in case.sql or ("MERGE" in case.sql and "RETURNING" in case.sql):  # the database; 17
                continue
            text = literals(plan, guessed_parameters(plan), "7")
            own = _failure(mine, text)
            assert not forms.is_changed(own), (case.sql, text, own)
            assert forms.is_changed(_failure(other, text)), (case.sql, text)
            looked += 1
    assert looked > 300


KEPT = {
    "PREPARE": ("PREPARE p AS SELECT count(*) FROM customers WHERE email = 'ann@x'", ""),
    "DECLARE": ("DECLARE c CURSOR FOR SELECT id FROM customers WHERE email = 'ann@x'", "FETCH c"),
    "WITH": ("WITH x AS (SELECT id FROM customers WHERE email = 'ann@x') SELECT count(*) FROM x", ""),
    "RECURSIVE": (
        "WITH RECURSIVE x AS (SELECT id FROM customers WHERE email = 'x' UNION SELECT 1 FROM x) SELECT 1 FROM x", "",
    ),
    "brackets": ("(SELECT id FROM customers) UNION ALL (SELECT id FROM customers WHERE email = 'x')", ""),
    "TABLE": ("TABLE orders", ""),
    "EXPLAIN": ("EXPLAIN (COSTS OFF) SELECT id FROM customers WHERE email = 'ann@x'", ""),
    "COPY": ("COPY (SELECT id FROM customers WHERE email = 'ann@x') TO STDOUT", ""),
    "COPY TO": ("COPY orders TO STDOUT", ""),
}  # fmt: skip


@pytest.mark.parametrize("sides", ["plain on 18"], indirect=True)
@pytest.mark.parametrize("kind", KEPT)
def test_every_kind_of_statement_is_guarded(sides: tuple[Side, Side], kind: str) -> None:
    text, then = KEPT[kind]
    for mine, other in (sides, sides[::-1]):
        plan = mine.plan(Case("full", text, ""))
        assert plan.refusal is None, plan.refusal
        upstream = literals(plan, {}, "7")
        assert forms.GUARD in upstream
        assert _failure(mine, upstream) == {}
        if then:
            with mine.connection.transaction(force_rollback=True):
                mine.connection.execute(upstream.encode())
                assert mine.connection.execute(then.encode()).description is not None
        assert forms.is_changed(_failure(other, upstream))
        mine.connection.execute("DEALLOCATE ALL")


@pytest.mark.parametrize("sides", ["plain on 15"], indirect=True)
def test_without_the_guard_an_old_plan_says_that_there_is_nobody(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, sealed = sides
    case = Case("full", "SELECT id FROM customers WHERE email = 'ann@x'", "")
    assert plain.run(literals(plain.plan(case), {}, "7"), plain.plan(case))[1] == [["1"]]
    monkeypatch.setattr(statement, "guard", lambda catalog, oids: None)
    unguarded = plain.plan(case)
    assert sealed.run(literals(unguarded, {}, "7"), unguarded)[1] == []


@pytest.mark.parametrize("sides", ["plain on 18"], indirect=True)
def test_prepared_on_the_server_it_is_looked_at_again(sides: tuple[Side, Side]) -> None:
    """A plan that the server has cached is analysed again when the column's type has changed."""
    plain, _ = sides
    plan = plain.plan(Case("full", "SELECT count(*) FROM customers WHERE phone = '+1'", ""))
    with plain.connection.transaction(force_rollback=True):
        plain.connection.execute(b"PREPARE kept AS " + literals(plan, {}, "7").encode())
        plain.connection.execute("EXECUTE kept")
        plain.connection.execute("DROP VIEW customer_view; DROP MATERIALIZED VIEW customer_copy")
        plain.connection.execute("ALTER TABLE customers ALTER phone TYPE bytea USING phone::bytea")
        with pytest.raises(psycopg.errors.DatatypeMismatch, match="COALESCE"):
            plain.connection.execute("EXECUTE kept")


@pytest.mark.parametrize("sides", ["plain on 15"], indirect=True)
def test_it_asks_for_no_privilege(sides: tuple[Side, Side], tls_database: Database) -> None:
    """A role that may not read the field at all may still use the table's other columns."""
    plain, _ = sides
    plan = plain.plan(Case("full", "SELECT city FROM customers", ""))
    reader = tls_database.role("reader")
    plain.connection.execute(f"GRANT SELECT (city) ON customers TO {reader}".encode())
    with contextlib.closing(tls_database.connect(reader, "secret")) as connection:
        assert len(connection.execute(literals(plan, {}, "7").encode()).fetchall()) == 6


def test_bytea_is_told_by_the_second_column() -> None:
    sealing = Sealing("ab" * 16, LogicalType.BYTEA)
    field = Field("public", "t", "scan", "pd", None, sealing)
    table = ProtectedTable("public", "t", {"scan": field})

    def catalog(*names: str) -> Catalog:
        columns = tuple(Column(name, n, 17, -1, False, False, False) for n, name in enumerate(names, 1))
        relation = Relation(1, "public", "t", "r", columns, (), table)
        return Catalog(1, "shop", 180000, {1: relation}, {("public", "t"): relation})

    assert forms.guard(catalog("scan"), {1}) is None
    for staged in (f"fg_new_{sealing.field_id}", f"fg_open_{sealing.field_id}"):
        expected = f'"fg_form" AS (SELECT t0."{staged}" FROM ONLY "public"."t" t0)'
        assert forms.guard(catalog("scan", staged), {1}) == expected
    gone = {b"C": b"42703", b"M": f"column t0.fg_new_{sealing.field_id} does not exist".encode()}
    assert forms.is_changed(gone)


def test_other_errors_stay_what_they_are() -> None:
    for code, message, constraint in (
        (b"42804", b"CASE types text and integer cannot be matched", b""),
        (b"42703", b"column x does not exist", b""),
        (b"23514", b'new row violates check constraint "adults"', b"adults"),
        (b"42883", b"function f(bytea) does not exist", b""),
    ):
        assert not forms.is_changed({b"C": code, b"M": message, b"n": constraint})
    assert forms.is_changed({b"C": b"23514", b"n": b"fg_" + b"ab" * 16})


def test_what_is_stored_waits(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_loader, "as_stored", lambda data_map, checks: data_map)
    with contextlib.closing(database.connect()) as connection:
        create(connection, sealed=False)
    asked = replace(context("exporter"), catalog=_catalog(database, sealed=False))
    plan = CachedPlanner().plan_statement("CREATE TABLE kept AS SELECT city FROM customers", (), asked)
    assert plan.refusal is not None and "can not be stored" in plan.refusal.message
