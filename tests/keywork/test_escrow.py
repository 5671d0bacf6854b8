"""Export and import of wrapped keys: the very revision that was exported comes back, and nothing else."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace

import asyncpg
import pytest
from pydantic import ValidationError

from keys.database_store import DatabaseKeyStore
from keys.errors import CryptoError, KeyringLocked
from keys.key_tables import DatabaseTables
from keys.keyring import KeyNeed, KeyPurpose
from keys.lifecycle import KeyState
from proxy.keywork.escrow import Escrow, export_of, plan_import
from proxy.keywork.escrow_check import ProviderCheck
from proxy.keywork.escrow_database import DatabaseEscrow
from proxy.keywork.refusals import Code, Refusal
from tests.support.control_database import ControlDatabase, make_control
from tests.support.keywork import Desk, MemoryEscrow, actor, make_desk
from tests.support.memory_keys import MemoryProvider
from tests.support.servers import Database

OLGA = actor("olga")


@pytest.fixture
async def desk() -> Desk:
    return await make_desk()


async def code_of(desk: Desk, escrow: Escrow) -> Code:
    with pytest.raises(Refusal) as caught:
        await desk.service.put_back(OLGA, escrow)
    return caught.value.code


async def test_an_export_reads_back_and_holds_no_key(desk: Desk) -> None:
    exported = await desk.service.export(OLGA)
    text = exported.model_dump_json()
    assert Escrow.model_validate_json(text) == exported
    for key in (await desk.store.load()).keyring.keys:
        for shown in (key.material.hex(), b64encode(key.material).decode()):
            assert shown not in text
    assert desk.sink.told() == [("keys-exported", "asked"), ("keys-exported", "done")]


async def test_an_empty_store_is_filled_and_half_of_each_budget_counts_as_used(desk: Desk) -> None:
    exported = await desk.service.export(OLGA)
    rows = dict(desk.tables.rows)
    desk.tables.rows, desk.tables.code, desk.tables.number = {}, None, 1
    imported = await desk.service.put_back(OLGA, exported)
    assert imported.revision == exported.revision and len(imported.put_back) == len(rows)
    await DatabaseKeyStore(desk.tables, desk.store.provider).load()  # all codes are right, all keys unwrap
    assert {row.seals_granted for row in desk.tables.rows.values()} == {1 << 31}
    again = await desk.service.put_back(OLGA, exported)
    assert again.put_back == () and again.present == len(rows)


async def test_a_row_that_was_lost_or_changed_is_put_back(desk: Desk) -> None:
    exported = await desk.service.export(OLGA)
    lost = await desk.key_of()
    changed = next(k for k in desk.tables.rows.values() if k.info.slot.scope == "group:client_ip")
    del desk.tables.rows[lost.info.key_id]
    info = replace(changed.info, state=KeyState.DISABLED)
    desk.tables.rows[changed.info.key_id] = replace(changed, info=info, seals_granted=4096)
    with pytest.raises(KeyringLocked):
        await desk.store.read()
    imported = await desk.service.put_back(OLGA, exported)
    assert set(imported.put_back) == {lost.name, changed.name}
    await desk.store.read()
    assert desk.tables.rows[changed.info.key_id].seals_granted == 4096  # what was counted since goes on
    assert desk.tables.rows[lost.info.key_id].seals_granted == 1 << 31


@pytest.mark.parametrize("forged", ["wrapped", "destroyed", "code", "kek"])
async def test_an_import_writes_over_no_wrapped_key(desk: Desk, forged: str) -> None:
    """Else whoever may import could destroy a key alone."""
    exported = await desk.service.export(OLGA)
    key, before = await desk.key_of(), dict(desk.tables.rows)
    change: dict[str, object] = {
        "wrapped": {"wrapped": bytes(60)},
        "destroyed": {"state": KeyState.DESTROYED, "wrapped": None, "kek_uri": None},
        "code": {"code": bytes(32)},
        "kek": {"kek_uri": "memory:nobody"},
    }[forged]
    keys = tuple(each.model_copy(update=change) if each.key_id == key.name else each for each in exported.keys)
    assert await code_of(desk, exported.model_copy(update={"keys": keys})) is Code.STORE_NOT_EMPTY
    assert desk.tables.rows == before
    await desk.store.read()


def forge(escrow: Escrow, what: str) -> Escrow:
    """What somebody who may import, and has no key of the store, could send."""
    keys = list(escrow.keys)
    at = next(n for n, key in enumerate(keys) if key.purpose is KeyPurpose.CELL)
    other = next(n for n, key in enumerate(keys) if n > at and key.purpose is KeyPurpose.CELL)
    match what:
        case "another row":
            keys.append(keys[at].model_copy(update={"key_id": "00" * 8, "epoch": 99, "state": KeyState.DECRYPT_ONLY}))
        case "a row less":
            del keys[at]
        case "a state":
            keys[at] = keys[at].model_copy(update={"state": KeyState.DECRYPT_ONLY})
        case "wrapped bytes":
            keys[at] = keys[at].model_copy(update={"wrapped": keys[other].wrapped})
        case "a holder":
            keys[at] = keys[at].model_copy(update={"kek_uri": "local:nobody"})
        case "the key of the codes":
            own = next(n for n, key in enumerate(keys) if key.purpose is KeyPurpose.LEDGER)
            keys[own] = keys[own].model_copy(update={"wrapped": bytes(61)})
        case "a revision":
            return escrow.model_copy(update={"revision": escrow.revision + 1})
    return escrow.model_copy(update={"keys": tuple(keys)})


FORGED = ["another row", "a row less", "a state", "wrapped bytes", "a holder", "the key of the codes", "a revision"]


@pytest.mark.parametrize("what", FORGED)
async def test_what_proxies_could_not_load_is_not_imported(desk: Desk, what: str) -> None:
    forged = forge(await desk.service.export(OLGA), what)
    desk.tables.rows, desk.tables.code, desk.tables.number = {}, None, 1
    assert await code_of(desk, forged) is Code.EXPORT_INVALID
    assert desk.tables.rows == {} and desk.tables.number == 1
    await MemoryEscrow(desk.tables).put_back(plan_import(forged, await desk.tables.read()), 1)
    with pytest.raises(CryptoError):  # as a proxy would have found it
        await DatabaseKeyStore(desk.tables, desk.store.provider).load()


async def test_nothing_is_imported_that_cannot_be_verified(desk: Desk) -> None:
    exported = await desk.service.export(OLGA)
    desk.tables.rows, desk.tables.code, desk.tables.number = {}, None, 1
    provider = desk.store.provider
    assert isinstance(provider, MemoryProvider)
    provider.down = True
    assert await code_of(desk, exported) is Code.PROVIDER_UNAVAILABLE
    with pytest.raises(Refusal, match="cannot verify an import"):
        await ProviderCheck(None).require_loadable(await desk.tables.read())
    assert desk.tables.rows == {}
    provider.down = False
    assert (await desk.service.put_back(OLGA, exported)).put_back


async def test_a_date_out_of_range_is_refused(desk: Desk) -> None:
    text = (await desk.service.export(OLGA)).model_dump(mode="json")
    text["keys"][0]["created_at"] = "0001-01-01T00:00:00+14:00"
    assert await code_of(desk, Escrow.model_validate(text)) is Code.EXPORT_INVALID


async def test_another_revision_is_not_put_over_keys_that_are_there(desk: Desk) -> None:
    exported = await desk.service.export(OLGA)
    await desk.disabled_key()
    before = dict(desk.tables.rows)
    assert await code_of(desk, exported) is Code.STORE_NOT_EMPTY
    assert desk.tables.rows == before
    assert desk.sink.told()[-1] == ("keys-imported", "refused")


async def test_an_export_that_contradicts_itself_is_refused(desk: Desk) -> None:
    whole = json.loads((await desk.service.export(OLGA)).model_dump_json())
    desk.tables.rows, desk.tables.code, desk.tables.number = {}, None, 1
    first, second = whole["keys"][0], whole["keys"][1]
    wrong = [
        [first, first],
        [first, {**second, "wrapped": None}],
        [first, {**second, "code": "AAAA"}],
        [first, {**second, "state": "destroyed"}],
        [{**key, "purpose": "cell"} for key in whole["keys"] if key["purpose"] == "ledger"],
    ]
    for keys in wrong:
        assert await code_of(desk, Escrow.model_validate({**whole, "keys": keys})) is Code.EXPORT_INVALID
    assert await code_of(desk, Escrow.model_validate({**whole, "code": ""})) is Code.EXPORT_INVALID
    assert desk.tables.rows == {}


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"keys": []},
        {"revision": 0},
        {"more": 1},
        {"code": "no base64!"},
        {"exported_at": "now"},
    ],
)
async def test_other_forms_are_no_exports(desk: Desk, change: dict[str, object]) -> None:
    whole = json.loads((await desk.service.export(OLGA)).model_dump_json())
    with pytest.raises(ValidationError) as caught:
        Escrow.model_validate({**whole, **change})
    assert "no base64!" not in str(caught.value)


async def test_nothing_is_exported_from_an_empty_store(desk: Desk) -> None:
    desk.tables.rows, desk.tables.code = {}, None
    with pytest.raises(Refusal, match="no keys yet"):
        export_of(await desk.tables.read())


@pytest.fixture
async def control(database: Database) -> ControlDatabase:
    return await make_control(database)


async def test_the_control_database_is_filled_in_one_transaction(control: ControlDatabase) -> None:
    provider = MemoryProvider()
    tables = DatabaseTables(control.connection)
    store = DatabaseKeyStore(tables, provider)
    await store.initialise()
    await store.add_missing([KeyNeed("shop", "a" * 32, "a", equality=True)])
    there = await tables.read()
    exported = Escrow.model_validate_json(export_of(there).model_dump_json())
    owner = await control.database.connect_async()
    await owner.execute(
        "SET session_replication_role = replica; DELETE FROM fieldgate.data_keys;"
        "UPDATE fieldgate.keys_revision SET number = 1, code = NULL"
    )
    await owner.close()
    writer = DatabaseEscrow(control.connection)
    put = plan_import(exported, await tables.read())
    with pytest.raises(Refusal, match="changed by somebody else"):
        await writer.put_back(put, 2)
    wrong = replace(put, rows=(*put.rows, replace(put.rows[0], code=b"short")))
    with pytest.raises(asyncpg.CheckViolationError):
        await writer.put_back(wrong, 1)
    assert (await tables.read()).keys == ()
    await writer.put_back(put, 1)
    loaded = await DatabaseKeyStore(tables, provider).load()
    assert loaded.number == there.number and len(loaded.keyring.keys) == 3
