"""Searches by part are planned as their file says.  What they find is asked in tests/integration/test_searches.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from proxy.sql.cache import CachedPlanner

from .golden import UPDATE, Case, plan, read_cases, rewrite, shown
from .shop import context

FILE = Path(__file__).parent / "searches" / "inexact.sql"


def _all() -> list[Case]:
    if UPDATE:
        rewrite(FILE)
    return read_cases(FILE)


@pytest.mark.parametrize("case", _all(), ids=lambda case: case.id)
def test_case(case: Case) -> None:
    assert shown(plan(case.role, case.sql)) == case.expected


def test_every_case_was_read() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert len(read_cases(FILE)) == len([line for line in text.splitlines() if line.startswith("[")])


def test_ilike_needs_to_know_how_the_database_makes_letters_small() -> None:
    unknown = replace(context(), catalog=replace(context().catalog, lowering=None))
    for operator, sqlstate in (("ILIKE", "0A000"), ("LIKE", None)):
        made = CachedPlanner().plan_statement(f"SELECT id FROM members WHERE surname {operator} 'abc%'", (), unknown)
        assert (made.refusal and made.refusal.sqlstate) == sqlstate
