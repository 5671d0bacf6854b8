"""`fieldgate keys ...` against the admin port: a person's token, progress, and exit codes that tell the outcome."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import Result
from typer.testing import CliRunner

from proxy.cli import app
from proxy.config import AdminConfig
from proxy.demo.osuser import write_private
from proxy.errors import ConfigError
from proxy.keywork.operation import OperationState, Wanted
from proxy.operations import key_work
from proxy.operations.admin_client import Access, url_of
from tests.support.admin_port import Port, running_port
from tests.support.keywork import EMAIL


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Port]:
    monkeypatch.setattr(key_work, "_EVERY", 0.01)
    async with running_port() as made:
        yield made


@pytest.fixture
async def as_olga(port: Port, tmp_path: Path) -> Any:
    return await shell(port, tmp_path, "olga")


async def shell(port: Port, folder: Path, person: str) -> Any:
    file = folder / f"{person}.token"
    write_private(file, await port.token(person) + "\n")
    url = f"http://127.0.0.1:{port.server.port}"

    async def run(*words: str) -> Result:
        said = ["keys", *words, "--url", url, "--token-file", str(file)]
        return await asyncio.to_thread(CliRunner().invoke, app, said)

    return run


async def carried_out(port: Port, state: OperationState, problem: str | None = None) -> None:
    """What a job runner would do, as soon as there is something to do."""
    due: list[UUID] = []
    while not due:
        due = await port.desk.records.due(1, timedelta(hours=1))
        await asyncio.sleep(0)
    claim = await port.desk.records.claim(due[0])
    assert claim is not None
    await port.desk.records.progress(claim, "cells", 500, 1000, 250.0)
    await asyncio.sleep(0.05)
    await port.desk.records.finish(claim, state, problem)


async def test_an_operation_is_followed_to_its_end(port: Port, as_olga: Any) -> None:
    result, _ = await asyncio.gather(as_olga("rotate", EMAIL, "-d", "shop"), carried_out(port, OperationState.DONE))
    assert result.exit_code == 0, result.output
    assert "rotate-data-key: done" in result.output and "1000/1000" in result.output.replace(" ", "")


@pytest.mark.parametrize("state", [OperationState.FAILED, OperationState.CANCELLED])
async def test_what_does_not_succeed_is_told_by_the_exit_code(port: Port, as_olga: Any, state: OperationState) -> None:
    result, _ = await asyncio.gather(as_olga("rewrap"), carried_out(port, state, "the provider is away"))
    assert result.exit_code == 1 and "the provider is away" in result.output


async def test_no_wait_asks_and_leaves(port: Port, as_olga: Any) -> None:
    result = await as_olga("verify", "customers.email", "-d", "shop", "--no-wait")
    assert result.exit_code == 0 and "queued" in result.output
    [row] = port.desk.records.rows.values()
    assert row.operation.target.field == EMAIL


async def test_destruction_waits_for_a_second_person(port: Port, as_olga: Any, tmp_path: Path) -> None:
    key = await port.desk.disabled_key()
    result = await as_olga("destroy", key.name)
    assert result.exit_code == 75 and "fieldgate keys approve" in result.output
    [operation_id] = port.desk.records.rows
    assert (await as_olga("approve", str(operation_id))).exit_code == 1
    as_pavel = await shell(port, tmp_path, "pavel")
    approved = await as_pavel("approve", str(operation_id))
    assert approved.exit_code == 75 and "It begins at" in approved.output


async def test_steering_and_looking(port: Port, as_olga: Any) -> None:
    await as_olga("rotate", EMAIL, "-d", "shop", "--no-wait")
    [operation_id] = port.desk.records.rows
    assert "paused" in (await as_olga("pause", str(operation_id))).output
    assert (await as_olga("resume", str(operation_id), "--no-wait")).exit_code == 0
    listed = await as_olga("operations", "--state", "queued")
    assert "rotate-data-key" in listed.output and listed.exit_code == 0
    assert "cancelled" in (await as_olga("cancel", str(operation_id))).output
    assert (await port.desk.records.get(operation_id)).wanted is Wanted.CANCEL
    key = await port.desk.key_of()
    assert json.loads((await as_olga("show", key.name)).output)["key_id"] == key.name
    assert key.name in (await as_olga("show")).output
    assert json.loads((await as_olga("show", str(operation_id))).output)["state"] == "cancelled"


async def test_escrow_by_file(port: Port, as_olga: Any, tmp_path: Path) -> None:
    file = tmp_path / "escrow.json"
    assert (await as_olga("export", str(file))).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert (await as_olga("export", str(file))).exit_code == 78  # never over another
    imported = await as_olga("import", str(file))
    assert imported.exit_code == 0 and "put back 0 keys" in imported.output
    file.write_text("{")
    assert (await as_olga("import", str(file))).exit_code == 78


async def test_a_refusal_is_said_in_the_ports_words(port: Port, tmp_path: Path) -> None:
    as_anna = await shell(port, tmp_path, "anna")
    result = await as_anna("rewrap")
    assert result.exit_code == 1 and "Not allowed" in result.stderr


async def test_a_token_file_that_others_may_read_is_refused(port: Port, as_olga: Any, tmp_path: Path) -> None:
    (tmp_path / "olga.token").chmod(0o644)
    result = await as_olga("show")
    assert result.exit_code == 78 and "chmod 600" in result.stderr


async def test_nobody_there_is_said_after_a_few_tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from proxy.operations import admin_client

    monkeypatch.setattr(admin_client, "_PAUSE", 0.0)
    write_private(tmp_path / "t", "fgt_x\n")
    said = ["keys", "show", "--url", "http://127.0.0.1:9", "--token-file", str(tmp_path / "t")]
    result = await asyncio.to_thread(CliRunner().invoke, app, said)
    assert result.exit_code == 1 and "does not answer" in result.stderr


def test_who_is_not_named_is_not_asked() -> None:
    with pytest.raises(ConfigError, match="say who you are"):
        Access("https://localhost:8443")
    with pytest.raises(ConfigError, match="begins with https"):
        Access("ftp://localhost", Path("x"))


def test_the_configurations_own_port() -> None:
    assert url_of(AdminConfig()) == "http://localhost:8443"


async def test_what_needs_a_second_person_says_so(port: Port, as_olga: Any, tmp_path: Path) -> None:
    as_dina = await shell(port, tmp_path, "dina")
    for result in (await as_olga("unseal", EMAIL, "-d", "shop"), await as_dina("shred", "customer:17", "-d", "shop")):
        assert result.exit_code == 75 and "A second person approves it" in result.output
    assert (await as_olga("seal", EMAIL, "-d", "shop", "--no-wait")).exit_code == 0
    kinds = [row.operation.kind for row in port.desk.records.rows.values()]
    assert kinds == ["unseal-field", "shred-subject", "seal-field"]


@pytest.mark.parametrize("said", ["fgt_a\r\nX: 1", "fgt_\u0436", "fgt a", ""])
def test_a_token_that_cannot_be_sent_is_not_shown(tmp_path: Path, said: str) -> None:
    write_private(tmp_path / "token", said)
    with pytest.raises(ConfigError) as refused:
        Access("http://127.0.0.1:1", tmp_path / "token").headers()
    assert "fgt" not in refused.value.message and "token" in refused.value.message


async def test_an_operation_is_listed_with_its_whole_id(port: Port, as_olga: Any) -> None:
    await as_olga("rotate", EMAIL, "-d", "shop", "--no-wait")
    [operation_id] = port.desk.records.rows
    assert str(operation_id) in (await as_olga("operations")).stdout


async def test_whom_to_destroy_is_read_when_a_dash_says_so(port: Port, tmp_path: Path) -> None:
    write_private(tmp_path / "token", await port.token("dina"))
    said = ["keys", "shred", "-", "-d", "shop", "--url", f"http://127.0.0.1:{port.server.port}"]
    words = [*said, "--token-file", str(tmp_path / "token")]
    result = await asyncio.to_thread(CliRunner().invoke, app, words, "customer:17\n")
    assert result.exit_code == 75, result.output
    [row] = port.desk.records.rows.values()
    assert row.operation.target.subject == "customer:17"
