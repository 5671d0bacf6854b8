"""Made-up requests to the admin port over a real control database: no defect, and only answers that the document has.

Right and wrong ones are made from our own OpenAPI document; fields, keys and operations that there are come in between,
so that requests get through to what acts.  `make fuzz` goes on for longer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from requests import Response, Session
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from keys.database_store import DatabaseKeyStore
from keys.key_tables import DatabaseTables
from keys.providers.local import LOWEST_COST
from keys.providers.local_file import LocalFileKek, create_kek_file
from policies.loader import SHOP
from proxy.admin.api import AdminServer
from proxy.admin.openapi import describe
from proxy.admin.plane import AdminPlane
from proxy.admin.problems import TYPES
from proxy.admin.sources import OwnSource
from proxy.admin.tokens import DatabaseTokens, make_token
from proxy.config import Config
from proxy.demo.osuser import write_private
from proxy.demo.server import Server
from proxy.sealing.needs import key_needs
from tests.support.admin_port import ready
from tests.support.control_database import ControlDatabase, make_control
from tests.support.keywork import SHOP_MAP
from tests.support.servers import fresh_database
from tests.support.shell import logger_into, settings

pytestmark = [pytest.mark.integration]
PASSPHRASE = "a passphrase of this test"
PEOPLE = {"olga": "key-admin", "pavel": "security-admin", "dina": "dpo", "anna": "auditor"}
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
OPERATIONS = [
    found.ok() for found in schemathesis.openapi.from_dict(describe()).get_all_operations() if found.ok() is not None
]
FIELDS = [
    "public.customers.email",
    "public.customers.phone",
    "public.customers.*",
    "public.orders.status",
    "public.a.b",
]
BODIES = [
    *(b"", b"{", b"[]", b"null", b"\xff", b'{"database": "\\ud800"}', b'{"subject": "\\u0000"}', b'{"a": 1, "a": 1}'),
    *(b"9" * 5000, b"[" * 9999, b" " * 2_000_000),
]


@dataclass
class Served:
    url: str = ""
    tokens: list[str] = field(default_factory=lambda: ["", "fgt_wrong"])
    keys: list[str] = field(default_factory=list)
    operations: list[str] = field(default_factory=lambda: ["00000000-0000-0000-0000-000000000000"])
    answers: dict[int, int] = field(default_factory=dict)  # how many by status
    session: Session = field(default_factory=Session)


def configured(folder: Path, control: ControlDatabase) -> Config:
    write_private(folder / "control", "secret\n")
    write_private(folder / "passphrase", f"{PASSPHRASE}\n")
    people = "".join(f'[people.{person}]\nroles = ["{role}"]\n' for person, role in PEOPLE.items())
    write_private(folder / "people", people)
    provider = {"kind": "local", "file": "keks", "passphrase_file": "passphrase"}
    return settings(
        *(folder, control.database.server.port),
        control={"user": control.user, "password_file": "control", "database": control.database.name},
        databases={"shop": {"policy": str(SHOP)}},
        keys={"store": "database", "provider": provider},
        audit={"path": "audit"},
        admin={"people": "people"},
        limits={"failed_logins": 1_000_000},
    )


@pytest.fixture(scope="module")
def served(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, loop, found = tmp_path_factory.mktemp("fuzz"), asyncio.new_event_loop(), Served()
    started, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        control = await make_control(database)
        config = configured(folder, control)
        create_kek_file(folder / "keks", PASSPHRASE, cost=LOWEST_COST)
        provider = LocalFileKek("default", folder / "keks", lambda: PASSPHRASE)
        store = DatabaseKeyStore(DatabaseTables(control.connection), provider)
        await store.open()
        await store.initialise()
        await store.add_missing(key_needs(SHOP_MAP))
        found.keys = ["0011223344556677", *(key.name for key in (await store.read()).keys)]
        for person, role in PEOPLE.items():
            shown, row = make_token(person, frozenset({role}), "test", datetime.now(UTC) + timedelta(days=1))
            await DatabaseTokens(control.connection).add(row)
            found.tokens.append(shown)
        with (folder / "log").open("w") as log:
            logger = logger_into(log)
            plane = AdminPlane(config, logger)
            await plane.open()
            server = AdminServer(OwnSource(lambda: "", ready), plane.endpoints, logger)
            await server.start("127.0.0.1", 0, None)
            found.url = f"http://127.0.0.1:{server.port}"
            started.set()
            await stop.wait()
            await server.stop()
            await plane.close()
            await store.close()

    with fresh_database(postgres) as database:
        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
        thread.start()
        try:
            assert started.wait(60)
            yield found
        finally:
            found.session.close()
            loop.call_soon_threadsafe(stop.set)
            thread.join(30)
            loop.close()
    assert "admin_failed" not in (folder / "log").read_text()


def fill(case: schemathesis.Case, served: Served, number: int) -> None:
    """Names of what there is, in place of made-up ones."""
    path = case.path_parameters or {}
    known = {"key_id": served.keys, "operation_id": served.operations, "field": FIELDS, "database": ["shop", "other"]}
    path.update({name: known[name][number % len(known[name])] for name in path if name in known})
    if isinstance(case.body, dict) and "subject" in case.body:
        case.body |= {"database": "shop", "subject": f"customer:{number}"}


def header(response: Any, name: str) -> str:
    """Of either library's response."""
    return str(response.headers[name] if isinstance(response, Response) else response.headers[name.lower()][0])


def require_as_described(case: schemathesis.Case, response: Any, served: Served) -> None:
    case.validate_response(response, checks=CHECKS)
    served.answers[response.status_code] = served.answers.get(response.status_code, 0) + 1
    assert header(response, "Server") == "fieldgate" and header(response, "Cache-Control") == "no-store"
    if response.status_code >= 400:
        assert header(response, "Content-Type") == "application/problem+json"
        said = response.json()
        assert TYPES[said["type"].removeprefix("/problems/")].status == said["status"] == response.status_code
    elif "operation_id" in response.text and case.operation.method.upper() == "POST":
        served.operations.append(response.json()["operation_id"])


@pytest.mark.hypothesis
def test_each_answer_is_as_described(served: Served) -> None:
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(OPERATIONS))
        wrong = data.draw(st.integers(0, 3)) == 3
        mode = GenerationMode.NEGATIVE if wrong else GenerationMode.POSITIVE
        case: schemathesis.Case = data.draw(operation.as_strategy(generation_mode=mode))
        who = served.tokens[data.draw(st.integers(0, len(PEOPLE) + 1))]
        if not wrong or data.draw(st.booleans()):
            fill(case, served, data.draw(st.integers(0, 50)))
        headers = {"Authorization": f"Bearer {who}"}
        if operation.method.upper() == "POST":
            headers["Idempotency-Key"] = f"reused-key-{data.draw(st.integers(0, 300))}"
        require_as_described(case, case.call(served.url, served.session, headers=headers), served)

    ask()
    # What is refused at the door alone would tell nothing.
    assert {200, 202, 400, 401, 403, 404, 409} <= set(served.answers), served.answers


@pytest.mark.hypothesis
def test_any_bytes_as_a_body(served: Served) -> None:
    @given(body=st.sampled_from(BODIES) | st.binary(max_size=200), number=st.integers(0, len(OPERATIONS) - 1))
    def ask(body: bytes, number: int) -> None:
        operation: Any = OPERATIONS[number]
        known = {"database": "shop", "field": FIELDS[0], "key_id": served.keys[0], "operation_id": served.operations[0]}
        case = operation.Case(path_parameters={name: each for name, each in known.items() if name in operation.path})
        headers = {"Authorization": f"Bearer {served.tokens[2]}", "Content-Type": "application/json"}
        headers["Idempotency-Key"] = f"any-bytes-{number:04}"
        url = served.url + operation.path.format(**known)
        response = served.session.request(operation.method.upper(), url, data=body, headers=headers, timeout=20)
        require_as_described(case, response, served)

    ask()
    assert {400, 413} <= set(served.answers), served.answers
