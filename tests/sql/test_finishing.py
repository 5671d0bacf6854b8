"""What the proxy works out of opened values is planned as the files say; that it is right is asked of real servers in
tests/rows/finishing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from proxy.sql.cache import CachedPlanner

from .golden import UPDATE, Case, plan, read_cases, rewrite, shown
from .shop import context

FILES = sorted((Path(__file__).parent / "finishing").glob("*.sql"))


def _all() -> list[Case]:
    for file in FILES if UPDATE else ():
        rewrite(file)
    return [case for file in FILES for case in read_cases(file)]


@pytest.mark.parametrize("case", _all(), ids=lambda case: case.id)
def test_case(case: Case) -> None:
    assert shown(plan(case.role, case.sql)) == case.expected


def test_every_case_was_read() -> None:
    lines = [line for file in FILES for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("[")]
    assert len(_all()) == len(lines)


def test_letters_need_a_known_collation() -> None:
    unknown = replace(context(), catalog=replace(context().catalog, casing=None))
    for argument, sqlstate in (("email", "0A000"), ('email COLLATE "C"', None)):
        made = CachedPlanner().plan_statement(f"SELECT lower({argument}) FROM customers", (), unknown)
        assert (made.refusal and made.refusal.sqlstate) == sqlstate
        assert made.refusal is None or 'COLLATE "C"' in (made.refusal.hint or "")


def test_a_declared_parameter_chooses_the_function() -> None:
    for declared, refused in (((23,), False), ((0,), True), ((25,), True), ((20,), True)):
        made = CachedPlanner().plan_statement("SELECT substr(name, $1) FROM customers", declared, context())
        assert (made.refusal is not None) == refused


def test_older_servers_extract_double_precision() -> None:
    query = "SELECT extract(year FROM born) FROM customers"
    assert CachedPlanner().plan_statement(query, (), context(server=130000)).refusal is not None


def test_every_column_that_is_used_is_recorded_with_its_verb() -> None:
    made = plan("full", "SELECT name || phone || city FROM customers ORDER BY born, lower(email), id")
    used = {(use.field.rpartition(".")[2], use.verb.name) for use in made.uses}
    read = {(column, "READ") for column in ("name", "phone", "city")}
    assert read | {(column, "ORDER") for column in ("born", "email", "id")} <= used
    folded = plan("full", "SELECT max(born), count(DISTINCT phone) FROM customers")
    used = {(use.field.rpartition(".")[2], use.verb.name) for use in folded.uses}
    assert {("born", "READ"), ("born", "AGGREGATE"), ("phone", "AGGREGATE"), ("phone", "GROUP")} <= used
