"""What is told of a plan: uses with their rules, obligations, slots by name, and never a value."""

from __future__ import annotations

import pytest
from rich.console import Console

from policies.loader import SHOP, load_policy
from policies.model import Parts
from proxy.explain.explanation import Explanation, explain, principal_for_role
from proxy.explain.server_plan import ServerPlan
from proxy.explain.text import rendered
from tests.sql.shop import context

POLICY = load_policy(SHOP)


def told(sql: str, role: str = "full", **more: object) -> Explanation:
    return explain(sql, context(role, **more), POLICY)[0]  # type: ignore[arg-type]


def test_a_search_names_its_term_and_keeps_its_constant_out_of_what_is_sent() -> None:
    found = told("SELECT name, city FROM customers WHERE email = 'ann@example.org'")
    assert found.allowed
    assert found.node == "SelectStmt"
    assert found.relations == ("public.customers (protected)",)
    assert {(use.field, use.verb, use.allowed) for use in found.uses} == {
        ("public.customers.*", "read", True),
        ("public.customers.email", "filter_eq", True),
        ("public.customers.name", "read", True),
        ("public.customers.city", "read", True),
    }
    assert found.rewritten is not None
    assert "ann@example.org" not in found.rewritten
    assert "{1 term public.customers.email}" in found.rewritten
    [slot] = found.slots
    assert (slot.kind, slot.field, slot.source) == ("term", "public.customers.email", "a constant of the statement")
    assert found.outputs is not None
    assert [(o.name, o.opened) for o in found.outputs] == [("name", "public.customers.name"), ("city", None)]


def test_a_refused_statement_tells_all_its_uses_and_which_are_denied() -> None:
    found = told("SELECT name, city FROM customers WHERE email = 'ann@example.org'", "support")
    assert not found.allowed
    assert found.refusal is not None
    assert found.refusal.sqlstate == "42501"
    assert found.rewritten is None
    assert {(use.field, use.allowed) for use in found.uses} == {
        ("public.customers.*", True),
        ("public.customers.email", True),
        ("public.customers.name", True),
        ("public.customers.city", False),
    }


def test_obligations() -> None:
    assert told("SELECT city FROM customers", "client").tables[0].row_filter == "id = the principal's subject"
    assert told("SELECT count(*) FROM customers", "analyst").tables[0].min_group == 5
    assert told("SELECT count(*) FROM customers", "analyst").tables[0].parts == Parts(("status", "city"), 5)
    assert told("SELECT id FROM customers", "masked").tables[0].masked_fields == ("city", "email", "phone")
    assert told("SELECT id FROM orders", "support").tables[0].null_fields == ("customer_id", "total", "recipient")


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [("SELEC 1", "42601"), ("", None), ("SELECT 1; SELECT 2", "42601"), ("\udcff", "22021"), ("DO 'x'", "0A000")],
)
def test_whatever_is_typed_is_explained(sql: str, sqlstate: str | None) -> None:
    found = told(sql)
    assert (found.refusal.sqlstate if found.refusal else None) == sqlstate


def test_what_touches_nothing_is_sent_as_it_is() -> None:
    found = told("SELECT body FROM notes WHERE id = 1")
    assert found.rewritten == found.statement
    assert found.uses == found.slots == ()


def test_a_role_of_the_policy_acts_for_its_own_purpose() -> None:
    principal = principal_for_role(POLICY, "accounting", None, None)
    assert principal.purpose == POLICY.roles["accounting"].purpose
    for role, purpose in (("nobody", None), ("accounting", "curiosity")):
        with pytest.raises(KeyError):
            principal_for_role(POLICY, role, purpose, None)


def test_as_text() -> None:
    made, plan = explain("SELECT name FROM customers WHERE email = $1", context(), POLICY)
    console = Console(width=200, no_color=True)
    with console.capture() as captured:
        console.print(rendered(made, ServerPlan(unavailable="asked of nobody")))
    shown = captured.get()
    for words in ("filter_eq", "{1 term public.customers.email}: the client's parameter $1", "not available: asked"):
        assert words in shown
    assert plan.refusal is None


def test_figures_as_text() -> None:
    made, _ = explain("SELECT sum(total) FROM orders", context("analyst"), POLICY)
    console = Console(width=200, no_color=True)
    with console.capture() as captured:
        console.print(rendered(made, ServerPlan(unavailable="asked of nobody")))
    assert "public.orders: over whole parts by status, each of 5 rows or more" in captured.get()
