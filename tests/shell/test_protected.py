"""Refuse to start wrong (I9): each way in which keys, policy, database or sink are not as they must be; reload."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import asyncpg
import psycopg
import pytest

from keys.keyring import LEDGER_SLOT, KeyPurpose, Keyring
from keys.providers.local import LOWEST_COST, Derivation
from keys.store import OpenKeyring, _save, init_keyring
from policies.fields import DataMap
from proxy.app import Circumstances, Worker, check_all
from proxy.catalog_loader import load_catalog
from proxy.config import Config, LogConfig, altered, load_config
from proxy.config_keys import KeysConfig
from proxy.control import Control
from proxy.demo.osuser import write_private
from proxy.demo.prepare import open_store
from proxy.errors import ConfigError, FieldgateError, UpstreamUnavailable
from proxy.logs import LogStream, make_logger
from proxy.protected_database import ProtectedDatabase
from proxy.sql.catalog import Catalog
from proxy.terminal import passphrase_of
from tests.integration.stage import Stage, raised
from tests.shell.test_pass_through import install_verifier


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with raised() as made:
        made.service.stop()
        yield made


@pytest.fixture
def config(stage: Stage) -> Config:
    loaded = load_config(stage.folder.config)
    listener = altered(loaded.listener, port=0)
    return altered(loaded, listener=listener, admin=None)


PASSPHRASE = "a passphrase of tests"


def quiet() -> object:
    stream = LogStream(None)
    stream._file = StringIO()
    return make_logger(LogConfig(level="error"), stream)


async def refusal(config: Config) -> str:
    with pytest.raises(FieldgateError) as refused:
        await check_all(config, quiet(), passphrase_of(config.keys))
    return str(refused.value)


@contextlib.asynccontextmanager
async def working(config: Config) -> AsyncIterator[Worker]:
    worker = Worker(config, quiet(), Circumstances(passphrase=passphrase_of(config.keys)))
    await worker.assemble()
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


@contextlib.contextmanager
def changed(path: Path, old: str, new: str) -> Iterator[None]:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_text(text)


async def test_the_sample_is_as_it_must_be(config: Config) -> None:
    assert await check_all(config, quiet(), passphrase_of(config.keys)) == []


async def test_a_wrong_passphrase(config: Config, tmp_path: Path) -> None:
    write_private(tmp_path / "wrong", "not the passphrase at all\n")
    message = await refusal(with_provider(config, passphrase_file=tmp_path / "wrong"))
    assert "passphrase" in message and "not the passphrase" not in message


def with_provider(config: Config, **changes: object) -> Config:
    assert config.keys is not None and config.keys.provider is not None
    return altered(config, keys=altered(config.keys, provider=altered(config.keys.provider, **changes)))


async def test_no_key_encryption_keys(config: Config, tmp_path: Path) -> None:
    message = await refusal(with_provider(config, file=tmp_path / "none"))
    assert "none cannot be read" in message and "restore it" in message


async def test_keys_that_another_provider_has_wrapped(config: Config) -> None:
    message = await refusal(with_provider(config, name="another"))
    assert "wrapped by local:demo, which [keys.provider] does not name" in message


async def test_a_row_of_keys_that_was_changed_by_hand(stage: Stage, config: Config) -> None:
    with stage.control.connect() as connection:
        row = connection.execute("SELECT key_id FROM fieldgate.data_keys WHERE purpose = 'cell' LIMIT 1").fetchone()
        assert row is not None
        turn = "UPDATE fieldgate.data_keys SET state = %s WHERE key_id = %s"
        connection.execute(turn, ("decrypt-only", row[0]))
        try:
            message = await refusal(config)
        finally:
            connection.execute(turn, ("active", row[0]))
    assert f"the row of key {row[0].hex()} in the control database was changed by hand" in message
    assert await check_all(config, quiet(), passphrase_of(config.keys)) == []


async def test_a_control_database_without_its_schema_or_rights(stage: Stage, config: Config) -> None:
    assert config.control is not None
    message = await refusal(altered(config, control=altered(config.control, database="postgres")))
    assert "no schema fieldgate" in message and "fieldgate control install" in message
    with stage.control.connect() as connection:
        connection.execute("REVOKE INSERT ON fieldgate.key_holders FROM fieldgate")
        try:
            message = await refusal(config)
        finally:
            connection.execute("GRANT INSERT ON fieldgate.key_holders TO fieldgate")
    assert "lacks INSERT on fieldgate.key_holders" in message


async def test_the_same_keys_in_a_keyring_file_serve_as_well(stage: Stage, config: Config, tmp_path: Path) -> None:
    """The file store: other places, no custodian, and everything else alike."""
    path = tmp_path / "keyring"
    async with open_store(stage.folder, stage.server) as store:
        held = [key for key in (await store.load()).keyring.keys if key.info.slot != LEDGER_SLOT]
    opened = init_keyring(path, PASSPHRASE, cost=LOWEST_COST)
    opened.leases().open_accounts(key.info.key_id for key in held if key.info.slot.purpose is KeyPurpose.CELL)
    _save(OpenKeyring(path, Keyring((*opened.keyring.keys, *held)), 2), PASSPHRASE, Derivation(LOWEST_COST))
    write_private(tmp_path / "passphrase", PASSPHRASE + "\n")
    keys = {"keyring": str(path), "passphrase_file": str(tmp_path / "passphrase")}  # as the file's text has them
    filed = altered(config, keys=KeysConfig(**keys))  # type: ignore[arg-type]
    async with working(filed) as worker:
        async with await psycopg.AsyncConnection.connect(**stage.parameters("support", port=worker.port)) as client:
            row = await (await client.execute("SELECT surname FROM customers WHERE id = 1")).fetchone()
            assert row == ("Смирнова",)
        assert (await worker.reload(filed)).keys() == {"shop"}
        assert 'fieldgate_keys_serving{worker="0"} 1.0' in worker.metrics()


async def test_a_policy_that_does_not_compile(stage: Stage, config: Config) -> None:
    with changed(stage.folder.policy / "roles.toml", "[role.support]", "[role.support]\nbogus = 1"):
        message = await refusal(config)
    assert "roles.toml" in message and "bogus" in message


async def test_a_sealed_field_without_a_key(stage: Stage, config: Config) -> None:
    field_id = "0" * 31 + "7"
    old = _first_field_id(stage.folder.policy / "datamap.toml")
    with changed(stage.folder.policy / "datamap.toml", old, field_id):
        assert "keys add" in await refusal(config)


def _first_field_id(path: Path) -> str:
    import re

    found = re.search(r"[0-9a-f]{32}", path.read_text())
    assert found is not None
    return found[0]


STATEMENTS = [
    ("ALTER TABLE customers DROP CONSTRAINT {check}", "ALTER TABLE customers ADD {definition}", "no CHECK"),
    ("ALTER TABLE customers ALTER phone SET DEFAULT ''", "ALTER TABLE customers ALTER phone DROP DEFAULT", "default"),
    ("GRANT SELECT ON customers TO fg_accounting", "REVOKE SELECT ON customers FROM fg_accounting", "fg_accounting"),
    ("ALTER ROLE fg_support SUPERUSER", "ALTER ROLE fg_support NOSUPERUSER", "fg_support"),
    ("ALTER ROLE fg_support BYPASSRLS", "ALTER ROLE fg_support NOBYPASSRLS", "fg_support"),
    ("GRANT pg_read_all_data TO fg_support", "REVOKE pg_read_all_data FROM fg_support", "fg_support"),
]


@pytest.mark.parametrize(("wrong", "right", "said"), STATEMENTS, ids=range(len(STATEMENTS)))
async def test_a_database_that_is_not_as_it_must_be(
    stage: Stage, config: Config, wrong: str, right: str, said: str
) -> None:
    with stage.raw.connect() as connection:
        check, definition = _check_of(connection, "customers", "surname")
        connection.execute(wrong.format(check=check).encode())
        try:
            message = await refusal(config)
        finally:
            connection.execute(right.format(definition=definition).encode())
    assert said in message
    assert await check_all(config, quiet(), passphrase_of(config.keys)) == []


def _check_of(connection: psycopg.Connection[tuple[object, ...]], table: str, column: str) -> tuple[str, str]:
    row = connection.execute(
        "SELECT conname, format('CONSTRAINT %%I %%s', conname, pg_get_constraintdef(oid)) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype = 'c' AND pg_get_constraintdef(oid) LIKE %s",
        (table, f"%({column} IS NULL)%"),
    ).fetchone()
    assert row is not None
    return str(row[0]), str(row[1])


async def test_no_audit_sink(config: Config, tmp_path: Path) -> None:
    assert config.audit is not None
    message = await refusal(altered(config, audit=altered(config.audit, path=tmp_path / "none" / "audit.jsonl")))
    assert "audit" in message


async def test_no_server(config: Config) -> None:
    upstream = altered(config.upstream, hosts=("/nonexistent:5432",))
    assert "control connection" in await refusal(altered(config, upstream=upstream))


async def test_a_data_map_of_another_database(config: Config) -> None:
    databases = {"postgres": config.databases["shop"]}
    assert "data map is for database shop" in await refusal(altered(config, databases=databases))


async def test_two_databases_that_share_a_field_with_a_key_of_its_own(
    stage: Stage, config: Config, tmp_path: Path
) -> None:
    """Refused before anything is asked of the second database, which does not even exist."""
    shutil.copytree(stage.folder.policy, tmp_path / "branch")
    with changed(tmp_path / "branch" / "datamap.toml", 'database = "shop"', 'database = "branch"'):
        branch = altered(config.databases["shop"], policy=tmp_path / "branch")
        message = await refusal(altered(config, databases={**config.databases, "branch": branch}))
    assert "passport_scan of database branch" in message and "own_key" in message


async def test_a_new_policy_is_in_force_after_a_reload_and_a_wrong_one_never(stage: Stage, config: Config) -> None:
    async with working(config) as worker:
        before = worker.readiness
        (old,) = (await before()).revisions.values()
        with changed(stage.folder.policy / "roles.toml", "[role.support]", "[role.support]\nbogus = 1"):
            with pytest.raises(FieldgateError, match=r"roles\.toml"):
                await worker.reload(config)
            assert (await worker.readiness()).revisions == {"shop": old}
        with changed(stage.folder.policy / "roles.toml", 'title = "', 'title = "New: '):
            revisions = await worker.reload(config)
            assert revisions["shop"] != old
        assert (await worker.reload(config))["shop"] == old
        assert worker.stats.reloads == {"refused": 1, "done": 2}


async def test_a_reload_that_the_database_does_not_bear_is_refused(stage: Stage, config: Config) -> None:
    """The policy is right by itself, but an upstream role may do more than it gives."""
    async with working(config) as worker:
        (old,) = (await worker.readiness()).revisions.values()
        with stage.raw.connect() as connection:
            connection.execute("GRANT SELECT ON customers TO fg_accounting")
            try:
                with pytest.raises(FieldgateError, match="fg_accounting"):
                    await worker.reload(config)
            finally:
                connection.execute("REVOKE SELECT ON customers FROM fg_accounting")
        assert (await worker.readiness()).revisions == {"shop": old}


async def test_the_catalog_is_read_again_when_it_may_have_changed(stage: Stage, config: Config) -> None:
    async with working(config) as worker:
        database = worker._protected.by_name["shop"]
        assert isinstance(database, ProtectedDatabase)
        before = database.current()
        assert await database.load() is False and database.current() is before  # nothing has changed
        with stage.raw.connect() as connection:
            connection.execute("CREATE TABLE freshly_made (a int)")
            try:
                worker._protected.changed("shop")
                async with asyncio.timeout(20):
                    while database.current() is before:  # noqa: ASYNC110 - nobody tells
                        await asyncio.sleep(0.02)
                assert ("public", "freshly_made") in database.current().catalog.by_name
                assert database.current().catalog.version == before.catalog.version + 1
            finally:
                connection.execute("DROP TABLE freshly_made")


async def test_ddl_on_the_server_itself_is_heard_of(stage: Stage, config: Config) -> None:
    """By the event trigger of deploy/catalog_events.sql; the poll alone would take longer than this test waits."""
    sql = (Path(__file__).parents[2] / "deploy" / "catalog_events.sql").read_text()
    stage.raw.run("\n".join(line for line in sql.splitlines() if not line.startswith("\\")))
    assert config.control is not None
    patient = altered(config, control=altered(config.control, refresh_interval=3600.0))
    async with working(patient) as one, working(patient) as other:
        databases = [worker._protected.by_name["shop"] for worker in (one, other)]
        async with asyncio.timeout(20):
            while any(database._listener is None for database in databases):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
        with stage.raw.connect() as connection:
            connection.execute("CREATE TABLE heard_of (a int)")
            await _until_known(databases, "heard_of")
            connection.execute("DROP EVENT TRIGGER fieldgate_catalog_changed")
            connection.execute("CREATE TABLE told_of (a int)")
            one._protected.changed("shop")  # what our own session did, other proxies hear by the server
            await _until_known(databases, "told_of")
            connection.execute("DROP TABLE heard_of, told_of")


async def _until_known(databases: list[ProtectedDatabase], table: str) -> None:
    async with asyncio.timeout(20):
        while not all(("public", table) in d.current().catalog.by_name for d in databases):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_without_the_server_the_catalog_stays_and_it_is_said(config: Config) -> None:
    async with working(config) as worker:
        database = worker._protected.by_name["shop"]
        before = database.current()
        control = database._control
        await control.close()
        control._upstream = altered(control._upstream, hosts=("/nonexistent:5432",))
        database.stale.set()
        async with asyncio.timeout(20):
            while database.fresh:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
        assert database.current() is before
        assert not (await worker.readiness()).ready


async def test_a_catalog_is_in_force_only_under_the_policy_that_it_was_read_for(config: Config) -> None:
    """A reading that waits while another policy is read and put in force would bring the old data map back."""
    read: list[DataMap] = []
    entered, gate = asyncio.Event(), asyncio.Event()

    async def load(connection: object, data_map: DataMap, version: int, before: Catalog | None) -> Catalog:
        if data_map is not old:
            entered.set()
            await gate.wait()
        read.append(data_map)
        return await load_catalog(connection, data_map, version, before)

    async with working(config) as worker:
        database = worker._protected.by_name["shop"]
        old = database.holder.current.policy.data_map
        database._planning = replace(database._planning, load_catalog=load)
        reloading = asyncio.create_task(worker._protected.reload())
        await entered.wait()
        reading = asyncio.create_task(database.load())
        await asyncio.sleep(0)  # it has asked for the connection, which the other reading holds
        gate.set()
        await asyncio.gather(reloading, reading)
        assert database.holder.current.policy.data_map is not old
        assert read[-1] is database.holder.current.policy.data_map


def fail_to_read(database: ProtectedDatabase, failures: list[Exception]) -> None:
    """One of them at each reading, until none is left."""

    async def load(connection: object, data_map: DataMap, version: int, before: Catalog | None) -> Catalog:
        if failures:
            raise failures.pop()
        return await load_catalog(connection, data_map, version, before)

    database._planning = replace(database._planning, load_catalog=load)


async def test_a_catalog_that_changes_while_it_is_read_is_read_again(config: Config) -> None:
    failures: list[Exception] = [
        asyncpg.InternalServerError("could not open relation with OID 1"),
        asyncpg.UndefinedTableError("gone"),
    ]

    async with working(config) as worker:
        database = worker._protected.by_name["shop"]
        fail_to_read(database, failures)
        assert not await database.load()


async def test_the_watcher_of_a_catalog_goes_on_whatever_it_meets(config: Config) -> None:
    failures: list[Exception] = [RuntimeError("met"), UpstreamUnavailable("met"), ConfigError("met")]

    async with working(config) as worker:
        database = worker._protected.by_name["shop"]
        fail_to_read(database, failures)
        database.stale.set()
        async with asyncio.timeout(20):
            while database.fresh:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
            while not database.fresh:  # noqa: ASYNC110 - long before the usual interval of 30 s
                await asyncio.sleep(0.01)
        assert not failures


async def test_a_catalog_that_changes_all_the_time_is_not_read_all_the_time(config: Config) -> None:
    took, readings = 0.1, list[tuple[float, float]]()
    loop = asyncio.get_running_loop()

    async with working(config) as worker:
        database = worker._protected.by_name["shop"]

        async def load(connection: object, data_map: DataMap, version: int, before: Catalog | None) -> Catalog:
            began = loop.time()
            await asyncio.sleep(took)
            database.stale.set()
            readings.append((began, loop.time()))
            return await load_catalog(connection, data_map, version, before)

        database._planning = replace(database._planning, load_catalog=load)
        database.stale.set()
        async with asyncio.timeout(20):
            while len(readings) < 4:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
    assert all(after[0] - before[1] >= took for before, after in itertools.pairwise(readings))


async def test_row_keys_are_drawn_over_the_control_connection(stage: Stage, config: Config) -> None:
    async with working(config) as worker:
        assert not await worker._protected.have_keys("shop", {"public.no_such_sequence": 1})
        assert not await worker._protected.have_keys("elsewhere", {"public.customers_id_seq": 1})
        sequence = _a_drawn_sequence(stage)
        assert await worker._protected.have_keys("shop", {sequence: 3})
        drawn = worker._protected.by_name["shop"].services.draw(sequence, 3)
        assert drawn is not None and len(set(drawn)) == 3


def _a_drawn_sequence(stage: Stage) -> str:
    """One that the control role may use."""
    with stage.raw.connect() as connection:
        row = connection.execute(
            "SELECT 'public.' || s.seqrelid::regclass FROM pg_sequence s"
            " WHERE has_sequence_privilege('fieldgate', s.seqrelid, 'USAGE') LIMIT 1"
        ).fetchone()
    assert row is not None
    return str(row[0])


async def test_a_listener_that_is_given_up_leaves_no_connection(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: asyncio.Future[asyncpg.Connection] = asyncio.get_running_loop().create_future()

    async def never(connection: asyncpg.Connection, *_: object) -> None:
        asked.set_result(connection)
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncpg.Connection, "add_listener", never)
    assert config.control is not None
    waiting = asyncio.ensure_future(Control(config.control, config.upstream).listener("shop", "any", lambda: None))
    connection = await asked
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert connection.is_closed()


@pytest.mark.parametrize("options", ["LOGIN SUPERUSER", "LOGIN BYPASSRLS", "LOGIN IN ROLE pg_read_all_data"])
async def test_powerful_roles_do_not_pass_through_into_protected_databases(
    stage: Stage, config: Config, options: str
) -> None:
    install_verifier(stage.control, "fieldgate")
    raw = stage.raw
    role, plain = raw.role("powerful", options=options), raw.role("plain")
    upstream = altered(config.upstream, pass_through=True, other_databases="forward")
    async with working(altered(config, upstream=upstream)) as worker:
        fine = {**stage.parameters(plain), "password": "secret", "port": worker.port}
        async with await psycopg.AsyncConnection.connect(**fine):
            pass
        refused = {**stage.parameters(role), "password": "secret", "port": worker.port}
        with pytest.raises(psycopg.OperationalError, match="read around every privilege"):
            await psycopg.AsyncConnection.connect(**refused)
        async with await psycopg.AsyncConnection.connect(**{**refused, "dbname": "postgres"}):
            pass
    raw.run(f"DROP ROLE {role}", f"DROP ROLE {plain}")
