"""Every case of tests/sql/cases is planned as its file says."""

from __future__ import annotations

import pytest

from proxy.sql.plan import StatementPlan

from .golden import CASES, UPDATE, Case, plan, read_cases, rewrite, shown

FILES = sorted(CASES.glob("*.sql"))


def _all() -> list[Case]:
    if UPDATE:
        for path in FILES:
            rewrite(path)
    return [case for path in FILES for case in read_cases(path)]


@pytest.mark.parametrize("case", _all(), ids=lambda case: case.id)
def test_case(case: Case) -> None:
    assert shown(plan(case.role, case.sql)) == case.expected


@pytest.mark.parametrize("case", _all(), ids=lambda case: case.id)
def test_empty_statements_in_front_change_nothing(case: Case) -> None:
    one, other = plan(case.role, case.sql), plan(case.role, f"; /* nothing */ ;\n{case.sql}")
    assert (one.refusal is None) is (other.refusal is None), other.refusal
    if one.refusal is not None and other.refusal is not None:
        assert (one.refusal.sqlstate, one.refusal.message) == (other.refusal.sqlstate, other.refusal.message)
    else:
        assert _text(other).endswith(_text(one))


def _text(made: StatementPlan) -> str:
    return "".join(s.decode() if isinstance(s, bytes) else "$" for s in made.segments)


def test_every_file_was_read_whole() -> None:
    for path in FILES:
        blocks = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("[")]
        assert len(read_cases(path)) == len(blocks), path.name
