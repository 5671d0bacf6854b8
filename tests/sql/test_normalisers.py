"""Statements over a field with normalisers answer as PostgreSQL would over a column of the normalised values.

The twin holds each value as it is written and, beside it, what PostgreSQL's own functions make of it; what the sealed
statement says of `email`, the twin's says of that column.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest

from keys.keyring import Keyring, KeyringCiphers
from keys.normalisers import normaliser_of
from policies.model import NO_VERBS, FieldRights, Principal, TableRights, Verb
from proxy.catalog_loader import load_catalog
from proxy.demo.server import Server
from proxy.rows.params import SlotFiller
from proxy.sealing.needs import key_needs
from proxy.session.searches import unlimited
from proxy.sql.cache import CachedPlanner
from proxy.sql.catalog import Catalog
from proxy.sql.plan import OutputAction, StatementPlan
from proxy.sql.planner import PlanContext
from proxy.wire.values.settings import DEFAULT_SETTINGS
from tests.keys.making import CountedLeases
from tests.sealing.making import KEY, PLAIN, create_sealed, data_map, field_of
from tests.support.servers import Database, fresh_database

pytestmark = pytest.mark.integration

FOLDED = ("trim.1", "casefold.1", "nfc.1")
EMAIL = field_of("email", 1, equality=True, unique=True, join_group="mail", normalisers=FOLDED)
FRIEND = field_of("friend", 2, equality=True, join_group="mail", normalisers=FOLDED)
MAP = data_map(KEY, EMAIL, FRIEND, PLAIN)
KEYRING = Keyring(()).with_new_keys(Keyring(()).missing_for(key_needs(MAP)), "")
CIPHERS: KeyringCiphers = KEYRING.ciphers(key_needs(MAP), CountedLeases())

TWIN = """
CREATE FUNCTION made(text) RETURNS text IMMUTABLE LANGUAGE sql RETURN
    normalize(casefold(btrim($1, E' \\t\\u00a0') COLLATE pg_unicode_fast), NFC);
CREATE TABLE people (id bigint PRIMARY KEY, email text, friend text, city text,
    n_email text GENERATED ALWAYS AS (made(email)) STORED UNIQUE,
    n_friend text GENERATED ALWAYS AS (made(friend)) STORED)
"""
ROWS = [
    (1, "Anna@X.de", "BOB@x.de", "Oslo"),
    (2, " bob@x.de", "anna@x.DE\u00a0", "Oslo"),
    (3, "Straße", "STRASSE", "Rome"),
    (4, "e\u0301", "É", None),
    (5, "", " ", "Rome"),
    (6, None, None, "Rome"),
    (7, "carl", "Bob@X.de", "Rome"),
]


@dataclass(frozen=True)
class Rights:
    """Everything, or just groups of `friend` and `city`."""

    revision: str = "r1"

    def table_rights(self, principal: Principal, schema: str, table: str) -> TableRights:
        verbs = ~NO_VERBS & ~Verb.EXPORT if "full" in principal.roles else Verb.GROUP | Verb.AGGREGATE
        return TableRights({name: FieldRights(verbs) for name in ("id", "email", "friend", "city")})

    def rights_key(self, principal: Principal) -> object:
        return principal.roles


@dataclass
class Pair:
    sealed: psycopg.Connection[Any]
    twin: psycopg.Connection[Any]
    catalog: Catalog

    def plan(self, text: str, role: str = "full") -> StatementPlan:
        principal = Principal("login", "person", frozenset({role}), "shop", "contract")
        plan = CachedPlanner().plan_statement(text, (), PlanContext(self.catalog, Rights(), principal, ("public",)))
        assert plan.refusal is None, plan.refusal
        return plan

    def run(self, text: str, role: str = "full") -> list[tuple[object, ...]]:
        plan = self.plan(text, role)
        filler = SlotFiller(
            CIPHERS, Principal("login", "person", frozenset(), "shop", "contract"), DEFAULT_SETTINGS, unlimited
        )
        parts = [s if isinstance(s, bytes) else filler.literal(plan.slots[s]) for s in plan.segments]
        return [opened(row, plan) for row in answer(self.sealed, b"".join(parts))]


def opened(row: tuple[object, ...], plan: StatementPlan) -> tuple[object, ...]:
    values: list[object] = []
    for value, output in zip(row, plan.outputs or (), strict=True):
        if output.action is OutputAction.OPEN and isinstance(value, bytes):
            assert output.field is not None and output.field.sealing is not None
            value = CIPHERS.cipher(output.field.sealing.field_id).open(value).decode()
        values.append(value)
    return tuple(values)


def answer(connection: psycopg.Connection[Any], text: bytes) -> list[tuple[object, ...]]:
    cursor = connection.execute(text.replace(b"%", b"%%"))
    return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def pair(postgres: Server) -> Iterator[Pair]:
    with fresh_database(postgres) as sealed, fresh_database(postgres) as twin:
        yield from _pair(sealed, twin)


def _pair(sealed: Database, twin: Database) -> Iterator[Pair]:
    sealed.run(*create_sealed(MAP, CIPHERS))

    async def load() -> Catalog:
        connection = await sealed.connect_async()
        try:
            return await load_catalog(connection, replace(MAP, database=sealed.name))
        finally:
            await connection.close()

    with sealed.connect() as one, twin.connect() as other:
        other.execute(TWIN)
        made = Pair(one, other, replace(asyncio.run(load()), database="shop"))
        for row in ROWS:
            values = ", ".join("NULL" if value is None else f"'{value}'" for value in row)
            for run in (made.run, lambda text: answer(made.twin, text.encode())):
                run(f"INSERT INTO people (id, email, friend, city) VALUES ({values})")
        yield made


@pytest.fixture
def pair_as_it_was(pair: Pair) -> Iterator[Pair]:
    with pair.sealed.transaction(force_rollback=True), pair.twin.transaction(force_rollback=True):
        yield pair


# What stands between | | is `email` or `friend` in the sealed statement; in the twin's, the normalised column, or the
# normalised constant.
STATEMENTS = [
    "SELECT id FROM people WHERE |email| = |'ANNA@x.De '| ORDER BY id",
    "SELECT id FROM people WHERE |email| = |'anna'| ORDER BY id",
    "SELECT id FROM people WHERE |email| = |''| ORDER BY id",
    "SELECT id FROM people WHERE |email| <> |'STRASSE'| ORDER BY id",
    "SELECT id FROM people WHERE |friend| IN (|'Strasse'|, |'bob@X.DE'|) ORDER BY id",
    "SELECT id FROM people WHERE |friend| NOT IN (|'Strasse'|, |'bob@X.DE'|) ORDER BY id",
    "SELECT id FROM people WHERE |email| = ANY (ARRAY[|'É'|, |'CARL'|]) ORDER BY id",
    "SELECT id FROM people WHERE |email| <> ALL (ARRAY[|'É'|, |'CARL'|]) ORDER BY id",
    "SELECT id FROM people WHERE |friend| IS DISTINCT FROM |'BOB@X.DE'| ORDER BY id",
    "SELECT id FROM people WHERE |friend| IS NOT DISTINCT FROM |'BOB@X.DE'| ORDER BY id",
    "SELECT id FROM people WHERE |email| = |friend| ORDER BY id",
    "SELECT id FROM people WHERE |email| IS DISTINCT FROM |friend| ORDER BY id",
    "SELECT p.id, q.id FROM people p JOIN people q ON p.|email| = q.|friend| ORDER BY 1, 2",
    "SELECT id FROM people WHERE |email| IN (SELECT |friend| FROM people) ORDER BY id",
    "SELECT id FROM people p WHERE EXISTS"
    " (SELECT 1 FROM people q WHERE q.|friend| = p.|email| AND q.id <> p.id) ORDER BY id",
    "SELECT id, CASE |friend| WHEN |'bob@x.de'| THEN 'b' ELSE '-' END FROM people ORDER BY id",
    "SELECT count(*), min(id) FROM people GROUP BY |friend| ORDER BY 2",
    "SELECT count(DISTINCT |friend|) FROM people",
    "SELECT count(*) FROM (SELECT DISTINCT |friend| FROM people) d",
    "SELECT count(*) OVER (PARTITION BY |friend|), id FROM people ORDER BY id",
    "UPDATE people SET city = 'x' WHERE |email| = |'CARL'| RETURNING id",
    "DELETE FROM people WHERE |friend| = |'bob@x.de'| RETURNING id",
    "INSERT INTO people (id, email) VALUES (8, 'CARL') ON CONFLICT (|email|) DO NOTHING RETURNING id",
    "INSERT INTO people (id, email) VALUES (8, 'new') ON CONFLICT (|email|) DO NOTHING RETURNING id",
    "INSERT INTO people (id, email) VALUES (8, 'CARL') ON CONFLICT (|email|) DO UPDATE SET email = EXCLUDED.email"
    " RETURNING id, email",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_answers_are_those_over_the_normalised_values(pair_as_it_was: Pair, statement: str) -> None:
    pieces = statement.split("|")
    made = [f"made({p})" if p.startswith("'") else f"n_{p}" for p in pieces[1::2]]
    twin = "".join(p for pieces_of in zip(pieces[::2], [*made, ""], strict=True) for p in pieces_of)
    expected = answer(pair_as_it_was.twin, twin.encode())
    assert pair_as_it_was.run("".join(pieces)) == expected


@pytest.mark.parametrize("spelling", ["ANNA@X.DE", " strasse ", "É", "\u00a0"])
def test_a_second_spelling_of_a_unique_value_is_a_duplicate(pair_as_it_was: Pair, spelling: str) -> None:
    for run in (pair_as_it_was.run, lambda text: answer(pair_as_it_was.twin, text.encode())):
        with pytest.raises(psycopg.errors.UniqueViolation), pair_as_it_was.sealed.transaction():
            run(f"INSERT INTO people (id, email) VALUES (9, '{spelling}')")


def groups(rows: list[tuple[object, ...]]) -> set[tuple[object, ...]]:
    return {(None if key is None else made(str(key)), *more) for key, *more in rows}


def made(value: str) -> str:
    return normaliser_of(FOLDED)(value.encode()).decode()


@pytest.mark.parametrize(
    "statement",
    ["SELECT friend, count(*) FROM people GROUP BY friend", "SELECT DISTINCT friend FROM people",
     "SELECT g.friend FROM (SELECT friend FROM people GROUP BY 1) g"],
)  # fmt: skip
def test_a_group_is_shown_by_one_of_its_spellings(pair_as_it_was: Pair, statement: str) -> None:
    """As PostgreSQL shows it under a collation with an equality of its own."""
    found = pair_as_it_was.run(statement)
    assert {row[0] for row in found} <= {row[2] for row in ROWS}
    twin = answer(pair_as_it_was.twin, statement.replace("friend", "n_friend").encode())
    assert groups(found) == set(twin)
    assert len(found) == len(twin)
    assert not any(output.normalised for output in pair_as_it_was.plan(statement).outputs or ())


@pytest.mark.parametrize(
    "statement",
    ["SELECT friend, count(*) FROM people GROUP BY friend",
     "SELECT g.friend, g.n FROM (SELECT friend, count(*) AS n FROM people GROUP BY friend) g"],
)  # fmt: skip
def test_who_may_group_and_not_read_is_shown_what_the_group_has_in_common(pair: Pair, statement: str) -> None:
    plan = pair.plan(statement, "grouper")
    assert [output.normalised for output in plan.outputs or ()] == [True, False]


def test_two_fields_of_other_normalisers_are_never_compared(pair: Pair) -> None:
    alone = field_of("friend", 2, equality=True, normalisers=("trim.1",))
    made = data_map(KEY, EMAIL, alone, PLAIN)
    table = made.tables["public", "people"]
    relations = {oid: replace(r, protected=table) if r.protected else r for oid, r in pair.catalog.relations.items()}
    by_name = {(r.schema, r.name): r for r in relations.values()}
    catalog = replace(pair.catalog, relations=relations, by_name=by_name)
    principal = Principal("login", "person", frozenset({"full"}), "shop", "contract")
    context = PlanContext(catalog, Rights(), principal, ("public",))
    refusal = CachedPlanner().plan_statement("SELECT id FROM people WHERE email = friend", (), context).refusal
    assert refusal is not None and "join group" in refusal.message
