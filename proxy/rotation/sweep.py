"""Re-encrypts everything that is old in some fields: table by table, all fields of a table in one pass, by several
workers, each with parts of the table and a connection of its own.  Passes are repeated until one finds nothing to do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from keys.field import FieldKeyCipher
from proxy.keywork.handler import Work
from proxy.sealing.ddl import qualified, sealing_of
from proxy.sealing.facts import Connection
from proxy.subject_keeper import SubjectKeeper
from proxy.wire.values.codecs import codec_for

from .errors import CellsDamaged
from .pacing import Rest, paced
from .places import Place
from .reencrypt import Range, Reencryption, Sealed, Tally
from .secrets import names_of
from .session import settle
from .statements import count_cells
from .survey import survey
from .tools import Tools, together

STEP = "re-encrypt"
HELD_PAUSE = 0.2  # seconds before rows that somebody held are tried again


@dataclass(frozen=True, slots=True)
class Wish:
    """The cells of a place are to have this head; the cipher makes it."""

    place: Place
    head: bytes
    cipher: FieldKeyCipher
    keeper: SubjectKeeper | None = None

    @property
    def table(self) -> tuple[str, str, str]:
        return self.place.database, self.place.field.schema, self.place.field.table

    @property
    def target(self) -> Sealed:
        sealing = sealing_of(self.place.field)
        term_input = codec_for(sealing.logical_type).term_input if sealing.equality else None
        return Sealed(self.place.field, self.head, self.cipher, term_input, self._have)

    async def _have(self, row_keys: Sequence[bytes | None]) -> None:
        if self.keeper is not None:
            await self.keeper.have(names_of(self.place, row_keys), make=False, anew=True)


@dataclass(slots=True)
class Progress:
    """Over all tables; `told` is what metrics have heard of."""

    done: int = 0
    total: int = 0
    told: int = 0


async def sweep(tools: Tools, work: Work, wishes: Sequence[Wish]) -> None:
    """Raises CellsDamaged when cells are left that no key opens; everything else is done then."""
    progress, damaged = Progress(), dict[str, int]()
    for wish in wishes:
        await _count(tools, wish, progress)
    tables: dict[tuple[str, str, str], list[Wish]] = {}
    for wish in wishes:
        tables.setdefault(wish.table, []).append(wish)
    for members in tables.values():
        for name, count in (await _Table(tools, work, members, progress).run()).items():
            damaged[name] = damaged.get(name, 0) + count
    await work.checkpoint(STEP, progress.done, progress.total)
    if damaged:
        told = ", ".join(f"{count} of {name}" for name, count in sorted(damaged.items()))
        raise CellsDamaged(f"no key opens some cells ({told}); all others are re-encrypted, and the old key stays")


async def _count(tools: Tools, wish: Wish, progress: Progress) -> None:
    table = qualified(wish.place.field.schema, wish.place.field.table)
    async with tools.connection(wish.place.database) as connection:
        await connection.execute("SET statement_timeout = 0")
        row = await connection.fetchrow(count_cells(table, wish.place.field, wish.head))
    progress.total += row["total"]
    progress.done += row["total"] - row["old"]


@dataclass(slots=True)
class _Table:
    tools: Tools
    work: Work
    wishes: list[Wish]
    progress: Progress
    parts: deque[tuple[Reencryption, Range]] = field(default_factory=deque)

    async def run(self) -> Mapping[str, int]:
        place = self.wishes[0].place
        async with AsyncExitStack() as stack:
            rest = await stack.enter_async_context(paced(self.tools, place))
            connections = [
                await settle(await stack.enter_async_context(self.tools.connection(place.database)))
                for _ in range(max(1, self.tools.workers))
            ]
            while True:
                tally = await self._pass(connections, rest)
                if not tally.sealed and not tally.missed:
                    return tally.damaged
                if tally.missed:
                    await asyncio.sleep(HELD_PAUSE)

    async def _pass(self, connections: Sequence[Connection], rest: Rest) -> Tally:
        place = self.wishes[0].place
        targets = tuple(wish.target for wish in self.wishes)
        for member in await survey(connections[0], place):
            part = Reencryption(member, targets, self.tools.batch)
            self.parts.extend((part, where) for where in await part.split(connections[0], len(connections)))
        tallies = [Tally() for _ in connections]
        await together(*(self._take_parts(c, t, rest) for c, t in zip(connections, tallies, strict=True)))
        whole = Tally(sum(t.sealed for t in tallies), sum(t.missed for t in tallies))
        for tally in tallies:
            for name, count in tally.damaged.items():
                whole.damaged[name] = whole.damaged.get(name, 0) + count
        return whole

    async def _take_parts(self, connection: Connection, tally: Tally, rest: Rest) -> None:
        async def after_batch(worked: float, cells: int) -> None:
            self.progress.done += cells
            self.tools.cells_done(cells)
            await self.work.checkpoint(STEP, min(self.progress.done, self.progress.total), self.progress.total)
            await rest(worked, cells)

        while self.parts:
            part, where = self.parts.popleft()
            await part.walk(connection, where, tally, after_batch)
