"""COPY out of and into tables with three sealed fields, in each format, beside the server's own COPY of plain ones.

Both ways 100,000 rows a second are wanted.
"""

from __future__ import annotations

import asyncio

from . import copies
from .client import connect
from .contest import Contest, Reading, Side
from .gate import Gates
from .jobs import Job, Work
from .measure_customers import run
from .people import people
from .places import Endpoint
from .ratios import Goal
from .workplace import PLAIN, SHOP, Workplace, execute

OUT = "copy-out"
IN = "copy-in"
WANTED = 100_000.0
FORMATS = ("text", "csv", "binary")
_PEOPLE = "CREATE TABLE customers (id bigint PRIMARY KEY, surname text, name text, email text UNIQUE)"


def out(place: Workplace, gates: Gates) -> Contest:
    asyncio.run(_fill(place))
    title = f"COPY TO STDOUT of {place.sizes.rows:,} rows with three sealed text fields, one connection"
    return _contest(place, gates, OUT, title, Work.COPY_OUT)


def into(place: Workplace, gates: Gates) -> Contest:
    asyncio.run(execute(place.direct.at(PLAIN), "DROP TABLE IF EXISTS orders", copies.TABLE))
    title = f"COPY FROM STDIN of {place.sizes.rows:,} rows with three sealed text fields, one connection"
    return _contest(place, gates, IN, title, Work.COPY_IN)


async def _fill(place: Workplace) -> None:
    where = place.direct.at(PLAIN)
    await execute(where, "DROP TABLE IF EXISTS customers", _PEOPLE)
    connection = await connect(where)
    try:
        await connection.copy_records_to_table("customers", records=people(place.sizes.rows))
    finally:
        await connection.close()


def _contest(place: Workplace, gates: Gates, name: str, title: str, work: Work) -> Contest:
    sides = [_side(place, "direct, plain columns, text", place.direct.at(PLAIN), work, "text", None)]
    for form in FORMATS:
        tls, plain = gates.one.endpoint(SHOP, tls=True), gates.one.endpoint(SHOP, tls=False)
        sides.append(_side(place, f"fieldgate, {form}", tls, work, form, gates.one.pid))
        sides.append(_side(place, f"fieldgate, {form}, no TLS", plain, work, form, gates.one.pid))
    goals = tuple(Goal(side.name, at_least=WANTED) for side in sides[1:])
    return Contest(name, title, "rows/s", tuple(sides), goals)


def _side(place: Workplace, name: str, where: Endpoint, work: Work, form: str, pid: int | None) -> Side:
    job = Job(work, where, place.sizes.rows, watch=pid, format=form)

    def measure() -> Reading:
        if work is Work.COPY_IN:
            removed = f"DELETE FROM orders WHERE id >= {copies.FIRST}"
            asyncio.run(execute(place.direct.at(where.database), removed, "VACUUM ANALYZE orders"))
        done = run(job)
        notes = {"client CPU, us each": done.cpu / done.count * 1e6}
        if pid is not None:
            notes["proxy CPU, us each"] = done.watched / done.count * 1e6
        return Reading(done.rate, notes)

    return Side(name, measure)
