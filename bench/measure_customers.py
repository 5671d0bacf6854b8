"""Contests 2 and 3: the customers through Fieldgate, and the same work done by the application itself.

The client is a process of its own in every case.  With TLS, Fieldgate is compared with the application on a TLS
connection (to Debian's PostgreSQL, because the embedded one has none), without TLS with the application without it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .contest import Contest, Reading, Side
from .gate import Gates
from .jobs import Done, Job, Work
from .places import Endpoint
from .ratios import Goal
from .workplace import APPSIDE, DEBIAN, SHOP, Workplace

POINTS = "points"
ROWS = "rows"
POINTS_WANTED = 0.5
ROWS_WANTED = 150_000.0
CONNECTIONS = 32  # replies wait for their batch of audit records, so one client alone waits for the disk

_APP = "application itself, no TLS"
_APP_TLS = "application itself"
_TLS = "fieldgate"
_NO_TLS = "fieldgate, no TLS"
_SEVERAL = "fieldgate, all cores"
_SEVERAL_NO_TLS = "fieldgate, all cores, no TLS"
_ROOT = Path(__file__).parent.parent


class ClientFailed(Exception):
    """The client process ended badly; the message has what it said last."""


def points(place: Workplace, gates: Gates) -> Contest:
    title = f"point select by a sealed equality field, two fields opened, {CONNECTIONS} connections"
    goals = (
        Goal(_TLS, _APP_TLS, at_least=POINTS_WANTED),
        Goal(_NO_TLS, _APP, at_least=POINTS_WANTED),
        Goal(_SEVERAL, _APP_TLS, at_least=POINTS_WANTED),
        Goal(_SEVERAL_NO_TLS, _APP, at_least=POINTS_WANTED),
    )
    return _contest(place, gates, POINTS, title, "selects/s", Work.POINTS, goals)


def rows(place: Workplace, gates: Gates) -> Contest:
    title = f"SELECT of {place.sizes.rows:,} rows with three sealed text fields, one connection"
    goals = (
        Goal(_TLS, at_least=ROWS_WANTED),
        Goal(_NO_TLS, at_least=ROWS_WANTED),
        Goal(_TLS, _APP_TLS),
        Goal(_NO_TLS, _APP),
    )
    return _contest(place, gates, ROWS, title, "rows/s", Work.ROWS, goals)


def _contest(
    place: Workplace, gates: Gates, name: str, title: str, unit: str, work: Work, goals: tuple[Goal, ...]
) -> Contest:
    sides = [
        _side(place, _APP, place.direct.at(APPSIDE), work, None),
        _side(place, _TLS, gates.one.endpoint(SHOP, tls=True), work, gates.one.pid),
        _side(place, _NO_TLS, gates.one.endpoint(SHOP, tls=False), work, gates.one.pid),
    ]
    if work is Work.POINTS:
        sides.append(_side(place, _SEVERAL, gates.several.endpoint(SHOP, tls=True), work, gates.several.pid))
        where = gates.several.endpoint(SHOP, tls=False)
        sides.append(_side(place, _SEVERAL_NO_TLS, where, work, gates.several.pid))
    skipped: tuple[tuple[str, str], ...] = ()
    if place.direct_tls is not None:
        sides.insert(0, _side(place, _APP_TLS, place.direct_tls, work, None))
    else:
        skipped = ((_APP_TLS, f"no PostgreSQL with TLS is installed ({DEBIAN})"),)
    return Contest(name, title, unit, tuple(sides), goals, skipped)


def _side(place: Workplace, name: str, where: Endpoint, work: Work, pid: int | None) -> Side:
    job = Job(
        work,
        where,
        place.sizes.rows,
        seconds=place.sizes.seconds,
        connections=CONNECTIONS,
        app_keys=place.app_keys if pid is None else None,
        watch=pid,
    )

    def measure() -> Reading:
        done = run(job)
        notes = {"client CPU, us each": done.cpu / done.count * 1e6}
        if pid is not None:
            notes["proxy CPU, us each"] = done.watched / done.count * 1e6
        return Reading(done.rate, notes)

    return Side(name, measure)


def run(job: Job) -> Done:
    """In a process of its own."""
    command = [sys.executable, "-m", "bench.client"]
    done = subprocess.run(command, input=job.to_json(), capture_output=True, text=True, cwd=_ROOT, check=False)
    if done.returncode != 0:
        raise ClientFailed(done.stderr[-1500:].strip())
    return Done(**json.loads(done.stdout))
