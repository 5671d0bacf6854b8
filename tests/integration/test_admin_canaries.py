"""Secrets planted wherever the admin port and the keys have them, and a search for them wherever they must not stand.

The whole runs with real processes: proxy, runner, audit writers, commands of the shell, a server that logs every
statement and parameter.  It works over keys, is asked for nonsense, and meets an outside that repeats all it is sent.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from keys.providers.local_file import LocalFileKek
from policies.loader import SHOP
from proxy.demo import load, prepare
from proxy.demo.osuser import write_private
from tests.keys.providers.servers import SOFTHSM, initialise_token, softhsm_configuration

from .admin_attacks import bad_logins, bad_requests, speak
from .canaries import Canaries, forms
from .outside import AUDIENCE, ISSUER, assertion, outside
from .stage import Stage, raised
from .test_subjects import DECLARED, HEADING, without_letters

pytestmark = [pytest.mark.integration]
SUBJECT = str(secrets.randbelow(10**8) + 9 * 10**8)  # an id of nobody, long enough to be looked for
NAMED = Canaries().marker  # the same of a subject that cannot be
MARKED = Canaries().marker  # what requests, claims and cells say
GUESS = secrets.token_urlsafe(18)  # of tokens, PINs and passwords that are wrong
IDEMPOTENCY = f"ivan-petrov-{Canaries().marker}"
BY_ENVIRONMENT = secrets.token_urlsafe(24)
SUBJECTS = {"subject": SUBJECT.encode(), "another subject": NAMED.encode()}
MORE = """
[admin.oidc]
issuer = "{issuer}"
audience = "{audience}"
keys_url = "{outside}/keys"
roles = {{ "keys" = "key-admin" }}
[limits]
failed_logins = 100000
[[keys.former_providers]]
kind = "vault"
address = "{outside}"
key = "old"
[keys.former_providers.login]
method = "token"
token_env = "FG_CANARY_VAULT"
"""
VAULT = 'kind = "vault"\naddress = "{outside}"\nkey = "x"\nattempts = 1\n[keys.provider.login]\n'
PROVIDERS = {
    "vault": f'{VAULT}method = "approle"\nrole_id = "r"\nsecret_id_file = "secret"\n',
    "token": f'{VAULT}method = "token"\ntoken_env = "FG_CANARY_VAULT"\n',
    "kms": 'kind = "aws-kms"\nkey = "alias/x"\nregion = "eu-west-1"\nendpoint = "{outside}"\nattempts = 1\n',
    "hsm": 'kind = "pkcs11"\nmodule = "{module}"\ntoken = "bank"\nkey = "x"\npin_file = "secret"\nattempts = 1\n',
    "said": 'kind = "local"\nfile = "keks"\npassphrase = "{guess}"\n',
}
HEAD = """\
[listener]
tls_certificate = "a"
tls_key = "b"
[upstream]
hosts = ["db.example:5432"]
ca = "ca.crt"
pass_through = true
[control]
user = "fieldgate"
[keys]
keyring = "keyring"
[keys.provider]
"""

COMMANDS = """
import json, sys
from typer.testing import CliRunner
from proxy.cli import app
for name, line in json.loads(sys.stdin.readline()).items():
    done = CliRunner().invoke(app, line)
    fault = "" if isinstance(done.exception, (SystemExit, type(None))) else f"Traceback {done.exception!r}"
    print(json.dumps([name, f"{done.output}{fault}\\nexit code {done.exit_code}"]), flush=True)
sys.stdin.readline()
"""


@dataclass
class Scene:
    """What was said and where, for the search."""

    stage: Stage
    secrets: dict[str, bytes] = field(default_factory=dict)
    wrapped: dict[str, bytes] = field(default_factory=dict)
    answers: list[bytes] = field(default_factory=list)  # of the admin port, to bad requests
    shown: dict[str, str] = field(default_factory=dict)  # by commands
    processes: dict[int, tuple[str, str]] = field(default_factory=dict)  # command line, environment

    def token(self, person: str) -> str:
        return self.stage.folder.token_file(person).read_text().strip()

    def ask(self, method: str, path: str, who: str, key: str = "", body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {who}"}
        if method == "POST":
            headers |= {"Idempotency-Key": key or secrets.token_hex(8), "Content-Type": "application/json"}
        data = None if method == "GET" else json.dumps(body or {}).encode()
        address = f"http://127.0.0.1:{self.stage.admin_port}{path}"
        with urllib.request.urlopen(
            urllib.request.Request(address, data, headers, method=method), timeout=20
        ) as answer:
            return json.loads(answer.read())

    def ended(self, operation: Any) -> Any:
        for _ in range(300):
            operation = self.ask("GET", f"/v1/operations/{operation['operation_id']}", self.token("anna"))
            if operation["state"] in ("done", "failed", "cancelled"):
                return operation
            time.sleep(0.1)
        raise AssertionError(operation)

    def look_at_processes(self) -> None:
        for process in psutil.Process().children(recursive=True):
            try:
                said = " ".join(process.cmdline())
                held = Path(f"/proc/{process.pid}/environ").read_bytes().decode("latin-1")
            except (psutil.Error, OSError):
                continue
            if "proxy" in said or "policies" in said:
                self.processes[process.pid] = (said, held)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    policy = tmp_path_factory.mktemp("canaries") / "policy"
    shutil.copytree(SHOP, policy)
    datamap = policy / "datamap.toml"
    datamap.write_text(datamap.read_text(encoding="utf-8").replace(HEADING, DECLARED), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched, outside() as address:
        patched.setattr(prepare, "SHOP", policy)
        patched.setattr(load, "tables", without_letters)
        patched.setenv("FG_CANARY_VAULT", BY_ENVIRONMENT)
        more = MORE.format(issuer=ISSUER, audience=AUDIENCE, outside=address)
        with raised(jobs=True, people=True, more=more) as stage:
            people = stage.folder.people.read_text()
            write_private(stage.folder.people, people.replace('["key-admin"]', f'["key-admin"]\noidc = ["{MARKED}"]'))
            made = Scene(stage)
            asyncio.run(plant(made))
            work(made)
            made.look_at_processes()
            attack(made)
            commands(made, tmp_path_factory.mktemp("commands"), address)
            asyncio.run(plant(made))  # what has been made since
            yield made


async def plant(scene: Scene) -> None:
    """Everything that is secret by now, by a name for the message."""
    folder, found = scene.stage.folder, scene.secrets
    async with prepare.open_store(folder, scene.stage.server) as store:
        snapshot, loaded = await store.read(), await store.load()
        provider = store.provider
        assert isinstance(provider, LocalFileKek) and provider._held is not None
        found |= {f"KEK {key.version}": key.material for key in provider._held.keys}
    found |= {f"data key {key.info.key_id.hex()}": key.material for key in loaded.keyring.keys}
    scene.wrapped |= {f"wrapped {key.name}": key.wrapped for key in snapshot.keys if key.wrapped is not None}
    files = [folder.passphrase, *folder.path.glob("*.password"), *folder.path.glob("upstream/*.password")]
    found |= {file.name: file.read_text().strip().encode() for file in files}
    for file in folder.path.glob("tokens/*.token"):
        found[file.name] = file.read_text().strip().split("_", 2)[2].encode()
    found |= {"guess": GUESS.encode(), "environment": BY_ENVIRONMENT.encode(), "marker": MARKED.encode()}
    found["idempotency key"] = IDEMPOTENCY.encode()


def work(scene: Scene) -> None:
    """Keys made, wrapped, unwrapped, exported, put back; a subject destroyed; plaintext written and read."""
    olga, pavel, dina = (scene.token(person) for person in ("olga", "pavel", "dina"))
    with scene.stage.connect("shop_app") as application:
        application.execute("SET fieldgate.person = 'anna'")
        into = "INSERT INTO correspondence (customer_id, channel, at, subject, body) VALUES (%s, 'mail', now(), %s, %s)"
        application.execute(into, [7, MARKED, f"letter {MARKED}"])
    asked = [scene.ask("POST", "/v1/fields/shop/public.correspondence.body/verify", olga, IDEMPOTENCY)]
    assert scene.ask("POST", "/v1/fields/shop/public.correspondence.body/verify", olga, IDEMPOTENCY) == asked[0]
    asked.append(scene.ask("POST", "/v1/keks/rotate", assertion(MARKED, email=f"{MARKED}@x.example", groups=["keys"])))
    assert asked[-1]["requested_by"] == "olga"
    for subject in (SUBJECT, "7", NAMED):
        shred = scene.ask(
            "POST", "/v1/subjects/shred", dina, body={"database": "shop", "subject": f"customer:{subject}"}
        )
        asked.append(scene.ask("POST", f"/v1/operations/{shred['operation_id']}/approve", pavel))
    states = [scene.ended(each) for each in asked]
    assert [each["state"] for each in states] == ["done", "done", "done", "done", "failed"], states
    export = scene.ask("GET", "/v1/escrow", olga)
    assert scene.ask("POST", "/v1/escrow", olga, f"{IDEMPOTENCY}-2", export)["put_back"] == []
    cell = next(key for key in export["keys"] if key["purpose"] == "cell")
    forged = {**export, "keys": [{**key, "state": "decrypt-only"} if key is cell else key for key in export["keys"]]}
    with pytest.raises(urllib.error.HTTPError, match="422"):
        scene.ask("POST", "/v1/escrow", olga, body=forged)


def attack(scene: Scene) -> None:
    port = scene.stage.admin_port
    for token in (None, scene.token("olga"), scene.token("dina")):
        scene.answers += [speak(port, sent) for sent in bad_requests(MARKED, token)]
    scene.answers += [speak(port, sent) for sent in (*bad_logins(GUESS), *bad_logins(assertion(MARKED, right=False)))]
    with pytest.raises(urllib.error.HTTPError):
        scene.ask("GET", "/v1/keys", assertion(MARKED, right=False, email=MARKED))


def commands(scene: Scene, folder: Path, address: str) -> None:
    """Commands that are given something wrong, side by side."""
    for name, text in PROVIDERS.items():
        said = text.format(outside=address, module=SOFTHSM, guess=GUESS)
        (folder / f"{name}.toml").write_text(HEAD + said)
    write_private(folder / "secret", GUESS)
    for name, said in (("line", f"fgt_a\r\nX: {GUESS}"), ("letter", f"fgt_\u0436{GUESS}"), ("wrong", f"fgt_{GUESS}")):
        write_private(folder / f"{name}.token", said)
    (folder / "broken.json").write_text(f'{{"keys": "{MARKED}')
    (folder / "other.json").write_text(json.dumps({"format": MARKED, "keys": [MARKED]}))
    environment = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": GUESS, "AWS_SESSION_TOKEN": GUESS}
    if SOFTHSM.exists():
        environment["SOFTHSM2_CONF"] = str(softhsm_configuration(folder / "hsm"))
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("SOFTHSM2_CONF", environment["SOFTHSM2_CONF"])
            initialise_token("bank")
    config, olga = scene.stage.folder.config, scene.stage.folder.token_file("olga")
    lines = {
        f"provider {name}": ["keys", "provider", "check", "-c", str(folder / f"{name}.toml")] for name in PROVIDERS
    }
    for name in ("line", "letter", "wrong"):
        lines[name] = ["keys", "operations", "-c", str(config), "--token-file", str(folder / f"{name}.token")]
    for name in ("broken", "other"):
        file = str(folder / f"{name}.json")
        lines[f"import {name}"] = ["keys", "import", file, "-c", str(config), "--token-file", str(olga)]
    lines["right"] = ["keys", "show", "-c", str(config), "--token-file", str(olga)]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMANDS], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={**os.environ, **environment},
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(lines) + "\n")
    process.stdin.flush()
    scene.shown["first"] = process.stdout.readline()
    scene.look_at_processes()
    said = scene.shown.pop("first") + process.communicate("\n", timeout=100)[0]
    scene.shown |= dict(map(json.loads, said.splitlines()))


def finds(secrets: Mapping[str, bytes], said: bytes) -> list[str]:
    return [
        f"{name} {form}" for name, secret in secrets.items() for form, each in forms(secret).items() if each in said
    ]


def tables(scene: Scene) -> Iterator[tuple[str, bytes]]:
    """Each column of the control database, as text."""
    with psycopg.connect(scene.stage.control.dsn(), autocommit=True) as connection:
        columns = connection.execute(
            "SELECT table_schema || '.' || table_name, column_name::text FROM information_schema.columns"
            " WHERE table_schema IN ('fieldgate', 'fieldgate_jobs')"
        ).fetchall()
        for table, column in columns:
            rows = connection.execute(f'SELECT "{column}"::text FROM {table}'.encode()).fetchall()
            yield f"{table}.{column}", "\n".join(str(row[0]) for row in rows).encode()


def test_the_search_finds_what_is_there(scene: Scene) -> None:
    """Every kind was planted, the work was done and told, and each secret would be found."""
    kinds = {re.split(r"[ .]", name)[0] for name in scene.secrets}
    assert kinds >= {"KEK", "data", "passphrase", "postgres", "olga", "guess", "environment", "marker", "idempotency"}
    assert (
        len([name for name in scene.secrets if name.startswith("KEK")]) == 2
    )  # one from before, one from the rotation
    for name, secret in {**scene.secrets, **scene.wrapped}.items():
        assert finds({name: secret}, b"x" + secret.hex().encode()) == [f"{name} hex"]
    audited = scene.stage.folder.audit.read_text()
    for event in ("operation-requested", "operation-finished", "keys-exported", "keys-imported", "admin-login-refused"):
        assert event in audited
    assert len(finds(SUBJECTS, audited.encode())) == len(SUBJECTS)  # there they stand by design


def test_logs_and_records_hold_none(scene: Scene) -> None:
    folder = scene.stage.folder
    assert finds(scene.secrets, scene.stage.server.log_file.read_bytes()) == []
    assert finds(scene.secrets | scene.wrapped | SUBJECTS, folder.log.read_bytes()) == []
    assert finds(scene.secrets | scene.wrapped, folder.audit.read_bytes()) == []
    assert b"Traceback" not in folder.log.read_bytes()


def test_what_anybody_may_read_holds_none(scene: Scene) -> None:
    everything = scene.secrets | scene.wrapped | SUBJECTS
    for path in ("/metrics", "/healthz", "/readyz", "/", "/console/overview.js", "/v1/openapi.json"):
        with urllib.request.urlopen(f"http://127.0.0.1:{scene.stage.admin_port}{path}", timeout=10) as answer:
            assert finds(everything, answer.read() + str(answer.headers).encode()) == []


def test_answers_to_bad_requests_repeat_nothing(scene: Scene) -> None:
    assert len(scene.answers) > 250
    for answer in scene.answers:
        assert finds(scene.secrets | scene.wrapped, answer) == [], answer[:600]
        assert MARKED.upper().encode() not in answer
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head, scene.answers.index(answer)
        assert int(head.split(b" ")[1]) < 500, answer[:300]
        if int(head.split(b" ")[1]) >= 400:
            assert b"application/problem+json" in head, head
            assert not body or json.loads(body)["type"].startswith("/problems/"), answer


def test_the_control_database_holds_names_only(scene: Scene) -> None:
    of_subjects = {"fieldgate.operations.target", "fieldgate.operations.locks", "fieldgate.admin_answers.body"}
    seen = dict(tables(scene))
    assert len(seen) > 60 and b"customer" in seen["fieldgate.operations.target"]
    for column, said in seen.items():
        assert finds(scene.secrets, said) == [], column
        if column not in of_subjects:
            assert finds(SUBJECTS, said) == [], column
        if column != "fieldgate.data_keys.wrapped":
            assert finds(scene.wrapped, said) == [], column


def test_command_lines_and_environments_hold_none(scene: Scene) -> None:
    of_serve = [said for said, _ in scene.processes.values()]
    assert any("serve" in said for said in of_serve) and any("jobs" in said for said in of_serve)
    assert any("policies.audit.writer" in said for said in of_serve) and any("CliRunner" in said for said in of_serve)
    for said, held in scene.processes.values():
        assert finds(scene.secrets | scene.wrapped, said.encode("utf-8", "replace")) == [], said
        given = {"guess", "environment"} if "policies.audit.writer" not in said else set()
        elsewhere = {name: secret for name, secret in scene.secrets.items() if name not in given}
        assert finds(elsewhere, held.encode("latin-1")) == [], said


def test_commands_say_what_is_wrong_and_no_more(scene: Scene) -> None:
    assert scene.shown.pop("right").endswith("exit code 0")
    for name, said in scene.shown.items():
        assert finds(scene.secrets | scene.wrapped, said.encode()) == [], said
        assert re.search(r"exit code (1|78)$", said) and "fieldgate: " in said and "Traceback" not in said, (name, said)
