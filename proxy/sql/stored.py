"""CREATE TABLE AS and SELECT INTO over protected tables: what a query shows is stored where no policy covers it.

So every protected field in it needs `export`, as INSERT ... SELECT into such a table does, and a sealed one is refused.
Views are not made through Fieldgate: until the catalog is read again nobody knows what they show.
"""

from __future__ import annotations

from dataclasses import replace

from proxy.errors import Unsupported

from .analysis import Analysis, Item, QueryRole
from .definitions import refuse_shadowing, refuse_temporary_shadow
from .edits import SqlText
from .inserts import store_outside
from .plan import SessionEffect, StatementKind, StatementPlan
from .scope import Scope
from .selects import run_query
from .statement import Request, plan_touching
from .touch import Findings
from .tree import Node, RawStatement


def stores(statement: RawStatement) -> bool:
    """It makes a table from a query; EXECUTE is no query that could be looked at."""
    if statement.kind == "CreateTableAsStmt":
        return statement.body.get("objtype") == "OBJECT_TABLE" and "SelectStmt" in statement.body["query"]
    return statement.kind == "SelectStmt" and _into(statement.body) is not None


def _into(query: Node) -> Node | None:
    while "larg" in query:
        query = query["larg"]
    return query.get("intoClause")


def plan_stored(request: Request, statement: RawStatement, source: bytes, found: Findings) -> StatementPlan:
    made = (statement.body.get("into") or _into(statement.body) or {})["rel"]
    refuse_shadowing(request.catalog, made["relname"])
    refuse_temporary_shadow(request.catalog, made)
    plan = plan_touching(request, statement, source, found, walk=_walk)
    if plan.unsettled:
        raise Unsupported(
            "what a query shows of a table whose fields are being sealed or unsealed can not be stored",
            hint="Wait until the data map says `migrating` of none of them.",
        )
    return replace(
        plan,
        kind=StatementKind.UTILITY,
        outputs=None,
        hidden_outputs=0,
        returns_rows=False,
        effect=SessionEffect.CATALOG,
    )


def _walk(a: Analysis, kind: str, body: Node, text: SqlText) -> list[Item]:
    query = body["query"]["SelectStmt"] if kind == "CreateTableAsStmt" else body
    items = run_query(a, _without_into(query), Scope(text), QueryRole.STORED)
    for item in items:
        if item.unknown:
            raise Unsupported("a column of this query is not known", hint="Name the columns that you need.")
        store_outside(a, item)
    return []


def _without_into(query: Node) -> Node:
    """INTO stands in the first SELECT of a set operation."""
    bare = {key: value for key, value in query.items() if key != "intoClause"}
    return {**bare, "larg": _without_into(bare["larg"])} if "larg" in bare else bare
