"""Contest 1: pgbench's point selects on a table that nothing protects, in a database that has protected tables (every
statement is analysed once, every message is looked at) and in one that has none (bytes pass as they are)."""

from __future__ import annotations

from . import pgbench
from .bouncer import PGBOUNCER
from .contest import Contest, Reading, Side
from .gate import Gates
from .places import Endpoint
from .processes import cpu_time
from .ratios import Goal
from .workplace import PLAIN, SHOP, Workplace

NAME = "pgbench"
WANTED = 0.6

_TLS = "fieldgate, protected db"
_TLS_NONE = "fieldgate, plain db"
_BOUNCER = "pgbouncer"
_NO_TLS = ", no TLS"
_GOALS = (
    Goal(_TLS, _BOUNCER, at_least=WANTED),
    Goal(_TLS_NONE, _BOUNCER, at_least=WANTED),
    Goal(_TLS + _NO_TLS, _BOUNCER + _NO_TLS, at_least=WANTED),
    Goal(_TLS_NONE + _NO_TLS, _BOUNCER + _NO_TLS, at_least=WANTED),
    Goal(_TLS, "direct"),
    Goal(_TLS_NONE, "direct"),
    Goal(_TLS + _NO_TLS, "direct"),
    Goal(_TLS_NONE + _NO_TLS, "direct"),
    Goal(_BOUNCER, "direct"),
    Goal(_BOUNCER + _NO_TLS, "direct"),
)


def contest(place: Workplace, gates: Gates) -> Contest:
    sides = [_side(place, "direct", place.direct, None)]
    skipped: tuple[tuple[str, str], ...] = ()
    if place.bouncer is not None:
        for tls in (True, False):
            where = place.bounced(tls=tls)
            sides.append(_side(place, where.name, where, place.bouncer.pid))
    else:
        skipped = ((_BOUNCER, f"not installed ({PGBOUNCER})"),)
    for database, name in ((SHOP, _TLS), (PLAIN, _TLS_NONE)):
        sides.append(_side(place, name, gates.one.endpoint(database, tls=True), gates.one.pid))
        sides.append(_side(place, name + _NO_TLS, gates.one.endpoint(database, tls=False), gates.one.pid))
    title = f"pgbench -S -M prepared, {place.sizes.clients} clients"
    return Contest(NAME, title, "transactions/s", tuple(sides), _GOALS, skipped)


def _side(place: Workplace, name: str, where: Endpoint, pid: int | None) -> Side:
    def measure() -> Reading:
        with cpu_time(pid) as used:
            found = pgbench.select_only(where, clients=place.sizes.clients, seconds=place.sizes.seconds)
        notes = {"latency, ms": found.latency_ms}
        if pid is not None:
            notes["proxy CPU, us each"] = used.seconds / (found.tps * place.sizes.seconds) * 1e6
        return Reading(found.tps, notes)

    return Side(name, measure)
