"""When everything has been heard of: is every cell readable, every search right, and nothing left of what was rotated?

The proxies are asked for what clients have a journal of; the databases are looked at around them, with keys that are
read anew.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import asyncpg

from policies.fields import DataMap, Field
from policies.loader import load_policy
from proxy.demo.generate import tables
from proxy.demo.load import text_form
from proxy.demo.prepare import open_ciphers, open_store
from proxy.rows.row_key import row_key_bytes
from proxy.sealing.ddl import sealing_of
from proxy.sealing.verify import verify_sealed
from proxy.stored_forms import as_searched
from proxy.wire.oids import INT8
from proxy.wire.values.codecs import codec_for
from proxy.wire.values.settings import ValueSettings

from .actions import Wrong
from .client import Client
from .disturber import FIELDS
from .house import House
from .operations import Desk, of_field

_SETTINGS = ValueSettings()
_SHARED = (b"chaos.shared.", b"Everybody", b"+7 shared")


async def verdict(house: House, desk: Desk, clients: Sequence[Client]) -> list[str]:
    """Everything that is wrong.  Nobody works any more, and every process runs."""
    found = [wrong for client in clients for wrong in client.wrong]
    found += [
        f"{desk.asked[each['operation_id']]}: {each['state']} {each.get('problem')}"
        for each in await desk.ended(*desk.asked)
        if each["state"] != "done"
    ]
    found += [told async for told in _searches(house, clients)]
    found += await _verified(desk)
    found += await _databases(house, clients)
    found += _logs(house)
    found += [
        f"{node.name} was killed, and left {len(left)} processes" for node in house.nodes if (left := node.orphans())
    ]
    return found


async def _searches(house: House, clients: Sequence[Client]):  # type: ignore[no-untyped-def]
    for proxy in range(len(house.proxies)):
        for client in clients:
            try:
                await client.compare(proxy)
            except (Wrong, asyncpg.PostgresError) as error:
                yield f"by {house.proxies[proxy].name}: {type(error).__name__} {error}"


async def _verified(desk: Desk) -> list[str]:
    """By the product's own operation."""
    asked = [str(await desk.ask(of_field(name, "verify"))) for name in FIELDS]
    wrong = []
    for name, ended in zip(FIELDS, await desk.ended(*asked), strict=True):
        [report] = ended["result"].get("verified") or [{}]
        bad = [report.get(each) for each in ("damaged", "wrong_terms", "other_epoch", "destroyed")]
        if ended["state"] != "done" or any(bad) or len(report.get("by_key", ())) != 1:
            wrong.append(f"verify {name}: {ended['state']} {ended.get('problem')} {report}")
    return wrong


async def _databases(house: House, clients: Sequence[Client]) -> list[str]:
    data_map = load_policy(house.folder.policy).data_map
    raw = await house.raw()
    try:
        async with open_ciphers(house.folder, house.server, data_map) as ciphers:
            wrong = [str(each) for each in await verify_sealed(raw, data_map, ciphers.heads())]
            searched = await as_searched(raw, data_map)
            for name in FIELDS:
                field = next(f for table in searched.tables.values() for f in table.fields.values() if f.name == name)
                wrong += [f"{name}: {told}" async for told in _field(raw, searched, field, ciphers)]
            wrong += await _keys(house, data_map)
            wrong += [told async for told in _cells(raw, house, data_map, ciphers, clients)]
    finally:
        await raw.close()
    return wrong


async def _keys(house: House, data_map: DataMap) -> list[str]:
    """Each key has one successor: one is active, and none that was made for a rotation was left on the way."""
    scopes = set()
    for table in data_map.tables.values():
        for field in table.fields.values():
            if field.name in FIELDS:
                sealing = sealing_of(field)
                scopes |= {f"field:{sealing.field_id}", f"group:{sealing.join_group}"}
    async with open_store(house.folder, house.server) as store:
        snapshot = await store.read()
    states: dict[tuple[str, str], list[str]] = {}
    for key in snapshot.keys:
        if key.info.slot.scope in scopes:
            states.setdefault((key.info.slot.scope, key.info.slot.purpose.value), []).append(key.info.state.value)
    return [
        f"the keys of {' '.join(slot)} are {found}"
        for slot, found in states.items()
        if found.count("active") != 1 or not set(found) <= {"active", "decrypt-only"}
    ]


async def _field(raw, data_map: DataMap, field: Field, ciphers):  # type: ignore[no-untyped-def]
    """Cells under the head that is written now and no other; no fence, no second CHECK, no second term column."""
    head = ciphers.cipher(sealing_of(field).field_id).head
    old = await raw.fetchval(
        f"SELECT count(*) FROM {field.schema}.{field.table} WHERE substr({field.column}, 1, 12) <> $1", head
    )
    if old:
        yield f"{old} cells are not under the key that is active"
    left = await raw.fetch(
        "SELECT tgname::text FROM pg_trigger WHERE tgrelid = $1::text::regclass AND tgname LIKE '~fg%'"
        " UNION ALL SELECT conname::text FROM pg_constraint WHERE conrelid = $1::text::regclass"
        " AND conname LIKE 'fg\\_next\\_%'",
        f"{field.schema}.{field.table}",
    )
    if left:
        yield f"{[name for (name,) in left]} were left behind"
    names = await raw.fetch(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND NOT attisdropped ORDER BY 1",
        f"{field.schema}.{field.table}",
    )
    found = [name for (name,) in names if re.fullmatch(rf"fg_{field.column}_(eq|tk)(_\d+)?", name)]
    if found != [name for name in (field.term_column, field.token_column) if name is not None]:
        yield f"it is searched by {found}"


async def _cells(raw, house: House, data_map: DataMap, ciphers, clients: Sequence[Client]):  # type: ignore[no-untyped-def]
    """Each cell of these fields opens, around the proxies, and they hold what was loaded and what was acknowledged."""
    expected: dict[str, Counter[bytes]] = {name: Counter() for name in FIELDS}
    for table in tables(house.shop):
        for at, column in enumerate(table.columns):
            values = expected.get(f"public.{table.name}.{column}")
            if values is not None:
                values.update(text_form(row[at]) for row in table.rows if row[at] is not None)
    for client in clients:
        for name, texts in zip(FIELDS, _acknowledged(client), strict=True):
            expected[name].update(text.encode() for text in texts)
    everybodys = await raw.fetchval("SELECT count(*) FROM customers WHERE city = 'chaos'")
    for name, values in expected.items():
        schema, table, column = name.split(".")
        found = await _opened(raw, data_map.tables[schema, table].fields[column], ciphers)
        if table == "customers":
            shared = Counter({value: n for value, n in found.items() if value.startswith(_SHARED)})
            if column == "email" and any(n > 1 for n in shared.values()):
                yield f"{name}: a value that must be unique is there twice"
            if sum(shared.values()) != everybodys:
                yield f"{name}: {everybodys} rows are everybody's, and {sum(shared.values())} values are"
            found -= shared
        if found != values:
            yield f"{name}: {sum((values - found).values())} values are lost, {sum((found - values).values())} too many"


def _acknowledged(client: Client) -> Iterator[list[str]]:
    """The values of each of FIELDS."""
    journal = client.journal
    yield list(journal.people)
    yield list(journal.people.values())
    yield [client.share.surname] * len(journal.people)
    for marks in (journal.orders, journal.events):
        yield [address for address, those in marks.items() for _ in those]


async def _opened(raw, field: Field, ciphers) -> Counter[bytes]:  # type: ignore[no-untyped-def]
    sealing = sealing_of(field)
    codec, cipher = codec_for(sealing.logical_type), ciphers.cipher(sealing.field_id)
    found = Counter[bytes]()
    for key, cell in await raw.fetch(f"SELECT id::text, {field.column} FROM {field.schema}.{field.table}"):
        if cell is not None:
            row_key = row_key_bytes(key.encode(), binary=False, type_oid=0, key_oid=INT8)
            found[codec.to_text(cipher.open(cell, row_key=row_key if sealing.row_bound else None), _SETTINGS)] += 1
    return found


def _logs(house: House) -> list[str]:
    """What is nobody's fault but ours."""
    wrong = []
    for node in house.nodes:
        for line in node.log.read_text(errors="replace").splitlines():
            if "Traceback" in line:
                wrong.append(f"{node.name}: {line}")
            if not line.startswith("{"):
                continue
            said = json.loads(line)
            if said.get("event") in ("internal_error", "operation_failed"):
                wrong.append(f"{node.name}: {line}")
    return sorted(set(wrong))
