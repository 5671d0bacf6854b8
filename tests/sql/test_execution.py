"""Rewritten statements on real servers: accepted, answered as the plain database would, from where the plan says.

Every golden case runs twice: as written against a database that stores plaintext, and as rewritten against one that is
sealed.  Rows, counts, and what the tables hold afterwards must be the same once cells are opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from proxy.catalog_loader import load_catalog
from proxy.demo.server import Server
from proxy.sql.cache import CachedPlanner
from proxy.sql.catalog import Catalog
from proxy.sql.fragments import quoted
from proxy.sql.plan import OutputAction, OutputColumn, SessionEffect, StatementKind, StatementPlan
from proxy.sql.planner import PlanContext
from tests.support.servers import Database, TlsServer, fresh_database

from .golden import CASES, Case, read_cases
from .shop import PROTECTED, context
from .world import DATA_MAP, create, guessed_parameters, literals, open_cell, with_parameters

pytestmark = pytest.mark.integration

_DML = frozenset(
    {StatementKind.SELECT, StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE, StatementKind.MERGE}
)

# The clock's and the database's own words differ between the two.
_OWN = re.compile(r"now\(\)|\bcurrent_(?:timestamp|time|catalog)\b|\blocaltime", re.IGNORECASE)


class Pair:
    """The same data twice, and the catalog of the sealed one."""

    def __init__(self, plain: psycopg.Connection[Any], sealed: psycopg.Connection[Any], catalog: Catalog) -> None:
        self.plain, self.sealed, self.catalog = plain, sealed, catalog

    def close(self) -> None:
        self.plain.close()
        self.sealed.close()

    def context(self, role: str) -> PlanContext:
        return dataclasses.replace(context(role), catalog=self.catalog)


@pytest.fixture(scope="module")
def pair18(postgres: Server) -> Iterator[Pair]:
    with _pairs(lambda: fresh_database(postgres)) as pair:
        yield pair


@pytest.fixture(scope="module")
def pair15(postgres_tls: TlsServer) -> Iterator[Pair]:
    certificate = postgres_tls.authority.certificate
    with _pairs(lambda: fresh_database(postgres_tls.server, certificate)) as pair:
        yield pair


@contextlib.contextmanager
def _pairs(fresh: Callable[[], contextlib.AbstractContextManager[Database]]) -> Iterator[Pair]:
    with fresh() as plain, fresh() as sealed, contextlib.closing(_pair(plain, sealed)) as pair:
        yield pair


def _pair(plain: Database, sealed: Database) -> Pair:
    connections = plain.connect(), sealed.connect()
    for connection in connections:
        connection.execute("SET statement_timeout = '5s'")
    create(connections[0], sealed=False)
    create(connections[1], sealed=True)

    async def load() -> Catalog:
        connection = await sealed.connect_async()
        try:
            return await load_catalog(connection, dataclasses.replace(DATA_MAP, database=sealed.name))
        finally:
            await connection.close()

    catalog = dataclasses.replace(asyncio.run(load()), database="shop")
    allowed = {name: tuple(dataclasses.replace(f, allowed=name == "harmless") for f in each)
               for name, each in catalog.functions.items()}  # fmt: skip
    return Pair(*connections, dataclasses.replace(catalog, functions=allowed))


def _cases() -> list[Case]:
    cases = [case for path in sorted(CASES.glob("*.sql")) for case in read_cases(path)]
    return [case for case in cases if not case.expected.startswith("!!") and "untouched" not in case.expected]


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.id)
def test_postgres_18(case: Case, pair18: Pair) -> None:
    _check(case, pair18)


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.id)
def test_postgres_15(case: Case, pair15: Pair) -> None:
    _check(case, pair15)


def _check(case: Case, pair: Pair) -> None:
    plan = CachedPlanner().plan_statement(case.sql, (), pair.context(case.role))
    if "shop.public" in case.sql:
        pytest.skip("names the database")
    assert plan.refusal is None, plan.refusal
    run_both(case, pair, plan)


def run_both(case: Case, pair: Pair, plan: StatementPlan) -> None:
    parameters = guessed_parameters(plan)
    upstream = literals(plan, parameters, "7")
    if plan.keeps is not None:
        _check_kept(case, pair, plan, upstream)
        return
    with pair.sealed.transaction(force_rollback=True):
        answer = _answer(pair.sealed, upstream, plan)
        after = _contents(pair.sealed, sealed=True)
    copied_on_18 = plan.copy is not None and pair.sealed.info.server_version >= 180000  # older ones lack options
    assert len(answer) == 3 or (case.role == "full" and not copied_on_18), answer
    if case.role != "full" or plan.kind not in _DML or _OWN.search(case.sql):
        return
    if plan.counted_here or plan.computations:
        return  # this is what the server says; tests/rows/finishing compares what is made of it
    with pair.plain.transaction(force_rollback=True):
        expected = _answer(pair.plain, with_parameters(case.sql, parameters), None)
        expected_after = _contents(pair.plain, sealed=False)
    assert answer == expected
    assert after == expected_after


def _check_kept(case: Case, pair: Pair, plan: StatementPlan, upstream: str) -> None:
    """PREPARE and DECLARE are accepted; what PREPARE keeps is then run like any other statement."""
    if "(mine)" in case.sql:
        pytest.skip("names a type that is not there")
    with pair.sealed.transaction(force_rollback=True):
        assert len(_answer(pair.sealed, upstream, plan)) == 3
    if plan.effect is not SessionEffect.PREPARES or plan.keeps is None:
        return
    pair.sealed.execute(f"DEALLOCATE {quoted(plan.effect_value or '')}".encode())
    run_both(Case(case.role, plan.keeps.text, ""), pair, plan.keeps.plan)


def _answer(connection: psycopg.Connection[Any], text: str, plan: StatementPlan | None) -> tuple[object, ...]:
    """(names of columns, rows in no order, number of rows), with cells opened as the plan says; or the SQLSTATE."""
    connection.execute("ALTER SEQUENCE ids RESTART")
    connection.execute("ALTER SEQUENCE accounts_id_seq RESTART")
    try:
        with connection.transaction():
            if plan is not None and plan.kind is StatementKind.COPY:
                return _copied(connection, text)
            cursor = connection.execute(text.encode())
    except psycopg.Error as error:
        return (error.sqlstate,)
    if cursor.description is None:
        return (), [], cursor.rowcount
    names = [column.name for column in cursor.description]
    rows = [list(row) for row in cursor.fetchall()]
    if plan is not None and plan.outputs is not None:
        names, rows = _opened(cursor, plan, names, rows)
    return names, sorted(([_text(value) for value in row] for row in rows), key=repr), cursor.rowcount


def _copied(connection: psycopg.Connection[Any], text: str) -> tuple[object, ...]:
    """Whether the server takes it; what comes of the data is asked in tests/integration.  Raises psycopg.Error."""
    with contextlib.suppress(_Enough), connection.transaction(), connection.cursor().copy(text.encode()) as copy:
        if " TO STDOUT" in text:
            return (), list(copy), 0
        raise _Enough
    return (), [], 0


class _Enough(Exception):
    """Ends a COPY from the client."""


def _opened(
    cursor: psycopg.Cursor[Any], plan: StatementPlan, names: list[str], rows: list[list[Any]]
) -> tuple[list[str], list[list[Any]]]:
    assert plan.outputs is not None and cursor.pgresult is not None
    assert len(names) == len(plan.outputs) + plan.hidden_outputs
    for index, output in enumerate(plan.outputs):
        assert names[index] == output.name
        if output.action is OutputAction.OPEN:
            assert cursor.pgresult.ftable(index) == output.relation_oid
            assert cursor.pgresult.ftablecol(index) == output.attnum
            for row in rows:
                row[index] = _open(output, row[index])
        else:
            assert cursor.pgresult.ftype(index) != 17
    shown = len(plan.outputs)
    return names[:shown], [row[:shown] for row in rows]


def _open(output: OutputColumn, cell: bytes | None) -> str | None:
    assert output.field is not None
    return None if cell is None else open_cell(output.field, cell).decode()


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _contents(connection: psycopg.Connection[Any], *, sealed: bool) -> dict[str, list[list[str | None]]]:
    found = {}
    for name in (*PROTECTED, "notes"):
        cursor = connection.execute(f"SELECT * FROM {name}".encode())
        columns = [column.name for column in cursor.description or ()]
        kept = [index for index, column in enumerate(columns) if not column.startswith("fg_")]
        rows = [[_plain(name, columns[i], row[i], sealed) for i in kept] for row in cursor.fetchall()]
        found[name] = sorted(rows, key=repr)
    return found


def _plain(table: str, column: str, value: object, sealed: bool) -> str | None:
    protected = PROTECTED.get(table)
    field = protected.fields.get(column) if protected is not None else None
    if sealed and field is not None and field.sealing is not None and isinstance(value, bytes):
        return open_cell(field, value).decode()
    return _text(value)
