"""Searches by part as they are planned, and talks that know them.  Of the rows below those with `an` are found."""

from __future__ import annotations

from dataclasses import replace

from keys.tokens import MATCH
from policies.fields import Field, LogicalType, Sealing
from policies.model import Verb
from proxy.sql.plan import (
    Comparing,
    FieldUse,
    OutputAction,
    OutputColumn,
    Search,
    Sift,
    Slot,
    SlotKind,
    StatementKind,
    StatementPlan,
    ValueSource,
)

from .talk import CUSTOMERS_OID, PASS_ID, Talk, cell, columns, row

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
}
DESCRIBED = columns(("id", 20, CUSTOMERS_OID, 1), ("name", 17, CUSTOMERS_OID, 4))
PATTERN = b"%anna%"


def talking(**more: object) -> Talk:
    made = Talk(**more)  # type: ignore[arg-type]
    made.planner.plans |= PLANS
    return made


def candidate(number: int, name: str) -> bytes:
    return row(b"%d" % number, cell(name.encode()))


def shown(number: int, name: str) -> bytes:
    return row(b"%d" % number, name.encode())
