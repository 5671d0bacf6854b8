"""Measurements of rotation: how fast cells are re-encrypted, and what applications notice of it.

`reencrypt`: all cells of three fields under their next keys, without any throttle, on both cores; the runner's part in
this process, PostgreSQL's in its own.  HOT updates need room in the pages: the second table has it.
`rotation-latency`: a few connections look up and change single customers, with pauses that leave the machine room;
the 95th percentile of what one of them waits, before, and while a process of its own re-encrypts with the usual pace.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import quantiles

from .client import connect
from .contest import Contest, Reading, Side
from .gate import Gates
from .places import Endpoint
from .processes import with_ended_children
from .ratios import Goal
from .rotated import DATABASE, UNTHROTTLED, Rotated, make_database
from .workplace import Workplace

REENCRYPT = "reencrypt"
LATENCY = "rotation-latency"
WANTED = 50_000.0
WORKERS = 2
_CONNECTIONS = 4
_ENDING = 0.3  # seconds for server processes to end, so that their time is counted
_PAUSE = 0.01  # seconds between two statements of a connection
_BEFORE, _DURING = "before", "during a rotation"


def reencrypt(place: Workplace, gates: Gates) -> Contest:
    where = place.direct.at(DATABASE)
    asyncio.run(make_database(place.direct))
    sides = tuple(
        Side(name, _rotating(Rotated(where, place.sizes.rows, fillfactor), place.server.pid))
        for name, fillfactor in (("as created", 100), ("fillfactor 45", 45))
    )
    title = f"{place.sizes.rows:,} rows with three sealed fields re-encrypted, {WORKERS} workers, unthrottled"
    return Contest(REENCRYPT, title, "cells/s", sides, tuple(Goal(side.name, at_least=WANTED) for side in sides))


def _rotating(rotated: Rotated, server: int) -> Callable[[], Reading]:
    async def measure() -> Reading:
        await rotated.create()
        ciphers = await rotated.prepare()
        before, own, others = time.perf_counter(), time.process_time(), with_ended_children(server)
        cells = await rotated.sweep(ciphers, UNTHROTTLED, WORKERS)
        seconds, own = time.perf_counter() - before, time.process_time() - own
        await asyncio.sleep(_ENDING)
        others = with_ended_children(server) - others
        assert await rotated.old_cells(ciphers) == 0
        notes = {
            "CPU here, s": own,
            "CPU of PostgreSQL, s": others,
            "cells for a second of CPU": cells / (own + others),
        }
        return Reading(cells / seconds, {"seconds": seconds, **notes})

    return lambda: asyncio.run(measure())


def latency(place: Workplace, gates: Gates) -> Contest:
    where = place.direct.at(DATABASE)
    asyncio.run(make_database(place.direct))
    rows, seconds = place.sizes.rows, place.sizes.seconds

    def during() -> Reading:
        with _sweeping(where, rows):
            return asyncio.run(_p95(where, rows, seconds))

    def before() -> Reading:
        asyncio.run(Rotated(where, rows).create())
        return asyncio.run(_p95(where, rows, seconds))

    title = f"{_CONNECTIONS} connections with pauses of {_PAUSE * 1000:.0f} ms: what a statement takes, 95th percentile"
    sides = (Side(_BEFORE, before), Side(_DURING, during))
    return Contest(LATENCY, title, "ms", sides, (Goal(_DURING, _BEFORE, at_most=1.5),))


@contextlib.contextmanager
def _sweeping(where: Endpoint, rows: int) -> Iterator[None]:
    """A throttled re-encryption goes on inside, in a process of its own, again and again."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.rotated"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps({"where": where.to_json(), "rows": rows, "workers": WORKERS}) + "\n")
        process.stdin.write("again\n" * 1000)
        process.stdin.flush()
        assert process.stdout.readline() == "created\n"
        assert process.stdout.readline() == "begun\n"
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


async def _p95(where: Endpoint, rows: int, seconds: float) -> Reading:
    waited: list[float] = []
    until = time.perf_counter() + seconds

    async def application(number: int) -> None:
        connection, chance = await connect(where), random.Random(number)
        for turn in itertools.count():
            if time.perf_counter() >= until:
                break
            key = chance.randrange(rows) + 1
            started = time.perf_counter()
            if turn % 4:
                await connection.fetchrow("SELECT * FROM customers WHERE id = $1", key)
            else:
                await connection.execute("UPDATE customers SET visits = visits + 1 WHERE id = $1", key)
            waited.append(time.perf_counter() - started)
            await asyncio.sleep(_PAUSE)
        await connection.close()

    await asyncio.gather(*(application(number) for number in range(_CONNECTIONS)))
    parts = quantiles(waited, n=100)
    return Reading(1000 * parts[94], {"median, ms": 1000 * parts[49], "99th, ms": 1000 * parts[98]})
