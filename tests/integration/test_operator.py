"""The operator's commands against the running whole: check, grants, reload, metrics."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from .canaries import Canaries
from .stage import Stage

pytestmark = pytest.mark.integration


def fieldgate(stage: Stage, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "proxy", *arguments, "--config", str(stage.folder.config)]
    environment = {**os.environ, "PGPASSWORD": stage.server.password}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=90, env=environment)


@contextmanager
def policy_with(stage: Stage, old: str, new: str) -> Iterator[None]:
    """The policy file changed; afterwards as it was, and loaded so."""
    file = stage.folder.policy / "policy.csv"
    before = file.read_text()
    assert old in before
    file.write_text(before.replace(old, new))
    try:
        yield
    finally:
        file.write_text(before)
        put_in_force(stage)


def put_in_force(stage: Stage) -> None:
    """Grants first: a policy that leaves an upstream role with more than it gives is refused (I2)."""
    for command in (("grants", "apply", "--as", "postgres"), ("reload",)):
        done = fieldgate(stage, *command)
        assert done.returncode == 0, done.stdout + done.stderr


def sees_mail(stage: Stage) -> bool:
    with stage.connect("support") as connection:
        try:
            connection.execute("SELECT email FROM customers WHERE id = 1")
        except psycopg.errors.InsufficientPrivilege:
            return False
    return True


def test_check_finds_nothing_wrong_and_then_what_is_wrong(stage: Stage) -> None:
    good = fieldgate(stage, "check")
    assert good.returncode == 0, good.stderr
    with stage.raw.connect() as raw:
        raw.execute("GRANT SELECT ON customers TO fg_support")
        try:
            bad, verified = fieldgate(stage, "check"), fieldgate(stage, "grants", "verify")
        finally:
            repaired = fieldgate(stage, "grants", "apply", "--as", "postgres")
    assert bad.returncode != 0
    assert verified.returncode != 0
    assert "fg_support" in bad.stderr + bad.stdout
    assert "fg_support" in verified.stdout + verified.stderr
    assert repaired.returncode == 0, repaired.stderr
    assert fieldgate(stage, "check").returncode == 0


def test_a_wrong_policy_is_refused_with_its_line_and_the_old_one_stays(stage: Stage) -> None:
    with policy_with(stage, "support, identify, read|filter_eq,", "support, identify, raed|filter_eq,"):
        refused = fieldgate(stage, "reload")
        assert refused.returncode != 0
        assert "policy.csv:" in refused.stdout + refused.stderr
        assert "raed" in refused.stdout + refused.stderr
        assert sees_mail(stage)


def test_a_new_policy_holds_for_the_next_statement_of_an_open_session(stage: Stage) -> None:
    with stage.connect("support") as connection:
        statement = "SELECT email FROM customers WHERE id = 1"
        assert connection.execute(statement, prepare=True).fetchall()
        with policy_with(stage, "support, identify, read|filter_eq,", "support, identify, filter_eq,"):
            assert "fg_support" in fieldgate(stage, "reload").stdout
            put_in_force(stage)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement, prepare=True)
            assert not sees_mail(stage)
        assert connection.execute(statement, prepare=True).fetchall()


def test_keys_are_listed_without_their_material(stage: Stage) -> None:
    listed = fieldgate(stage, "keys", "list")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.count("active") >= 30


@pytest.mark.parametrize("page", ["healthz", "readyz", "metrics"])
def test_the_admin_pages_answer_and_hold_no_value(stage: Stage, canaries: Canaries, page: str) -> None:
    with stage.connect("management") as connection:
        connection.execute("SELECT id FROM customers WHERE email = %s", (canaries.mail(),))
    with urllib.request.urlopen(f"http://127.0.0.1:{stage.admin_port}/{page}", timeout=10) as answer:
        text = answer.read().decode()
    assert answer.status == 200
    assert canaries.marker not in text
    if page == "metrics":
        assert "fieldgate_" in text


def explained(stage: Stage, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = fieldgate(stage, "explain", "--json", *arguments)
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, found


def test_explain_shows_rules_what_is_sent_and_the_servers_plan(stage: Stage, canaries: Canaries) -> None:
    mail = canaries.mail()
    code, found = explained(stage, "--role", "support", f"SELECT surname FROM customers WHERE email = '{mail}'")
    assert code == 0
    uses = {(use["field"], use["verb"]): use for use in found["uses"]}
    searched = uses["public.customers.email", "filter_eq"]
    assert searched["allowed"]
    assert searched["rules"][0]["origin"].startswith("policy.csv:")
    assert "{1 term public.customers.email}" in found["rewritten"]
    assert mail not in found["rewritten"]
    assert any("fg_email_eq" in line for line in found["server_plan"]["lines"]), found["server_plan"]

    code, found = explained(stage, "--login", "accounting", "SELECT email FROM customers")
    assert code == 1
    assert found["refusal"]["sqlstate"] == "42501"
    assert found["server_plan"]["unavailable"] == "the statement is refused"


@pytest.mark.parametrize("arguments", [("--role", "nobody"), (), ("--role", "support", "--login", "support")])
def test_explain_of_nobody_known_is_a_wrong_configuration(stage: Stage, arguments: tuple[str, ...]) -> None:
    assert fieldgate(stage, "explain", *arguments, "SELECT 1").returncode == 78


def test_leakage_is_told_and_measured(stage: Stage) -> None:
    told = fieldgate(stage, "leakage", "--json", "--measure", "--as", "postgres")
    assert told.returncode == 0, told.stderr
    fields = {field["field"]: field for field in json.loads(told.stdout)["fields"]}
    with stage.raw.connect() as raw:
        row = raw.execute("SELECT count(*), count(DISTINCT fg_surname_eq) FROM customers").fetchone()
    measured = fields["public.customers.surname"]["measured"]
    assert (measured["rows"], measured["distinct"]) == row
    assert fields["public.customers.city"]["mode"] == "plain"
    assert fieldgate(stage, "leakage", "--markdown").returncode == 0
    assert fieldgate(stage, "leakage", "--markdown", "--json").returncode == 78


@contextmanager
def observed_visits(stage: Stage) -> Iterator[None]:
    """site_visits has no sealed column: its policy is taken out of force, and its upstream role may read it."""
    file = stage.folder.policy / "datamap.toml"
    before = file.read_text()
    file.write_text(before.replace("[table.site_visits]", '[table.site_visits]\nmode = "observe"', 1))
    assert file.read_text() != before
    try:
        with stage.raw.connect() as raw:
            raw.execute("GRANT SELECT ON site_visits TO fg_support")
        put_in_force(stage)
        yield
    finally:
        file.write_text(before)
        put_in_force(stage)


def test_what_is_observed_passes_and_is_reported(stage: Stage) -> None:
    with observed_visits(stage):
        with stage.connect("support") as connection:
            connection.execute("SELECT * FROM site_visits WHERE id = 471147114711").fetchall()
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT city FROM customers")
        told = fieldgate(stage, "observe", "report", "--since", "5m", "--json")
        assert told.returncode == 0, told.stderr
        assert "4711471" not in told.stdout
        entries = json.loads(told.stdout)["entries"]
        [seen] = [entry for entry in entries if entry["decision"] == "observe"]
        assert seen["sqlstate"] == "42501"
        assert seen["statement"] == "select * from site_visits where id = ?"
        assert "support" in seen["roles"]
        assert any(entry["decision"] == "deny" and "city" in (entry["reason"] or "") for entry in entries)
        page = urllib.request.urlopen(f"http://127.0.0.1:{stage.admin_port}/metrics", timeout=10).read().decode()
        assert 'fieldgate_observed_total{sqlstate="42501"}' in page
    with stage.connect("support") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM site_visits")
