"""Contests 6 to 8: searches of sealed fields beside the same searches of plain twins with an index.

The twins stand in the same database; they are asked directly and, for what the proxy costs by itself, through Fieldgate
as well.  Searches by equality are so short that one client alone would measure how long an audit record waits for the
disk, so many ask at once, and their rate counts.  Of the others the median time of one search counts: less is better.
"""

from __future__ import annotations

import asyncio
from itertools import islice

import asyncpg

from proxy.demo.generate import TableRows

from . import searched
from .client import connect
from .contest import Contest, Reading, Side
from .gate import UPSTREAM_ROLE, Gates, seal_into
from .jobs import Job, Work
from .measure_customers import CONNECTIONS, run
from .places import Endpoint
from .ratios import Goal
from .workplace import SHOP, Workplace, execute

EQUALITY, RANGE, MATCH = "equality", "range", "match"
EQUALITY_WANTED, RANGE_WANTED, MATCH_WANTED = 1 / 1.3, 3.0, 20.0  # of a plain rate; times as long; milliseconds

_TWIN, _TWIN_BY_PROXY, _SEALED = "plain twin, direct", "plain twin, by fieldgate", "fieldgate"
_BATCH = 50_000


def equality(place: Workplace, gates: Gates) -> Contest:
    title = f"search by equality among {place.sizes.searched:,} rows, which finds one"
    goals = (Goal(_SEALED, _TWIN, at_least=EQUALITY_WANTED), Goal(_SEALED, _TWIN_BY_PROXY))
    return _contest(place, gates, EQUALITY, f"{title}, {CONNECTIONS} connections", Work.EQUALITY, goals, twins=True)


def in_range(place: Workplace, gates: Gates) -> Contest:
    title = f"a year of birth dates among {place.sizes.searched:,} rows, which one in a hundred has"
    goals = (Goal(_SEALED, _TWIN, at_most=RANGE_WANTED), Goal(_SEALED, _TWIN_BY_PROXY))
    return _contest(place, gates, RANGE, title, Work.RANGE, goals, twins=True)


def match(place: Workplace, gates: Gates) -> Contest:
    title = f"five characters by LIKE among {place.sizes.searched:,} rows, which {searched.HITS} have"
    return _contest(place, gates, MATCH, title, Work.MATCH, (Goal(_SEALED, at_most=MATCH_WANTED),), twins=False)


def _contest(
    place: Workplace, gates: Gates, name: str, title: str, work: Work, goals: tuple[Goal, ...], *, twins: bool
) -> Contest:
    asyncio.run(_fill(place, gates))
    proxy = gates.one.endpoint(SHOP, tls=False)
    sides = [_side(place, _SEALED, proxy, work, gates.one.pid, twin=False)]
    if twins:
        sides.insert(0, _side(place, _TWIN, place.direct.at(SHOP), work, None, twin=True))
        sides.insert(1, _side(place, _TWIN_BY_PROXY, proxy, work, gates.one.pid, twin=True))
    return Contest(name, title, "searches/s" if work is Work.EQUALITY else "ms", tuple(sides), goals)


def _side(place: Workplace, name: str, where: Endpoint, work: Work, pid: int | None, *, twin: bool) -> Side:
    many = CONNECTIONS if work is Work.EQUALITY else 1
    job = Job(work, where, place.sizes.searched, place.sizes.seconds, many, watch=pid, twin=twin)

    def measure() -> Reading:
        done = run(job)
        notes = {"median, ms": done.median * 1e3}
        if pid is not None:
            notes["proxy CPU, us each"] = done.watched / done.count * 1e6
        return Reading(done.rate if many > 1 else done.median * 1e3, notes)

    return Side(name, measure)


async def _fill(place: Workplace, gates: Gates) -> None:
    """Once for all three."""
    direct, count = place.direct.at(SHOP), place.sizes.searched
    connection = await connect(direct)
    try:
        if await connection.fetchval("SELECT to_regclass('twin_customers') IS NOT NULL"):
            return
        for statement in (*searched.TWINS, "TRUNCATE employees CASCADE"):
            await connection.execute(statement)
        await _fill_twins(connection, count)
    finally:
        await connection.close()
    for name, columns, rows in (
        ("customers", searched.CUSTOMERS, searched.customers(count)),
        ("employees", searched.EMPLOYEES, searched.employees(count)),
    ):
        while batch := list(islice(rows, _BATCH)):
            await seal_into(place, gates.one.folder, TableRows(name, columns, batch))
    await execute(direct, f"GRANT SELECT ON twin_customers, twin_employees TO {UPSTREAM_ROLE}")


async def _fill_twins(connection: asyncpg.Connection, count: int) -> None:
    people = [(row[0], row[3], row[4]) for row in searched.customers(count)]
    await connection.copy_records_to_table("twin_customers", records=people, columns=("id", "patronymic", "email"))
    born = [(row[0], row[2]) for row in searched.employees(count)]
    await connection.copy_records_to_table("twin_employees", records=born, columns=("id", "birth_date"))
    await connection.execute("VACUUM ANALYZE twin_customers")
    await connection.execute("VACUUM ANALYZE twin_employees")
