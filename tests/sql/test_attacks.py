"""The holes that others were caught with, each tried: refused, and for no reason that depends on data."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.errors import SqlState
from proxy.sql.cache import CachedPlanner

from .shop import context

ATTACKS = Path(__file__).parent / "attacks"


def _attacks() -> list[tuple[str, str]]:
    lines = (ATTACKS / "refused.sql").read_text(encoding="utf-8").splitlines()
    split = [line.partition(" | ") for line in lines if line and not line.startswith("--")]
    return [(role, sql) for role, _, sql in split]


@pytest.mark.parametrize(("role", "sql"), _attacks())
def test_refused(role: str, sql: str) -> None:
    plan = CachedPlanner().plan_statement(sql, (), context(role))
    assert plan.refusal is not None, plan.segments
    assert plan.refusal.sqlstate is not SqlState.INTERNAL_ERROR, plan.refusal
    assert plan.refusal.sqlstate is not SqlState.SYNTAX_ERROR, plan.refusal
    said = f"{plan.refusal.message} {plan.refusal.detail} {plan.refusal.hint}"
    assert "CANARY" not in said


@pytest.mark.parametrize(("role", "sql"), _attacks())
def test_refused_with_an_unknown_search_path(role: str, sql: str) -> None:
    assert CachedPlanner().plan_statement(sql, (), context(role, path=None)).refusal is not None


@pytest.mark.parametrize(("role", "sql"), _attacks())
def test_refused_in_the_middle_of_a_script(role: str, sql: str) -> None:
    script = CachedPlanner().plan_script(f"SELECT 1; {sql} ; SELECT 2", context(role))
    assert [plan.refusal is not None for plan in script.statements] == [False, True, False]
    assert not script.unchanged


def test_there_are_many() -> None:
    assert len(_attacks()) > 350
