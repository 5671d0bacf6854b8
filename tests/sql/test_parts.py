"""A table in parts on a real server: the parts are what they must be, and no statement of an analyst cuts one.

The second half is the attack itself.  Each row's total is another power of a thousand, so every sum says exactly which
rows are in it and how often; what all the sums together tell apart is what differences and trackers can reach.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.fields import DataMap, Field, ProtectedTable
from policies.model import NO_VERBS, FieldRights, Parts, Principal, RowFilter, TableRights, Verb
from proxy.catalog_loader import load_catalog
from proxy.demo.server import Server
from proxy.sql.cache import CachedPlanner
from proxy.sql.catalog import Catalog
from proxy.sql.parts_view import PartedTable, parts_view
from proxy.sql.planner import PlanContext
from tests.support.parting import shown
from tests.support.servers import TlsServer, fresh_database

pytestmark = pytest.mark.integration

Row = tuple[str | None, str | None, str | None, int | None]

_VALUES = st.one_of(st.none(), st.sampled_from(["a", "b", "B", "c", "é"]))
_ROWS = st.lists(
    st.tuples(_VALUES, _VALUES, _VALUES, st.one_of(st.none(), st.integers(1, 9))), max_size=40
)  # fmt: skip
_KEYS = ("x", "y", "z")
_TABLE = """CREATE TABLE t (id bigint PRIMARY KEY, x text COLLATE "POSIX", y varchar COLLATE "C", z text, n int)"""


@pytest.fixture(scope="module")
def scratch(postgres: Server) -> Iterator[psycopg.Connection[Any]]:
    with fresh_database(postgres) as made, made.connect() as connection:
        connection.execute(_TABLE)
        yield connection


@pytest.fixture(scope="module")
def scratch15(postgres_tls: TlsServer) -> Iterator[psycopg.Connection[Any]]:
    with fresh_database(postgres_tls.server, postgres_tls.authority.certificate) as made, made.connect() as connection:
        connection.execute(_TABLE)
        yield connection


def _seen(connection: psycopg.Connection[Any], rows: Sequence[Row], keys: int, least: int) -> list[tuple[Any, ...]]:
    table = PartedTable(
        "public.t",
        Parts(_KEYS[:keys], least),
        tuple(f'fg_r."{name}"::pg_catalog.text' for name in _KEYS[:keys]),
        {name: number for number, name in enumerate(_KEYS[:keys], 1)},
        ("n",),
    )
    view = "".join(map(str, parts_view(table, ("id", *_KEYS[:keys], "n"))))
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        cursor.executemany("INSERT INTO t VALUES (%s, %s, %s, %s, %s)", [(n, *row) for n, row in enumerate(rows)])
        return cursor.execute(f"SELECT * FROM {view} v ORDER BY id".encode()).fetchall()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=_ROWS, keys=st.integers(0, 3), least=st.integers(2, 5))
def test_parts_are_what_they_must_be(scratch: psycopg.Connection[Any], rows: list[Row], keys: int, least: int) -> None:
    _check(scratch, rows, keys, least)


def test_on_an_older_server(scratch15: psycopg.Connection[Any]) -> None:
    chance = Random("older")
    for _ in range(20):
        rows: list[Row] = [
            (chance.choice("abcd"), chance.choice(["p", "q", None]), chance.choice("xyz"), chance.choice([None, 1]))
            for _ in range(30)
        ]
        _check(scratch15, rows, 3, 4)


def _check(connection: psycopg.Connection[Any], rows: list[Row], keys: int, least: int) -> None:
    seen = _seen(connection, rows, keys, least)
    expected = shown([row[:keys] for row in rows], least)
    if expected is None:
        assert seen == []
        return
    assert [row[0] for row in seen] == list(range(len(rows)))
    assert [row[1 : 1 + keys] for row in seen] == expected
    sizes = [sum(row[1 : 1 + keys] == other[1 : 1 + keys] for other in seen) for row in seen]
    assert min(sizes, default=least) >= least
    for row, (*_, measure) in zip(seen, rows, strict=True):
        known = [rows[other[0]][3] for other in seen if other[1 : 1 + keys] == row[1 : 1 + keys]]
        enough = len(known) - known.count(None) >= least
        assert row[-1] == (measure if enough else None)


# -- the attack --

_TABLES = {
    name: ProtectedTable(
        "public", name, {c: Field("public", name, c, "t") for c in ("id", "owner", "status", "city", "kind", "total")}
    )
    for name in ("orders", "shops")
}
_LEAST = 5
_THOUSAND, _COUNT = 1000, 60  # rows
_FIGURES = Verb.GROUP | Verb.AGGREGATE
_PARTS = Parts(("status", "city"), _LEAST)


@dataclasses.dataclass(frozen=True)
class Counted:
    """A DecisionTable: who counts, and may filter and join by what choosing rows needs (`more`)."""

    more: Verb = NO_VERBS
    parts: Parts | None = _PARTS
    reads: tuple[str, ...] = ()
    row_filter: RowFilter | None = None
    revision: str = "r"

    def table_rights(self, principal: Principal, schema: str, table: str) -> TableRights:
        keys = FieldRights(_FIGURES | self.more, rules=("p:1 D1",), min_group=_LEAST)
        others = FieldRights(Verb.AGGREGATE | self.more, rules=("p:2 D1",), min_group=_LEAST)
        fields = {c: keys if c in ("status", "city", "kind") else others for c in _TABLES[table].fields}
        for column in self.reads:
            fields[column] = FieldRights(fields[column].verbs | Verb.READ, rules=("p:3 D1",), min_group=_LEAST)
        return TableRights(fields, self.row_filter, _LEAST, self.parts)

    def rights_key(self, principal: Principal) -> object:
        return (self.more, self.reads)


@pytest.fixture(scope="module")
def orders(postgres: Server) -> Iterator[tuple[psycopg.Connection[Any], Catalog]]:
    chance = Random("orders")
    with fresh_database(postgres) as made, made.connect() as connection:
        connection.execute("CREATE TYPE kind AS ENUM ('one', 'other')")
        for name in _TABLES:
            columns = "id bigint PRIMARY KEY, owner bigint NOT NULL, status text, city text, kind kind"
            parted = " PARTITION BY RANGE (id)" if name == "shops" else ""
            connection.execute(f"CREATE TABLE {name} ({columns}, total numeric NOT NULL){parted}".encode())
            if parted:
                connection.execute("CREATE TABLE old_shops PARTITION OF shops FOR VALUES FROM (0) TO (40)")
                connection.execute("CREATE TABLE new_shops PARTITION OF shops FOR VALUES FROM (40) TO (90)")
            for number in range(_COUNT):
                status = chance.choices(["paid", "new", "lost", None], [60, 30, 6, 4])[0]
                city = chance.choices(["Oslo", "Rome", "Bern", "Tiny", "Lone"], [40, 30, 20, 6, 4])[0]
                kind = chance.choice(["one", "other"])
                connection.execute(
                    f"INSERT INTO {name} VALUES (%s, %s, %s, %s, %s, %s)".encode(),
                    (number, chance.randrange(4), status, city, kind, _THOUSAND ** (number + 1)),
                )
        connection.execute("CREATE VIEW paid AS SELECT * FROM orders WHERE status = 'paid'")
        connection.execute("CREATE TABLE towns (city text, region text)")
        connection.execute("INSERT INTO towns VALUES ('Oslo', 'north'), ('Tiny', 'north'), ('Rome', 'south')")

        async def load() -> Catalog:
            asyncpg = await made.connect_async()
            try:
                return await load_catalog(
                    asyncpg, DataMap("c", made.name, {("public", n): t for n, t in _TABLES.items()})
                )
            finally:
                await asyncpg.close()

        yield connection, asyncio.run(load())


# What an analyst without any filter asks.
_PLAIN = (
    "SELECT sum(total) FROM orders",
    "SELECT count(*), sum(total) FROM orders GROUP BY status",
    "SELECT status, sum(total) FROM orders GROUP BY 1 HAVING count(*) > 7",
    "SELECT sum(total) FROM orders GROUP BY city",
    "SELECT sum(total) FROM orders GROUP BY city, status",
    "SELECT sum(total) FROM orders GROUP BY ROLLUP (status, city)",
    "SELECT sum(total) FROM orders GROUP BY CUBE (status, city)",
    "SELECT sum(total) FROM orders GROUP BY GROUPING SETS ((status), (city), ())",
    "SELECT sum(total) FROM orders GROUP BY status UNION ALL SELECT sum(total) FROM orders GROUP BY city",
    "SELECT sum(total) FROM orders EXCEPT SELECT sum(total) FROM orders GROUP BY city",
    "WITH s AS (SELECT status, sum(total) AS n FROM orders GROUP BY status) SELECT n FROM s ORDER BY n LIMIT 2",
    "SELECT (SELECT sum(total) FROM orders) - n FROM (SELECT sum(total) AS n FROM orders GROUP BY city) s",
    "SELECT l.n FROM (VALUES (1)) v, LATERAL (SELECT sum(total) AS n FROM orders GROUP BY city, status) l",
    "SELECT sum(o.total) FROM orders o CROSS JOIN (VALUES (1)) v",
    "SELECT sum(DISTINCT n) FROM (SELECT sum(total) AS n FROM orders GROUP BY city) s",
    "SELECT x.t FROM (SELECT sum(o.e) AS t FROM orders AS o (a, b, c, d, k, e) GROUP BY o.d) x",
    "SELECT sum(public.orders.total) FROM public.orders GROUP BY public.orders.city",
    "SELECT avg(total) * count(*) FROM orders GROUP BY city",
)
# What needs `filter_eq`, `filter_range`, `join` and `order` besides.
_CHOSEN = (
    "SELECT sum(total) FROM orders WHERE city = 'Tiny'",
    "SELECT sum(total) FROM orders WHERE city <> 'Tiny'",
    "SELECT sum(total) FROM orders WHERE NOT (city = 'Oslo' AND status = 'paid')",
    "SELECT sum(total) FROM orders WHERE city IS NULL",
    "SELECT sum(total) FROM orders WHERE status > 'm' OR city IN ('Lone', 'Rome')",
    "SELECT sum(total) FROM orders WHERE status LIKE 'p%' GROUP BY city",
    "SELECT sum(CASE WHEN city = 'Rome' THEN 1 END) FROM orders",
    "SELECT sum(o.total) FROM orders o JOIN towns t ON t.city = o.city GROUP BY t.region",
    "SELECT sum(o.total) FROM orders o JOIN towns t USING (city) WHERE t.region = 'north'",
    "SELECT sum(o.total) FROM orders o LEFT JOIN towns t ON t.city = o.city WHERE t.region IS NULL",
    "SELECT sum(o.total) FROM orders o WHERE o.city IN (SELECT t.city FROM towns t WHERE region = 'south')",
    "SELECT sum(o.total) FROM orders o WHERE EXISTS (SELECT FROM towns t WHERE t.city = o.city AND region = 'north')",
    "SELECT (SELECT sum(o.total) FROM orders o WHERE o.city = t.city) FROM towns t",
    "SELECT sum(total) FROM paid",
    "SELECT sum(total) FROM paid GROUP BY city",
    "SELECT sum(o.total) FROM orders o JOIN shops s ON s.status = o.status AND s.city = o.city GROUP BY s.city",
    "SELECT sum(total) FROM orders GROUP BY city ORDER BY city LIMIT 1",
)
# What would cut a part.
_CUTTING = (
    "SELECT sum(total) FROM orders WHERE id <= 30",
    "SELECT sum(total) FROM orders WHERE id <> 7",
    "SELECT sum(total) FROM orders WHERE id BETWEEN 0 AND 50 GROUP BY city",
    "SELECT sum(total) FROM orders WHERE id = ANY (ARRAY[1, 2, 3, 4, 5, 6])",
    "SELECT sum(total) FROM orders WHERE owner = 3",
    "SELECT sum(total) FROM orders WHERE kind = 'one'",
    "SELECT sum(total) FROM orders GROUP BY kind",
    "SELECT sum(total) FROM orders WHERE total > 1000",
    "SELECT sum(o.total) FROM orders o JOIN generate_series(0, 40) g ON g = o.id",
    "SELECT sum(o.total) FROM orders o JOIN shops s ON s.id = o.id GROUP BY s.city",
    "SELECT sum(o.total) FROM orders o JOIN shops s USING (id) WHERE s.city = 'Oslo'",
    "SELECT sum(total) FROM orders WHERE id IN (SELECT owner FROM shops GROUP BY owner)",
    "SELECT sum(total) FROM orders GROUP BY id",
    "SELECT sum(o.total) FROM orders o WHERE EXISTS (SELECT FROM generate_series(1, 9) g WHERE g = o.id)",
    "SELECT sum(total) FROM orders WHERE CASE id WHEN 7 THEN false ELSE true END",
    "SELECT sum(total) FROM orders WHERE id <= $1",
    "SELECT sum(total) FROM ONLY orders",
    "SELECT sum(total) FROM ONLY shops",
    "SELECT sum(total) FROM old_shops",
    "SELECT sum(s.total) FROM public.new_shops s GROUP BY s.city",
)


Sums = list[tuple[int, ...]]  # how often each row is in a sum


def _asked(orders: tuple[psycopg.Connection[Any], Catalog], decisions: Counted, statements: Sequence[str]) -> Sums:
    connection, catalog = orders
    principal = Principal("a", "a", frozenset({"a"}), "c", "p", subject="1")
    found: Sums = []
    for text in statements:
        plan = CachedPlanner().plan_statement(text, (), PlanContext(catalog, decisions, principal, ("public",)))
        if plan.refusal is None:
            upstream = "".join(each.decode() if isinstance(each, bytes) else "'1'" for each in plan.segments)
            rows = connection.execute(upstream.replace("$1", "'5'").encode()).fetchall()
            found += [sum_ for row in rows for value in row if (sum_ := _times(value))]
    return found


def _times(value: object) -> tuple[int, ...]:
    """() for what is no sum of totals: a count, an average, a name."""
    if not isinstance(value, Decimal) or "." in str(value) or int(value) <= 0 or int(value) % _THOUSAND:
        return ()
    return tuple(int(value) // _THOUSAND ** (number + 1) % _THOUSAND for number in range(_COUNT))


def _smallest(sums: Sums) -> int:
    """How many rows the smallest set has that all these sums together tell apart from the rest."""
    told = Counter(tuple(each[number] for each in sums) for number in range(_COUNT))
    return min(told.values())


def test_no_figures_together_tell_of_fewer_rows(orders: tuple[psycopg.Connection[Any], Catalog]) -> None:
    sums = _asked(orders, Counted(), _PLAIN)
    assert len(sums) > 50
    assert _smallest(sums) >= _LEAST


def test_nor_over_a_partitioned_table(orders: tuple[psycopg.Connection[Any], Catalog]) -> None:
    by_all = ("SELECT sum(total) FROM shops", "SELECT sum(total) FROM shops GROUP BY CUBE (city, status)")
    sums = _asked(orders, Counted(), by_all)
    assert len(sums) > 10
    assert _smallest(sums) >= _LEAST


def test_nor_with_filters_and_joins(orders: tuple[psycopg.Connection[Any], Catalog]) -> None:
    sums = _asked(orders, Counted(READ_BUT), (*_PLAIN, *_CHOSEN))
    assert len(sums) > 80
    assert _smallest(sums) >= _LEAST


def test_nor_beside_rows_that_are_read(orders: tuple[psycopg.Connection[Any], Catalog]) -> None:
    """Who reads a column by rows, and filters them, gets figures over whole parts all the same."""
    sums = _asked(orders, Counted(READ_BUT, reads=("owner", "status")), (*_PLAIN, *_CHOSEN, *_CUTTING))
    assert _smallest(sums) >= _LEAST


READ_BUT = Verb.FILTER_EQ | Verb.FILTER_RANGE | Verb.JOIN | Verb.ORDER


@pytest.mark.parametrize("statement", _CUTTING)
def test_what_would_cut_a_part_is_refused(orders: tuple[psycopg.Connection[Any], Catalog], statement: str) -> None:
    _, catalog = orders
    principal = Principal("a", "a", frozenset({"a"}), "c", "p")
    context = PlanContext(catalog, Counted(READ_BUT), principal, ("public",))
    refusal = CachedPlanner().plan_statement(statement, (), context).refusal
    assert refusal is not None
    assert refusal.sqlstate in ("42501", "0A000")


def test_without_parts_figures_tell_of_single_rows(orders: tuple[psycopg.Connection[Any], Catalog]) -> None:
    """The attack works where the mechanism is off; so the tests above can fail."""
    assert _smallest(_asked(orders, Counted(parts=None), _PLAIN)) < _LEAST
    assert _smallest(_asked(orders, Counted(READ_BUT, parts=None), (*_CHOSEN, *_CUTTING))) == 1


def test_own_rows_are_parted_by_themselves(orders: tuple[psycopg.Connection[Any], Catalog]) -> None:
    connection, _ = orders
    own = RowFilter("public", "orders", "owner")
    sums = _asked(orders, Counted(row_filter=own), _PLAIN)
    mine = {row[0] for row in connection.execute("SELECT id FROM orders WHERE owner = 1")}
    sets = [{number for number, often in enumerate(each) if often} for each in sums]
    assert sets
    assert all(each <= mine and len(each) >= _LEAST for each in sets)
