"""A column that has an unknown function's name stays usable where it is certain that it is the column."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.sql.cache import CachedPlanner
from proxy.sql.catalog import Function
from proxy.sql.planner import PlanContext

from .shop import context


def _with_a_function_named_body() -> PlanContext:
    given = context()
    functions = {**given.catalog.functions, "body": (Function("public", "body"),)}
    return replace(given, catalog=replace(given.catalog, functions=functions))


def _passes(sql: str) -> bool:
    return CachedPlanner().plan_statement(sql, (), _with_a_function_named_body()).refusal is None


@pytest.mark.parametrize(
    "sql",
    (
        "SELECT body FROM notes",
        "SELECT notes.body FROM notes",
        "SELECT n.body FROM notes n JOIN temp_things t ON t.id = n.id",
        "SELECT public.notes.body FROM public.notes",
        "SELECT n.body FROM notes n WHERE EXISTS (SELECT 1 FROM notes n WHERE n.body IS NULL)",
        "UPDATE notes SET body = notes.body || 'x'",
        "SELECT n.body, c.id FROM customers c JOIN notes n ON n.customer_id = c.id",
    ),
)
def test_a_column_of_a_table_that_has_it(sql: str) -> None:
    assert _passes(sql)


@pytest.mark.parametrize(
    "sql",
    (
        "SELECT t.body FROM temp_things t",
        "SELECT n.body FROM notes AS n(a, b)",
        "SELECT n.body FROM (SELECT * FROM notes) n",
        "SELECT n.body FROM notes n WHERE EXISTS (SELECT 1 FROM temp_things n WHERE n.body IS NULL)",
        "WITH x AS (SELECT 1) SELECT n.body FROM notes n, (SELECT n.body FROM x n) y",
        "SELECT n.body FROM (notes CROSS JOIN temp_things) n",
        "SELECT n.body FROM generate_series(1, 2) n",
        "SELECT c.body FROM pg_class c",
        "SELECT (n).body FROM notes n",
        "SELECT nowhere.body FROM notes",
    ),
)
def test_a_row_that_may_not_have_it(sql: str) -> None:
    assert not _passes(sql)
