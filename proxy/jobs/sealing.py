"""SEAL_FIELD and UNSEAL_FIELD: the steps of proxy/sealing as operations, with progress, pause and cancel.

Cancelled before the switch, everything is taken back; behind it there is nothing to take back, and the operation is
done.  What stands in the way before anything is changed fails the operation with the list of it; a lock that is not to
be had, or a lost connection, is tried again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from keys.subjects import SubjectName
from policies.fields import DataMap
from proxy.errors import ConfigError
from proxy.keywork.handler import Cancelled, Connection, Work
from proxy.rotation.errors import StepWaits
from proxy.rotation.places import wanted_places
from proxy.rotation.tools import Tools
from proxy.sealing.errors import SealingInterrupted
from proxy.sealing.job import abandon_sealing, abandon_unsealing, seal_field, unseal_field
from proxy.sealing.remains import remaining_plaintext
from proxy.sealing.run import Hooks, SealOptions, SealOutcome, SealStep

# Gives the upstream roles of a database, by its name, the privileges of the fields' forms as they are now.
Privileges = Callable[[str, Connection], Awaitable[None]]
Doing = Callable[..., Awaitable[SealOutcome]]
Abandoning = Callable[[Connection, DataMap, str], Awaitable[None]]


async def no_privileges(database: str, connection: Connection) -> None:
    """For who has no upstream roles: tests."""


async def seal_handler(tools: Tools, privileges: Privileges, options: SealOptions, work: Work) -> None:
    """SEAL_FIELD: done when the field is sealed and every cell was opened; the report names what remains elsewhere."""
    await _carry_out(tools, privileges, options, work, seal_field, abandon_sealing)


async def unseal_handler(tools: Tools, privileges: Privileges, options: SealOptions, work: Work) -> None:
    """UNSEAL_FIELD: done when the field is plain and every value was compared with its cell."""
    await _carry_out(tools, privileges, options, work, unseal_field, abandon_unsealing)


async def _carry_out(
    tools: Tools, privileges: Privileges, options: SealOptions, work: Work, doing: Doing, abandoning: Abandoning
) -> None:
    database, name = _target(tools, work)
    data_map = tools.data_maps()[database]
    [places] = wanted_places(tools.places(), database, name)
    field = places[0].field

    async def between(step: SealStep, done: int, total: int) -> None:
        await work.checkpoint(step.value, done, total)

    async def secrets(names: Collection[SubjectName]) -> None:
        if keeper is not None:
            await keeper.have(names, make=doing is seal_field)

    async def in_switch(connection: Connection) -> None:
        if field.migrating is not None:
            await privileges(database, connection)

    keyring = (await tools.store.load()).keyring
    keeper = tools.keeper(keyring, places[0])
    ciphers = tools.ciphers(keyring, places[0], keeper)
    try:
        async with tools.connection(database) as connection:
            hooks = Hooks(between=between, in_switch=in_switch, secrets=secrets)
            outcome = await doing(connection, data_map, name, ciphers, options=options, hooks=hooks)
    except SealingInterrupted as interrupted:
        raise StepWaits(interrupted.message) from None
    except Cancelled:
        async with tools.connection(database) as connection:
            await abandoning(connection, data_map, name)
        raise
    finally:
        ciphers.close()
    remains = list(remaining_plaintext(field)) if doing is seal_field else []
    await work.report(
        {"field": name, "rows": outcome.rows, "already": outcome.already, "fenced": outcome.fenced, "remains": remains}
    )


def _target(tools: Tools, work: Work) -> tuple[str, str]:
    """Raises ConfigError where the operation names no field of one database."""
    target = work.operation.target
    if target.field is None or target.field.endswith("*"):
        raise ConfigError("the operation names no single field")
    data_maps = tools.data_maps()
    database = target.database or (next(iter(data_maps)) if len(data_maps) == 1 else None)
    if database is None or database not in data_maps:
        raise ConfigError("the operation names no database that is configured")
    return database, target.field
