"""Re-encrypts the old cells of a table's fields in batches by primary key, beside applications that go on writing.

A batch is read without locks, its cells are opened and sealed anew here, and each goes to its row only where the row
still holds the very envelope that was read.  So a concurrent change is never overwritten; and because a write fence
stands (proxy/rotation/fence.py), what changed meanwhile holds the new head already.  A batch that runs into a row that
somebody holds is done again around that row.  What is left over is found by the next pass: a walk that finds no old
cell ends the work.

A row's new version stays in its page where there is room (a HOT update): terms and tokens do not change with the key,
so no index does.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from keys.envelope import erased
from keys.errors import EnvelopeInvalid, SubjectDestroyed, UnknownKey
from keys.field import FieldKeyCipher
from policies.fields import Field
from proxy.rows.row_key import row_key_bytes
from proxy.sealing.ddl import sealing_of
from proxy.sealing.facts import Connection

from .places import Key, Member
from .statements import Batches

FIRST_BATCH = 64
BATCH_BYTES = 8 << 20  # of cells in memory at a time, once their size is known


@dataclass(frozen=True, slots=True)
class Sealed:
    """A field, the head that its cells are to have, and the cipher that makes it.

    `term_input` gives the input of a value's term, for cells with terms of another epoch than are written now.
    `have` is awaited with the keys of the rows of a batch, before their cells are opened.
    """

    field: Field
    head: bytes
    cipher: FieldKeyCipher
    term_input: Callable[[bytes], bytes] | None = None
    have: Callable[[Sequence[bytes | None]], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """Rows with a key after `after` up to `until`; None: from the first, to the last."""

    after: Key | None = None
    until: Key | None = None


@dataclass(slots=True)
class Tally:
    """Of one walk.  `missed` cells changed or were held meanwhile; damaged ones no key opens."""

    sealed: int = 0
    missed: int = 0
    damaged: dict[str, int] = field(default_factory=dict)  # by field name


@dataclass(slots=True)
class Reencryption:
    """Of the rows that one table holds.  `batch` is in rows.  Tests put `compare` off."""

    member: Member
    targets: tuple[Sealed, ...]
    batch: int = 2000
    compare: bool = True

    @property
    def statements(self) -> Batches:
        return Batches(self.member, tuple((target.field, target.head) for target in self.targets))

    async def split(self, connection: Connection, parts: int) -> list[Range]:
        """The table as at most so many ranges of about one size."""
        if parts < 2:
            return [Range()]
        cuts = [tuple(row) for row in await connection.fetch(self.statements.split(), 1.0, parts)]
        starts, ends = [None, *cuts], [*cuts, None]
        return [Range(after, until) for after, until in zip(starts, ends, strict=True)]

    async def walk(
        self,
        connection: Connection,
        where: Range,
        tally: Tally,
        rest: Callable[[float, int], Awaitable[None]],
        interleave: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """One walk over a range.  `connection` is settled (proxy/rotation/session.py).

        `interleave` is awaited between reading and writing a batch: tests change rows there.
        """
        size, after = min(FIRST_BATCH, self.batch), where.after
        while True:
            started = time.perf_counter()
            rows = await connection.fetch(self._select(after, where.until), size, *(after or ()), *(where.until or ()))
            if not rows:
                return
            if interleave is not None:
                await interleave()
            before = tally.sealed
            await self._do(connection, rows, after, where.until, tally)
            after = self._key(rows[-1])
            size = self._size(rows)
            await rest(time.perf_counter() - started, tally.sealed - before)

    def _key(self, row: Sequence[Any]) -> Key:
        return tuple(row[n] for n in range(len(self.member.primary_key)))

    def _select(self, after: Key | None, until: Key | None, *, lock: bool = False) -> str:
        return self.statements.select(after=after is not None, until=until is not None, lock=lock)

    def _size(self, rows: Sequence[Any]) -> int:
        first = len(self.member.primary_key) + 1
        held = sum(len(cell) for row in rows for cell in row[first:] if cell is not None)
        return max(1, min(self.batch, BATCH_BYTES * len(rows) // (held + 1)))

    async def _do(
        self, connection: Connection, rows: Sequence[Any], after: Key | None, until: Key | None, tally: Tally
    ) -> None:
        """Writes the batch; where rows are held, takes others in their place, under lock, and leaves those."""
        try:
            await self._write(connection, rows, tally)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            async with connection.transaction():
                free = await connection.fetch(
                    self._select(after, until, lock=True), len(rows), *(after or ()), *(until or ())
                )
                await self._write(connection, free, tally)
            tally.missed += len({self._key(row) for row in rows} - {self._key(row) for row in free})

    async def _write(self, connection: Connection, rows: Sequence[Any], tally: Tally) -> None:
        if not rows:
            return
        columns = list(zip(*rows, strict=True))
        keys = len(self.member.primary_key)
        bound = self.statements.bound
        arguments: list[Sequence[Any]] = [list(column) for column in columns[: keys + bound]]
        row_keys = self._row_keys(columns[keys]) if bound else [None] * len(rows)
        touched = [False] * len(rows)
        offered = 0
        for target, old in zip(self.targets, columns[keys + 1 :], strict=True):
            mine = row_keys if sealing_of(target.field).row_bound else [None] * len(rows)
            if target.have is not None:
                await target.have(mine)
            new = _sealed_anew(target, old, mine, tally)
            for at, cell in enumerate(new):
                if cell is not None:
                    touched[at] = True
                    offered += 1
            # A cell that did not open has nothing to be replaced by: it must not be found.
            arguments += [[o if n is not None else None for o, n in zip(old, new, strict=True)], new]
        status: str = await connection.execute(self.statements.replace(compare=self.compare), *arguments)
        missed = sum(touched) - int(status.rpartition(" ")[2])
        tally.missed += missed
        tally.sealed += offered - missed * offered // max(1, sum(touched))

    def _row_keys(self, texts: Sequence[str | None]) -> list[bytes | None]:
        oid = self.member.row_key_oid or 0
        return [
            None if text is None else row_key_bytes(text.encode(), binary=False, type_oid=0, key_oid=oid)
            for text in texts
        ]


def _sealed_anew(
    target: Sealed, old: Sequence[bytes | None], row_keys: Sequence[bytes | None], tally: Tally
) -> list[bytes | None]:
    """A new cell for each old one that opens; None where there is none to make."""
    reseal, term_input, made = target.cipher.reseal, target.term_input, list[bytes | None]()
    for cell, row_key in zip(old, row_keys, strict=True):
        try:
            made.append(None if cell is None else reseal(cell, row_key=row_key, term_input=term_input))
        except SubjectDestroyed:
            made.append(erased(target.cipher.head))
        except (EnvelopeInvalid, UnknownKey):
            made.append(None)
            tally.damaged[target.field.name] = tally.damaged.get(target.field.name, 0) + 1
    return made
