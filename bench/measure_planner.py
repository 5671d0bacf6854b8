"""Measurement 5: what a statement costs the planner when it comes for the first time, and when it comes again.

The planner is called in this process, with the catalog of the sealed shop and the sample's own policy.  A statement
comes for the first time whenever its text is another, so each call has a comment of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from statistics import median

from policies.engine import CompiledDecisions
from policies.loader import SHOP as POLICY
from policies.loader import load_policy
from policies.model import Principal
from proxy.catalog_loader import load_catalog
from proxy.sql.cache import CachedPlanner
from proxy.sql.planner import PlanContext

from .client import POINT, connect
from .contest import Contest, Reading, Side
from .gate import LOGIN, Gates
from .ratios import Goal
from .workplace import SHOP, Workplace

NAME = "planner"
WANTED_MS = 3.0
JOIN = """
    SELECT c.surname, c.email, o.recipient_name, o.total
    FROM customers AS c JOIN orders AS o ON o.customer_id = c.id
    WHERE c.email = $1 AND o.status = 'new'
    ORDER BY o.placed_at DESC LIMIT 20
"""
UNPROTECTED = "SELECT abalance FROM pgbench_accounts WHERE aid = $1"
_CALLS = 60
_FIRST = "two-table join, first time"


class PlannerRefused(Exception):
    """A statement that should be planned was refused: its time means nothing."""


def contest(place: Workplace, gates: Gates) -> Contest:
    del gates  # its start has made the shop
    context = asyncio.run(_context(place))
    sides = (
        Side(_FIRST, lambda: _first_time(JOIN, context)),
        Side("point select, first time", lambda: _first_time(POINT, context)),
        Side("nothing protected, first time", lambda: _first_time(UNPROTECTED, context)),
        Side("two-table join, again", lambda: _again(JOIN, context)),
    )
    return Contest(NAME, "the planner's time for one statement", "ms", sides, (Goal(_FIRST, at_most=WANTED_MS),))


async def _context(place: Workplace) -> PlanContext:
    policy = load_policy(POLICY)
    login = policy.logins[LOGIN]
    principal = Principal(LOGIN, LOGIN, login.roles, login.controller, login.purpose)
    connection = await connect(place.direct.at(SHOP))
    try:
        catalog = await load_catalog(connection, policy.data_map)
    finally:
        await connection.close()
    return PlanContext(catalog, CompiledDecisions(policy), principal)


def _first_time(text: str, context: PlanContext) -> Reading:
    planner, numbers = CachedPlanner(), itertools.count()
    return _median(lambda: _plan(planner, f"{text} /* {next(numbers)} */", context), _CALLS)


def _again(text: str, context: PlanContext) -> Reading:
    planner = CachedPlanner()
    _plan(planner, text, context)
    return _median(lambda: _plan(planner, text, context), 100 * _CALLS)


def _plan(planner: CachedPlanner, text: str, context: PlanContext) -> None:
    plan = planner.plan_statement(text, (), context)
    if plan.refusal is not None:
        raise PlannerRefused(str(plan.refusal))


def _median(act: Callable[[], None], calls: int) -> Reading:
    act()
    taken = []
    for _ in range(calls):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return Reading(median(taken) * 1000, {"slowest, ms": max(taken) * 1000})
