"""A data subject's secret is destroyed: nothing of the subject's opens or is found, and nobody else loses a cell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import asyncpg
import pytest

from keys.errors import SubjectDestroyed
from keys.field import FieldKeyCipher
from keys.keyring import KeyringCiphers
from keys.primitives import random_bytes
from keys.subjects import SubjectCache, SubjectName
from policies.fields import DataMap, Field, LogicalType, ProtectedTable, Sealing
from proxy.errors import FieldgateError, UpstreamUnavailable
from proxy.keywork.handler import Cancelled
from proxy.keywork.operation import OperationKind, Target
from proxy.keywork.refusals import Refusal
from proxy.rotation import shred
from proxy.rotation.errors import CellsDamaged, RotationRefused
from proxy.rotation.rotate import rotate_data_key
from proxy.rotation.secrets import secrets_of
from proxy.rotation.shred import DOES_NOT_COVER, shred_subject
from proxy.rotation.survey import members_of
from proxy.rotation.sweep import Wish
from proxy.rotation.verify import Findings, Judge, verify_field
from proxy.sealing.ddl import check_name, sealing_of, table_elements
from proxy.sealing.needs import key_needs
from proxy.subject_keeper import SubjectKeeper
from tests.keys.making import CountedLeases
from tests.rotation.working import Holder, Shop, Steps, cancel, holding, operation_of, store_of
from tests.support.control_database import make_control
from tests.support.servers import Database


def subject_field(table: str, column: str, number: int, **more: object) -> Field:
    sealing = Sealing(f"{number:032x}", LogicalType.TEXT, row_bound=True, subject_kind="customer", **more)  # type: ignore[arg-type]
    return Field("public", table, column, "pd.test", sealing)


LOGIN = subject_field("accounts", "login", 1, equality=True, unique=True, not_null=True)
TITLE = subject_field("notes", "title", 2, equality=True, not_null=True, pad_to=16)
TEXT = subject_field("notes", "text", 3)
ID = Field("public", "notes", "id", "key")
MAP = DataMap(
    "shop",
    "shop",
    {
        ("public", "accounts"): ProtectedTable(
            "public", "accounts", {"customer_id": replace(ID, table="accounts", column="customer_id"), "login": LOGIN},
            "customer_id", "customer_id", subject_kind="customer",
        ),
        ("public", "notes"): ProtectedTable(
            "public", "notes",
            {"id": ID, "customer_id": replace(ID, column="customer_id"), "title": TITLE, "text": TEXT},
            "customer_id", "customer_id", subject_kind="customer",
        ),
    },
)  # fmt: skip
PEOPLE, NOTES = 6, 5
ANNA = 3


@dataclass
class World:
    shop: Shop
    keeper: SubjectKeeper
    ciphers: KeyringCiphers
    connection: asyncpg.Connection

    def cipher(self, field: Field) -> FieldKeyCipher:
        assert field.sealing is not None
        return self.ciphers.cipher(field.sealing.field_id)

    async def fill(self) -> None:
        await self.keeper.have([name_of(person) for person in range(1, PEOPLE + 1)], make=True)
        for person in range(1, PEOPLE + 1):
            key = b"%d" % person
            login = b"login%d" % person
            await self.connection.execute(
                "INSERT INTO accounts VALUES ($1, $2)",
                person,
                self.cipher(LOGIN).seal(login, term_input=login, row_key=key),
            )
            for number in range(NOTES):
                text = None if number == 4 else self.cipher(TEXT).seal(b"text %d" % number, row_key=key)
                title = self.cipher(TITLE).seal(b"title", term_input=b"title", row_key=key)
                await self.connection.execute(
                    "INSERT INTO notes (customer_id, title, text) VALUES ($1, $2, $3)", person, title, text
                )

    async def fresh(self) -> World:
        """With nothing in memory."""
        return await world_over(self.shop, self.connection)

    async def destroyed(self, name: SubjectName) -> bool:
        leases = CountedLeases()
        return await secrets_of(self.shop.store, leases, await self.shop.keyring(), "shop", "customer").destroyed(name)

    async def readable(self) -> dict[int, list[str | None]]:
        """What opens, by person; `-` for what was destroyed."""
        fresh = await self.fresh()
        await fresh.keeper.have([name_of(person) for person in range(1, PEOPLE + 1)], make=False)
        found: dict[int, list[str | None]] = {}
        for (
            person,
            login,
        ) in await self.connection.fetch("SELECT customer_id, login FROM accounts ORDER BY 1"):
            found[person] = [fresh.shown(LOGIN, login, person)]
        for person, title, text in await self.connection.fetch(
            "SELECT customer_id, title, text FROM notes ORDER BY id"
        ):
            found[person] += [fresh.shown(TITLE, title, person), fresh.shown(TEXT, text, person)]
        return found

    def shown(self, field: Field, cell: bytes | None, person: int) -> str | None:
        if cell is None:
            return None
        try:
            return self.cipher(field).open(cell, row_key=b"%d" % person).decode()
        except SubjectDestroyed:
            return "-"


def name_of(person: int) -> SubjectName:
    return SubjectName("customer", b"%d" % person)


async def world_over(shop: Shop, connection: asyncpg.Connection) -> World:
    keyring, leases = await shop.keyring(), CountedLeases()
    keeper = SubjectKeeper(SubjectCache())
    keeper.use(secrets_of(shop.store, leases, keyring, "shop", "customer"))
    return World(shop, keeper, keyring.ciphers(key_needs(MAP), leases, None, keeper.cache), connection)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    control = await make_control(database)
    store = store_of(control, kek := random_bytes(32))
    await store.initialise()
    await store.add_missing(key_needs(MAP))
    shop = Shop(database, control, kek, store, MAP)
    connection = await database.connect_async()
    made = await world_over(shop, connection)
    heads = made.ciphers.heads()

    def elements(field: Field) -> str:
        assert field.sealing is not None
        return ", ".join(table_elements(field, heads[field.sealing.field_id]))

    await connection.execute(f"CREATE TABLE accounts (customer_id int PRIMARY KEY, {elements(LOGIN)})")
    await connection.execute(
        "CREATE TABLE notes (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int NOT NULL,"
        f" {elements(TITLE)}, {elements(TEXT)})"
    )
    await made.fill()
    yield made
    await connection.close()


def work_of(person: int = ANNA, at: dict[str, Callable[[], Awaitable[None]]] | None = None, **more: object) -> Steps:
    target = Target(database="shop", subject=f"customer:{person}")
    settings = {"approved_by": "boris", **more}
    return Steps(operation_of(OperationKind.SHRED_SUBJECT, target, **settings), at or {})


async def test_nothing_of_the_subject_is_left_and_everybody_else_is_whole(world: World) -> None:
    before = await world.readable()
    work = work_of()
    await shred_subject(world.shop.tools(), work)
    after = await world.readable()
    assert after.pop(ANNA) == ["-", *(["-", None] * NOTES)]
    before.pop(ANNA)
    assert after == before
    assert work.result["tried"] == {"public.accounts.login": 1, "public.notes.text": 4, "public.notes.title": 5}
    assert work.result["opened"] == {}
    assert work.result["nulls"] == {"public.notes.text": 4}
    assert work.result["erased"] == {"public.accounts.login": 1, "public.notes.title": 5}
    assert work.result["does_not_cover"] == list(DOES_NOT_COVER)


async def test_live_terms_find_nothing_any_more(world: World) -> None:
    login = world.cipher(LOGIN).term(b"login%d" % ANNA)
    title = world.cipher(TITLE).term(b"title")
    count = "SELECT count(*) FROM notes WHERE fg_title_eq = $1"
    assert await world.connection.fetchval("SELECT count(*) FROM accounts WHERE fg_login_eq = $1", login) == 1
    assert await world.connection.fetchval(count, title) == PEOPLE * NOTES
    await shred_subject(world.shop.tools(), work_of())
    assert await world.connection.fetchval("SELECT count(*) FROM accounts WHERE fg_login_eq = $1", login) == 0
    assert await world.connection.fetchval(count, title) == (PEOPLE - 1) * NOTES
    distinct = "SELECT count(DISTINCT fg_title_eq) FROM notes WHERE customer_id = $1"
    assert await world.connection.fetchval(distinct, ANNA) == NOTES  # random: they do not even find each other


async def test_an_old_copy_of_a_cell_does_not_open(world: World) -> None:
    copied = await world.connection.fetchval("SELECT login FROM accounts WHERE customer_id = $1", ANNA)
    assert world.shown(LOGIN, copied, ANNA) == f"login{ANNA}"
    await shred_subject(world.shop.tools(), work_of())
    fresh = await world.fresh()
    await fresh.keeper.have([name_of(ANNA)], make=True)  # asking for one makes none
    assert fresh.shown(LOGIN, copied, ANNA) == "-"
    with pytest.raises(SubjectDestroyed):
        fresh.cipher(LOGIN).seal(b"x", term_input=b"x", row_key=b"%d" % ANNA)


async def test_it_is_certified_only_when_everyone_has_forgotten(world: World) -> None:
    async with holding(world.shop) as holder:
        known = holder.number
        work = work_of(at={"try public.accounts": lambda: _forgot(holder, known)})
        await shred_subject(world.shop.tools(), work)
        assert "certified_at" in work.result


async def _forgot(holder: Holder, known: int) -> None:
    assert holder.number > known


async def test_a_killed_run_goes_on(world: World) -> None:
    class Killed(Exception):
        pass

    async def kill() -> None:
        raise Killed

    steps = ("destroy", "forget", "try public.accounts", "erase public.accounts", "erase public.notes")
    result: dict[str, object] = {}
    for step in steps:
        work = work_of(at={step: kill}, result=result)
        with pytest.raises(Killed):
            await shred_subject(world.shop.tools(), work)
        result = dict(work.result)
    work = work_of(result=result)
    await shred_subject(world.shop.tools(), work)
    assert (await world.readable())[ANNA] == ["-", *(["-", None] * NOTES)]
    assert work.result["opened"] == {} and work.result["destroyed_at"] == result["destroyed_at"]


@pytest.mark.parametrize("step", ["forget", "try public.accounts", "erase public.notes"])
async def test_it_is_not_cancelled_behind_the_destruction(world: World, step: str) -> None:
    """Else a subject would be destroyed by an operation that says it was cancelled, and its terms would stay."""
    work = work_of(at={step: cancel})
    await shred_subject(world.shop.tools(), work)
    assert "certified_at" in work.result and step in work.seen
    await shred_subject(world.shop.tools(), work_of(at={"destroy": cancel}))  # a killed run: it is destroyed already


async def test_it_is_cancelled_before(world: World) -> None:
    with pytest.raises(Cancelled):
        await shred_subject(world.shop.tools(), work_of(at={"destroy": cancel}))
    assert not await world.destroyed(name_of(ANNA))


async def test_a_cell_that_still_opens_stops_it_before_anything_is_erased(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_done(self: object, name: SubjectName) -> bool:
        return True

    monkeypatch.setattr("keys.subject_store.SubjectStore.destroy", not_done)
    with pytest.raises(CellsDamaged, match="still open"):
        await shred_subject(world.shop.tools(), work_of())
    assert "-" not in (await world.readable())[ANNA]


async def test_rows_that_somebody_holds_are_waited_for(world: World) -> None:
    other = await world.shop.database.connect_async()
    holding_it = other.transaction()
    await holding_it.start()
    await other.execute("SELECT FROM notes WHERE customer_id = $1 FOR UPDATE", ANNA)
    waited: list[float] = []

    async def let_go(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            await holding_it.commit()

    shred_sleep, shred.asyncio.sleep = shred.asyncio.sleep, let_go  # type: ignore[attr-defined,assignment]
    try:
        await shred_subject(world.shop.tools(), work_of())
    finally:
        shred.asyncio.sleep = shred_sleep  # type: ignore[attr-defined]
        await other.close()
    assert len(waited) == 2
    assert (await world.readable())[ANNA] == ["-", *(["-", None] * NOTES)]


async def test_a_cell_of_an_open_transaction_is_erased_too(world: World) -> None:
    other = await world.shop.database.connect_async()
    open_one = other.transaction()
    await open_one.start()
    title, waited = world.cipher(TITLE), []
    cell = title.seal(b"last words", term_input=b"last words", row_key=b"%d" % ANNA)
    await other.execute("INSERT INTO notes (customer_id, title) VALUES ($1, $2)", ANNA, cell)

    async def end() -> None:
        waited.append("notes")
        await open_one.commit()

    await shred_subject(
        world.shop.tools(), work_of(at={"wait: a transaction that writes to public.notes is open": end})
    )
    if not waited:
        await open_one.commit()
    await other.close()
    count = "SELECT count(*) FROM notes WHERE fg_title_eq = $1"
    assert await world.connection.fetchval(count, title.term(b"last words")) == 0
    assert waited == ["notes"]


async def test_a_field_that_is_stored_plain_stops_it_before_anything_is_destroyed(world: World) -> None:
    await world.connection.execute(
        f"ALTER TABLE notes DROP CONSTRAINT {check_name(sealing_of(TEXT))}, ALTER text TYPE text USING NULL"
    )
    with pytest.raises(RotationRefused, match="not sealed"):
        await shred_subject(world.shop.tools(), work_of())
    assert not await world.destroyed(name_of(ANNA))


async def test_a_second_person_has_to_approve_it(world: World) -> None:
    for approved_by in (None, "anna"):
        with pytest.raises(RotationRefused, match="second person"):
            await shred_subject(world.shop.tools(), work_of(approved_by=approved_by))
    assert "-" not in (await world.readable())[ANNA]


@pytest.mark.parametrize("subject", ["employee:3", "customer:x", "customer:03", "customer: 3"])
async def test_what_is_no_subject_here_is_refused(world: World, subject: str) -> None:
    work = work_of()
    work.operation = replace(work.operation, target=Target(database="shop", subject=subject))
    before = await world.readable()
    with pytest.raises(RotationRefused):
        await shred_subject(world.shop.tools(), work)
    assert await world.readable() == before
    if subject.startswith("customer:"):  # it would be no subject for ever
        assert not await world.destroyed(SubjectName("customer", subject.removeprefix("customer:").encode()))


@pytest.mark.parametrize("subject", ["", "3", "customer", "customer:", "Customer:3", "customer:" + "3" * 300])
async def test_a_subject_has_a_form(world: World, subject: str) -> None:
    work = work_of()
    work.operation = replace(work.operation, target=Target(database="shop", subject=subject))
    with pytest.raises((Refusal, FieldgateError)):
        await shred_subject(world.shop.tools(), work)


async def test_keys_that_are_forgotten_meanwhile_are_an_error_of_ours(world: World) -> None:
    """Any other would end the task that a session waits for, and the session would wait for ever."""
    world.keeper.use(None)
    for make in (False, True):
        with pytest.raises(UpstreamUnavailable):
            await world.keeper.have([name_of(ANNA)], make=make)


async def test_that_there_is_no_secret_is_not_remembered(world: World) -> None:
    """A row without a value was read here before another process stored the first one of its subject."""
    [late] = names = [name_of(PEOPLE + 1)]
    here, there = await world.fresh(), await world.fresh()
    await here.keeper.have([*names, name_of(ANNA)], make=False)
    assert not here.keeper.cache.missing(names)  # for who has asked
    await there.keeper.have(names, make=True)
    cell = there.cipher(TEXT).seal(b"first", row_key=late.key)
    assert here.keeper.cache.missing([*names, name_of(ANNA)]) == {late}
    await here.keeper.have(names, make=False)
    assert here.cipher(TEXT).open(cell, row_key=late.key) == b"first"


@pytest.mark.parametrize("job", ["rotation", "verification"])
async def test_a_job_under_way_keeps_no_secret_of_an_earlier_batch(world: World, job: str) -> None:
    """Nobody tells it that a subject was destroyed, and nobody waits for it."""
    tools, keyring = world.shop.tools(), await world.shop.keyring()
    place = next(place for place in tools.places() if place.field is LOGIN)
    keeper = tools.keeper(keyring, place)
    assert keeper is not None
    cipher = tools.ciphers(keyring, place, keeper).cipher(place.field_id)
    async with tools.connection("shop") as connection:
        [member] = await members_of(connection, place)
    copied = await world.connection.fetchval("SELECT login FROM accounts WHERE customer_id = $1", ANNA)

    async def batch(person: int) -> None:
        if job == "rotation":
            have = Wish(place, cipher.head, cipher, keeper).target.have
            assert have is not None
            await have([b"%d" % person])
        else:
            await Judge(place, member, cipher, Findings(), keeper).prepare([str(person)])

    await batch(ANNA)
    assert cipher.open(copied, row_key=b"%d" % ANNA) == b"login%d" % ANNA
    await shred_subject(tools, work_of())
    await batch(1)
    assert keeper.cache.missing([name_of(ANNA)]) and len(keeper.cache) == 1
    await batch(ANNA)
    with pytest.raises(SubjectDestroyed):
        cipher.open(copied, row_key=b"%d" % ANNA)


async def test_a_data_key_is_rotated_over_destroyed_cells(world: World) -> None:
    await shred_subject(world.shop.tools(), work_of())
    target = Target(database="shop", field=TITLE.name)
    await rotate_data_key(world.shop.tools(), Steps(operation_of(OperationKind.ROTATE_DATA_KEY, target)))
    after = await world.readable()
    assert after[ANNA][1::2] == ["-"] * NOTES and after[1][1::2] == ["title"] * NOTES
    work = Steps(operation_of(OperationKind.VERIFY, target))
    await verify_field(world.shop.tools(), work)
    [report] = work.result["verified"]  # type: ignore[misc]
    assert (report["cells"], report["damaged"], report["destroyed"]) == (PEOPLE * NOTES, 0, NOTES)
    assert len(report["by_key"]) == 1
