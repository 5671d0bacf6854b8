"""The command line: what operators type, what they see, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keys.store import open_keyring
from policies.loader import SHOP
from proxy import terminal
from proxy.cli import app
from proxy.demo.osuser import write_private
from tests.integration.stage import Stage, raised

PASSPHRASE = "a long enough passphrase for tests"


def run(*words: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200", **(env or {})})


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_private(tmp_path / "passphrase", PASSPHRASE + "\n")
    path = tmp_path / "fieldgate.toml"
    path.write_text(
        f"""
[listener]
port = 0
allow_plaintext = true
[upstream]
hosts = ["/nonexistent"]
sslmode = "disable"
[upstream.credentials.fg_support]
password_file = "passphrase"
[control]
user = "fieldgate"
[databases.shop]
policy = "{SHOP}"
[keys]
keyring = "keyring"
passphrase_file = "passphrase"
[audit]
path = "audit.jsonl"
"""
    )
    return path


def test_version_and_help() -> None:
    assert run("version").stdout.strip().count(".") == 2
    words = run("--help").stdout
    for command in ("serve", "check", "reload", "init", "keys", "seal", "unseal", "grants", "policy", "demo"):
        assert command in words
    assert " worker " not in words


def test_init_makes_a_keyring_with_a_key_for_every_sealed_field(config: Path) -> None:
    made = run("init", "-c", str(config))
    assert made.exit_code == 0 and "keys" in made.stdout
    keyring = open_keyring(config.parent / "keyring", PASSPHRASE)
    assert len(keyring.keyring.keys) > 20
    assert (config.parent / "keyring").stat().st_mode & 0o777 == 0o600
    again = run("init", "-c", str(config))
    assert again.exit_code == 78 and "exists already" in again.stderr
    added = run("keys", "add", "-c", str(config))
    assert "added 0 keys" in added.stdout
    listed = run("keys", "list", "-c", str(config)).stdout
    assert "public.customers.email" in listed and "active" in listed
    assert PASSPHRASE not in made.output + listed


def test_the_passphrase_is_changed(config: Path) -> None:
    run("init", "-c", str(config))
    write_private(config.parent / "new", "another long enough passphrase\n")
    changed = run("keys", "change-passphrase", "-c", str(config), "--new-file", str(config.parent / "new"))
    assert changed.exit_code == 0
    open_keyring(config.parent / "keyring", "another long enough passphrase")
    assert run("keys", "list", "-c", str(config)).exit_code == 78  # the file still holds the old one


def test_a_lost_ledger_is_replaced(config: Path) -> None:
    run("init", "-c", str(config))
    (config.parent / "keyring.seals").unlink()
    assert run("keys", "list", "-c", str(config)).exit_code == 78
    assert run("keys", "replace-lost-ledger", "-c", str(config)).exit_code == 0
    assert "2,147,483,648" in run("keys", "list", "-c", str(config)).stdout


def test_without_a_terminal_nothing_is_asked(config: Path) -> None:
    config.write_text(config.read_text().replace('passphrase_file = "passphrase"', ""))
    refused = run("init", "-c", str(config))
    assert refused.exit_code == 78 and "no terminal" in refused.stderr


def test_a_policy_is_validated_and_shown(tmp_path: Path) -> None:
    assert "rules" in run("policy", "validate", str(SHOP)).stdout
    assert run("policy", "matrix", str(SHOP)).stdout.count("\n") > 100
    refused = run("policy", "validate", str(tmp_path))
    assert refused.exit_code == 78 and "is missing" in refused.stderr


@pytest.mark.parametrize("command", [["serve"], ["check"], ["reload"], ["init"], ["keys", "list"], ["grants", "plan"]])
def test_a_wrong_configuration_is_one_message(tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "fieldgate.toml"
    path.write_text("[listener]\nbogus = 1\n")
    refused = run(*command, "-c", str(path))
    assert refused.exit_code == 78
    assert f"{path}:2: listener.bogus: unknown key" in refused.stderr
    assert "Traceback" not in refused.output


def test_reload_without_a_proxy_says_so(config: Path) -> None:
    refused = run("reload", "-c", str(config))
    assert refused.exit_code == 1 and "no running proxy" in refused.stderr


def test_check_says_why_not(config: Path) -> None:
    run("init", "-c", str(config))
    refused = run("check", "-c", str(config))
    assert refused.exit_code == 78 and "control connection" in refused.stderr


def test_the_configuration_may_come_from_the_environment(config: Path) -> None:
    assert run("init", env={"FIELDGATE_CONFIG": str(config)}).exit_code == 0


def test_secrets_are_not_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal.sys.stdin, "isatty", lambda: True, raising=False)
    asked: list[dict[str, object]] = []

    def prompt(question: str, **options: object) -> str:
        asked.append({"question": question, **options})
        return "said"

    monkeypatch.setattr(terminal.typer, "prompt", prompt)
    assert terminal.ask_secret("Passphrase", confirm=True) == "said"
    assert asked == [{"question": "Passphrase", "hide_input": True, "confirmation_prompt": True}]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with raised() as made:
        yield made


def on(stage: Stage, *words: str) -> Result:
    return run(*words, "-c", str(stage.folder.config), env={"PGPASSWORD": stage.server.password})


def test_check_reload_grants_and_seal_on_the_sample(stage: Stage) -> None:
    assert "everything is as it must be" in on(stage, "check").stdout
    assert "reloaded shop" in on(stage, "reload").stdout
    assert on(stage, "grants", "plan").stdout == "-- nothing to do\n"
    assert "no upstream role" in on(stage, "grants", "verify").stdout
    assert "sealed already" in on(stage, "seal", "customers.surname").stdout
    wrong = on(stage, "seal", "customers.country")
    assert wrong.exit_code == 78 and "not a sealed field" in wrong.stderr
    assert on(stage, "seal", "customers.surname", "--abandon").exit_code == 78


def test_grants_are_found_and_put_right(stage: Stage) -> None:
    stage.raw.run("GRANT SELECT (address) ON customers TO fg_support")
    found = on(stage, "grants", "verify")
    assert found.exit_code == 1 and "fg_support" in found.stdout
    assert "REVOKE" in on(stage, "grants", "plan").stdout
    assert on(stage, "check").exit_code == 78
    applied = on(stage, "grants", "apply")
    assert (applied.exit_code, applied.stdout) == (0, "-- nothing to do\n")
    assert on(stage, "check").exit_code == 0


def test_a_field_is_sealed_from_the_command_line(stage: Stage) -> None:
    """A plain column that the data map says is sealed, with a key of its own."""
    policy = stage.folder.policy / "datamap.toml"
    stage.raw.run(
        "CREATE TABLE notes (id int PRIMARY KEY, text text)",
        "INSERT INTO notes SELECT n, 'note ' || n FROM generate_series(1, 700) AS n",
    )
    text = policy.read_text()
    try:
        policy.write_text(text + NOTES)
        assert on(stage, "keys", "add").exit_code == 0
        assert "seal notes.text" in on(stage, "check").stderr
        planned = on(stage, "seal", "notes.text", "--plan")
        assert planned.exit_code == 0 and "700 rows with 700 values" in planned.stdout, planned.output
        found = on(stage, "scan-plaintext", "notes.text")
        assert found.exit_code == 1 and "found as it is" in found.stdout and "note 7" not in found.output
        sealed = on(stage, "seal", "notes.text")
        assert sealed.exit_code == 0, sealed.output
        assert "700 rows sealed" in sealed.stdout and "WAL" in sealed.stdout
        with stage.raw.connect() as connection:
            row = connection.execute("SELECT count(*), min(substr(text, 1, 2)) FROM notes").fetchone()
        assert row == (700, b"\xf9\x67")
        on(stage, "grants", "apply")
        assert on(stage, "check").exit_code == 0
        scanned = on(stage, "scan-plaintext", "notes.text")
        assert "20 values of public.notes.text looked for" in scanned.stdout, scanned.output
        assert scanned.exit_code == 0 and "none was found" in scanned.stdout and "WAL" in scanned.stdout
        asked = on(stage, "unseal", "notes.text", "--confirm", "notes.text")
        assert asked.exit_code == 78 and "a second person approves an unsealing" in asked.stderr
        assert "700 rows with 700 values" in on(stage, "unseal", "notes.text", "--plan").stdout
    finally:
        policy.write_text(text)
        stage.raw.run("DROP TABLE notes")


NOTES = """
[table.notes]
[table.notes.columns]
id = { tag = "tech.order.notes" }
text = { tag = "tech.order.notes", sealed = "00112233445566778899aabbccddeeff", type = "text", row_bound = false }
"""


def test_the_audit_file_of_the_sample_is_lines_of_json(stage: Stage) -> None:
    with stage.connect("support") as connection:
        connection.execute("SELECT surname FROM customers WHERE id = 1")
    lines = stage.folder.audit.read_text().splitlines()
    assert lines and json.loads(lines[-1])["login"] == "support"
