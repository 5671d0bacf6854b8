"""Functions that are called without looking like a call: `row.function` and `(expression).function`.

PostgreSQL takes `x.f` for the call f(x) when the row x has no column f, and `(x).f` likewise for a value of any type.
So each last part of such a name is looked at as a function's, unless it is certain that a column has it.
"""

from __future__ import annotations

from proxy.errors import FieldgateError, Unsupported

from . import functions
from .catalog import Catalog, Relation
from .tree import Node, Nodes, string, strings, unwrap


def check_notation(
    catalog: Catalog, flat: Nodes, relations: list[tuple[Node, Relation | None]]
) -> FieldgateError | None:
    """Why the statement may not run; None: nothing in it calls a function of unknown reach in this way."""
    for key, body in flat:
        if key == "A_Indirection":
            for step in body.get("indirection", []):
                if "String" in step and _may_reach(catalog, string(step)):
                    return _unknown(string(step))
        elif key == "ColumnRef" and len(body["fields"]) > 1 and unwrap(body["fields"][-1])[0] == "String":
            names = strings(body["fields"])
            if _may_reach(catalog, names[-1]) and not _is_column(names, flat, relations):
                return _unknown(names[-1])
    return None


def _may_reach(catalog: Catalog, name: str) -> bool:
    others = catalog.functions.get(name, ())
    reaching = functions.reaches_beyond(name) and name not in catalog.opened
    return reaching or not all(other.allowed for other in others)


def _is_column(names: tuple[str, ...], flat: Nodes, relations: list[tuple[Node, Relation | None]]) -> bool:
    """Whatever in the statement has that name in front of the dot is a table that has the column."""
    alias, column = names[-2], names[-1]
    if any(body.get("aliasname") == alias and key == "alias" for key, body in _derived(flat)):
        return False
    known = {id(body): relation for body, relation in relations}
    meant = [body for _, body in flat if "relname" in body and _called(body) == alias]
    return bool(meant) and all("colnames" not in b.get("alias", {}) and _has(known.get(id(b)), column) for b in meant)


def _called(body: Node) -> str:
    return str(body.get("alias", {}).get("aliasname", body["relname"]))


def _has(relation: Relation | None, column: str) -> bool:
    return relation is not None and relation.column(column) is not None


def _derived(flat: Nodes) -> Nodes:
    """Aliases of anything that is not a table: subqueries, functions, joins."""
    found: Nodes = []
    for _, body in flat:
        if "alias" in body and "relname" not in body:
            found.append(("alias", body["alias"]))
        if "join_using_alias" in body:
            found.append(("alias", body["join_using_alias"]))
    return found


def _unknown(name: str) -> FieldgateError:
    return Unsupported(
        f'".{name}" may call a function of which it is not known what it reads or does',
        hint="Name the column by its table's own name or alias; a function is called as name(argument).",
    )
