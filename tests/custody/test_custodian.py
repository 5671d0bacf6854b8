"""The custodian: confirmed or refused by its own clock; follows changes; survives without the provider for so long.

The control database and the provider are in memory (their fakes pass the suites of the real ones), and so is the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import StringIO
from typing import Any
from uuid import UUID

import pytest

from keys.database_store import DatabaseKeyStore, Move
from keys.errors import ProviderUnavailable
from keys.key_tables import GRACE
from keys.keyring import KeyNeed, Keyring
from keys.lifecycle import KeyState
from proxy.config import LogConfig
from proxy.custody import SAFETY, Channel, CustodySettings, KeyCustodian
from proxy.errors import ConfigError, SqlState, UpstreamUnavailable
from proxy.logs import LogStream, make_logger
from tests.support.memory_keys import MemoryProvider, MemoryTables

NEED = KeyNeed("shop", "a" * 32, "a")
LEASE, OUTAGE = 30.0, 100.0


class NoLeases:
    """Of seals; these tests seal nothing."""

    def start(self) -> None:
        pass

    def prepare(self, key_ids: set[bytes]) -> None:
        pass

    def close(self) -> None:
        pass


class Beats:
    """The tables for confirmations: they can fail, be slow by the test's clock, or be told to be somebody else's."""

    def __init__(self, inner: MemoryTables, place: Place) -> None:
        self._inner, self._place = inner, place
        self.down = False
        self.delay = 0.0
        self.confirmed: list[int] = []

    async def confirm(self, holder_id: UUID, number: int, lease: float) -> tuple[bool, int]:
        if self.down:
            raise UpstreamUnavailable("the control connection was lost")
        found = await self._inner.confirm(holder_id, number, lease)
        self._place.now += self.delay
        self.confirmed.append(number)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Place:
    """Everything around one custodian; `now` is its clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.provider, self.tables = MemoryProvider(), MemoryTables()
        self.beats = Beats(self.tables, self)
        self.store = DatabaseKeyStore(self.tables, self.provider)
        self.log = StringIO()
        self.adopted: list[Keyring | None] = []
        self.refuses: Exception | None = None  # what adopting raises
        self.heard: Callable[[], None] = lambda: None

    def custodian(self, **settings: float) -> KeyCustodian:
        stream = LogStream(None)
        stream._file = self.log
        return KeyCustodian(
            DatabaseKeyStore(self.tables, self.provider),
            self.beats,  # type: ignore[arg-type]
            NoLeases(),  # type: ignore[arg-type]
            self.listen,
            CustodySettings(lease=LEASE, survive_outage=OUTAGE, **settings),
            make_logger(LogConfig(level="info"), stream),
            clock=lambda: self.now,
        )

    async def listen(self, heard: Callable[[], None]) -> Channel:
        self.heard = heard
        return Channel(lambda: True, lambda: None)

    async def adopt(self, keyring: Keyring | None) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.adopted.append(keyring)

    @asynccontextmanager
    async def running(self, **settings: float) -> AsyncIterator[KeyCustodian]:
        made = self.custodian(**settings)
        await made.open()
        await made.begin(self.adopt)
        try:
            yield made
        finally:
            await made.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)


@pytest.fixture
async def place() -> Place:
    made = Place()
    await made.store.initialise()
    await made.store.add_missing([NEED])
    return made


def said(custodian: KeyCustodian) -> str:
    refusal = custodian.refusal()
    assert refusal is not None and refusal.sqlstate is SqlState.CANNOT_CONNECT_NOW and refusal.hint
    return refusal.message


# -- the lease


async def test_nothing_is_served_before_keys_are_confirmed(place: Place) -> None:
    custodian = place.custodian()
    await custodian.open()
    assert "could not confirm" in said(custodian)
    await custodian.begin(place.adopt)
    assert custodian.refusal() is None
    await custodian.close()
    assert custodian.refusal() is not None
    assert place.tables.holders == {}


async def test_keys_that_are_rotated_while_a_process_starts_are_followed(place: Place) -> None:
    """Nobody waits for it yet, so the database may be ahead of the keys that it has just loaded."""
    custodian = place.custodian()
    await custodian.open()
    await place.store.create([NEED.cell_slot])
    refusals = [ConfigError("its CHECK admits cells that may not be written now")] * 3

    async def adopt(keyring: Keyring | None) -> None:
        if refusals:
            await place.store.touch()
            raise refusals.pop()
        await place.adopt(keyring)

    await custodian.begin(adopt)
    assert custodian.refusal() is None and custodian.state().revision == place.tables.number
    await custodian.close()


async def test_what_stays_wrong_keeps_a_process_from_starting(place: Place) -> None:
    custodian = place.custodian()
    await custodian.open()
    await place.store.create([NEED.cell_slot])
    place.refuses = ConfigError("its CHECK was altered")
    with pytest.raises(ConfigError, match="altered"):
        await custodian.begin(place.adopt)
    await custodian.close()


async def test_a_lease_that_is_not_confirmed_ends_by_the_own_clock(place: Place) -> None:
    async with place.running() as custodian:
        place.beats.down = True
        place.now += SAFETY * LEASE - 0.1
        assert custodian.refusal() is None
        place.now += 0.2
        assert "within their lease (30 s)" in said(custodian)
        assert not custodian.state().serving
        place.beats.down = False
        place.heard()
        await until(lambda: custodian.refusal() is None)


async def test_the_lease_here_ends_before_the_one_in_the_database(place: Place) -> None:
    """Counted from before the question, and only most of it: who waits for the lease there need not wait for us."""
    async with place.running() as custodian:
        place.beats.delay = 1.0
        confirmed = len(place.beats.confirmed)
        before = place.now
        place.heard()
        await until(lambda: len(place.beats.confirmed) > confirmed)
        await until(lambda: custodian._lease_until == before + SAFETY * LEASE)


async def test_a_confirmation_that_took_too_long_does_not_count(place: Place) -> None:
    async with place.running() as custodian:
        ends = custodian._lease_until
        place.now += 1.0
        place.beats.delay = GRACE + 0.1
        place.heard()
        await until(lambda: len(place.beats.confirmed) > 1)
        await asyncio.sleep(0)
        assert custodian._lease_until == ends


async def test_who_was_struck_off_serves_again_only_with_the_newest_keys(place: Place) -> None:
    """What a process that was stopped past its lease finds when it goes on."""
    async with place.running() as custodian:
        place.refuses = UpstreamUnavailable("the data database does not answer")
        place.now += 2 * LEASE  # stopped, and continued
        place.tables.sleep(2 * LEASE)
        await place.store.create([NEED.cell_slot])
        assert await place.tables.behind(place.tables.number) == ()  # nobody waits for it any more
        assert custodian.refusal() is not None
        place.heard()
        await until(lambda: "keys_not_loaded" in place.log.getvalue())
        assert custodian.refusal() is not None and place.tables.holders == {}
        place.refuses = None
        await until(lambda: custodian.refusal() is None)
        [holder] = place.tables.holders.values()
        assert holder.confirmed == place.tables.number


# -- following


async def test_a_change_is_put_in_force_and_then_confirmed(place: Place) -> None:
    async with place.running() as custodian:
        [new] = await place.store.create([NEED.cell_slot])
        place.heard()
        await until(lambda: bool(place.tables.holders) and place.beats.confirmed[-1] == place.tables.number)
        [keyring] = [keyring for keyring in place.adopted if keyring is not None]
        assert new.info.key_id in {info.key_id for info in keyring.infos}
        assert await place.tables.behind(place.tables.number) == ()
        assert custodian.state().revision == place.tables.number and custodian.state().reloads == 1


@pytest.mark.parametrize(
    "refuses",
    [ConfigError("the database refuses every cell that the keyring would write"), TypeError("nobody thought of this")],
    ids=["refused", "not foreseen"],
)
async def test_what_cannot_be_put_in_force_is_not_confirmed_and_the_old_keys_serve_on(
    place: Place, refuses: Exception
) -> None:
    async with place.running() as custodian:
        before = place.tables.number
        place.refuses = refuses
        await place.store.create([NEED.cell_slot])
        place.heard()
        await until(lambda: "keys_not_loaded" in place.log.getvalue())
        [behind] = await place.tables.behind(place.tables.number)
        assert behind.confirmed == before
        assert custodian.refusal() is None
        place.refuses = None
        await until(lambda: custodian.state().revision == place.tables.number)


async def test_whatever_goes_wrong_it_follows_on(place: Place) -> None:
    """A defect, even: else the process would go on with old keys for good, and confirm them."""
    async with place.running() as custodian:
        place.refuses = AttributeError("no attribute 'removesuffix'")
        await place.store.create([NEED.cell_slot])
        place.heard()
        await until(lambda: "keys_not_loaded" in place.log.getvalue())
        place.refuses = None
        await until(lambda: custodian.state().revision == place.tables.number)


async def test_a_refused_cell_makes_it_look_again_though_no_key_has_changed(place: Place) -> None:
    async with place.running(suspicion=0.01) as custodian:
        custodian.suspect()
        await until(lambda: len(place.adopted) == 1)
        custodian.suspect()
        custodian.suspect()
        place.now += 1.0  # not at once: every statement of a burst may be refused
        await until(lambda: len(place.adopted) == 2)


async def test_keys_are_not_unwrapped_again(place: Place) -> None:
    async with place.running() as custodian:
        place.provider.calls.clear()
        old = (await place.store.read()).keys
        [cell] = [key for key in old if key.info.slot == NEED.cell_slot]
        await place.store.transition([Move(cell.info.key_id, KeyState.ACTIVE, KeyState.DECRYPT_ONLY)])
        place.heard()
        await until(lambda: custodian.state().revision == place.tables.number)
        assert place.provider.calls == []


# -- the provider


async def test_without_the_provider_nothing_starts_and_it_is_said_what_is_missing(place: Place) -> None:
    place.provider.down = True
    custodian = place.custodian()
    with pytest.raises(ConfigError, match="memory:test does not answer"):
        await custodian.open()
    await custodian.close()


async def test_an_outage_is_survived_for_so_long_and_then_data_is_refused(place: Place) -> None:
    async with place.running(check_provider=0.01) as custodian:
        place.provider.down = True
        await until(lambda: not custodian.state().provider_answers)
        for _ in range(9):
            place.now += OUTAGE / 10
            place.heard()
            await until(lambda: custodian._lease_until > place.now)
            assert custodian.refusal() is None
        assert custodian.state().outage_seconds > 0.8 * OUTAGE
        place.now += OUTAGE / 5
        assert "survive_outage (100 s)" in said(custodian)
        await until(lambda: place.adopted == [None])  # the keys are forgotten
        assert custodian.state().keys == 0
        assert "survive_outage" in said(custodian)
        place.provider.down = False
        place.heard()
        await until(lambda: custodian.refusal() is None)
        assert place.adopted[-1] is not None and custodian.state().keys > 0


async def test_keys_that_were_forgotten_do_not_come_back_without_the_provider(place: Place) -> None:
    async with place.running(check_provider=0.01) as custodian:
        place.provider.down = True
        await until(lambda: not custodian.state().provider_answers)
        place.now += 2 * OUTAGE
        await until(lambda: place.adopted == [None])
        custodian._changed.set()
        place.heard()
        await until(lambda: "keys_not_loaded" in place.log.getvalue())
        assert custodian.state().keys == 0 and custodian.refusal() is not None
        with pytest.raises(ConfigError, match="does not answer"):
            await custodian.newest()


async def test_the_log_says_what_failed_and_nothing_secret(place: Place) -> None:
    material = [key.material for key in (await place.store.load()).keyring.keys]
    async with place.running(check_provider=0.01):
        place.provider.down = True
        await until(lambda: "key_provider_failed" in place.log.getvalue())
    assert "memory:test does not answer" in place.log.getvalue()
    assert not any(each.hex() in place.log.getvalue() for each in material)


# -- uses


class Counted:
    """Ciphers of which only the counts matter."""

    def __init__(self) -> None:
        self.counts: dict[bytes, tuple[int, int]] = {}

    def uses(self) -> dict[bytes, tuple[int, int]]:
        return dict(self.counts)

    def close(self) -> None:
        pass


async def test_uses_are_counted_once_and_none_is_lost_when_ciphers_change(place: Place) -> None:
    [key_id] = [k.info.key_id for k in (await place.store.read()).keys if k.info.slot == NEED.cell_slot]
    one, other = Counted(), Counted()
    async with place.running(count_uses=0.01) as custodian:
        custodian.in_use(one)  # type: ignore[arg-type]
        one.counts = {key_id: (3, 5)}
        await until(lambda: bool(place.tables.used))
        custodian.in_use(other)  # type: ignore[arg-type]
        custodian.retire(one)  # type: ignore[arg-type]
        one.counts = {key_id: (3, 6)}  # a session still held them
        other.counts = {key_id: (1, 1)}
    [counted] = (await place.tables.uses()).values()
    assert (counted.sealed, counted.opened) == (4, 7)


async def test_uses_that_cannot_be_recorded_are_told_later(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    [key_id] = [k.info.key_id for k in (await place.store.read()).keys if k.info.slot == NEED.cell_slot]
    record, tries = place.tables.count_uses, 0

    async def failing(*arguments: Any) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ProviderUnavailable("not now")
        await record(*arguments)

    monkeypatch.setattr(place.tables, "count_uses", failing)
    used = Counted()
    used.counts = {key_id: (2, 2)}
    async with place.running(count_uses=0.01) as custodian:
        custodian.in_use(used)  # type: ignore[arg-type]
        await until(lambda: bool(place.tables.used))
    [counted] = (await place.tables.uses()).values()
    assert (counted.sealed, counted.opened) == (2, 2)
