"""What drivers, ORMs and psql send to look around is forwarded as it is, in a database with protected tables (I4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.sql.cache import CachedPlanner

from .shop import context

DRIVERS = Path(__file__).parent / "drivers"


def statements() -> list[tuple[str, str]]:
    found = []
    for path in sorted(DRIVERS.glob("*.sql")):
        _, *statements = path.read_text(encoding="utf-8").split("\n----\n")
        found += [(path.stem, statement.rstrip("\n")) for statement in statements]
    return found


@pytest.mark.parametrize(("driver", "sql"), statements(), ids=lambda value: " ".join(value.split())[:60])
@pytest.mark.parametrize("role", ["full", "none"])
def test_forwarded_unchanged(driver: str, sql: str, role: str) -> None:
    script = CachedPlanner().plan_script(sql, context(role))
    for plan in script.statements:
        assert plan.refusal is None, f"{driver}: {plan.refusal}"
    assert script.unchanged
    if len(script.statements) == 1:
        plan = CachedPlanner().plan_statement(sql, (), context(role))
        assert plan.refusal is None
        assert plan.segments == (sql.encode(),)
        assert not plan.slots


def test_there_are_many() -> None:
    assert len(statements()) > 130
