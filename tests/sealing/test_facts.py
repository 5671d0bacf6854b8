"""What is read about tables while a rotation exchanges their CHECKs and fences: one state of them, whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from proxy.sealing import facts
from proxy.sealing.facts import read_tables
from tests.support.servers import Database

pytestmark = pytest.mark.integration
NAMES = [("public", "people")]
FENCE = "~fg_fence_" + "a" * 32 + "_key_ins"
HEAD = r"'\xf9670101{:016}'::bytea"
EXCHANGE = """
    DROP TRIGGER IF EXISTS "{fence}" ON people;
    CREATE TRIGGER "{fence}" AFTER INSERT ON people FOR EACH ROW WHEN (substr(new.email, 1, 12) <> {head})
    EXECUTE FUNCTION suppress_redundant_updates_trigger()
"""


def exchange(number: int) -> str:
    return EXCHANGE.format(fence=FENCE, head=HEAD.format(number))


class Interrupted:
    """A connection; before each reading of `query` another session does something, so many times."""

    def __init__(self, own: asyncpg.Connection, other: asyncpg.Connection, query: str, times: int) -> None:
        self._own, self._other, self._query, self.left = own, other, query, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    async def fetch(self, query: str, *values: object) -> Any:
        if query == self._query and self.left:
            self.left -= 1
            await self.interrupt()
        return await self._own.fetch(query, *values)

    async def interrupt(self) -> None:
        await self._other.execute(exchange(self.left))


@pytest.fixture
async def both(database: Database) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection]]:
    own, other = await database.connect_async(), await database.connect_async()
    await other.execute("CREATE TABLE people (id int CONSTRAINT c CHECK (id > 100), a int UNIQUE, email bytea)")
    await other.execute(exchange(99))
    yield own, other
    await own.close()
    await other.close()


Both = tuple[asyncpg.Connection, asyncpg.Connection]


@pytest.mark.parametrize("times", [1, 3])
async def test_what_is_dropped_meanwhile_is_read_again(both: Both, times: int) -> None:
    interrupted = Interrupted(*both, facts._FENCES, times)
    [people] = (await read_tables(interrupted, NAMES))["public", "people"]  # type: ignore[arg-type]
    assert people.fences == {FENCE: bytes.fromhex("f9670101" + "0" * 16)}


async def test_what_never_rests_is_no_fence_that_admits_anything(both: Both) -> None:
    interrupted = Interrupted(*both, facts._FENCES, 100)
    [people] = (await read_tables(interrupted, NAMES))["public", "people"]  # type: ignore[arg-type]
    assert people.fences == {FENCE: b""}


async def test_all_of_it_is_of_one_moment(both: Both) -> None:
    """A CHECK, a column and the index on it, dropped and made otherwise between two questions."""

    class Changing(Interrupted):
        async def interrupt(self) -> None:
            await self._other.execute("ALTER TABLE people DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (id > 0)")
            await self._other.execute("ALTER TABLE people DROP COLUMN a, ADD COLUMN b int UNIQUE")

    changing = Changing(*both, facts._CONSTRAINTS, 1)
    [people] = (await read_tables(changing, NAMES))["public", "people"]  # type: ignore[arg-type]
    assert people.checks["c"].definition == "CHECK ((id > 100))"
    assert set(people.columns) == {"id", "a", "email"} and people.unique == {"a"}


async def test_within_a_transaction_of_the_callers(both: Both) -> None:
    own, _ = both
    async with own.transaction():
        await own.execute("ALTER TABLE people DROP CONSTRAINT c")
        [people] = (await read_tables(own, NAMES))["public", "people"]
    assert people.checks == {}
