"""Observed tables: what runs is safe for the tables in force, what is told is what the policy would do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.audit.events import encode
from proxy.sql.cache import CachedPlanner
from proxy.sql.catalog import Catalog
from proxy.sql.outline import outline, reason
from proxy.sql.plan import Observed, StatementPlan
from proxy.sql.planner import PlanContext
from tests.policies.audit.records import record

from .golden import CASES, read_cases
from .shop import PROTECTED, catalog, context


def watching(role: str, *observed: str) -> PlanContext:
    """`observed` tables are observed only, the others in force."""
    whole = catalog()
    relations = {
        oid: replace(relation, protected=None) if relation.name in observed else relation
        for oid, relation in whole.relations.items()
    }
    if "customers" in observed:
        relations = {oid: replace(r, reaches=frozenset()) for oid, r in relations.items()}
    by_name = {(r.schema, r.name): r for r in relations.values()}
    enforced = replace(whole, relations=relations, by_name=by_name, observing=True)
    return replace(context(role), catalog=enforced, observed=whole)


ALL = tuple(PROTECTED)


def planned(sql: str, at: PlanContext) -> StatementPlan:
    planner = CachedPlanner()
    plan = planner.plan_statement(sql, (), at)
    [same] = planner.plan_script(sql, at).statements
    assert (same.observed, same.refusal is None) == (plan.observed, plan.refusal is None)
    return plan


def test_what_rights_would_refuse_passes_as_it_is_and_is_told() -> None:
    sql = "SELECT total FROM orders WHERE status = 'paid'"
    plan = planned(sql, watching("support", "orders"))
    assert plan.refusal is None
    assert plan.segments == (sql.encode(),)
    assert plan.observed == Observed("42501")
    assert plan.recorded
    assert plan.outline == "select total from orders where status = ?"
    assert plan.reason == 'permission denied: filter_eq of column "public.orders.status"'
    assert plan.rules
    assert "public.orders.status" in {use.field for use in plan.uses}


def test_what_would_be_narrowed_is_told() -> None:
    plan = planned("SELECT * FROM orders", watching("support", "orders"))
    assert plan.refusal is None
    assert not plan.rewritten
    assert plan.observed == Observed(None)
    assert planned("SELECT id FROM orders", watching("full", "orders")).observed is None


def test_what_policy_allows_is_recorded_and_not_observed() -> None:
    plan = planned("SELECT id FROM orders", watching("support", "orders"))
    assert plan.observed is None
    assert {use.field for use in plan.uses} == {"public.orders.*", "public.orders.id"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM customers",
        "SELECT o.total, c.city FROM orders o JOIN customers c ON c.id = o.customer_id",
        "INSERT INTO orders (tech_notes) SELECT email FROM customers",
        "DO 'x'",
        "SELECT leak() FROM orders",
        "SELECT * FROM pg_stats",
    ],
)
def test_beside_an_observed_table_the_others_stay_in_force(sql: str) -> None:
    plan = planned(sql, watching("none", "orders"))
    assert plan.refusal is not None
    assert plan.observed is None


def test_a_sealed_field_beside_an_observed_table_is_sealed_and_opened() -> None:
    sql = "SELECT o.total, c.name FROM orders o, customers c WHERE c.id = o.customer_id AND c.email = 'ann@x'"
    plan = planned(sql, watching("full", "orders"))
    assert plan.refusal is None
    assert plan.opens
    assert not any(isinstance(part, bytes) and b"ann@x" in part for part in plan.segments)


@pytest.mark.parametrize("case", [case for path in sorted(CASES.glob("*.sql")) for case in read_cases(path)][::3])
@pytest.mark.parametrize("role", ["none", "support"])
def test_where_all_is_observed_nothing_is_refused_or_changed(case, role: str) -> None:  # type: ignore[no-untyped-def]
    at = watching(role, *ALL)
    assert at.catalog.lenient
    plan = CachedPlanner().plan_statement(case.sql, (), at)
    assert plan.refusal is None
    assert not any(slot.kind in ("cell", "term", "principal") for slot in plan.slots)
    whole = CachedPlanner().plan_statement(case.sql, (), replace(at, catalog=catalog(), observed=None))
    assert (plan.observed.sqlstate if plan.observed else None) == (whole.refusal.sqlstate if whole.refusal else None)
    assert encode(record(statement=plan.outline or None, reason=plan.reason))


def test_of_several_statements_each_is_told() -> None:
    at = watching("support", *ALL)
    text = "SELECT total FROM orders; DO 'x'; SELECT id FROM orders"
    script = CachedPlanner().plan_script(text, at)
    assert [plan.observed.sqlstate if plan.observed else None for plan in script.statements] == ["42501", "0A000", None]
    assert not any(plan.refusal for plan in script.statements)
    [broken] = CachedPlanner().plan_script("SELEC 'x'; SELECT 1", at).statements
    assert broken.segments == (b"SELEC 'x'; SELECT 1",)
    assert broken.observed == Observed("42601")


CANARY = "Ivanova"
HIDING = [
    "SELECT 'Ivanova' FROM orders",
    "SELECT E'Ivan\\157va', $$Ivanova$$, U&'Ivanova', B'01', x'4a', 'a' 'Ivanova' FROM orders",
    "SELECT id AS ivanova FROM orders",
    'SELECT id AS "Ivanova", "Ivanova" FROM orders -- Ivanova',
    "/* Ivanova */ SELECT 4242 FROM orders WHERE total = 4242.5 AND 4242e3 > 1",
    "SELECT ivanova(id) FROM orders",
    "SELECT ivanova FROM orders",
    "SELECT 'Ivanova",
    "SELECT FROM FROM 'Ivanova'",
    "SELECT 1 ivanova ivanova",
    'SELECT U&"Ivan\\006fva" FROM orders',
    "PREPARE ivanova AS SELECT total FROM orders",
    "COMMENT ON TABLE orders IS 'Ivanova'",
    "SET application_name = 'Ivanova'",
    "COPY orders FROM '/home/Ivanova'",
    "NOTIFY ivanova, 'Ivanova'",
]


@pytest.mark.parametrize("sql", HIDING)
def test_neither_outline_nor_reason_repeat_what_a_client_wrote(sql: str) -> None:
    for plan in (planned(sql, watching("none", *ALL)), planned(sql, context("none"))):
        said = f"{plan.outline} {plan.reason}".lower()
        assert CANARY.lower() not in said
        assert "4242" not in said
        assert encode(record(statement=plan.outline or None, reason=plan.reason))


def known(*names: str) -> Catalog:
    made = catalog()
    object.__setattr__(made, "names", made.names | frozenset(names))
    return made


def test_an_outline_reads_like_the_statement() -> None:
    sql = b"""SELECT c."name", count(*) FROM public.customers AS c WHERE c.id IN (1, 2, 3) AND c.city = $1 -- x"""
    assert outline(sql, catalog()) == (
        "select _ . name , count ( * ) from public . customers as _ where _ . id in ( ?, ... ) and _ . city = $1"
    )
    assert len(outline(b"SELECT " + b"id, " * 5000, catalog())) < 1100
    assert outline(b"SELECT 'open", catalog()) == ""


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_fits_the_record(text: str, message: str) -> None:
    source = text.encode(errors="replace")
    said, why = outline(source, catalog()) or None, reason(message, source, catalog())
    assert encode(record(statement=said, reason=why))


@pytest.mark.parametrize("name", ["2fa", "a 1", "it's", "back\\slash", "Имя", 'say "x"', "tab\tbed"])
def test_strange_names_fit_the_record(name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    shown = outline(f"SELECT {quoted} FROM orders".encode(), known(name))
    assert encode(record(statement=shown, reason=reason(f"permission denied: {name}", b"", known(name))))
