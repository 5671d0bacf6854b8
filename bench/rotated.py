"""The table whose cells are re-encrypted: customers with three sealed fields, in a database of its own, and its keys.

A round is one new epoch for each field.  Keys are in memory; the data database is made to do what the job runner makes
it do: both heads admitted by validated CHECKs, a write fence on each field, batches by compare and set.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from keys.keyring import HeldKey, KeyInfo, Keyring, KeyringCiphers
from keys.lifecycle import KeyState
from keys.primitives import random_bytes
from policies.fields import DataMap, Field, LogicalType, ProtectedTable, Sealing
from proxy.rotation.exchange import exchange_check
from proxy.rotation.fence import lower_fence, raise_fence
from proxy.rotation.locking import Locking
from proxy.rotation.places import Place
from proxy.rotation.survey import members_of
from proxy.rotation.sweep import Wish, sweep
from proxy.rotation.throttle import Pace
from proxy.rotation.tools import Tools
from proxy.sealing.ddl import sealing_of, table_elements, table_indexes
from proxy.sealing.needs import key_needs

from .client import connect
from .people import people
from .places import Endpoint

DATABASE = "rotation"
UNTHROTTLED = Pace(latency_factor=None, replica_lag=None)
_BATCH = 5000


def _field(column: str, number: int, **sealing: object) -> Field:
    made = Sealing(f"{number:032x}", LogicalType.TEXT, equality=True, **sealing)  # type: ignore[arg-type]
    return Field("public", "customers", column, "pd.identity", made)


FIELDS = (_field("email", 1, unique=True), _field("surname", 2), _field("name", 3))
MAP = DataMap(
    "shop", DATABASE, {("public", "customers"): ProtectedTable("public", "customers", {f.column: f for f in FIELDS})}
)
PLACES = tuple(Place(DATABASE, "shop", MAP.tables["public", "customers"], field) for field in FIELDS)


class _Unlimited:
    """SealLeases: a benchmark's keys are thrown away."""

    def lease(self, key_id: bytes) -> int:
        return 1 << 30

    def give_back(self, key_id: bytes, unused: int) -> None:
        pass


class _Nobody:
    """A Work that nobody watches."""

    async def checkpoint(self, step: str, done: int = 0, total: int = 0) -> None:
        pass

    async def report(self, result: Mapping[str, object]) -> None:
        pass


def first_keyring() -> Keyring:
    empty = Keyring(())
    return empty.with_new_keys(empty.missing_for(key_needs(MAP)), "")


def ciphers_of(keyring: Keyring) -> KeyringCiphers:
    return keyring.ciphers(key_needs(MAP), _Unlimited())


def with_next_epoch(keyring: Keyring) -> Keyring:
    """Each field's key retired, and a new one active."""
    keys = list(keyring.keys)
    for need in key_needs(MAP):
        active = keyring.active(need.cell_slot)
        assert active is not None
        keys[keys.index(active)] = HeldKey(replace(active.info, state=KeyState.DECRYPT_ONLY), active.material)
        info = KeyInfo(random_bytes(8), need.cell_slot, active.info.epoch + 1, KeyState.ACTIVE, "")
        keys.append(HeldKey(info, random_bytes(32)))
    return Keyring(tuple(keys))


@dataclass(slots=True)
class Rotated:
    """`where` is the superuser's, in the database; `keyring` as of the last round."""

    where: Endpoint
    rows: int
    fillfactor: int = 100
    keyring: Keyring = field(default_factory=first_keyring)

    async def create(self) -> None:
        connection = await connect(self.where)
        ciphers = ciphers_of(self.keyring)
        elements = [e for f in FIELDS for e in table_elements(f, ciphers.heads()[sealing_of(f).field_id])]
        await connection.execute("DROP TABLE IF EXISTS customers")
        await connection.execute(
            f"CREATE TABLE customers (id int PRIMARY KEY, visits int NOT NULL DEFAULT 0, {', '.join(elements)})"
            f" WITH (fillfactor = {self.fillfactor})"
        )
        for f in FIELDS:
            for statement in table_indexes(f):
                await connection.execute(statement)
        records = []
        for person in people(self.rows):
            values = (person.email.encode(), person.surname.encode(), person.name.encode())
            cells = [
                ciphers.cipher(sealing_of(f).field_id).seal(v, term_input=v)
                for f, v in zip(FIELDS, values, strict=True)
            ]
            records.append((person.number, *cells))
        await connection.copy_records_to_table(
            "customers", records=records, columns=["id", *(f.column for f in FIELDS)]
        )
        await connection.execute("VACUUM ANALYZE customers")
        await connection.close()

    async def prepare(self) -> KeyringCiphers:
        """Up to the fence of a new epoch; returns the ciphers that seal by it."""
        connection = await connect(self.where)
        before, self.keyring = ciphers_of(self.keyring), with_next_epoch(self.keyring)
        ciphers = ciphers_of(self.keyring)
        await connection.execute("VACUUM customers")
        for place in PLACES:
            heads = before.heads()[place.field_id] | ciphers.heads()[place.field_id]
            members = await members_of(connection, place)
            for statement in lower_fence(place.field, members):
                await connection.execute(statement)
            assert await exchange_check(connection, place.field, heads, Locking(connection))
            [head] = ciphers.heads()[place.field_id]
            for statement in raise_fence(place.field, head, members):
                await connection.execute(statement)
        await connection.execute("CHECKPOINT")
        await connection.close()
        return ciphers

    async def sweep(self, ciphers: KeyringCiphers, pace: Pace, workers: int) -> int:
        """Re-encrypts everything; returns how many cells."""
        done: list[int] = []
        tools = Tools(
            store=None,  # type: ignore[arg-type]  # a sweep asks for no keys
            connect=lambda _: connect(self.where),
            data_maps=lambda: {DATABASE: MAP},
            leases=_Unlimited(),
            pace=pace,
            workers=workers,
            batch=_BATCH,
            cells_done=done.append,
        )
        wishes = [
            Wish(place, next(iter(ciphers.heads()[place.field_id])), ciphers.cipher(place.field_id)) for place in PLACES
        ]
        await sweep(tools, _Nobody(), wishes)  # type: ignore[arg-type]
        return sum(done)

    async def old_cells(self, ciphers: KeyringCiphers) -> int:
        connection = await connect(self.where)
        counts: Sequence[int] = [
            await connection.fetchval(
                f"SELECT count(*) FROM customers WHERE substr({place.field.column}, 1, 12) <> $1",
                next(iter(ciphers.heads()[place.field_id])),
            )
            for place in PLACES
        ]
        await connection.close()
        return sum(counts)


async def make_database(direct: Endpoint) -> None:
    connection = await connect(direct.at("postgres"))
    if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", DATABASE):
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    await connection.close()


def main() -> None:
    """For `bench/measure_rotation.py`: a throttled sweep in a process of its own, which is ended from outside."""
    asked = json.loads(sys.stdin.readline())
    where = Endpoint.from_json(asked["where"])

    async def run() -> None:
        rotated = Rotated(where, asked["rows"])
        await rotated.create()
        print("created", flush=True)
        for _ in sys.stdin:
            ciphers = await rotated.prepare()
            print("begun", flush=True)
            await rotated.sweep(ciphers, Pace(), asked["workers"])

    asyncio.run(run())


if __name__ == "__main__":
    main()
