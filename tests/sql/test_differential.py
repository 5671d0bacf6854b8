"""Random statements: what is not refused answers as the plain database would, and reads no more than it may."""

from __future__ import annotations

import pgparse
import pytest
from hypothesis import HealthCheck, event, given, settings

from policies.model import TableRights
from policies.physical import selectable
from proxy.sql.cache import CachedPlanner
from proxy.sql.tree import nodes, strings

from .generator import statements
from .golden import Case
from .shop import PROTECTED, Roles, context
from .test_execution import Pair, pair18, run_both

__all__ = ["pair18"]


@pytest.mark.integration
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sql=statements())
def test_answers_as_the_plain_database(pair18: Pair, sql: str) -> None:
    plan = CachedPlanner().plan_statement(sql, (), pair18.context("full"))
    event("refused" if plan.refusal is not None else "planned")
    if plan.refusal is None:
        run_both(Case("full", sql, ""), pair18, plan)


@pytest.mark.parametrize("role", ["support", "reader", "analyst", "masked", "none"])
@given(sql=statements())
def test_reads_no_column_beyond_its_rights(role: str, sql: str) -> None:
    """Whatever is planned names only physical columns that the role's rights let the server's role read."""
    plan = CachedPlanner().plan_statement(sql, (), context(role))
    if plan.refusal is not None:
        assert plan.refusal.sqlstate != "XX000"
        return
    text = "".join(s.decode() if isinstance(s, bytes) else "$1" for s in plan.segments)
    principal = context(role).principal
    allowed = {c for table in PROTECTED.values() for c in selectable(table, _rights(role, table.table))}
    physical = {c.name for r in context(role).catalog.relations.values() if r.protected for c in r.columns}
    unprotected = {"id", "customer_id", "body", "email"} if "notes" in text else set()
    for kind, node in nodes(pgparse.parse(text)):
        if kind == "ColumnRef" and plan.kind == "select":
            name = strings(node["fields"])[-1]
            assert name not in physical or name in allowed | unprotected, (name, principal.roles, text)


def _rights(role: str, table: str) -> TableRights:
    return Roles().table_rights(context(role).principal, "public", table)
