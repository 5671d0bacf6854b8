"""`fieldgate serve` with two workers: the supervisor's admin port, over a real control database, from the shell."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from keys.database_store import DatabaseKeyStore
from keys.key_tables import DatabaseTables
from keys.keyring import KeyNeed
from keys.providers.local import LOWEST_COST
from keys.providers.local_file import LocalFileKek, create_kek_file
from policies.audit.events import decode
from proxy.cli import app
from proxy.demo.certificates import Authority
from proxy.demo.osuser import write_private
from proxy.demo.server import Server, free_port
from tests.support.control_database import make_control
from tests.support.servers import Database, fresh_database

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
CONFIG = """
[listener]
port = 0
tls_certificate = "tls/localhost.crt"
tls_key = "tls/localhost.key"
[upstream]
hosts = ["127.0.0.1:{server}"]
sslmode = "disable"
allow_plaintext = true
other_databases = "forward"
[upstream.credentials.app]
password_file = "control"
[control]
user = "{control}"
password_file = "control"
database = "{database}"
[keys]
store = "database"
[keys.provider]
kind = "local"
file = "keks"
passphrase_file = "passphrase"
[audit]
path = "audit"
[admin]
port = {port}
tls_certificate = "tls/localhost.crt"
tls_key = "tls/localhost.key"
client_ca = "tls/ca.crt"
people = "admins.toml"
[process]
workers = {workers}
run_dir = "run"
drain_timeout = "1s"
[logs]
file = "log"
"""
PASSPHRASE = "a passphrase of this test"
PEOPLE = """
[people.olga]
roles = ["key-admin"]
certificates = ["olga"]
[people.anna]
roles = ["auditor"]
"""


@dataclass
class Served:
    folder: Path
    port: int
    database: Database

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--config", str(self.folder / "fieldgate.toml")])

    def keys(self, *words: str) -> Result:
        who = ("--token-file", str(self.folder / "olga.token"), "--ca", str(self.folder / "tls" / "ca.crt"))
        return self.run("keys", *words, *who)

    def audited(self) -> list[tuple[object, object, object]]:
        records = [decode(line) for line in (self.folder / "audit").read_bytes().splitlines()]
        return [(each["event"], each["person"], each["outcome"]) for each in records]


@pytest.fixture(scope="module", params=[2, 1])
def served(
    request: pytest.FixtureRequest, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("admin")
    with fresh_database(postgres) as database:
        control = asyncio.run(make_control(database)).user
        authority = Authority(folder / "tls")
        authority.server("localhost")
        authority.client("olga")
        write_private(folder / "control", "secret\n")
        write_private(folder / "admins.toml", PEOPLE)
        write_private(folder / "passphrase", PASSPHRASE)
        create_kek_file(folder / "keks", PASSPHRASE, cost=LOWEST_COST)
        values = {"server": database.server.port, "control": control, "database": database.name}
        port = free_port()
        text = CONFIG.format(port=port, workers=request.param, **values)
        (folder / "fieldgate.toml").write_text(text)
        command = [sys.executable, "-m", "proxy", "serve", "--config", str(folder / "fieldgate.toml")]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"ready port="), (folder / "log").read_text()
            yield Served(folder, port, database)
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


def test_a_token_is_made_used_and_revoked(served: Served) -> None:
    made = served.run("admin", "token", "create", "--person", "olga", "--role", "key-admin", "--expires", "1d",
                      "--file", str(served.folder / "olga.token"))  # fmt: skip
    assert made.exit_code == 0, made.stderr
    asked = served.keys("rewrap", "--no-wait")
    assert asked.exit_code == 0, asked.stderr
    assert "rewrap" in served.keys("operations").stdout
    assert ("operation-requested", "olga", "done") in served.audited()
    secret = (served.folder / "olga.token").read_text().strip()
    listed = served.run("admin", "token", "list")
    assert "olga" in listed.stdout and secret.split("_", 2)[2] not in listed.stdout
    assert secret.split("_", 2)[2] not in (served.folder / "log").read_text() + (served.folder / "audit").read_text()
    assert served.run("admin", "token", "revoke", secret).exit_code == 78  # the token itself is no id
    assert served.run("admin", "token", "revoke", secret.split("_")[1]).exit_code == 0
    refused = served.keys("operations")
    assert refused.exit_code == 1 and "Not logged in" in refused.stderr
    assert ("token-created", served.audited()[0][1], "done") in served.audited()
    assert served.audited()[-1] == ("admin-login-refused", "unknown", "refused")


def test_a_certificate_needs_no_token(served: Served) -> None:
    tls = served.folder / "tls"
    shown = served.run("keys", "operations", "--ca", str(tls / "ca.crt"), "--certificate", str(tls / "client-olga.crt"),
                       "--certificate-key", str(tls / "client-olga.key"))  # fmt: skip
    assert shown.exit_code == 0, shown.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--person", "nobody", "--role", "dpo"), "does not name this person"),
        (("--person", "anna", "--role", "key-admin"), "and no other"),
        (("--person", "olga", "--role", "key-admin", "--expires", "900d"), "at most 90 days"),
        (("--person", "olga", "--role", "key-admin", "--expires", "soon"), "a duration is written like"),
    ],
)
def test_tokens_are_for_known_people_and_for_a_time(served: Served, words: tuple[str, ...], said: str) -> None:
    made = served.run("admin", "token", "create", *words)
    assert made.exit_code == 78 and said in made.stderr.replace("\n", " ")
    assert "fgt_" not in made.stdout


async def loaded(served: Served, *, make: bool = False) -> list[bytes]:
    """The keys as a proxy would load them."""

    @asynccontextmanager
    async def connections() -> AsyncIterator[asyncpg.Connection]:
        connection = await served.database.connect_async()
        yield connection
        await connection.close()

    provider = LocalFileKek("default", served.folder / "keks", lambda: PASSPHRASE)
    store = DatabaseKeyStore(DatabaseTables(connections), provider)
    await store.open()
    if make:
        await store.initialise()
        await store.add_missing([KeyNeed("shop", "a" * 32, "a", equality=True)])
    return [key.material for key in (await store.load()).keyring.keys]


def test_keys_are_restored_into_an_empty_store(served: Served) -> None:
    """By the same configuration without databases, which starts without any key."""
    made = served.run("admin", "token", "create", "--person", "olga", "--role", "key-admin", "--expires", "1d",
                      "--file", str(served.folder / "olga.token"))  # fmt: skip
    assert made.exit_code == 0, made.stderr
    before, file = asyncio.run(loaded(served, make=True)), served.folder / "export"
    exported = served.keys("export", str(file))
    assert exported.exit_code == 0, exported.stderr
    served.database.run(
        "SET session_replication_role = replica; DELETE FROM fieldgate.data_keys;"
        "UPDATE fieldgate.keys_revision SET number = 1, code = NULL"
    )
    forged = json.loads(file.read_text())
    forged["keys"][1]["epoch"] = 7
    (served.folder / "forged").write_text(json.dumps(forged))
    refused = served.keys("import", str(served.folder / "forged"))
    assert refused.exit_code == 1 and "could not load" in refused.stderr
    imported = served.keys("import", str(file))
    assert imported.exit_code == 0, imported.stderr
    assert asyncio.run(loaded(served)) == before
    file.unlink()


def test_the_supervisor_answers_as_before_without_a_login(served: Served) -> None:
    context = ssl.create_default_context(cafile=str(served.folder / "tls" / "ca.crt"))
    url = f"https://localhost:{served.port}/readyz"
    with urllib.request.urlopen(url, context=context, timeout=10) as answer:
        assert json.loads(answer.read())["ready"] is True


@pytest.mark.parametrize(
    ("people", "said"),
    [(PEOPLE, ""), (PEOPLE.replace('["auditor"]', '["root"]'), "wrong.toml:5: people.anna: roles are")],
)
def test_check_looks_at_what_people_log_in_with(served: Served, people: str, said: str) -> None:
    write_private(served.folder / "wrong.toml", people)
    other = served.folder / "other.toml"
    other.write_text((served.folder / "fieldgate.toml").read_text().replace("admins.toml", "wrong.toml"))
    checked = CliRunner().invoke(app, ["check", "--config", str(other)])
    assert checked.exit_code == (78 if said else 0), checked.output
    assert said in checked.stderr.replace("\n", "")
