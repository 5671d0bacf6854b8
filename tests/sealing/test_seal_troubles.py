"""What happens while a column is sealed: readers, other jobs, lost connections, changed cells."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from proxy.sealing.errors import SealingFailed, SealingRefused
from proxy.sealing.job import abandon_sealing, seal_field
from proxy.sealing.remains import remaining_plaintext
from proxy.sealing.run import Progress, SealOptions, SealStep
from proxy.sealing.statements import Statements
from tests.sealing.making import ciphers_for, id_of
from tests.sealing.people import CIPHERS, CITY, EMAIL, MAP, NOTE, QUICK, columns, opened, plain
from tests.support.servers import Database

pytestmark = pytest.mark.integration


async def test_a_reader_who_stays_stops_the_switch_and_nothing_is_lost(
    people: Database, connection: asyncpg.Connection
) -> None:
    before = await plain(connection, "note")
    reader = await people.connect_async()
    transaction = reader.transaction()
    begun = asyncio.Event()

    async def stay() -> None:
        await begun.wait()
        await transaction.start()
        await reader.fetch("SELECT 1 FROM people")

    def on_fill(step: SealStep, done: int, total: int) -> None:
        if step is SealStep.FILL:
            begun.set()

    options = SealOptions(batch=30, lock_seconds=0.2, attempts=2)
    staying = asyncio.create_task(stay())
    with pytest.raises(SealingFailed, match="never free"):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=options, progress=on_fill)
    await staying
    assert await plain(connection, "note") == before
    await transaction.rollback()
    outcome = await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert (outcome.filled, outcome.rows) == (0, 80)
    assert await opened(connection, NOTE) == before
    await reader.close()


async def test_two_jobs_on_one_field_exclude_each_other(
    people: Database, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.sealing.job.PATIENCE", 1)
    second = await people.connect_async()
    refusals: list[SealingRefused] = []

    async def try_second() -> None:
        with pytest.raises(SealingRefused, match="another process") as refusal:
            await seal_field(second, MAP, "people.note", CIPHERS)
        refusals.append(refusal.value)

    tasks: list[asyncio.Task[None]] = []

    def start_second(step: SealStep, done: int, total: int) -> None:
        if not tasks:
            tasks.append(asyncio.create_task(try_second()))

    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK, progress=start_second)
    await asyncio.gather(*tasks)
    assert len(refusals) == 1
    assert (await seal_field(second, MAP, "people.note", CIPHERS)).already
    await second.close()


class Stop(BaseException):
    """Thrown out of a progress call: the job ends there and then."""


def stop_at(stopping: SealStep, number: int = 1) -> Progress:
    seen = 0

    def progress(step: SealStep, done: int, total: int) -> None:
        nonlocal seen
        seen += step is stopping
        if step is stopping and seen == number:
            raise Stop

    return progress


async def test_a_sealing_that_has_begun_can_be_taken_back(people: Database, connection: asyncpg.Connection) -> None:
    before, places = await plain(connection, "note"), await columns(connection)
    with pytest.raises(Stop):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK, progress=stop_at(SealStep.FILL, 4))
    assert len(await columns(connection)) == len(places) + 1
    await abandon_sealing(connection, MAP, "people.note")
    await abandon_sealing(connection, MAP, "people.note")
    assert await columns(connection) == places
    assert await plain(connection, "note") == before
    assert await connection.fetchval("SELECT count(*) FROM pg_proc WHERE proname LIKE 'fg_new%'") == 0
    await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    with pytest.raises(SealingRefused, match="sealed already"):
        await abandon_sealing(connection, MAP, "people.note")
    assert await opened(connection, NOTE) == before


async def test_cells_of_an_older_key_are_made_again(connection: asyncpg.Connection) -> None:
    before = await plain(connection, "note")
    with pytest.raises(Stop):
        await seal_field(
            connection, MAP, "people.note", ciphers_for(MAP), options=QUICK, progress=stop_at(SealStep.VERIFY)
        )
    outcome = await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert outcome.filled == 80
    assert await opened(connection, NOTE) == before


# --- what the comparison under lock finds


async def test_cells_that_were_tampered_with_are_made_again(people: Database, connection: asyncpg.Connection) -> None:
    before = await plain(connection, "Home City")
    with pytest.raises(Stop):
        await seal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK, progress=stop_at(SealStep.VERIFY))
    new = f"fg_new_{id_of(CITY)}"
    filled = await connection.fetchval(f"SELECT count(*) FROM people WHERE {new} IS NOT NULL")
    # The fill of the switch was rolled back with it; what the passes filled is there.
    assert filled == 75
    await connection.execute(f"UPDATE people SET {new} = (SELECT {new} FROM people WHERE id = 1) WHERE id IN (2, 3)")
    await connection.execute(f"UPDATE people SET {new} = set_byte({new}, 59, get_byte({new}, 59) # 1) WHERE id = 6")
    await connection.execute(f"UPDATE people SET {new} = (SELECT {new} FROM people WHERE id = 1) WHERE id = 4")
    outcome = await seal_field(connection, MAP, "people.Home City", CIPHERS, options=QUICK)
    assert outcome.corrected == 4
    assert await opened(connection, CITY) == before


async def test_a_value_that_would_not_come_back_stops_it(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lossy:
        """A codec that loses trailing digits."""

        def from_text(self, raw: bytes, typmod: int, settings: object) -> bytes:
            return raw

        def to_text(self, cell: bytes, settings: object) -> bytes:
            return cell.rstrip(b"0123456789")

    monkeypatch.setattr("proxy.sealing.run.codec_for", lambda logical: Lossy())
    before = await plain(connection, "note")
    with pytest.raises(SealingFailed, match="would not come back") as failure:
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    assert "note of" not in str(failure.value)
    assert await plain(connection, "note") == before


async def test_the_servers_own_words_are_not_repeated(people: Database, connection: asyncpg.Connection) -> None:
    """A row that cannot be written (here: another CHECK) is quoted by the server; our error does not repeat it."""
    await connection.execute("ALTER TABLE people ADD CHECK (other < 50) NOT VALID")
    with pytest.raises(SealingFailed, match="23514") as failure:
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK)
    shown = f"{failure.value} {failure.value.detail} {failure.value.__cause__}"
    assert "note of" not in shown
    assert "example.org" not in shown


async def test_a_lost_connection_is_one_clear_error(people: Database, connection: asyncpg.Connection) -> None:
    def cut(step: SealStep, done: int, total: int) -> None:
        if step is SealStep.FILL and done > 20:
            connection.terminate()

    with pytest.raises(SealingFailed):
        await seal_field(connection, MAP, "people.note", CIPHERS, options=QUICK, progress=cut)


async def test_a_switch_that_does_not_end_as_it_should_is_taken_back(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step holds the result against the same judgement as a proxy's start does, before it commits."""
    before = await plain(connection, "email")
    with monkeypatch.context() as patched:
        patched.setattr(Statements, "_indexes", lambda self: [])
        with pytest.raises(SealingRefused, match="fg_email_eq has no unique constraint"):
            await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    assert await plain(connection, "email") == before
    await seal_field(connection, MAP, "people.email", CIPHERS, options=QUICK)
    assert await opened(connection, EMAIL) == before


def test_what_remains_is_told_for_the_very_table() -> None:
    told = " ".join(remaining_plaintext(CITY))
    for place in ("WAL", "backups", "replication", "log", "pg_statistic", 'VACUUM FULL "public"."people"'):
        assert place in told
