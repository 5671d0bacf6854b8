"""Statements and cursors that are prepared and declared by name, and talks that know them."""

from __future__ import annotations

from dataclasses import replace

from proxy.sql.plan import (
    Argument,
    SessionEffect,
    Slot,
    SlotKind,
    StatementKind,
    StatementPlan,
    Written,
)
from proxy.wire import frontend
from proxy.wire.framing import HEADER_SIZE

from .talk import (
    BOUND_EMAIL,
    CUSTOMERS_OID,
    FIND_EMAIL,
    INSERT_CONSTANT,
    INSERT_DRAWN,
    SELECT_EMAIL,
    Talk,
    catalog,
    columns,
    done,
    keeping,
    query,
    ready,
    running,
    utility,
)

IVAN = Argument(b"'ivan'", Written.STRING, b"ivan")
FIVE = Argument(b"2 + 3")
TERM = b"'\\x" + b"ivan............".hex().encode() + b"'"
BOUND_COLUMNS = columns(("email", 17, CUSTOMERS_OID, 2), ("id", 20, CUSTOMERS_OID, 1))
OWN_ROWS = StatementPlan(
    StatementKind.UTILITY,
    (b"declare own cursor for select id from customers where id = ", 0),
    slots=(Slot(SlotKind.PRINCIPAL, attribute="subject"),),
    touches_protected=True,
    uses=SELECT_EMAIL.uses,
    effect=SessionEffect.DECLARES,
    effect_value="own",
)


def rows_of(plan: StatementPlan) -> StatementPlan:
    return replace(plan, segments=(), slots=(), client_parameters=0, parameter_types=())


def declaring(text: str, name: str, kept: StatementPlan, **more: object) -> StatementPlan:
    """A DECLARE with uses of its own, as the planner makes it."""
    made = keeping(text, SessionEffect.DECLARES, name, rows_of(kept), **more)  # type: ignore[arg-type]
    return replace(made, touches_protected=True, uses=kept.uses)


PLANS = {
    "prepare email": keeping("select email", SessionEffect.PREPARES, "e", SELECT_EMAIL),
    "prepare find": keeping("find email", SessionEffect.PREPARES, "f", FIND_EMAIL),
    "prepare insert": keeping("insert", SessionEffect.PREPARES, "i", INSERT_CONSTANT),
    "prepare drawn": keeping("drawn", SessionEffect.PREPARES, "d", INSERT_DRAWN),
    "execute e": running("execute e", SessionEffect.RUNS_STATEMENT, "e"),
    "execute f": running("execute f('ivan', 2 + 3)", SessionEffect.RUNS_STATEMENT, "f", IVAN, FIVE),
    "execute i": running("execute i", SessionEffect.RUNS_STATEMENT, "i"),
    "execute d": running("execute d", SessionEffect.RUNS_STATEMENT, "d"),
    "execute s": running("execute s('ivan', 2 + 3)", SessionEffect.RUNS_STATEMENT, "s", IVAN, FIVE),
    "execute one": running("execute f('ivan')", SessionEffect.RUNS_STATEMENT, "f", IVAN),
    "execute worked": running("execute f(lower('X'), 1)", SessionEffect.RUNS_STATEMENT, "f", FIVE, FIVE),
    "explain execute e": utility("explain execute e", SessionEffect.RUNS_STATEMENT, "e"),
    "deallocate f": utility("deallocate f", SessionEffect.DEALLOCATE, "f"),
    "drawn": INSERT_DRAWN,
    "declare c": declaring("declare c", "c", SELECT_EMAIL),
    "declare other": declaring("declare other", "c", FIND_EMAIL),
    "declare bound": declaring("declare bound", "c", BOUND_EMAIL),
    "declare held": declaring("declare held", "c", SELECT_EMAIL, held=True),
    "declare own": replace(OWN_ROWS, keeps=declaring("declare own", "own", SELECT_EMAIL).keeps),
    "fetch c": running("fetch c", SessionEffect.RUNS_PORTAL, "c"),
    "fetch own": running("fetch own", SessionEffect.RUNS_PORTAL, "own"),
    "move c": replace(running("move c", SessionEffect.RUNS_PORTAL, "c"), returns_rows=False),
    "close c": utility("close c", SessionEffect.CLOSES, "c"),
    "close all": utility("close all", SessionEffect.CLOSES),
}


def talking(*, split: bool) -> Talk:
    made = Talk(split=split)
    made.planner.plans |= PLANS
    return made


def asked(message: bytes) -> bytes:
    assert message[:1] == b"Q"
    return frontend.parse_query(message[HEADER_SIZE:])


def did(talk: Talk, text: str, *tags_of_commands: str, status: bytes = b"T") -> None:
    """A Query that goes well."""
    talk.client(query(text))
    talk.server(*(done(tag) for tag in tags_of_commands), ready(status))


def new_rights(talk: Talk, **plans: StatementPlan) -> None:
    """Another revision, under which these texts are planned otherwise."""
    talk.planner.plans |= {name.replace("_", " "): plan for name, plan in plans.items()}
    talk.revision = type(talk.revision)(catalog(version=2), talk.revision.decisions, talk.revision.ciphers)
