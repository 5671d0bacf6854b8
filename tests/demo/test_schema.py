"""The physical schema: what PostgreSQL makes of it, and where it must not be made at all."""

from __future__ import annotations

import dataclasses
import re

import pytest

from policies.fields import DataMap
from policies.loader import SHOP, load_policy
from proxy.demo.schema import logical_schema, physical_schema
from proxy.errors import ConfigError
from tests.support.servers import Database


@pytest.fixture(scope="module")
def data_map() -> DataMap:
    return load_policy(SHOP).data_map


@pytest.fixture(scope="module")
def heads(data_map: DataMap) -> dict[str, frozenset[bytes]]:
    """Of the scheme that each field has, under some key."""
    found = {}
    for table in data_map.tables.values():
        for field in table.fields.values():
            if field.sealing is not None:
                scheme = (1 if field.sealing.equality else 0) | (2 if field.sealing.row_bound else 0)
                found[field.sealing.field_id] = frozenset({b"\xf9\x67\x01" + bytes([scheme]) + b"\x11" * 8})
    return found


def columns(database: Database) -> dict[str, list[tuple[str, str, bool]]]:
    """Table -> (name, type, not null) in order, as PostgreSQL says it."""
    question = """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 ORDER BY c.relname, a.attnum
    """
    found: dict[str, list[tuple[str, str, bool]]] = {}
    with database.connect() as connection:
        for table, *column in connection.execute(question.encode()):
            found.setdefault(table, []).append((column[0], column[1], column[2]))
    return found


def test_sealed_columns_stand_in_their_places_and_terms_at_the_end(
    database: Database, data_map: DataMap, heads: dict[str, frozenset[bytes]]
) -> None:
    database.run(logical_schema())
    logical = columns(database)
    database.run(
        "DROP SCHEMA public CASCADE", "CREATE SCHEMA public", physical_schema(logical_schema(), data_map, heads)
    )
    physical = columns(database)
    assert set(physical) == set(logical) == {table for _, table in data_map.tables}
    for table, expected in logical.items():
        protected = data_map.tables["public", table]
        assert [name for name, _, _ in expected] == list(protected.fields)
        wanted = [
            (name, "bytea" if protected.fields[name].sealing else kind, not_null) for name, kind, not_null in expected
        ]
        assert physical[table][: len(expected)] == wanted
        assert [name for name, _, _ in physical[table][len(expected) :]] == [
            made for f in protected.fields.values() for made in (f.term_column, f.token_column) if made
        ]


def test_plaintext_is_refused_by_the_table_itself(
    database: Database, data_map: DataMap, heads: dict[str, frozenset[bytes]]
) -> None:
    database.run(physical_schema(logical_schema(), data_map, heads))
    with database.connect() as connection, pytest.raises(Exception, match="violates check constraint"):
        connection.execute("INSERT INTO correspondence (customer_id, channel, body) VALUES (1, 'chat', 'hello')")


def test_every_field_that_is_searched_has_an_index(
    database: Database, data_map: DataMap, heads: dict[str, frozenset[bytes]]
) -> None:
    database.run(physical_schema(logical_schema(), data_map, heads))
    with database.connect() as connection:
        indexed = {row[0] for row in connection.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")}
    fields = [(t, f) for (_, t), table in data_map.tables.items() for f in table.fields.values()]
    for table, field in fields:
        for method, column in (("btree", field.term_column), ("gin", field.token_column)):
            pattern = rf"ON public\.{table} USING {method} \({column}\)"
            assert column is None or any(re.search(pattern, index) for index in indexed)


def test_a_schema_that_contradicts_the_data_map_is_refused(
    data_map: DataMap, heads: dict[str, frozenset[bytes]]
) -> None:
    for changed in (("email text NOT NULL UNIQUE", "email text NOT NULL"), ("email text", "email integer")):
        with pytest.raises(ConfigError, match=r"public\.customers\.email"):
            physical_schema(logical_schema().replace(*changed), data_map, heads)


def test_a_table_without_a_data_map_stays_as_it_is(data_map: DataMap) -> None:
    empty = dataclasses.replace(data_map, tables={})
    assert "fg_" not in physical_schema(logical_schema(), empty, {})
