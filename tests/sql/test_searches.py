"""Searches by part and by range are planned as their files say.  What they find is asked in tests/integration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from proxy.sql.cache import CachedPlanner

from .golden import UPDATE, Case, plan, read_cases, rewrite, shown
from .shop import context

FILES = sorted((Path(__file__).parent / "searches").glob("*.sql"))


def _all() -> list[Case]:
    for file in FILES if UPDATE else ():
        rewrite(file)
    return [case for file in FILES for case in read_cases(file)]


@pytest.mark.parametrize("case", _all(), ids=lambda case: case.id)
def test_case(case: Case) -> None:
    assert shown(plan(case.role, case.sql)) == case.expected


def test_every_case_was_read() -> None:
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        assert len(read_cases(file)) == len([line for line in text.splitlines() if line.startswith("[")])


def test_ilike_needs_to_know_how_the_database_makes_letters_small() -> None:
    unknown = replace(context(), catalog=replace(context().catalog, lowering=None))
    for operator, sqlstate in (("ILIKE", "0A000"), ("LIKE", None)):
        made = CachedPlanner().plan_statement(f"SELECT id FROM members WHERE surname {operator} 'abc%'", (), unknown)
        assert (made.refusal and made.refusal.sqlstate) == sqlstate
