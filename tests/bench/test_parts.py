"""The benchmarks' own parts: what they parse, compute and say.  No test here measures anything."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bench import measure_kek, searched
from bench.appside import AppCrypto, AppKeys
from bench.contest import OTHERS, Contest, Outcome, Reading, Side, play
from bench.jobs import Job, Work
from bench.people import email_of, people
from bench.pgbench import PgbenchFailed, PgbenchResult, parse
from bench.places import Endpoint
from bench.ratios import Goal, Spread, ratios, spread
from bench.report import as_json, number, remarks, save

OUTPUT = """\
pgbench (15.12 (Debian 15.12-0+deb12u2))
transaction type: <builtin: select only>
scaling factor: 10
query mode: prepared
number of clients: 8
number of threads: 1
number of transactions actually processed: 90224
number of failed transactions: 0 (0.000%)
latency average = 0.443 ms
initial connection time = 41.031 ms
tps = 18043.902311 (without initial connection time)
"""
WHERE = Endpoint("fieldgate", "127.0.0.1", 6543, "shop", "management", "demo", Path("ca.crt"))


def test_pgbench_output_is_read() -> None:
    assert parse(OUTPUT) == PgbenchResult(18043.902311, 0.443)


def test_failed_transactions_are_no_result() -> None:
    with pytest.raises(PgbenchFailed, match="3 transactions failed"):
        parse(OUTPUT.replace("transactions: 0 (0.000%)", "transactions: 3 (0.003%)"))


def test_other_output_is_no_result() -> None:
    with pytest.raises(PgbenchFailed):
        parse("pgbench: error: connection refused")


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios([10, 30], [20, 40]) == [0.5, 0.75]
    assert spread([3.0, 1.0, 2.0]) == Spread(1.0, 2.0, 3.0)


@pytest.mark.parametrize(("values", "base"), [([1.0], [1.0, 2.0]), ([1.0], [0.0])])
def test_ratios_of_nothing_are_refused(values: list[float], base: list[float]) -> None:
    with pytest.raises(ValueError, match="ratio"):
        ratios(values, base)


def test_goals_are_judged_by_the_median() -> None:
    rounds = {"ours": [5.0, 7.0, 9.0], "theirs": [10.0, 10.0, 10.0]}
    assert Goal("ours", "theirs", at_least=0.7).met(rounds) is True
    assert Goal("ours", "theirs", at_least=0.71).met(rounds) is False
    assert Goal("ours", at_most=7.0).met(rounds) is True
    assert Goal("ours", at_most=6.9).met(rounds) is False
    assert Goal("ours", "theirs").met(rounds) is None


def contest(order: list[str]) -> Contest:
    def side(name: str) -> Side:
        def measure() -> Reading:
            order.append(name)
            return Reading(float(len(order)), {"note": 1.0})

        return Side(name, measure)

    goals = (Goal("b", "a", at_least=1), Goal("c", "missing", at_least=1))
    return Contest("x", "X", "units", (side("a"), side("b"), side("c")), goals, (("missing", "not installed"),))


def test_sides_take_turns_and_each_round_begins_with_another() -> None:
    order: list[str] = []
    outcome = play(contest(order), 3)
    assert "".join(order) == "abcbcacab"
    assert outcome.rounds == {"a": [1.0, 6.0, 8.0], "b": [2.0, 4.0, 9.0], "c": [3.0, 5.0, 7.0]}


def test_goals_against_a_missing_side_are_left_out() -> None:
    assert [goal.side for goal in play(contest([]), 1).goals] == ["b"]


def test_results_are_saved_as_json(tmp_path: Path) -> None:
    outcome: Outcome = play(contest([]), 2)
    saved = json.loads(save(tmp_path / "results", as_json({"cpu": "any"}, [outcome])).read_text())
    (only,) = saved["contests"]
    assert saved["machine"] == {"cpu": "any"}
    assert [reading["value"] for reading in only["sides"]["a"]] == [1.0, 6.0]
    assert only["sides"]["a"][0]["notes"] == {"note": 1.0, OTHERS: outcome.readings["a"][0].notes[OTHERS]}
    assert only["goals"][0] == {"what": "b / a", "rounds": [2.0, 4 / 6], "at_least": 1, "at_most": None, "met": True}
    assert only["skipped"] == {"missing": "not installed"}


def test_a_job_crosses_a_pipe_unchanged() -> None:
    for job in (
        Job(Work.ROWS, WHERE, 10),
        Job(Work.POINTS, replace(WHERE, root_certificate=None), 5, 2.0, 3, AppKeys()),
    ):
        assert Job.from_json(job.to_json()) == job


def test_an_endpoint_shows_no_password_and_asks_libpq_for_verified_tls() -> None:
    assert "demo" not in repr(WHERE)
    assert WHERE.libpq_environment()["PGSSLMODE"] == "verify-full"
    assert replace(WHERE, root_certificate=None).libpq_environment()["PGSSLMODE"] == "disable"


def test_the_application_side_opens_what_it_sealed() -> None:
    keys = AppKeys()
    number, surname, _name, email, term = AppCrypto(keys).row(*next(people(1)))
    again = AppCrypto(keys)
    assert number == 1
    assert isinstance(surname, bytes) and isinstance(email, bytes)
    assert again.open(b"email", email) == email_of(1)
    assert again.open(b"surname", surname) not in surname.decode("latin-1")
    assert term == again.term(email_of(1))


def test_a_busy_machine_and_missing_sides_are_remarked() -> None:
    outcome = Outcome(contest([]), {"a": [Reading(1.0, {OTHERS: 0.9})], "b": [Reading(1.0, {OTHERS: 0.7})]})
    assert remarks(outcome) == ["skipped missing: not installed", "other work took 0.8 cores meanwhile: measure again"]
    outcome.readings = {"a": [Reading(1.0, {OTHERS: 0.01})]}
    assert remarks(outcome) == ["skipped missing: not installed"]


@pytest.mark.parametrize(
    ("value", "shown"), [(18043.9, "18,044"), (0.61234, "0.612"), (2.5, "2.5"), (123.4, "123"), (0.0001, "0.0001")]
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert number(value) == shown


def test_the_configuration_is_one_that_fieldgate_reads(tmp_path: Path) -> None:
    from bench.gate import configuration
    from proxy.config import load_config

    path = tmp_path / "fieldgate.toml"
    path.write_text(configuration(5432, 6543, ["fg_management"], 1))
    config = load_config(path)
    assert tomllib.loads(path.read_text())["audit"]["mode"] == "strict"
    assert config.audit is not None and config.listener.allow_plaintext and config.process.workers == 1


def test_what_is_searched_has_the_answers_that_are_wanted() -> None:
    count = 5_000
    customers, employees = list(searched.customers(count)), list(searched.employees(count))
    assert sum(searched.MARK in str(row[3]) for row in customers) == searched.HITS
    assert len({row[4] for row in customers}) == count
    for seed in range(20):
        (first, last), right = searched.question(Work.RANGE, count, Random(seed))
        rows = [(row[0], row[2]) for row in employees if first <= row[2] <= last]  # type: ignore[operator]
        assert right(rows) and not right(rows[1:])
        assert abs(len(rows) - count / searched.YEARS) <= 1


def test_what_is_sought_is_right() -> None:
    (email,), right = searched.question(Work.EQUALITY, 100, Random(1))
    number = next(n for n in range(100) if searched.email_of(n) == email)
    assert right([{"id": searched.FIRST + number}]) and not right([])
    _, hits = searched.question(Work.MATCH, 100, Random(1))
    assert hits([None] * searched.HITS) and not hits([])
    assert "twin_employees" in searched.query(Work.RANGE, twin=True)


def test_keys_are_rewrapped_by_a_real_server() -> None:
    (reading,) = play(measure_kek.contest(450), 1).readings.values()
    assert reading[0].notes["requests"] == 3 and reading[0].value > 0
