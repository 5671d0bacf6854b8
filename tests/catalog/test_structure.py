"""The server's own catalogs, shown: of the sealed shop they say what the same catalogs say of the plain one.

Both databases stand on one server.  What is asked of the sealed one goes through the planner, and runs as the
database's superuser, who sees every row of the information schema.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from policies.fields import DataMap
from policies.loader import SHOP, load_policy
from policies.model import Principal
from proxy.catalog_loader import load_catalog
from proxy.catalog_structure import VIEWS
from proxy.demo.schema import logical_schema, physical_schema
from proxy.demo.server import Server
from proxy.sql.cache import CachedPlanner
from proxy.sql.catalog import Catalog
from proxy.sql.planner import PlanContext
from tests.sql.shop import Roles
from tests.support.servers import Database, TlsServer, fresh_database

from . import odd

pytestmark = pytest.mark.integration

_PUBLIC = "relnamespace = 'public'::regnamespace"
_OBJECTS = (
    "pg_describe_object(classid, objid, objsubid), pg_describe_object(refclassid, refobjid, refobjsubid), deptype"
)
QUESTIONS = {
    "columns": f"""SELECT c.relname, a.attname, a.atttypid::regtype::text, a.attlen, a.attnum, a.atttypmod, a.attbyval,
        a.attalign, a.attstorage, a.attnotnull, a.atthasdef, a.attgenerated, a.attidentity, a.attcollation,
        format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.{_PUBLIC} AND a.attnum > 0""",
    "relations": f"""SELECT relname, relkind, relnatts, relchecks, relhasrules, relispartition, relam
        FROM pg_catalog.pg_class WHERE {_PUBLIC}""",
    "indexes": f"""SELECT c.relname, i.indkey::text, i.indoption::text, i.indisunique, i.indisprimary, i.indnatts,
        i.indclass::text, i.indcollation::text, pg_get_indexdef(i.indexrelid), pg_get_indexdef(i.indexrelid, 1, false),
        pg_catalog.pg_get_indexdef(i.indexrelid, 0, true)
        FROM pg_index i, pg_class c WHERE c.oid = i.indexrelid AND c.{_PUBLIC}""",
    "constraints": """SELECT conname, contype, conrelid::regclass::text, conkey, confkey, conindid::regclass::text,
        pg_get_constraintdef(oid), pg_get_constraintdef(oid, true)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "defaults": "SELECT adrelid::regclass::text, adnum, pg_get_expr(adbin, adrelid) FROM pg_attrdef",
    "dependencies": f"SELECT {_OBJECTS} FROM pg_depend WHERE objid >= 16384 AND classid <> 'pg_type'::regclass",
    "descriptions": "SELECT objoid::regclass::text, objsubid, description FROM pg_description WHERE objoid >= 16384",
    "statistics": "SELECT stxname FROM pg_statistic_ext",
    "triggers": "SELECT tgrelid::regclass::text, tgtype, tgisinternal FROM pg_trigger",
    "functions": "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}


@dataclasses.dataclass(slots=True)
class Twins:
    """The plain database and the sealed one; `catalog` is the sealed one's."""

    plain: psycopg.Connection[Any]
    sealed: psycopg.Connection[Any]
    catalog: Catalog

    def ask(self, question: str) -> tuple[list[Any], list[Any]]:
        """Columns and rows, in no order, of both."""
        return _answer(self.sealed, self.shown(question)), _answer(self.plain, question)

    def shown(self, question: str) -> str:
        principal = Principal("login", "person", frozenset({"none"}), "shop", "contract", subject="7")
        plan = CachedPlanner().plan_statement(question, (), PlanContext(self.catalog, Roles(), principal, ("public",)))
        assert plan.refusal is None
        [text] = plan.segments
        assert isinstance(text, bytes)
        return text.decode()


def _answer(connection: psycopg.Connection[Any], question: str) -> list[Any]:
    cursor = connection.execute(question.encode())
    names = [(column.name, column.type_code) for column in cursor.description or ()]
    kept = [i for i, (name, _) in enumerate(names) if not name.endswith("_catalog") and name != "specific_name"]
    rows = sorted(([_named(row[i]) for i in kept] for row in cursor.fetchall()), key=repr)
    return [names, *rows]


def _named(value: object) -> object:
    """OIDs are part of some names that the server makes."""
    return re.sub(r"\b[1-9]\d{4}\b|(?<=_)[1-9]\d{4}(?=_|\b)", "OID", value) if isinstance(value, str) else value


def shop() -> tuple[DataMap, str, str]:
    data_map = load_policy(SHOP).data_map
    return data_map, logical_schema(), physical_schema(logical_schema(), data_map, heads(data_map))


def odd_schema() -> tuple[DataMap, str, str]:
    return odd.DATA_MAP, odd.schema(), odd.schema(heads(odd.DATA_MAP))


@pytest.fixture(
    scope="module",
    params=[(18, shop), (18, odd_schema), (15, shop), (15, odd_schema)],
    ids=lambda p: f"{p[0]}-{p[1].__name__}",
)
def twins(request: pytest.FixtureRequest) -> Iterator[Twins]:
    version, world = request.param
    data_map, logical, physical = world()
    if version == 18:
        server: Server = request.getfixturevalue("postgres")
        certificate = None
    else:
        tls: TlsServer = request.getfixturevalue("postgres_tls")
        server, certificate = tls.server, tls.authority.certificate
    with fresh_database(server, certificate) as plain, fresh_database(server, certificate) as sealed:
        plain.run(logical)
        sealed.run(physical)
        with plain.connect() as one, sealed.connect() as other:
            yield Twins(one, other, catalog_of(sealed, data_map))


def heads(data_map: DataMap) -> dict[str, frozenset[bytes]]:
    """Of the scheme that each field has, under some key."""
    found = {}
    for field in (field for table in data_map.tables.values() for field in table.fields.values()):
        if field.sealing is not None:
            scheme = (1 if field.sealing.equality else 0) | (2 if field.sealing.row_bound else 0)
            found[field.sealing.field_id] = frozenset({b"\xf9\x67\x01" + bytes([scheme]) + b"\x11" * 8})
    return found


def catalog_of(database: Database, data_map: DataMap) -> Catalog:
    """Read twice: what the second leaves to the first is the same, and so is the rest."""

    async def load() -> Catalog:
        connection = await database.connect_async()
        known = dataclasses.replace(data_map, database=database.name)
        try:
            first = await load_catalog(connection, known)
            again = await load_catalog(connection, known, 1, first)
            assert again == first
            return again
        finally:
            await connection.close()

    return asyncio.run(load())


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_catalogs_say_the_same_of_both(twins: Twins, question: str) -> None:
    sealed, plain = twins.ask(question)
    assert sealed == plain


@pytest.mark.parametrize("view", VIEWS)
def test_views_say_the_same_of_both(twins: Twins, view: str) -> None:
    sealed, plain = twins.ask(f"SELECT * FROM {view} WHERE to_jsonb({view.split('.')[1]})::text LIKE '%public%'")
    assert sealed == plain


def test_without_any_of_this_they_differ(twins: Twins) -> None:
    """What the questions would find if nothing were shown otherwise than it is."""
    bare = dataclasses.replace(twins, catalog=dataclasses.replace(twins.catalog, structure=None))
    for question in ("columns", "relations", "indexes", "constraints", "defaults", "dependencies"):
        sealed, plain = bare.ask(QUESTIONS[question])
        assert sealed != plain, question


def test_sizes_are_those_of_a_table_that_was_never_analysed(twins: Twins) -> None:
    question = "SELECT DISTINCT reltuples, relpages, relallvisible FROM pg_class"
    with twins.sealed.cursor() as cursor:
        assert cursor.execute(twins.shown(question).encode()).fetchall() == [(-1, 0, 0)]
