"""psql, the program: queries, its backslash commands, and scripts."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from .canaries import Canaries
from .stage import Stage

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed here (postgresql-client)"),
]


def psql(stage: Stage, role: str, *commands: str, check: bool = True) -> str:
    """What psql prints, unaligned and without headings; standard error too."""
    found = stage.parameters(role)
    password = found.pop("password")
    line = " ".join(f"{name}={value}" for name, value in found.items())
    options = [part for command in commands for part in ("-c", command)]
    done = subprocess.run(
        ["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", line, *options],
        env={"PGPASSWORD": str(password), "PATH": os.environ["PATH"], "PGCLIENTENCODING": "UTF8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_customer_is_written_and_found(stage: Stage, canaries: Canaries) -> None:
    mail, address = canaries.mail(), canaries.text("it''s").replace("it''s", "its")
    psql(
        stage,
        "shop_app",
        "INSERT INTO customers (surname, name, email, phone, country, city, postal_code, address)"
        f" VALUES ('{canaries.text()}', 'Анна', '{mail}', '+7', 'Россия', 'Псков', '180000', '{address}')",
    )
    found = psql(stage, "management", f"SELECT name, city, address FROM customers WHERE email = '{mail}'")
    assert found == f"Анна|Псков|{address}\n"
    assert psql(stage, "support", f"SELECT name, email FROM customers WHERE email = '{mail}'") == f"Анна|{mail}\n"


def test_the_same_line_for_three_roles(stage: Stage) -> None:
    everything = "SELECT surname, email, address FROM (SELECT * FROM customers) c WHERE id = 1"
    assert psql(stage, "management", everything).startswith("Смирнова|anna.smirnova@example.org|ул. Лесная")
    shown = psql(stage, "support", "SELECT * FROM customers WHERE id = 1").split("|")
    assert shown[1:6] == ["Смирнова", "Анна", "Игоревна", "anna.smirnova@example.org", "+7 900 000-17-42"]
    assert "".join(shown[6:10]) == ""
    refused = psql(stage, "support", "SELECT address FROM customers WHERE id = 1", check=False)
    assert "ERROR:" in refused
    assert "public.customers.address" in refused


def test_backslash_d_shows_the_logical_table(stage: Stage) -> None:
    described = psql(stage, "management", r"\d customers")
    lines = {line.split("|")[0]: line.split("|")[1] for line in described.splitlines() if line.count("|") >= 4}
    assert lines["email"] == "text"
    assert lines["preferences"] == "jsonb"
    assert not [name for name in lines if name.startswith("fg_")]
    assert "bytea" not in described


@pytest.mark.parametrize(
    "command", [r"\dt", r"\du", r"\dn", r"\df", r"\di", r"\dp", r"\conninfo", r"\d orders", r"\d customers"]
)
def test_backslash_commands_just_work(stage: Stage, command: str) -> None:
    assert "ERROR" not in psql(stage, "management", command)


def test_several_statements_in_one_query_and_a_transaction_that_fails(stage: Stage, canaries: Canaries) -> None:
    mail = canaries.mail()
    script = (
        "BEGIN; INSERT INTO customers (surname, name, email, phone, country, city, postal_code, address)"
        f" VALUES ('a', 'b', '{mail}', 'c', 'd', 'e', 'f', '{canaries.text()}'); SELECT 1/0; COMMIT"
    )
    assert "division by zero" in psql(stage, "management", script, check=False)
    assert psql(stage, "management", f"SELECT count(*) FROM customers WHERE email = '{mail}'") == "0\n"


def test_explain_shows_an_index_scan_on_a_sealed_field(stage: Stage) -> None:
    plan = psql(
        stage,
        "management",
        "SET enable_seqscan = off",
        "EXPLAIN SELECT id FROM customers WHERE email = 'anna.smirnova@example.org'",
    )
    assert "Index" in plan
    assert "anna" not in plan
