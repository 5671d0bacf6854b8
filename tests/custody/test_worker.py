"""The running proxy with its keys in the control database: other keys under way, a stopped process, a provider that is
gone, and nothing of all that on the path of a statement."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

from keys.database_store import Move
from keys.keyring import Keyring
from keys.lifecycle import KeyState
from keys.providers.local_file import LocalFileKek
from policies.fields import Field
from policies.loader import load_policy
from proxy.app import Worker
from proxy.config import Config, altered, load_config
from proxy.custody import KeyCustodian
from proxy.demo.prepare import open_ciphers, open_store
from proxy.rotation.exchange import admitted_now, exchange_check
from proxy.rotation.fence import lower_fence, raise_fence
from proxy.rotation.places import Place
from proxy.rotation.survey import survey
from proxy.sealing.fences import FENCE_MESSAGE
from tests.integration.stage import Stage, raised
from tests.rotation.test_exchange import in_turn
from tests.sealing.making import id_of
from tests.shell.test_protected import working

pytestmark = pytest.mark.integration
INSERT = "INSERT INTO correspondence (customer_id, channel, at, subject, body) VALUES (1, 'mail', now(), $1, $2)"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with raised() as made:
        made.service.stop()
        yield made


@pytest.fixture
def config(stage: Stage) -> Config:
    loaded = load_config(stage.folder.config)
    return altered(loaded, listener=altered(loaded.listener, port=0), admin=None)


def with_keys(config: Config, **changes: object) -> Config:
    return altered(config, keys=altered(config.keys, **changes))


@contextlib.asynccontextmanager
async def client(stage: Stage, worker: Worker) -> AsyncIterator[asyncpg.Connection]:
    found = {k: v for k, v in stage.parameters("management").items() if not k.startswith("ssl") and k != "dbname"}
    made = await asyncpg.connect(**{**found, "port": worker.port}, database="shop", ssl=stage.tls())
    try:
        yield made
    finally:
        await made.close()


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


def field(stage: Stage, name: str = "subject") -> tuple[Place, Field]:
    data_map = load_policy(stage.folder.policy).data_map
    table = data_map.tables["public", "correspondence"]
    return Place("shop", data_map.controller, table, table.fields[name]), table.fields[name]


async def newest_head(owner: asyncpg.Connection) -> bytes:
    found = await owner.fetchval("SELECT substr(subject, 1, 12) FROM correspondence ORDER BY id DESC LIMIT 1")
    return bytes(found)


# -- other keys


async def test_a_key_is_rotated_under_a_working_session_and_nobody_sees_an_error(stage: Stage, config: Config) -> None:
    """By hand what a rotation does (docs/keys.md): new key, both heads, switch, fence."""
    place, subject = field(stage)
    assert subject.sealing is not None
    slot = next(n.cell_slot for n in needs(stage) if n.field_id == subject.sealing.field_id)
    owner = await stage.raw.connect_async()
    async with (
        working(config) as worker,
        client(stage, worker) as session,
        open_store(stage.folder, stage.server) as store,
    ):
        stop = asyncio.Event()
        writing = asyncio.ensure_future(write(session, stop))
        tables = store.tables
        [old] = [k for k in (await store.read()).keys if k.info.slot == slot and k.info.state is KeyState.ACTIVE]
        [new] = await store.create([slot])

        async def all_know() -> bool:
            return await tables.behind((await store.read()).number) == ()

        await until(all_know)
        heads = {head_of(stage, subject, key.info.key_id) for key in (old, new)}
        assert await exchange_check(owner, subject, heads, in_turn(owner))  # type: ignore[arg-type]
        await store.transition(
            [
                Move(old.info.key_id, KeyState.ACTIVE, KeyState.DECRYPT_ONLY),
                Move(new.info.key_id, KeyState.PRE_ACTIVE, KeyState.ACTIVE),
            ]
        )
        await until(all_know)
        await session_wrote(owner, new.info.key_id)
        head, members = head_of(stage, subject, new.info.key_id), await survey(owner, place)
        async with owner.transaction():
            for statement in raise_fence(subject, head, members):
                await owner.execute(statement)
        before = await owner.fetchval("SELECT count(*) FROM correspondence")
        await until(lambda: grown(owner, before))
        stop.set()
        assert await writing > 0
        texts = await session.fetch("SELECT subject FROM correspondence WHERE subject IS NOT NULL")
        assert {row["subject"] for row in texts} >= {"written"}
        for statement in lower_fence(subject, members):
            await owner.execute(statement)
    await owner.close()


def needs(stage: Stage) -> Any:
    from proxy.sealing.needs import key_needs

    return key_needs(load_policy(stage.folder.policy).data_map)


def head_of(stage: Stage, of: Field, key_id: bytes) -> bytes:
    assert of.sealing is not None and not (of.sealing.equality or of.sealing.row_bound or of.sealing.tokens)
    return b"\xf9\x67\x01" + bytes((4 if of.sealing.pad_to else 0,)) + key_id


async def write(session: asyncpg.Connection, stop: asyncio.Event) -> int:
    """One prepared statement, again and again; any error ends it."""
    statement, count = await session.prepare(INSERT), 0
    while not stop.is_set():
        await statement.fetch("written", "by one session")
        count += 1
    return count


async def session_wrote(owner: asyncpg.Connection, key_id: bytes) -> None:
    await until(lambda: is_newest(owner, key_id))


async def is_newest(owner: asyncpg.Connection, key_id: bytes) -> bool:
    return (await newest_head(owner))[4:] == key_id


async def grown(owner: asyncpg.Connection, before: int) -> bool:
    return bool(await owner.fetchval("SELECT count(*) FROM correspondence") > before + 3)


async def test_who_seals_by_an_old_key_meets_the_fence_and_then_looks(stage: Stage, config: Config) -> None:
    """The control database's revision does not change here: what the data database takes is the truth."""
    place, subject = field(stage, "body")
    assert subject.sealing is not None
    slot = next(n.cell_slot for n in needs(stage) if n.field_id == subject.sealing.field_id)
    owner = await stage.raw.connect_async()
    async with open_store(stage.folder, stage.server) as store:
        [old] = [k for k in (await store.read()).keys if k.info.slot == slot and k.info.state is KeyState.ACTIVE]
        [new] = await store.create([slot])
        await store.transition(
            [
                Move(old.info.key_id, KeyState.ACTIVE, KeyState.DECRYPT_ONLY),
                Move(new.info.key_id, KeyState.PRE_ACTIVE, KeyState.ACTIVE),
            ]
        )
    async with working(config) as worker, client(stage, worker) as session:
        await session.execute(INSERT, "s", "sealed by the old key: the database takes no other")
        both = {head_of(stage, subject, key.info.key_id) for key in (old, new)}
        assert await exchange_check(owner, subject, both, in_turn(owner))  # type: ignore[arg-type]
        members = await survey(owner, place)
        async with owner.transaction():
            for statement in raise_fence(subject, head_of(stage, subject, new.info.key_id), members):
                await owner.execute(statement)
        with pytest.raises(asyncpg.SerializationError, match=FENCE_MESSAGE):
            await session.execute(INSERT, "s", "by the old key still")
        await until(lambda: takes(session))
        for statement in lower_fence(subject, members):
            await owner.execute(statement)
    await owner.close()


async def test_a_worker_starts_while_a_key_is_being_rotated(
    stage: Stage, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its reading of the keys and of the tables: nobody waits for who does not serve yet."""
    _, subject = field(stage)
    slot = next(n.cell_slot for n in needs(stage) if n.field_id == id_of(subject))
    owner = await stage.raw.connect_async()
    opened, times = KeyCustodian.open, 0

    async def overtaken(custodian: KeyCustodian) -> Keyring:
        nonlocal times
        times += 1
        keyring = await opened(custodian)
        async with open_store(stage.folder, stage.server) as store:
            [new] = await store.create([slot])
        heads = {*await admitted_now(owner, subject), head_of(stage, subject, new.info.key_id)}
        assert await exchange_check(owner, subject, heads, in_turn(owner))  # type: ignore[arg-type]
        return keyring

    monkeypatch.setattr(KeyCustodian, "open", overtaken)
    async with working(config) as worker, client(stage, worker) as session:
        await session.execute(INSERT, "s", "behind a rotation")
    assert times == 1
    await owner.close()


async def takes(session: asyncpg.Connection) -> bool:
    try:
        await session.execute(INSERT, "s", "tried again")
    except asyncpg.SerializationError:
        return False
    return True


# -- the provider and the control database


async def test_no_statement_asks_the_provider(stage: Stage, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()
    for name in ("wrap", "unwrap", "rewrap", "rotate", "version", "check"):
        monkeypatch.setattr(LocalFileKek, name, counting(calls, name, getattr(LocalFileKek, name)))
    async with working(config) as worker, client(stage, worker) as session:
        assert calls["unwrap"] > 0
        calls.clear()
        for number in range(100):
            await session.execute(INSERT, f"subject {number}", "body")
            await session.fetch(
                "SELECT surname, name, email FROM customers WHERE email = $1", f"nobody{number}@example.org"
            )
        assert len(await session.fetch("SELECT subject, body FROM correspondence")) > 100
        assert calls == {}


def counting(
    calls: Counter[str], name: str, real: Callable[..., Awaitable[object]]
) -> Callable[..., Awaitable[object]]:
    async def counted(*arguments: object) -> object:
        calls[name] += 1
        return await real(*arguments)

    return counted


async def test_an_outage_is_survived_and_after_its_length_data_is_refused(stage: Stage, config: Config) -> None:
    hidden = stage.folder.keks.with_name("keks-hidden")
    async with working(with_keys(config, survive_outage=3.0)) as worker, client(stage, worker) as session:
        move(stage.folder.keks, hidden)
        try:
            assert await session.fetchval("SELECT surname FROM customers WHERE id = 1") == "Смирнова"
            await until(lambda: refuses(session, "57P03", "survive_outage"))
            assert await session.fetchval("SELECT 1") == 1
            assert not (await worker.readiness()).ready
            assert 'fieldgate_keys_serving{worker="0"} 0.0' in worker.metrics()
        finally:
            move(hidden, stage.folder.keks)
        await until(lambda: serves(session))
        assert (await worker.readiness()).checks["keys"]


def move(path: Path, to: Path) -> None:
    path.rename(to)


async def refuses(session: asyncpg.Connection, code: str, said: str) -> bool:
    try:
        await session.fetchval("SELECT surname FROM customers WHERE id = 1")
    except asyncpg.PostgresError as error:
        return error.sqlstate == code and said in str(error)
    return False


async def serves(session: asyncpg.Connection) -> bool:
    try:
        return bool(await session.fetchval("SELECT surname FROM customers WHERE id = 1") == "Смирнова")
    except asyncpg.CannotConnectNowError:
        return False


async def test_lost_control_connections_are_made_again(stage: Stage, config: Config) -> None:
    async with working(with_keys(config, lease=3.0)) as worker, client(stage, worker) as session:
        stage.control.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'fieldgate' AND datname = 'fieldgate'"
        )
        before = worker._keys.state().lease_seconds if worker._keys is not None else 0.0
        await until(lambda: longer(worker, before))
        assert await serves(session)
        for number in range(30):
            await session.execute(INSERT, f"{number}", "sealed after the leases' connection was lost")


async def longer(worker: Worker, before: float) -> bool:
    return worker._keys is not None and worker._keys.state().lease_seconds > before


async def test_uses_are_counted_by_key_and_day(stage: Stage, config: Config) -> None:
    async def counted() -> tuple[int, int]:
        async with open_store(stage.folder, stage.server) as store:
            uses = (await store.tables.uses()).values()
        return sum(u.sealed for u in uses), sum(u.opened for u in uses)

    before = await counted()
    async with working(config) as worker, client(stage, worker) as session:
        await session.execute(INSERT, "one cell", "another")
        await session.fetch("SELECT surname, name FROM customers WHERE id = 1")
    sealed, opened = await counted()
    assert (sealed - before[0], opened - before[1]) == (2, 2)


async def test_an_orderly_end_leaves_no_holder_and_no_lease(stage: Stage, config: Config) -> None:
    async with working(config):
        pass
    with stage.control.connect() as connection:
        assert connection.execute("SELECT count(*) FROM fieldgate.key_holders").fetchone() == (0,)
        before = connection.execute("SELECT sum(seals_granted) FROM fieldgate.data_keys").fetchone()
    async with open_ciphers(stage.folder, stage.server, load_policy(stage.folder.policy).data_map) as ciphers:
        assert ciphers.heads()
    with stage.control.connect() as connection:
        assert connection.execute("SELECT sum(seals_granted) FROM fieldgate.data_keys").fetchone() == before


# -- a process that is stopped


def test_a_process_that_was_stopped_past_its_lease_refuses_until_it_has_confirmed_again(stage: Stage) -> None:
    text = stage.folder.config.read_text()
    stage.folder.config.write_text(text.replace('store = "database"\n', 'store = "database"\nlease = "3s"\n', 1))
    stage.service.start()
    try:
        with stage.connect("management") as session, stage.control.connect() as control:
            assert session.execute("SELECT surname FROM customers WHERE id = 1").fetchone() == ("Смирнова",)
            os.kill(stage.service.pid, signal.SIGSTOP)
            try:
                wait_for(control, "SELECT bool_and(lease_until < now()) FROM fieldgate.key_holders")
                session.pgconn.send_query(b"SELECT surname FROM customers WHERE id = 1")
                session.pgconn.flush()
            finally:
                os.kill(stage.service.pid, signal.SIGCONT)
            answer = session.pgconn.get_result()
            assert answer is not None
            assert answer.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"57P03"
            assert b"could not confirm" in answer.error_message
            while session.pgconn.get_result() is not None:
                pass
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                with contextlib.suppress(psycopg.errors.CannotConnectNow):
                    assert session.execute("SELECT surname FROM customers WHERE id = 1").fetchone() == ("Смирнова",)
                    break
            else:
                pytest.fail("it did not confirm again")
    finally:
        stage.service.stop()
        stage.folder.config.write_text(text)


def wait_for(connection: psycopg.Connection[Any], query: str) -> None:
    deadline = time.monotonic() + 20
    while connection.execute(query.encode()).fetchone() != (True,):
        assert time.monotonic() < deadline
        time.sleep(0.05)
