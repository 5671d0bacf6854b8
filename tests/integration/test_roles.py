"""Each role's view of every field of `shop`, through the whole of Fieldgate, against the golden matrix.

The matrix was reviewed against the clauses of the written policies; here it is the only judge.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from policies.fields import Field, LogicalType
from policies.loader import SHOP, load_policy
from proxy.demo.generate import tables

from .stage import Stage

pytestmark = pytest.mark.integration

GOLDEN = Path(__file__).parents[1] / "policies" / "golden" / "shop_matrix.csv"
ROLES = ("management", "support", "accounting", "client", "analyst", "dpo", "hr", "shop_app")
POLICY = load_policy(SHOP)
CONSTANTS = {
    "text": "'x'",
    "timestamptz": "'2025-01-01 00:00+00'",
    "bigint": "1",
    "integer": "1",
    "numeric": "1.00",
    "inet": "'192.0.2.1'",
    "date": "'2000-01-01'",
    "jsonb": "'{}'",
    "bytea": "'\\x00'",
}
SEALED = {
    LogicalType.TEXT: "text",
    LogicalType.INET: "inet",
    LogicalType.DATE: "date",
    LogicalType.NUMERIC: "numeric",
    LogicalType.JSONB: "jsonb",
    LogicalType.BYTEA: "bytea",
}


@cache
def golden() -> dict[tuple[str, str], frozenset[str]]:
    """(role, field) -> verbs, for the role's own purpose."""
    found = {}
    with GOLDEN.open(newline="") as lines:
        for line in csv.DictReader(lines):
            purposes = line["purposes"].split("|")
            counts = "*" in purposes or POLICY.roles[line["role"]].purpose in purposes
            found[line["role"], line["field"]] = frozenset(line["verbs"].split("|") if counts else ()) - {""}
    return found


def fields() -> list[Field]:
    return list(POLICY.all_fields())


@pytest.fixture(scope="module")
def types(stage: Stage) -> dict[str, str]:
    """Field -> the type that a constant for it must have."""
    question = """
        SELECT 'public.' || c.relname || '.' || a.attname, format_type(a.atttypid, NULL)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
    """
    with stage.raw.connect() as connection:
        found = {
            name: kind.replace("timestamp with time zone", "timestamptz") for name, kind in connection.execute(question)
        }
    return {f.name: SEALED[f.sealing.logical_type] if f.sealing else found[f.name] for f in fields()}


class Outcome(StrEnum):
    DENIED = auto()
    UNSUPPORTED = auto()
    PASSED = auto()


@dataclass(slots=True)
class Asker:
    """Asks as one role; every statement in a transaction of its own that is rolled back."""

    connection: psycopg.Connection[Any]

    def outcome(self, statement: str) -> Outcome:
        """42501 is a denial; 0A000 says that nobody can do it like this; any other outcome let it pass."""
        try:
            with self.connection.transaction(force_rollback=True):
                self.connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            return Outcome.DENIED
        except psycopg.errors.FeatureNotSupported:
            return Outcome.UNSUPPORTED
        except psycopg.Error as error:
            assert error.sqlstate is not None, error
            assert not error.sqlstate.startswith(("XX", "58", "08")), f"{statement}: {error}"
        return Outcome.PASSED


@pytest.fixture(params=ROLES)
def asker(request: pytest.FixtureRequest, stage: Stage) -> Iterator[tuple[str, Asker]]:
    with stage.connect(request.param) as connection:
        yield request.param, Asker(connection)


def differing(role: str, asker: Asker, verb: str, statements: dict[str, str]) -> list[str]:
    """The statements, by field, that are denied where the matrix allows the verb, or pass where it does not."""
    found = []
    for field, statement in statements.items():
        outcome, wrong = asker.outcome(statement), Outcome.PASSED
        if verb in golden()[role, field]:
            wrong = Outcome.DENIED
        if outcome is wrong:
            found.append(f"{role} {verb} {field}: {outcome}: {statement}")
    return found


def test_reading(asker: tuple[str, Asker]) -> None:
    statements = {f.name: f"SELECT {f.column} FROM {f.table} LIMIT 1" for f in fields()}
    assert differing(*asker, "read", statements) == []


def test_finding_by_an_exact_value(asker: tuple[str, Asker], types: dict[str, str]) -> None:
    """Sealed fields without equality can be found by nobody, for a reason that has nothing to do with the role."""
    findable = [f for f in fields() if f.sealing is None or f.sealing.equality]
    statements = {f.name: f"SELECT 1 FROM {f.table} WHERE {f.column} = {CONSTANTS[types[f.name]]}" for f in findable}
    assert differing(*asker, "filter_eq", statements) == []


def test_changing(asker: tuple[str, Asker], types: dict[str, str]) -> None:
    statements = {f.name: f"UPDATE {f.table} SET {f.column} = {CONSTANTS[types[f.name]]}" for f in fields()}
    assert differing(*asker, "update", statements) == []


def test_inserting(asker: tuple[str, Asker], types: dict[str, str]) -> None:
    statements = {f.name: f"INSERT INTO {f.table} ({f.column}) VALUES ({CONSTANTS[types[f.name]]})" for f in fields()}
    assert differing(*asker, "insert", statements) == []


def test_everything_at_once_shows_what_may_be_read_and_nothing_else(stage: Stage, asker: tuple[str, Asker]) -> None:
    """`SELECT *`: each value is the one that was made up, or NULL; never a cell, never somebody else's row."""
    role, ask = asker
    for made in tables(stage.shop):
        readable = {c for c in made.columns if "read" in golden()[role, f"public.{made.name}.{c}"]}
        try:
            with ask.connection.transaction(force_rollback=True):
                cursor = ask.connection.execute(f"SELECT * FROM {made.name}".encode())
                found = cursor.fetchall()
                assert [column.name for column in cursor.description or ()] == list(made.columns)
        except psycopg.errors.InsufficientPrivilege:
            assert not readable, f"{role} may read {made.name}"
            continue
        at = [made.columns.index(column) for column in made.columns if column not in readable]
        assert all(row[i] is None for row in found for i in at), f"{role} sees a hidden field of {made.name}"
        if "id" in readable:
            shown = [made.columns.index(c) for c in made.columns if c in readable and c != "preferences"]
            original = {row[0]: [str(row[i]) for i in shown] for row in made.rows}
            kept = [row for row in found if row[0] in original]
            assert kept or not found
            assert [[str(row[i]) for i in shown] for row in kept] == [original[row[0]] for row in kept]


def test_a_client_sees_its_own_rows_and_two_clients_never_each_others(stage: Stage) -> None:
    """Both share one cached plan; run in turns, so that the second use of a plan is by the other client."""
    with stage.connect("client") as one, stage.connect("client2") as two:
        for _ in range(3):
            for connection, number in ((one, 1), (two, 2)):
                rows = connection.execute("SELECT id, email FROM customers", prepare=True).fetchall()
                assert [row[0] for row in rows] == [number]
                orders = connection.execute("SELECT DISTINCT customer_id FROM orders", prepare=True).fetchall()
                assert orders == [(number,)]
                by_mail = connection.execute(
                    "SELECT id FROM customers WHERE email = %s", ("anna.smirnova@example.org",), prepare=True
                ).fetchall()
                assert by_mail == ([(1,)] if number == 1 else [])
