"""pg_class may be read, but for the columns that tell how large a table is: sizes are protected fields (I3).

Asked of statements in which pg_class stands as it is; where it is shown (system_catalogs.py), it holds no sizes.
"""

from __future__ import annotations

from proxy.errors import FieldgateError, Unsupported

from .catalog import Relation
from .functions import SIZE_COLUMNS
from .tree import Node, nodes, strings, unwrap


def is_pg_class(relation: Relation | None) -> bool:
    return relation is not None and (relation.schema, relation.name) == ("pg_catalog", "pg_class")


def sizes_named(tree: Node) -> FieldgateError | None:
    """Why the statement may not run; None: it names no such column, no `*`, no whole row."""
    flat = nodes(tree)
    aliases = {_alias(body) for _, body in flat if body.get("relname") == "pg_class"}
    for key, body in flat:
        if key == "ColumnRef" and _tells(strings(body["fields"]), aliases):
            return _sizes()
        if key == "SelectStmt" and "pg_class" in _from_names(body.get("fromClause", [])) and _has_star(body):
            return _sizes()
        if key == "CopyStmt" and body.get("relation", {}).get("relname") == "pg_class" and _copies_sizes(body):
            return _sizes()
    return None


def size_function(name: str) -> Unsupported:
    return Unsupported(
        f"what {name} tells is not available in a database with protected tables",
        hint="Called in a plain query over the server's catalogs it returns NULL.",
    )


def _sizes() -> Unsupported:
    return Unsupported(
        "the sizes that pg_class holds are not available in a database with protected tables",
        hint="Name the columns that you need, without *, reltuples, relpages, relallvisible and relallfrozen.",
    )


def _alias(body: Node) -> str:
    return str(body.get("alias", {}).get("aliasname", body["relname"]))


def _tells(names: tuple[str, ...], aliases: set[str]) -> bool:
    """A size, or the whole row: `c` or `c.*`."""
    row = names[:-1] if names[-1] == "*" else names
    return names[-1] in SIZE_COLUMNS or (bool(row) and row[-1] in aliases)


def _copies_sizes(body: Node) -> bool:
    columns = set(strings(body.get("attlist", [])))
    return not columns or not columns.isdisjoint(SIZE_COLUMNS)


def _from_names(items: list[Node]) -> set[str]:
    """Bare names of the tables that FROM names itself, joins included, subqueries not."""
    found: set[str] = set()
    for kind, body in map(unwrap, items):
        if kind == "RangeVar":
            found.add(str(body["relname"]))
        elif kind == "JoinExpr":
            found |= _from_names([body["larg"], body["rarg"]])
    return found


def _has_star(body: Node) -> bool:
    targets = (unwrap(target["ResTarget"].get("val", {})) for target in body.get("targetList", []))
    return any(kind == "ColumnRef" and "A_Star" in node["fields"][-1] for kind, node in targets)
