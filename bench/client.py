"""The client of a measurement, in a process of its own: reads one Job from standard input, prints one Done as JSON.

asyncpg on uvloop, as an application in production runs it.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from random import Random
from statistics import median

import asyncpg
import uvloop

from . import appside, copies, searched
from .appside import AppCrypto
from .jobs import Done, Job, Work
from .people import email_of
from .places import Endpoint
from .processes import cpu_seconds

POINT = "SELECT surname, email FROM customers WHERE email = $1"
ROWS = "SELECT id, surname, name, email FROM customers"


class WrongAnswer(Exception):
    """A side did not give the customers' plain data: its speed means nothing."""


class Clock:
    """Runs from the moment when it is made."""

    def __init__(self, job: Job) -> None:
        self._watch = job.watch
        self._began = self._now()

    def done(self, count: int) -> Done:
        passed = [now - then for now, then in zip(self._now(), self._began, strict=True)]
        return Done(count, *passed)

    def _now(self) -> tuple[float, float, float]:
        watched = 0.0 if self._watch is None else cpu_seconds(self._watch)
        return time.monotonic(), time.process_time(), watched


async def connect(where: Endpoint) -> asyncpg.Connection:
    """TLS verified in full where the endpoint has a certificate, none elsewhere."""
    context: ssl.SSLContext | bool = False
    if where.root_certificate is not None:
        context = ssl.create_default_context(cafile=str(where.root_certificate))
    return await asyncpg.connect(
        host=where.host,
        port=where.port,
        database=where.database,
        user=where.user,
        password=where.password,
        ssl=context,
        timeout=60,
    )


async def points(job: Job) -> Done:
    connections = [await connect(job.where) for _ in range(job.connections)]
    crypto = AppCrypto(job.app_keys) if job.app_keys else None
    statements = [await c.prepare(appside.POINT if crypto else POINT) for c in connections]
    await asyncio.gather(
        *(_ask(s, crypto, job.rows, time.monotonic() + 0.3, seed) for seed, s in enumerate(statements))
    )
    clock = Clock(job)
    until = time.monotonic() + job.seconds
    counts = await asyncio.gather(*(_ask(s, crypto, job.rows, until, seed) for seed, s in enumerate(statements)))
    done = clock.done(sum(counts))
    for connection in connections:
        await connection.close()
    return done


async def _ask(
    statement: asyncpg.prepared_stmt.PreparedStatement, crypto: AppCrypto | None, rows: int, until: float, seed: int
) -> int:
    random = Random(seed)
    count = 0
    while time.monotonic() < until:
        wanted = email_of(random.randint(1, rows))
        if crypto is None:
            row = await statement.fetchrow(wanted)
            _surname, email = row["surname"], row["email"]
        else:
            row = await statement.fetchrow(crypto.term(wanted))
            _surname, email = crypto.open(b"surname", row["surname"]), crypto.open(b"email", row["email"])
        if email != wanted:
            raise WrongAnswer(job_side(crypto))
        count += 1
    return count


async def rows(job: Job) -> Done:
    connection = await connect(job.where)
    crypto = AppCrypto(job.app_keys) if job.app_keys else None
    statement = await connection.prepare(appside.ROWS if crypto else ROWS)
    await statement.fetchrow()
    clock = Clock(job)
    found = await statement.fetch()
    if crypto is not None:
        found = [
            (n, crypto.open(b"surname", surname), crypto.open(b"name", name), crypto.open(b"email", email))
            for n, surname, name, email in found
        ]
    done = clock.done(len(found))
    if len(found) != job.rows or any(row[3] != email_of(row[0]) for row in found):
        raise WrongAnswer(job_side(crypto))
    await connection.close()
    return done


async def copy_out(job: Job) -> Done:
    connection = await connect(job.where)
    pieces: list[bytes] = []

    async def take(piece: bytes) -> None:
        pieces.append(piece)

    clock = Clock(job)
    told = await connection.copy_from_query(ROWS, output=take, format=job.format)
    done = clock.done(job.rows)
    if told != f"COPY {job.rows}" or email_of(job.rows).encode() not in b"".join(pieces):
        raise WrongAnswer(told)
    await connection.close()
    return done


async def copy_in(job: Job) -> Done:
    """The data is made beforehand, so that its making is not measured."""
    connection = await connect(job.where)
    pieces = list(copies.orders(job.rows, job.format))

    async def give() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    clock = Clock(job)
    told = await connection.copy_to_table("orders", source=give(), columns=copies.COLUMNS, format=job.format)
    done = clock.done(job.rows)
    if told != f"COPY {job.rows}":
        raise WrongAnswer(told)
    await connection.close()
    return done


async def search(job: Job) -> Done:
    """The first few are not counted."""
    connections = [await connect(job.where) for _ in range(job.connections)]
    statements = [await c.prepare(searched.query(job.work, twin=job.twin)) for c in connections]
    await asyncio.gather(*(_searches(s, job, Random(0), time.monotonic() + 0.3, []) for s in statements))
    took: list[float] = []
    clock, until = Clock(job), time.monotonic() + job.seconds
    await asyncio.gather(*(_searches(s, job, Random(seed), until, took) for seed, s in enumerate(statements, 1)))
    done = clock.done(len(took))
    for connection in connections:
        await connection.close()
    return replace(done, median=median(took))


async def _searches(
    statement: asyncpg.prepared_stmt.PreparedStatement, job: Job, random: Random, until: float, took: list[float]
) -> None:
    while time.monotonic() < until:
        began = time.perf_counter()
        await _search(statement, job, random)
        took.append(time.perf_counter() - began)


async def _search(statement: asyncpg.prepared_stmt.PreparedStatement, job: Job, random: Random) -> None:
    values, right = searched.question(job.work, job.rows, random)
    rows = await statement.fetch(*values)
    if not right(rows):
        raise WrongAnswer(job.work)


def job_side(crypto: AppCrypto | None) -> str:
    return "opened by the application" if crypto else "opened by the server's side"


_WORK = {
    Work.POINTS: points,
    Work.ROWS: rows,
    Work.COPY_OUT: copy_out,
    Work.COPY_IN: copy_in,
    Work.EQUALITY: search,
    Work.RANGE: search,
    Work.MATCH: search,
}


def main() -> None:
    job = Job.from_json(sys.stdin.read())
    uvloop.install()
    done = asyncio.run(_WORK[job.work](job))
    json.dump(asdict(done), sys.stdout)


if __name__ == "__main__":
    main()
