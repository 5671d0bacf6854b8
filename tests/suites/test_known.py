"""What a run of the suites says, and that a loss that is not known counts."""

from __future__ import annotations

from .known import Outcome, known_losses, report
from .scripts import in_given_database

BASE = frozenset(f"test_{n}" for n in range(40))


def test_a_known_loss_is_counted_by_its_reason() -> None:
    lines, well = report([Outcome("s", BASE, frozenset({"test_1"}))], {"s": {"test_1": "DO"}})
    assert lines == ["s: 40 pass without Fieldgate, 39 through it; DO (1)", "together: 39 of 40, 97.5%"]
    assert well


def test_a_loss_that_is_not_known_is_named_and_fails() -> None:
    lines, well = report([Outcome("s", BASE, frozenset({"test_1"}))], {})
    assert "  lost and not known: test_1" in lines
    assert not well


def test_too_many_losses_fail_even_if_all_are_known() -> None:
    lost = {f"test_{n}": "DO" for n in range(3)}
    assert not report([Outcome("s", BASE, frozenset(lost))], {"s": lost})[1]


def test_a_suite_of_which_nothing_passes_directly_shows_nothing() -> None:
    assert not report([Outcome("s", frozenset(), frozenset())], {})[1]
    assert not report([], {})[1]


def test_what_is_not_lost_any_more_is_told() -> None:
    lines, well = report([Outcome("s", BASE, frozenset())], {"s": {"test_1": "DO"}})
    assert lines[1] == "  passes now, take it out of lost.toml: test_1"
    assert well


def test_every_known_loss_has_one_reason() -> None:
    for suite, reasons in known_losses().items():
        assert reasons, suite


def test_a_suite_works_in_the_database_that_it_is_given() -> None:
    script = (
        'db=own_$$\npsql -c "CREATE DATABASE $db"\nrun -d "$db"\ntrap \'psql -c "DROP DATABASE IF EXISTS $db"\' EXIT\n'
    )
    assert in_given_database(script) == 'db=$PGDATABASE\nrun -d "$db"\n'
    assert in_given_database("db=x\nrun\n") == "db=x\nrun\n"
