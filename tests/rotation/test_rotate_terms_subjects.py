"""Term keys of cells that open only with their data subjects' secrets: rotated, over destroyed subjects, too."""

from __future__ import annotations

import pytest

from keys.envelope import ERASED_SIZE
from keys.keyring import KeyPurpose
from proxy.jobs.sealing import no_privileges
from proxy.keywork.handler import Cancelled
from proxy.keywork.operation import OperationKind, Target
from proxy.rotation.errors import CellsDamaged
from proxy.rotation.exchange import admitted_now
from proxy.rotation.retire import disable_key
from proxy.rotation.rotate_terms import rotate_term_key
from proxy.rotation.shred import shred_subject
from proxy.rotation.verify import verify_field
from proxy.sealing.ddl import create_index
from proxy.sealing.verify import verify_sealed
from proxy.stored_forms import as_searched
from tests.rotation.test_shred import ANNA, MAP, NOTES, PEOPLE, TITLE, World, work_of
from tests.rotation.test_shred import world as bare_world
from tests.rotation.working import Steps, cancel, operation_of

pytestmark = pytest.mark.integration
__all__ = ["bare_world"]
EVERYBODY = {person: [f"login{person}", *["title"] * NOTES] for person in range(1, PEOPLE + 1)}


@pytest.fixture
async def world(bare_world: World) -> World:
    await bare_world.connection.execute(create_index(TITLE))
    return bare_world


def steps_of(kind: OperationKind = OperationKind.ROTATE_TERM_KEY) -> Steps:
    return Steps(operation_of(kind, Target("shop", TITLE.name)))


async def rotate(world: World, work: Steps) -> None:
    await rotate_term_key(world.shop.tools(batch=7), no_privileges, work)


async def readable(world: World) -> dict[int, list[str | None]]:
    """Of each person the login and the titles."""
    return {person: [login, *rest[::2]] for person, (login, *rest) in (await world.readable()).items()}


async def found(world: World, epoch: int) -> int:
    """How many cells have the term of `title`, in the column of the epoch."""
    column = "fg_title_eq" if epoch == 1 else f"fg_title_eq_{epoch}"
    term = (await world.fresh()).cipher(TITLE).term(b"title", epoch)
    count: int = await world.connection.fetchval(f"SELECT count(*) FROM notes WHERE {column} = $1", term)
    return count


async def require_rotated(world: World, epoch: int = 2) -> None:
    ciphers = await world.shop.ciphers()
    assert await verify_sealed(world.connection, MAP, ciphers.heads()) == ()
    assert await admitted_now(world.connection, TITLE) == {ciphers.cipher("2".rjust(32, "0")).head}
    searched = (await as_searched(world.connection, MAP)).tables["public", "notes"].fields["title"]
    assert searched.term_epoch == epoch
    await verify_field(world.shop.tools(), steps_of(OperationKind.VERIFY))


async def test_everything_opens_and_is_found(world: World) -> None:
    for epoch in (2, 3):
        await rotate(world, steps_of())
        await require_rotated(world, epoch)
        assert await found(world, epoch) == PEOPLE * NOTES
    assert await readable(world) == EVERYBODY
    [old] = [
        k
        for k in (await world.shop.store.read()).keys
        if k.info.epoch == 1 and k.info.slot.purpose is KeyPurpose.TERM and k.info.slot.scope.endswith("2")
    ]
    await disable_key(world.shop.tools(), Steps(operation_of(OperationKind.DISABLE_KEY, Target(key_id=old.name))))


async def test_killed_at_every_step_it_goes_on(world: World) -> None:
    async def killed() -> None:
        raise ConnectionError

    work = steps_of()
    for step in (
        "column",
        "admit",
        "key",
        "fence",
        "re-encrypt",
        "narrow",
        "unfence",
        "compare",
        "switch",
        "activated",
    ):
        work.at = {step: killed}
        with pytest.raises(ConnectionError):
            await rotate(world, work)
        assert await readable(world) == EVERYBODY
    await rotate(world, work)
    await require_rotated(world)
    assert await found(world, 2) == PEOPLE * NOTES


@pytest.mark.parametrize("step", ["before", "re-encrypt", "switch", "activated"])
async def test_a_subject_destroyed_at_any_time_stops_nothing(world: World, step: str) -> None:
    """Its cells keep no term of either epoch, whether the erasure has been there or the rotation comes first."""

    async def destroy() -> None:
        work = work_of()
        if step != "before":  # its cells are left to the rotation
            work.at["erase public.notes"] = _stop
        try:
            await shred_subject(world.shop.tools(), work)
        except _Stopped:
            pass

    work = steps_of()
    if step == "before":
        await destroy()
    else:
        work.at[step] = destroy
    await rotate(world, work)
    await require_rotated(world)
    assert await found(world, 2) == (PEOPLE - 1) * NOTES
    cells = await world.connection.fetch("SELECT title FROM notes WHERE customer_id = $1", ANNA)
    assert [row["title"][-ERASED_SIZE:] for row in cells] == [bytes(ERASED_SIZE)] * NOTES
    terms = await world.connection.fetchval(
        "SELECT count(DISTINCT fg_title_eq_2) FROM notes WHERE customer_id = $1", ANNA
    )
    assert terms == NOTES
    await shred_subject(world.shop.tools(), work_of())
    left = {person: cells for person, cells in EVERYBODY.items() if person != ANNA}
    assert {person: cells for person, cells in (await readable(world)).items() if person != ANNA} == left


class _Stopped(Exception):
    pass


async def _stop() -> None:
    raise _Stopped


async def test_a_secret_that_is_lost_is_damage_and_not_destruction(world: World) -> None:
    """Its row is gone from the control database: nothing of its cells is thrown away."""
    title = "SELECT fg_title_eq FROM notes WHERE customer_id = $1"
    before = await world.connection.fetch(title, 1)
    await world.connection.execute("ALTER TABLE fieldgate.subject_secrets DISABLE TRIGGER ALL")
    await world.connection.execute("DELETE FROM fieldgate.subject_secrets")
    with pytest.raises(CellsDamaged, match=f"{PEOPLE * NOTES} of"):
        await rotate(world, steps_of())
    assert await world.connection.fetch(title, 1) == before


async def test_cancelled_before_there_is_a_key(world: World) -> None:
    work = steps_of()
    work.at["admit"] = cancel
    with pytest.raises(Cancelled):
        await rotate(world, work)
    assert await found(world, 1) == PEOPLE * NOTES
    await rotate(world, steps_of())
    await require_rotated(world)
