"""Objects that call functions unseen: a statement that would use one of unknown reach is refused, and no other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from policies.fields import DataMap, Field, Harmless, ProtectedTable
from policies.model import FieldRights, Principal, TableRights, Verb
from proxy.catalog_loader import load_catalog
from proxy.demo.server import Server
from proxy.errors import FieldgateError, SqlState
from proxy.sql.cache import CachedPlanner
from proxy.sql.catalog import Catalog
from proxy.sql.planner import PlanContext
from tests.support.servers import Database, TlsServer, fresh_database

from .doors import PASSES, REFUSED, SCHEMA

pytestmark = pytest.mark.integration

_FIELDS = {name: Field("public", "secrets", name, "pd") for name in ("id", "city")}
_HARMLESS = Harmless(frozenset({"public.touched()"}), frozenset(), frozenset({"public.near"}))
_DATA_MAP = DataMap(
    "shop", "shop", {("public", "secrets"): ProtectedTable("public", "secrets", _FIELDS)}, harmless=_HARMLESS
)


@dataclass(frozen=True, slots=True)
class Everything:
    """A DecisionTable for which everything is allowed, to groups only where `min_group` says so."""

    min_group: int = 0
    revision: str = "r"

    def table_rights(self, principal: Principal, schema: str, table: str) -> TableRights:
        rights = dict.fromkeys(_FIELDS, FieldRights(~Verb(0)))
        return TableRights(rights, min_group=self.min_group)

    def rights_key(self, principal: Principal) -> object:
        return principal.roles


def load(database: Database, data_map: DataMap) -> Catalog:
    async def loaded() -> Catalog:
        connection = await database.connect_async()
        try:
            return await load_catalog(connection, replace(data_map, database=database.name))
        finally:
            await connection.close()

    return asyncio.run(loaded())


@pytest.fixture(scope="module")
def catalog18(postgres: Server) -> Iterator[Catalog]:
    with fresh_database(postgres) as database:
        database.run(SCHEMA)
        yield load(database, _DATA_MAP)


@pytest.fixture(scope="module")
def catalog15(postgres_tls: TlsServer) -> Iterator[Catalog]:
    with fresh_database(postgres_tls.server, postgres_tls.authority.certificate) as database:
        database.run(SCHEMA)
        yield load(database, _DATA_MAP)


def refusal(
    catalog: Catalog,
    sql: str,
    path: tuple[str, ...] | None = ("public",),
    declared: tuple[int, ...] = (),
    min_group: int = 0,
) -> FieldgateError | None:
    return CachedPlanner().plan_statement(sql, declared, _context(catalog, path, min_group)).refusal


def _context(catalog: Catalog, path: tuple[str, ...] | None, min_group: int = 0) -> PlanContext:
    principal = Principal("login", "person", frozenset({"role"}), "shop", "purpose")
    return PlanContext(catalog, Everything(min_group), principal, path)


@pytest.mark.parametrize("sql", REFUSED)
def test_refused_by_name(catalog18: Catalog, sql: str) -> None:
    found = refusal(catalog18, sql)
    assert found is not None
    assert found.sqlstate is SqlState.FEATURE_NOT_SUPPORTED
    assert all(word in found.message for word in REFUSED[sql]), found.message
    assert "data map" in (found.hint or "") or "argument" in (found.hint or "")


@pytest.mark.parametrize("sql", PASSES)
def test_passes(catalog18: Catalog, sql: str) -> None:
    assert refusal(catalog18, sql) is None


def test_the_same_on_an_older_server(catalog15: Catalog) -> None:
    assert [sql for sql in REFUSED if refusal(catalog15, sql) is None] == []
    assert [sql for sql in PASSES if refusal(catalog15, sql) is not None] == []


def test_what_search_path_cannot_mean_does_not_count(catalog18: Catalog) -> None:
    assert refusal(catalog18, "SELECT 1 = 2", ("public",)) is None
    assert refusal(catalog18, "SELECT 1 = 2", ("public", "aside")) is not None
    assert refusal(catalog18, "SELECT 1 = 2", ("$user", "public")) is not None
    assert refusal(catalog18, "SELECT 1 = 2", None) is not None
    assert refusal(catalog18, "SELECT 1 OPERATOR(pg_catalog.=) 2", None) is None
    assert refusal(catalog18, "PREPARE x AS SELECT 1 = 2", ("public",)) is not None
    assert refusal(catalog18, "SELECT id FROM secrets WHERE id = 2", ("public",)) is None
    assert refusal(catalog18, "SELECT id FROM secrets WHERE id = 2", ("public", "aside")) is not None
    script = CachedPlanner().plan_script("SET search_path = aside; SELECT 1 = 2", _context(catalog18, ("public",)))
    assert [plan.refusal is None for plan in script.statements] == [True, False]
    for construct in ("1 IN (2)", "1 BETWEEN 2 AND 3", "CASE 1 WHEN 2 THEN 3 END", "1 IN (SELECT 2)"):
        wanted = "BETWEEN" not in construct
        assert (refusal(catalog18, f"SELECT {construct}", ("aside", "public")) is not None) is wanted, construct
    assert refusal(catalog18, "SELECT FROM plain JOIN child USING (id)", ("aside", "public")) is not None


def test_types_that_a_parse_message_names(catalog18: Catalog) -> None:
    small = next(oid for oid, door in catalog18.doors.type_oids.items() if "small" in door.what)
    assert refusal(catalog18, "SELECT $1", declared=(small,)) is not None
    assert refusal(catalog18, "SELECT $1", declared=(23,)) is None


def test_known_functions_over_protected_data(catalog18: Catalog) -> None:
    assert refusal(catalog18, "SELECT calm(id), calm_text(city) FROM secrets") is None
    assert refusal(catalog18, "SELECT id FROM secrets WHERE calm_same(city, 'x')") is None
    assert refusal(catalog18, "SELECT calm_sum(id) FROM secrets") is not None  # an aggregate of the database's own
    assert refusal(catalog18, "SELECT peek(id) FROM secrets") is not None
    assert refusal(catalog18, "SELECT id FROM secrets WHERE city === 'x'") is not None


def test_what_draws_at_random_is_volatile_whatever_it_is_called(catalog18: Catalog) -> None:
    assert refusal(catalog18, "SELECT count(*) FROM secrets WHERE calm(1) = 2", min_group=5) is None
    for asked in ("coin() < 0.1", "random() < 0.1"):
        found = refusal(catalog18, f"SELECT count(*) FROM secrets WHERE {asked}", min_group=5)
        assert found is not None and "groups" in found.message
    found = refusal(catalog18, "SELECT count(*) FROM secrets, LATERAL coin() c (x) WHERE x < 0.1", min_group=5)
    assert found is not None and "groups" in found.message


def test_event_triggers_are_doors_of_ddl(database: Database) -> None:
    database.run(SCHEMA, "CREATE EVENT TRIGGER told ON ddl_command_end EXECUTE FUNCTION peek_event()")
    catalog = load(database, _DATA_MAP)
    found = refusal(catalog, "CREATE TABLE x (id int)")
    assert found is not None and 'the event trigger "told"' in found.message
    assert refusal(catalog, "SELECT 1") is None
    database.run("DROP EVENT TRIGGER told")
    assert refusal(load(database, _DATA_MAP), "CREATE TABLE x (id int)") is None


def test_an_implicit_cast_stands_nowhere_in_the_text(database: Database) -> None:
    database.run(
        SCHEMA,
        "CREATE FUNCTION from_json(json) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
        "CREATE CAST (json AS int) WITH FUNCTION from_json(json) AS IMPLICIT",
    )
    catalog = load(database, _DATA_MAP)
    for sql in ("SELECT 1 + j FROM jsonic", "SELECT calm(1)", "VALUES (1), (2)", "SELECT 1 UNION SELECT 2"):
        assert refusal(catalog, sql) is not None, sql
    assert refusal(catalog, "SELECT id, note FROM plain") is None


def test_the_data_map_opens_a_door(database: Database) -> None:
    database.run(SCHEMA)
    allowed = frozenset({"public.peek(integer)", "public.peek_row()", "public.touched()"})
    catalog = load(database, replace(_DATA_MAP, harmless=Harmless(allowed)))
    for sql in ("INSERT INTO triggered VALUES (1)", "SELECT 1::small", "SELECT * FROM guarded"):
        assert refusal(catalog, sql) is None, sql
    assert refusal(catalog, "SELECT peek(1)") is not None  # peek() without an argument is still unknown
    assert refusal(catalog, "SELECT calls_peek()") is not None
    assert refusal(catalog, "SELECT * FROM near") is not None


def test_extensions_that_were_read_are_usable(tls_database: Database) -> None:
    """Debian's PostgreSQL has the contrib modules; the embedded one has none."""
    tls_database.run(
        SCHEMA,
        *(f'CREATE EXTENSION "{name}"' for name in ("pg_trgm", "pgcrypto", "uuid-ossp", "citext", "hstore", "ltree")),
        "CREATE TABLE people (id uuid DEFAULT uuid_generate_v4(), name citext CHECK (name <> ''), more hstore)",
        "CREATE INDEX ON people USING gin ((name::text) gin_trgm_ops)",
        "DROP OPERATOR aside.= (int, text)",
        "CREATE EXTENSION dblink",
        "CREATE EXTENSION tablefunc",
    )
    catalog = load(tls_database, _DATA_MAP)
    for sql in (
        "INSERT INTO people (name, more) VALUES ('x', 'a=>1')",
        "SELECT * FROM people WHERE name = 'X' AND more -> 'a' = '1' AND name::text % 'x' ORDER BY name",
        "SELECT regexp_match(name, 'x'), similarity('a', 'b'), digest('x', 'sha256'), 'a.b'::ltree FROM people",
        "SELECT id FROM secrets WHERE similarity(city, 'x') > 0.5",
    ):
        assert refusal(catalog, sql) is None, sql
    for sql in ("SELECT dblink('x', 'y')", "SELECT * FROM crosstab('select 1')"):
        assert refusal(catalog, sql) is not None, sql
    found = refusal(catalog, "SELECT count(*) FROM secrets WHERE get_byte(gen_random_bytes(1), 0) = 1", min_group=5)
    assert found is not None and "groups" in found.message
