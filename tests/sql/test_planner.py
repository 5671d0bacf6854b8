"""The planner as a whole: it never raises, never passes on what it did not understand, and shares plans rightly."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import SqlState, Unsupported
from proxy.sql import cache, crosscheck, planning, statement
from proxy.sql.cache import CachedPlanner
from proxy.sql.catalog import Catalog
from proxy.sql.edits import SqlText
from proxy.sql.parameters import Parameters
from proxy.sql.plan import SessionEffect, SlotKind, StatementKind, physical_parameters
from proxy.sql.tree import nodes, parse_script
from proxy.sql.verify import Differs

from .generator import statements
from .golden import CASES, read_cases
from .shop import Roles, context

_SQL = [case.sql for path in sorted(CASES.glob("*.sql")) for case in read_cases(path)]
_ROLES = st.sampled_from(["full", "support", "reader", "masked", "client", "analyst", "none"])


@given(st.text(max_size=200), _ROLES)
def test_any_text_is_a_plan_or_a_refusal(text: str, role: str) -> None:
    _both(text, role)


@given(st.sampled_from(_SQL), st.randoms(use_true_random=False), _ROLES)
def test_damaged_statements_are_plans_or_refusals(sql: str, chance: random.Random, role: str) -> None:
    for _ in range(chance.randint(1, 4)):
        start, end = sorted(chance.randint(0, len(sql)) for _ in range(2))
        piece = sql[start : min(end, start + 12)]
        sql = chance.choice(
            [sql[:start] + sql[start + 1 :], sql[:start] + piece + sql[start:], sql[:end] + "'" + sql[end:]]
        )
    _both(sql, role)


@given(statements(), _ROLES)
def test_random_statements_are_plans_or_refusals(sql: str, role: str) -> None:
    _both(sql, role)


def _both(text: str, role: str) -> None:
    planner = CachedPlanner()
    plan = planner.plan_statement(text, (), context(role))
    assert plan.refusal is None or plan.refusal.sqlstate is not SqlState.INTERNAL_ERROR, text
    script = planner.plan_script(text, context(role))
    for each in script.statements:
        assert each.refusal is None or each.refusal.sqlstate is not SqlState.INTERNAL_ERROR, text


@pytest.mark.parametrize("text", ["\0", "SELECT '\0'", "SELECT '\ud800'", "", " ", ";", ";;", "-- c", "/* c */"])
def test_odd_texts(text: str) -> None:
    _both(text, "full")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 100_000 + "1" + ")" * 100_000,
        "SELECT " + "1+" * 300_000 + "1",
        "SELECT " + "- " * 200_000 + "1",
        "SELECT 1 " + "UNION ALL SELECT 1 " * 50_000,
        "SELECT " + "NOT " * 200_000 + "true",
        "SELECT id FROM customers WHERE " + "NOT " * 900 + "true",
    ],
    ids=lambda text: text[7:20],
)
def test_deep_nesting_is_refused_and_the_process_lives(text: str) -> None:
    plan = CachedPlanner().plan_statement(text, (), context())
    assert plan.refusal is not None
    assert plan.refusal.sqlstate in (SqlState.PROGRAM_LIMIT_EXCEEDED, SqlState.SYNTAX_ERROR)


def test_long_flat_statements_are_planned() -> None:
    rows = ", ".join(f"({n}, 'mail{n}@x')" for n in range(5000))
    plan = CachedPlanner().plan_statement(f"INSERT INTO customers (id, email) VALUES {rows}", (), context())
    assert plan.refusal is None
    assert len(plan.slots) == 5000


def test_star_upon_star_ends() -> None:
    tables = ", ".join(f"t{n + 1} AS (SELECT *, * FROM t{n})" for n in range(40))
    text = f"WITH t0 AS (SELECT id AS a FROM customers), {tables} SELECT 1 FROM t40"
    assert CachedPlanner().plan_statement(text, (), context()).refusal is not None


def test_whatever_goes_wrong_inside_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("secret value")

    monkeypatch.setattr(statement, "walk_update", broken)
    monkeypatch.setitem(statement._WRITERS, "UpdateStmt", broken)
    plan = CachedPlanner().plan_statement("UPDATE customers SET city = 'x'", (), context())
    assert plan.refusal is not None
    assert plan.refusal.sqlstate is SqlState.INTERNAL_ERROR
    assert "secret" not in str(plan.refusal)


def test_a_database_without_protected_tables_is_not_analysed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "parse_script", lambda _: pytest.fail("parsed"))
    bare = dataclasses.replace(context(), catalog=Catalog(1, "shop", 180006))
    for text in ("SELECT email FROM customers", "no SQL at all", "DO $$ $$"):
        assert CachedPlanner().plan_statement(text, (), bare).segments == (text.encode(),)
        assert CachedPlanner().plan_script(text, bare).unchanged


def test_two_clients_share_one_plan_that_names_neither() -> None:
    planner = CachedPlanner()
    one = context("client")
    other = dataclasses.replace(one, principal=dataclasses.replace(one.principal, login="b", person="b", subject="8"))
    text = "SELECT email FROM customers"
    plan = planner.plan_statement(text, (), one)
    assert planner.plan_statement(text, (), other) is plan
    assert [slot.kind for slot in plan.slots] == [SlotKind.PRINCIPAL]
    assert "7" not in repr(plan.slots)
    assert all(b"7" not in segment for segment in plan.segments if isinstance(segment, bytes))


@pytest.mark.parametrize(
    "change",
    [
        {"search_path": ("audit", "public")},
        {"search_path": None},
        {"decisions": Roles("r2")},
        {"catalog": dataclasses.replace(context().catalog, version=2)},
        {"principal": dataclasses.replace(context().principal, roles=frozenset({"none"}))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_plans_are_kept_apart_by_all_that_gives_them_meaning(change: dict[str, Any]) -> None:
    planner = CachedPlanner()
    first = planner.plan_statement("SELECT id FROM orders", (), context())
    assert planner.plan_statement("SELECT id FROM orders", (), context()) is first
    assert planner.plan_statement("SELECT id FROM orders", (25,), context()) is not first
    changed = dataclasses.replace(context(), **change)
    assert planner.plan_statement("SELECT id FROM orders", (), changed) is not first


def test_the_cache_is_bounded() -> None:
    planner = CachedPlanner(2)
    first = planner.plan_statement("SELECT 1", (), context())
    planner.plan_statement("SELECT 2", (), context())
    planner.plan_statement("SELECT 1", (), context())
    planner.plan_statement("SELECT 3", (), context())
    assert planner.plan_statement("SELECT 1", (), context()) is first
    assert len(planner._statements) == 2


def test_the_cache_is_bounded_by_weight_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache._Recent.__init__, "__defaults__", (100,))
    planner = CachedPlanner()
    for number in range(50):
        planner.plan_statement(f"SELECT {number:020}", (), context())
    assert 0 < len(planner._statements) <= 4


def test_a_cached_refusal_holds_on_to_nothing() -> None:
    refusal = CachedPlanner().plan_statement("SELECT initcap(email) FROM customers", (), context()).refusal
    assert refusal is not None
    assert refusal.__traceback__ is None and refusal.__context__ is None


def test_a_parameter_that_nobody_looked_at_is_noticed() -> None:
    parameters = Parameters(())
    text = SqlText(b"SELECT $1, $2")
    parameters.use_plainly(1, text, 1, typed=False)
    with pytest.raises(Unsupported):
        parameters.check_complete(nodes(parse_script(text.source)[0].body))
    parameters.use_plainly(2, text, 3, typed=False)
    parameters.check_complete(nodes(parse_script(text.source)[0].body))


def test_the_second_parser_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it sees otherwise, the statement is refused; where nothing is protected it is not asked at all."""
    text = "SELECT email FROM customers WHERE email = 'x' AND city = $1"
    assert CachedPlanner().plan_statement(text, (), context()).refusal is None
    for other in (
        "SELECT email FROM orders WHERE email = 'x' AND city = $1",
        "SELECT email FROM customers WHERE phone = 'x' AND city = $1",
        "SELECT email FROM customers WHERE email = 'y' AND city = $1",
        "SELECT email FROM customers WHERE email = 'x' AND city = $2",
        "SELECT 1",
        "SELECT (",
    ):
        monkeypatch.setattr(crosscheck, "parse", lambda _, other=other, **more: sqlglot.parse(other, **more))
        refusal = CachedPlanner().plan_statement(text, (), context()).refusal
        assert refusal is not None and "two independent parsers" in refusal.message, other
        assert CachedPlanner().plan_statement("SELECT body FROM notes", (), context()).refusal is None


def test_a_name_follows_the_search_path() -> None:
    text = "SELECT what FROM customers"
    plan = CachedPlanner().plan_statement(text, (), context(path=("audit", "public")))
    assert plan.refusal is None and not plan.touches_protected
    assert plan.segments == (b'SELECT "customers"."what" FROM "audit".customers',)  # another path changes nothing
    hidden = CachedPlanner().plan_statement(text, (), context(path=("other",)))
    assert hidden.refusal is not None
    assert CachedPlanner().plan_statement("SELECT body FROM notes", (), context(path=None)).refusal is None


def test_the_servers_own_role_schema_makes_a_name_uncertain() -> None:
    assert (
        CachedPlanner().plan_statement("SELECT id FROM orders", (), context(path=("$user", "public"))).refusal is None
    )
    plan = CachedPlanner().plan_statement("SELECT id FROM customers", (), context(path=("$user", "public")))
    assert plan.refusal is not None  # audit.customers could be the one


def test_pg_catalog_behind_other_schemas_is_refused_beside_protected_tables() -> None:
    path = ("public", "pg_catalog")
    assert CachedPlanner().plan_statement("SELECT id FROM customers", (), context(path=path)).refusal is not None
    assert CachedPlanner().plan_statement("SELECT id FROM notes", (), context(path=path)).refusal is None


def test_scripts_keep_their_statements_apart() -> None:
    text = (
        "BEGIN; SELECT email FROM customers WHERE email = 'x';SELECT 'ä'; SELECT city FROM nothing, customers; COMMIT"
    )
    script = CachedPlanner().plan_script(text, context("support"))
    kinds = [plan.kind for plan in script.statements]
    assert kinds == [
        StatementKind.TRANSACTION, StatementKind.SELECT, StatementKind.SELECT, StatementKind.SELECT,
        StatementKind.TRANSACTION,
    ]  # fmt: skip
    refused = script.statements[3].refusal
    assert refused is not None and refused.position == text.index("city") + 1
    assert script.statements[2].segments == ("SELECT 'ä'".encode(),)
    assert not script.unchanged


def test_an_unchanged_script_is_the_clients_bytes() -> None:
    script = CachedPlanner().plan_script("SELECT 1; SET search_path = a; SELECT body FROM public.notes;", context())
    assert script.unchanged
    assert [plan.effect for plan in script.statements] == [
        SessionEffect.NONE, SessionEffect.SEARCH_PATH, SessionEffect.NONE,
    ]  # fmt: skip
    assert not CachedPlanner().plan_script("SET fieldgate.purpose = 'x'", context()).unchanged


def test_one_statement_for_a_parse() -> None:
    plan = CachedPlanner().plan_statement("SELECT 1; SELECT 2", (), context())
    assert plan.refusal is not None and plan.refusal.sqlstate is SqlState.SYNTAX_ERROR
    assert CachedPlanner().plan_statement("", (), context()).kind is StatementKind.EMPTY
    assert CachedPlanner().plan_script(" ; -- x", context()).statements == ()


def test_syntax_errors_are_postgresqls_own_with_their_place() -> None:
    plan = CachedPlanner().plan_statement("SELECT 'ä' FORM customers x y", (), context())
    assert plan.refusal is not None
    assert plan.refusal.sqlstate is SqlState.SYNTAX_ERROR
    assert plan.refusal.message.startswith("syntax error at or near")
    assert plan.refusal.position is not None


@pytest.mark.parametrize("sql", [sql for sql in _SQL if "$" in sql])
def test_every_parameter_keeps_its_place(sql: str) -> None:
    """Plain parameters keep their numbers, and every client parameter stands among the physical ones."""
    plan = CachedPlanner().plan_statement(sql, (), context())
    if plan.refusal is not None or not plan.slots:
        return
    physical = physical_parameters(plan)
    for number in range(1, plan.client_parameters + 1):
        own = physical[number - 1]
        assert own.source is not None and own.source.parameter == number
    described = {number for number, _ in plan.parameter_types}
    assert described == {n for n in range(1, plan.client_parameters + 1) if physical[n - 1].kind is not SlotKind.PLAIN}


def test_declared_types_are_described_as_the_client_declared_them() -> None:
    text = "SELECT id FROM customers WHERE email = $1 AND ($1 IS NULL OR city = $2)"
    undeclared = CachedPlanner().plan_statement(text, (), context())
    declared = CachedPlanner().plan_statement(text, (1043,), context())
    assert b"$1::pg_catalog.text IS NULL" in b"".join(s for s in undeclared.segments if isinstance(s, bytes))
    assert b"$1 IS NULL" in b"".join(s for s in declared.segments if isinstance(s, bytes))
    alone = CachedPlanner().plan_statement("SELECT id FROM customers WHERE email = $1", (1043,), context())
    assert alone.parameter_types == ((1, 1043),)


def test_a_rewrite_that_says_something_else_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second parse: a term that would swallow the rest of the statement does not pass."""
    for evil in ("true OR email", "email) OR (true", "email -- ", "(SELECT email FROM orders)"):
        monkeypatch.setattr("proxy.sql.appendix.dotted", lambda *_, evil=evil: evil)
        plan = CachedPlanner().plan_statement(
            "SELECT id FROM customers WHERE email = 'x' AND city = 'y'", (), context()
        )
        if evil in ("email) OR (true", "email -- ", "(SELECT email FROM orders)"):
            assert isinstance(plan.refusal, Differs), evil


def test_the_row_of_something_unknown_is_not_ours_to_refuse() -> None:
    text = "SELECT t FROM temp_things t, customers c"
    assert CachedPlanner().plan_statement(text, (), context()).refusal is None
    assert CachedPlanner().plan_statement(text.replace("SELECT t", "SELECT c"), (), context()).refusal is not None


def test_a_refused_use_is_part_of_the_plan_for_the_record() -> None:
    plan = CachedPlanner().plan_statement("SELECT email FROM customers", (), context("none"))
    assert plan.refusal is not None
    support = CachedPlanner().plan_statement("SELECT city FROM customers", (), context("support"))
    assert [(use.field, use.verb.name) for use in support.uses] == [("public.customers.city", "READ")]


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("SELECT email FROM customers", False),
        ("WITH w AS (INSERT INTO notes (id) VALUES (7) RETURNING id) SELECT email FROM customers", True),
        ("WITH w AS (SELECT 1), v AS (DELETE FROM notes) SELECT email FROM customers", True),
        ("COPY (SELECT email FROM customers) TO STDOUT", False),
        ("UPDATE customers SET email = 'x' WHERE id = 1", True),
    ],
)
def test_a_plan_knows_whether_something_is_written(text: str, writes: bool) -> None:
    plan = planning.plan_single(text, (), context("exporter"))
    assert plan.refusal is None and plan.writes is writes


def test_a_function_of_postgresql_that_the_data_map_allows_is_called_where_nothing_protected_is() -> None:
    usual = context()
    opened = dataclasses.replace(
        usual, catalog=dataclasses.replace(usual.catalog, opened=frozenset({"pg_cancel_backend"}))
    )
    alone, beside = "SELECT pg_cancel_backend(7)", "SELECT pg_cancel_backend(id) FROM customers"
    assert CachedPlanner().plan_statement(alone, (), usual).refusal is not None
    assert CachedPlanner().plan_statement(alone, (), opened).refusal is None
    assert CachedPlanner().plan_statement(beside, (), opened).refusal is not None
