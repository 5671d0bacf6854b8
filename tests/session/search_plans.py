"""Searches by part as they are planned, and talks that know them.  Of the rows below those with `an` are found."""

from __future__ import annotations

from dataclasses import replace

from keys.tokens import MATCH
from policies.fields import Field, LogicalType, Sealing
from policies.model import Verb
from proxy.sql.plan import (
    Argument,
    Comparing,
    Fetch,
    FieldUse,
    Kept,
    KeyColumn,
    Locks,
    OutputAction,
    OutputColumn,
    Search,
    SessionEffect,
    Sift,
    Slot,
    SlotKind,
    StatementKind,
    StatementPlan,
    ValueSource,
    Written,
)

from .talk import CUSTOMERS_OID, PASS_ID, Talk, cell, columns, hex_cell, keeping, row, running, utility

NAME = Field("public", "customers", "name", "pd", Sealing("c" * 32, LogicalType.TEXT, tokens=(MATCH,)))
GIVEN = ValueSource(parameter=1)
SEARCH = Search(NAME, 1, Comparing.LIKE, GIVEN, CUSTOMERS_OID, 4)
FIND = StatementPlan(
    StatementKind.SELECT,
    (b"select id, name from customers where fg_name_tk @> ", 0, b"::int4[]"),
    slots=(Slot(SlotKind.TOKENS, GIVEN, NAME, comparing=Comparing.LIKE),),
    client_parameters=1,
    parameter_types=((1, 25),),
    outputs=(PASS_ID, OutputColumn("name", OutputAction.OPEN, NAME, CUSTOMERS_OID, 4, 25)),
    sift=Sift((SEARCH,)),
    returns_rows=True,
    touches_protected=True,
    uses=(FieldUse(NAME.name, Verb.FILTER_RANGE),),
)
CONSTANT = ValueSource(constant=b"%anna%")
FIND_CONSTANT = replace(
    FIND,
    slots=(Slot(SlotKind.TOKENS, CONSTANT, NAME, comparing=Comparing.LIKE),),
    client_parameters=0,
    parameter_types=(),
    sift=Sift((replace(SEARCH, sought=CONSTANT),)),
)
PLANS = {
    "find": FIND,
    "find two": replace(FIND, sift=Sift((SEARCH,), limit=ValueSource(constant=b"2"))),
    "find anna": FIND_CONSTANT,
    "find two anna": replace(FIND_CONSTANT, sift=Sift((replace(SEARCH, sought=CONSTANT),), ValueSource(constant=b"2"))),
}
DESCRIBED = columns(("id", 20, CUSTOMERS_OID, 1), ("name", 17, CUSTOMERS_OID, 4))
PATTERN = b"%anna%"


def talking(**more: object) -> Talk:
    made = Talk(**more)  # type: ignore[arg-type]
    made.planner.plans |= PLANS
    return made


def candidate(number: int, name: str) -> bytes:
    return row(b"%d" % number, cell(name.encode()))


def in_text(number: int, name: str) -> bytes:
    """As the server sends it in a Query."""
    return row(b"%d" % number, hex_cell(name.encode()))


def shown(number: int, name: str) -> bytes:
    return row(b"%d" % number, name.encode())


def _kept(plan: StatementPlan) -> StatementPlan:
    return replace(plan, segments=(), slots=(), client_parameters=0, parameter_types=())


def declaring(text: str, kept: StatementPlan, *, binary: bool = False) -> StatementPlan:
    """DECLARE c, as the planner makes it."""
    made = replace(kept, kind=StatementKind.UTILITY, sift=None, outputs=None, returns_rows=False)
    keeps = Kept(_kept(kept), text, binary=binary)
    return replace(made, effect=SessionEffect.DECLARES, effect_value="c", keeps=keeps)


def fetching(count: int | None, *, moves: bool = False) -> StatementPlan:
    """FETCH or MOVE of c; None: another way than forward."""
    text = f"{'move' if moves else 'fetch'} {count}"
    made = running(text, SessionEffect.RUNS_PORTAL, "c")
    return replace(made, returns_rows=not moves, fetch=None if count is None else Fetch(count, moves))


ANNA = Argument(b"'%anna%'", Written.STRING, b"%anna%")
PLANS |= {
    "declare": declaring("declare", FIND_CONSTANT),
    "declare binary": declaring("declare binary", FIND_CONSTANT, binary=True),
    "declare find": declaring("declare find", FIND),
    "fetch 1": fetching(1),
    "fetch 2": fetching(2),
    "fetch 0": fetching(0),
    "fetch back": fetching(None),
    "move 2": fetching(2, moves=True),
    "close c": utility("close c", SessionEffect.CLOSES, "c"),
    "prepare": keeping("find", SessionEffect.PREPARES, "s", FIND),
    "prepare two": keeping("find two", SessionEffect.PREPARES, "s", PLANS["find two"]),
    "execute": running("execute", SessionEffect.RUNS_STATEMENT, "s", ANNA),
}
_KEYS = Slot(SlotKind.KEYS, attribute="0")
_LOCKING = replace(
    FIND,
    segments=(b"select 1, name, id from customers where fg_name_tk @> ", 0, b"::int4[] for update"),
    outputs=(OutputColumn("?column?", OutputAction.PASS),),
    hidden_outputs=2,
)
KEY = KeyColumn("id", 20, CUSTOMERS_OID, 1)
LOCKED = columns(("?column?", 23, 0, 0), ("name", 17, CUSTOMERS_OID, 4), ("id", 20, CUSTOMERS_OID, 1))
ERASE = replace(
    FIND,
    kind=StatementKind.DELETE,
    segments=(b"delete from customers where id = any (", 1, b") and fg_name_tk @> ", 0, b"::int4[]"),
    slots=(*FIND.slots, _KEYS),
    sift=None,
    outputs=None,
    returns_rows=False,
    writes=True,
    locks=Locks(_LOCKING, (KEY,)),
    uses=(FieldUse(NAME.name, Verb.FILTER_RANGE), FieldUse("public.customers.*", Verb.DELETE)),
)
PLANS |= {
    "delete": ERASE,
    "delete returning": replace(ERASE, outputs=FIND.outputs, returns_rows=True),
    "delete anna": replace(
        ERASE,
        slots=(*FIND_CONSTANT.slots, _KEYS),
        client_parameters=0,
        parameter_types=(),
        locks=Locks(replace(_LOCKING, slots=FIND_CONSTANT.slots, sift=FIND_CONSTANT.sift, client_parameters=0), (KEY,)),
    ),
}
PLANS["delete anna returning"] = replace(PLANS["delete anna"], outputs=FIND.outputs, returns_rows=True)


def lockable(number: int, name: str) -> bytes:
    """A candidate, as the SELECT before a write shows it."""
    return row(b"\0\0\0\1", cell(name.encode()), number.to_bytes(8, "big"))
