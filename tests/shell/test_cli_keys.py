"""The same commands where keys are in the control database: its schema, its keys, and a keyring file moved into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.loader import SHOP
from proxy.demo.osuser import write_private
from tests.shell.test_cli import PASSPHRASE, run
from tests.support.servers import Database

FILE_STORE = 'keyring = "keyring"\npassphrase_file = "passphrase"\n'
DATABASE_STORE = """store = "database"
[keys.provider]
kind = "local"
file = "keks"
passphrase_file = "passphrase"
"""


@pytest.fixture
def config(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_private(tmp_path / "passphrase", PASSPHRASE + "\n")
    write_private(tmp_path / "control.password", "secret\n")
    monkeypatch.setenv("PGPASSWORD", database.server.password)
    path = tmp_path / "fieldgate.toml"
    path.write_text(
        f"""
[listener]
port = 0
allow_plaintext = true
[upstream]
hosts = ["{database.server.socket_dir}:{database.server.port}"]
sslmode = "disable"
[upstream.credentials.fg_support]
password_file = "passphrase"
[control]
user = "{database.role("control")}"
password_file = "control.password"
database = "{database.name}"
[databases.shop]
policy = "{SHOP}"
[audit]
path = "audit.jsonl"
[keys]
{DATABASE_STORE}"""
    )
    return path


def test_from_an_empty_database_to_keys_for_every_field(config: Path) -> None:
    place = ("-c", str(config))
    early = run("init", *place)
    assert early.exit_code == 78 and "fieldgate control install" in early.stderr
    installed = run("control", "install", *place)
    assert installed.exit_code == 0 and "applied 001_keys.sql" in installed.stdout
    assert "applied" not in run("control", "install", *place).stdout
    unmade = run("keys", "list", *place)
    assert unmade.exit_code == 78 and "fieldgate init" in unmade.stderr
    made = run("init", *place)
    assert made.exit_code == 0 and "made the keys of the control database" in made.stdout
    again = run("init", *place)
    assert again.exit_code == 0 and "found the keys there; added 0" in again.stdout
    assert "added 0 keys" in run("keys", "add", *place).stdout
    listed = run("keys", "list", *place).stdout
    assert "public.customers.email" in listed and "local:default" in listed and "active" in listed
    assert PASSPHRASE not in made.output + again.output + listed


def test_what_is_for_a_keyring_file_alone_says_so(config: Path) -> None:
    for command in (["keys", "change-passphrase"], ["keys", "replace-lost-ledger"]):
        refused = run(*command, "-c", str(config))
        assert refused.exit_code == 78 and 'store = "file"' in refused.stderr


def test_a_keyring_file_is_moved(config: Path) -> None:
    place, new = ("-c", str(config)), config.read_text()
    config.write_text(new.replace(DATABASE_STORE, FILE_STORE))
    assert run("init", *place).exit_code == 0
    before = keys_of(run("keys", "list", *place).stdout)
    config.write_text(new)
    run("control", "install", *place)
    asked = ("--keyring", str(config.parent / "keyring"), "--passphrase-file", str(config.parent / "passphrase"))
    moved = run("keys", "move-to-database", *asked, *place)
    assert moved.exit_code == 0, moved.output
    after = keys_of(run("keys", "list", *place).stdout)
    assert len(before) > 20 and before - after == {line for line in before if "ledger" in line}
    assert not (config.parent / "keyring").exists()
    assert "added 0 keys" in run("keys", "add", *place).stdout


def keys_of(table: str) -> set[str]:
    """Key and purpose of each line; long names may be folded."""
    rows = [[cell.strip() for cell in line.split("│")] for line in table.splitlines() if "│" in line]
    return {" ".join(row[1:3]) for row in rows if len(row) > 4 and len(row[1]) == 16}
