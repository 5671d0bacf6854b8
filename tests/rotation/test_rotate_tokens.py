"""Term keys that make search tokens, rotated: searches by part and by range, under work and killed at each step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg
import pytest

from keys.tokens import MATCH, PREFIX
from keys.tokens.grams import Run, grams_to_find
from keys.tokens.ranges import DATES, LADDERS, step_of_days
from policies.fields import DataMap, Field, LogicalType
from proxy.jobs.sealing import no_privileges
from proxy.keywork.handler import Cancelled
from proxy.keywork.operation import OperationKind, Target
from proxy.rotation.errors import RotationRefused
from proxy.rotation.exchange import admitted_now
from proxy.rotation.rotate_terms import rotate_term_key
from proxy.rotation.verify import verify_field
from proxy.sealing.admitted import read_admitted
from proxy.sealing.ddl import check_name, sealing_of
from proxy.sealing.needs import key_needs
from proxy.sealing.verify import verify_sealed
from proxy.stored_forms import as_searched
from tests.keys.making import CountedLeases
from tests.rotation.working import Holder, Shop, Steps, cancel, make_shop, operation_of, until
from tests.sealing.making import KEY, data_map, field_of, id_of
from tests.support.servers import Database

pytestmark = pytest.mark.integration

NAME = field_of("name", 1, equality=True, tokens=(MATCH, PREFIX))
NOTE = field_of("note", 2, tokens=(MATCH,))  # no equality: nothing but tokens says what epoch it is of
BORN = field_of("born", 3, logical_type=LogicalType.DATE, tokens=(DATES,))
MAP = data_map(KEY, NAME, NOTE, BORN)
NAMES = ("Anna", "Annabel", "Hannah", "Ivan", "Johanna", "Игорь", "x\u0378y")
ROWS = 42
STEPS = ["admit", "key", "fence", "re-encrypt", "narrow", "unfence", "compare", "switch", "activated"]


@pytest.fixture
async def shop(database: Database) -> Shop:
    return await make_shop(database, MAP)


@pytest.fixture
async def connection(shop: Shop) -> AsyncIterator[asyncpg.Connection]:
    made = await shop.database.connect_async()
    user = await User.enter(shop, made)
    for number in range(ROWS):
        await user.write(number, NAMES[number % len(NAMES)])
    await user.leave()
    yield made
    await made.close()


def steps_of(target: Field = NAME) -> Steps:
    return Steps(operation_of(OperationKind.ROTATE_TERM_KEY, Target("shop", target.name)))


async def rotate(shop: Shop, work: Steps) -> None:
    await rotate_term_key(shop.tools(batch=16), no_privileges, work)


def has(of: Field, name: str, part: str) -> bool:
    return part in (name if of is NAME else f"note of {name}").lower()


@dataclass(slots=True)
class User:
    """A process with keys and catalog, as a proxy has them, and what it knows to be true about its own rows."""

    holder: Holder
    connection: asyncpg.Connection
    share: int = 0
    searched: DataMap = MAP
    truth: dict[int, str] = field(default_factory=dict)  # number -> name
    wrong: list[str] = field(default_factory=list)
    retries: int = 0
    done: int = 0

    @classmethod
    async def enter(cls, shop: Shop, connection: asyncpg.Connection, share: int = 0) -> User:
        made = cls(Holder(shop), connection, share)
        await made.load()
        return made

    async def leave(self) -> None:
        await self.holder.shop.store.tables.leave(self.holder.holder_id)

    async def load(self) -> None:
        shop = self.holder.shop
        loaded = await shop.store.load()
        own = await shop.database.connect_async()
        try:
            admitted = await read_admitted(own, MAP)
            ciphers = self.holder.ciphers = loaded.keyring.ciphers(key_needs(MAP), CountedLeases(), admitted)
            assert await verify_sealed(own, MAP, ciphers.heads(), ciphers.known_heads()) == ()
            self.searched = await as_searched(own, MAP)
        finally:
            await own.close()
        self.holder.number = loaded.number
        await shop.store.tables.confirm(self.holder.holder_id, loaded.number, 30.0)

    async def write(self, number: int, name: str) -> None:
        assert self.holder.ciphers is not None
        await self.connection.execute(
            "INSERT INTO people (id, name, note, born) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, note = excluded.note",
            number,
            self.holder.ciphers.cipher(id_of(NAME)).seal(name.encode(), term_input=name.encode()),
            self.holder.ciphers.cipher(id_of(NOTE)).seal(f"note of {name}".encode()),
            self.holder.ciphers.cipher(id_of(BORN)).seal((1000 * (number % 3)).to_bytes(4, "big")),
        )

    def question(self, of: Field, inputs: frozenset[bytes], operator: str = "@>") -> str:
        """As the proxy asks for candidates, with constants: the column and the epoch of the tokens in one plan."""
        planned = self.searched.tables["public", "people"].fields[of.column]
        assert self.holder.ciphers is not None
        tokens = self.holder.ciphers.cipher(id_of(of)).tokens(inputs, planned.token_epoch)
        numbers = ",".join(str(int.from_bytes(token, "big", signed=True)) for token in tokens)
        column = planned.token_column
        by = f"{column} {operator} '{{{numbers}}}'::int4[] OR {column} @> '{{0}}'"
        return f"SELECT id, {of.column} AS cell FROM people WHERE {by}"

    async def found(self, of: Field, part: str) -> list[int]:
        rows = await self.connection.fetch(self.question(of, frozenset(grams_to_find([Run(part)]))))
        assert self.holder.ciphers is not None
        cipher = self.holder.ciphers.cipher(id_of(of))
        return sorted(row["id"] for row in rows if part in cipher.open(row["cell"]).decode().lower())

    async def born_from(self, days: int) -> list[int]:
        spans = LADDERS[DATES].cover(step_of_days(days), None)
        rows = await self.connection.fetch(self.question(BORN, frozenset(spans), "&&"))
        assert self.holder.ciphers is not None
        cipher = self.holder.ciphers.cipher(id_of(BORN))
        return sorted(row["id"] for row in rows if int.from_bytes(cipher.open(row["cell"]), "big", signed=True) >= days)

    async def run(self, over: asyncio.Event) -> None:
        """Writes and searches, each search compared with what it knows of its own rows."""
        while not over.is_set():
            self.done += 1
            number, name = 1000 * (self.share + 1) + self.done % 30, NAMES[self.done % len(NAMES)]
            try:
                _, newest = await self.holder.shop.store.tables.confirm(self.holder.holder_id, self.holder.number, 30.0)
                if newest != self.holder.number:
                    await self.load()
                await self.write(number, name)
                self.truth[number] = name
                for of, part in ((NAME, "anna"), (NOTE, "note of iv")):
                    mine = [n for n in await self.found(of, part) if n // 1000 == self.share + 1]
                    if mine != sorted(n for n, known in self.truth.items() if has(of, known, part)):
                        self.wrong.append(f"{of.name}: {part}")
            except (asyncpg.SerializationError, asyncpg.UndefinedColumnError):
                self.retries += 1
                await self.load()


async def require_found(shop: Shop, connection: asyncpg.Connection) -> None:
    user = await User.enter(shop, connection)
    for of, part in ((NAME, "anna"), (NOTE, "note of anna")):
        assert await user.found(of, part) == [n for n in range(ROWS) if has(of, NAMES[n % len(NAMES)], part)]
    assert await user.found(NAME, "игорь") == list(range(5, ROWS, len(NAMES)))
    assert await user.born_from(1990) == [n for n in range(ROWS) if n % 3 == 2]
    await user.leave()


async def require_rotated(shop: Shop, connection: asyncpg.Connection, *rotated: Field, epoch: int = 2) -> None:
    ciphers = await shop.ciphers()
    assert await verify_sealed(connection, MAP, ciphers.heads()) == ()
    searched = (await as_searched(connection, MAP)).tables["public", "people"].fields
    for each in (NAME, NOTE, BORN):
        assert await admitted_now(connection, each) == ciphers.heads()[id_of(each)]
        assert searched[each.column].token_epoch == (epoch if each in rotated else 1)
        work = Steps(operation_of(OperationKind.VERIFY, Target("shop", each.name)))
        await verify_field(shop.tools(), work)
        [report] = work.result["verified"]  # type: ignore[misc]
        assert (report["damaged"], report["wrong_terms"], report["other_epoch"]) == (0, 0, 0)
    assert await connection.fetchval("SELECT count(*) FROM pg_trigger WHERE tgname LIKE '~fg_%'") == 0


async def test_terms_and_tokens_move_together_twice(shop: Shop, connection: asyncpg.Connection) -> None:
    for epoch in (2, 3):
        work = steps_of()
        await rotate(shop, work)
        assert list(dict.fromkeys(work.seen)) == ["column", *STEPS]
        await require_rotated(shop, connection, NAME, epoch=epoch)
        await require_found(shop, connection)
    await connection.execute("SET enable_seqscan = off")
    plan = str(await connection.fetch("EXPLAIN SELECT id FROM people WHERE fg_name_tk_3 @> '{5}'"))
    assert f"fg_{id_of(NAME)}_tkx" in plan


@pytest.mark.parametrize("of", [NOTE, BORN], ids=["match", "range"])
async def test_a_field_with_tokens_alone(shop: Shop, connection: asyncpg.Connection, of: Field) -> None:
    work = steps_of(of)
    await rotate(shop, work)
    await require_rotated(shop, connection, of)
    await require_found(shop, connection)


@pytest.mark.parametrize("of", [NAME, NOTE], ids=["terms-and-tokens", "tokens"])
async def test_killed_at_every_step_it_goes_on(shop: Shop, connection: asyncpg.Connection, of: Field) -> None:
    async def killed() -> None:
        raise ConnectionError

    work = steps_of(of)
    for step in [*STEPS, *(f"activated {step}" for step in STEPS[2:6])]:
        first, _, second = step.partition(" ")
        work.at = {first: killed}
        if second:

            async def later(second: str = second, work: Steps = work) -> None:
                work.at[second] = killed

            work.at = {first: later}
        with pytest.raises(ConnectionError):
            await rotate(shop, work)
        await require_found(shop, connection)
    await rotate(shop, work)
    await require_rotated(shop, connection, of)
    await require_found(shop, connection)


async def test_cancelled_before_there_is_a_key_it_is_taken_back(shop: Shop, connection: asyncpg.Connection) -> None:
    before = await admitted_now(connection, NOTE)
    work = steps_of(NOTE)
    work.at["key"] = cancel  # behind the making of the key: from there on it is not taken back
    with pytest.raises(Cancelled):
        await rotate(shop, work)
    assert len(await admitted_now(connection, NOTE)) == 2
    await rotate(shop, steps_of(NOTE))
    await require_rotated(shop, connection, NOTE)
    work = steps_of(BORN)
    work.at["admit"] = cancel
    with pytest.raises(Cancelled):
        await rotate(shop, work)
    await require_rotated(shop, connection, NOTE)
    assert before != await admitted_now(connection, NOTE)


async def test_under_work(shop: Shop, connection: asyncpg.Connection) -> None:
    """Writes and searches of two processes with keys and catalogs of their own: no search misses a row."""
    over = asyncio.Event()
    users = [await User.enter(shop, await shop.database.connect_async(), share) for share in range(2)]
    running = [asyncio.create_task(user.run(over)) for user in users]
    await until(lambda: min(user.done for user in users) >= 10)
    await rotate(shop, steps_of(NAME))
    await rotate(shop, steps_of(NOTE))
    after = [user.done for user in users]
    await until(lambda: all(user.done >= before + 10 for user, before in zip(users, after, strict=True)))
    over.set()
    await asyncio.gather(*running)
    assert [user.wrong for user in users] == [[], []]
    await require_rotated(shop, connection, NAME, NOTE)
    for user in users:
        await user.connection.close()


async def test_what_was_prepared_before_fails_and_does_not_find_less(
    shop: Shop, connection: asyncpg.Connection
) -> None:
    """A search whose tokens stand in its text, by a process that does not listen any more."""
    late = await User.enter(shop, connection)
    await late.leave()
    question = late.question(NAME, frozenset(grams_to_find([Run("anna")])))
    prepared = await connection.prepare(question)
    expected = len(await prepared.fetch())
    found = dict[str, int]()

    async def look_at(step: str) -> None:
        found[step] = len(await prepared.fetch())

    work = steps_of()
    for step in ("key", "re-encrypt", "compare", "switch"):
        work.at[step] = lambda step=step: look_at(step)  # type: ignore[misc]
    await rotate(shop, work)
    assert found == dict.fromkeys(("key", "re-encrypt", "compare", "switch"), expected)
    with pytest.raises(asyncpg.UndefinedColumnError):
        await prepared.fetch()
    # Under the old name it would have found those alone that are found by every search.
    assert len(await connection.fetch(question.replace("fg_name_tk", "fg_name_tk_2"))) == ROWS // len(NAMES)


async def test_cells_behind_the_fence_have_both(shop: Shop, connection: asyncpg.Connection) -> None:
    """A process that holds still, with a lease that has passed, writes tokens of the old epoch alone: it is refused."""
    late = await User.enter(shop, connection)
    await late.leave()
    work = steps_of(NOTE)

    async def write_late() -> None:
        with pytest.raises(asyncpg.SerializationError):
            await late.write(5000, "Anna")

    work.at["re-encrypt"] = write_late
    await rotate(shop, work)
    assert not work.at
    await require_found(shop, connection)


async def test_a_cell_of_one_epoch_that_was_put_in_behind_the_check_stops_it_before_the_switch(
    shop: Shop, connection: asyncpg.Connection
) -> None:
    old = await connection.fetchval("SELECT note FROM people WHERE id = 1")

    async def smuggle() -> None:
        query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1"
        definition = await connection.fetchval(query, check_name(sealing_of(NOTE)))
        await connection.execute(f"ALTER TABLE people DROP CONSTRAINT {check_name(sealing_of(NOTE))}")
        await connection.execute("UPDATE people SET note = $1 WHERE id = 1", old)
        await connection.execute(
            f"ALTER TABLE people ADD CONSTRAINT {check_name(sealing_of(NOTE))} {definition} NOT VALID"
        )

    work = steps_of(NOTE)
    work.at["compare"] = smuggle
    with pytest.raises(RotationRefused, match="cells of one epoch have come in behind its CHECK"):
        await rotate(shop, work)
    assert (await as_searched(connection, MAP)).tables["public", "people"].fields["note"].token_epoch == 1


async def test_what_hangs_on_the_column_of_tokens_is_refused_first(shop: Shop, connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE VIEW tokens AS SELECT fg_note_tk FROM people")
    with pytest.raises(RotationRefused, match="depends on its token column"):
        await rotate(shop, steps_of(NOTE))
    assert len(await admitted_now(connection, NOTE)) == 1
