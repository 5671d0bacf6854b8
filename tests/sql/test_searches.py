"""Searches by part and by range are planned as their files say.  What they find is asked in tests/integration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from proxy.sql.cache import CachedPlanner
from proxy.sql.plan import SlotKind

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


def test_what_rules_dates_is_known_of_all_ends() -> None:
    for sql, constants, parameters in (
        ("birth < $1 AND birth > '1990-01-01'", True, True),
        ("birth BETWEEN $1 AND '1990-01-01'", True, True),
        ("birth > $1 AND birth < $2", False, True),
        ("birth BETWEEN '1990-01-01' AND '1991-01-01'", True, False),
        ("age BETWEEN $1 AND 5", False, False),
    ):
        made = plan("full", f"SELECT id FROM workers WHERE {sql}")
        assert (made.constants_follow, made.parameters_follow) == (constants, parameters), sql


def test_no_parameter_of_a_range_is_passed_on() -> None:
    for sql in ("birth < $1 AND $2 < birth", "birth BETWEEN $1 AND $2 AND birth >= $3", "age > $2 AND age > $1"):
        made = plan("full", f"SELECT id FROM workers WHERE {sql}")
        assert {slot.kind for slot in made.slots} == {SlotKind.TOKENS, SlotKind.END}


def test_ilike_needs_to_know_how_the_database_makes_letters_small() -> None:
    unknown = replace(context(), catalog=replace(context().catalog, lowering=None))
    for operator, sqlstate in (("ILIKE", "0A000"), ("LIKE", None)):
        made = CachedPlanner().plan_statement(f"SELECT id FROM members WHERE surname {operator} 'abc%'", (), unknown)
        assert (made.refusal and made.refusal.sqlstate) == sqlstate
