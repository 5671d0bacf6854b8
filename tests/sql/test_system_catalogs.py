"""How references to PostgreSQL's own catalogs are rewritten, by golden files; test_structure.py asks real servers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from proxy.sql.cache import CachedPlanner
from proxy.sql.plan import StatementPlan
from proxy.sql.shown import literal
from proxy.sql.structure import Hidden, Shown, Structure, System

from .golden import UPDATE, Case, read_cases, rewrite_with, shown
from .shop import context
from .test_drivers import statements

PATH = Path(__file__).parent / "catalogs" / "shown.sql"
_OID, _NAME, _INT2 = "pg_catalog.oid", "pg_catalog.name", "pg_catalog.int2"
STRUCTURE = Structure(
    {
        "pg_attribute": Shown(
            "pg_attribute",
            (("attrelid", _OID), ("attname", _NAME), ("attnum", _INT2), ("atttypid", _OID)),
            ("attrelid", "attnum"),
            ("attname", "atttypid"),
            (("1001", "4", None, "25"), ("9002", "1", "it's", "25")),
            (Hidden(("attrelid", "attnum"), ((1001, 10), (1001, 11))),),
        ),
        "pg_class": Shown(
            "pg_class",
            (("oid", _OID), ("relname", _NAME), ("relpages", "pg_catalog.int4"), ("reltuples", "pg_catalog.float4")),
            hidden=(Hidden(("oid",), ((9001,), (9003,))),),
        ),
        "pg_index": Shown("pg_index", (("indexrelid", _OID), ("indkey", "pg_catalog.int2vector"))),
    },
    System(
        {},
        {
            ("pg_catalog", "pg_indexes"): " SELECT c.relname,\n    pg_get_indexdef(i.indexrelid) AS indexdef\n"
            "   FROM (pg_index i\n     JOIN pg_class c ON ((c.oid = i.indexrelid)));",
            (
                "information_schema",
                "grants",
            ): " SELECT pg_authid.rolname, information_schema._pg_truetypid(a.*, 1) AS t,\n"
            "    information_schema._pg_index_position(a.attrelid, a.attnum) AS p\n   FROM pg_authid, pg_attribute a;",
        },
    ),
    {"pg_get_indexdef": {9002: ((r"\mfg_email_eq\M", "email"),), 9004: (("a", "b"), ("c", "d\\\\'"))}},
)


def plan(role: str, sql: str) -> StatementPlan:
    known = context(role)
    known = dataclasses.replace(known, catalog=dataclasses.replace(known.catalog, structure=STRUCTURE))
    return CachedPlanner().plan_statement(sql, (), known)


if UPDATE:
    rewrite_with(PATH, plan)


@pytest.mark.parametrize("case", read_cases(PATH), ids=lambda case: case.id)
def test_as_written(case: Case) -> None:
    assert shown(plan(case.role, case.sql)) == case.expected


@pytest.mark.parametrize("sql", [sql for _, sql in statements()], ids=lambda sql: " ".join(sql.split())[:60])
def test_what_drivers_send_is_answered(sql: str) -> None:
    made = plan("none", sql)
    assert made.refusal is None or made.refusal.message.startswith("cannot insert multiple commands")
    assert not made.touches_protected or made.refusal is not None


def test_most_of_what_drivers_send_looks_at_these_catalogs() -> None:
    assert sum(plan("none", sql).edited for _, sql in statements()) > 60


def test_a_catalog_that_is_not_shown_stays() -> None:
    made = CachedPlanner().plan_statement("SELECT attname FROM pg_attribute", (), context("none"))
    assert not made.rewritten


def test_constants_mean_the_same_under_every_setting() -> None:
    assert literal("it's") == "'it''s'"
    assert literal("a\\'") == "E'a\\\\'''"
    assert literal(None) == "NULL"
