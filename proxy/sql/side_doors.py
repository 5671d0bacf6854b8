"""Would the statement open a side door?  Operators, casts, domains, defaults, triggers, policies and their like.

Names are looked at where they stand in the tree; what belongs to a relation counts when the statement does with that
relation what opens it.  A name that search_path cannot mean does not count, while search_path is known.
"""

from __future__ import annotations

from collections.abc import Iterable

from proxy.errors import FieldgateError, Unsupported

from .catalog import Catalog, Relation
from .doors import Act, CastDoor, Door, NamedDoor
from .tree import Node, Nodes, nodes, strings

Relations = list[tuple[Node, Relation | None]]
Path = tuple[str, ...] | None

_DDL = ("Create", "Alter", "Drop", "Index", "View", "Rename", "Refresh", "Comment", "Grant", "CompositeType")
_REBUILDS = frozenset({"AlterTableStmt", "IndexStmt", "ReindexStmt", "ClusterStmt", "VacuumStmt", "RefreshMatViewStmt"})
# Where PostgreSQL may put in a cast by itself: an implicit one stands nowhere in the text.
_MEETING = frozenset(
    {"A_Expr", "FuncCall", "CaseExpr", "CoalesceExpr", "MinMaxExpr", "A_ArrayExpr", "SubLink", "JoinExpr", "limitCount"}
)
_ALONE = "SETOP_NONE"
_EQUAL: list[list[Node]] = [[{"String": {"sval": "="}}]]
_BETWEEN: list[list[Node]] = [[{"String": {"sval": name}}] for name in ("<", "<=", ">", ">=")]
_COMMANDS = {
    "CMD_INSERT": Act.INSERT | Act.DEFAULT,
    "CMD_UPDATE": Act.UPDATE,
    "CMD_DELETE": Act.DELETE,
}


def check_doors(catalog: Catalog, kind: str, flat: Nodes, relations: Relations, path: Path) -> FieldgateError | None:
    """Why the statement may not run; None: it opens no side door."""
    door = (
        _of_relations(flat, kind, relations)
        or _of_names(catalog, flat, path)
        or _of_casts(catalog, flat, relations)
        or _of_ddl(catalog, kind)
    )
    return opened(door) if door is not None else None


def opened(door: Door, position: int | None = None) -> Unsupported:
    return Unsupported(
        f"{door.what} would use {door.calls}, of which it is not known what it reads or does",
        hint="Ask for it to be allowed in the data map, as [harmless], or use a direct connection.",
        position=position,
    )


def declared_types(catalog: Catalog, declared: Iterable[int]) -> FieldgateError | None:
    """Types that a Parse message names by their numbers."""
    door = next((catalog.doors.type_oids[oid] for oid in declared if oid in catalog.doors.type_oids), None)
    return opened(door) if door is not None else None


def _of_relations(flat: Nodes, kind: str, relations: Relations) -> Door | None:
    if not any(relation is not None and relation.doors for _, relation in relations):
        return None
    written = _written(flat)
    for body, relation in relations:
        acts = Act.READ | written.get(id(body), Act(0))
        if kind in _REBUILDS:
            acts |= Act.INSERT | Act.UPDATE
        for each in relation.doors if relation is not None else ():
            if each.acts & acts:
                return each.door
    return None


def _written(flat: Nodes) -> dict[int, Act]:
    """What becomes of each relation that a statement, or a part of it, writes."""
    found: dict[int, Act] = {}
    for kind, body in flat:
        acts = _acts(kind, body)
        if acts and "relation" in body:
            found[id(body["relation"])] = acts
        elif kind == "TruncateStmt":
            found.update((id(each["RangeVar"]), Act.TRUNCATE) for each in body.get("relations", []))
    return found


def _acts(kind: str, body: Node) -> Act:
    match kind:
        case "InsertStmt":
            update = body.get("onConflictClause", {}).get("action") == "ONCONFLICT_UPDATE"
            return Act.INSERT | Act.DEFAULT | (Act.UPDATE if update else Act(0))
        case "UpdateStmt":
            return Act.UPDATE | _defaulted(body)
        case "DeleteStmt":
            return Act.DELETE
        case "MergeStmt":
            found = _defaulted(body)
            for each in body.get("mergeWhenClauses", []):
                found |= _COMMANDS.get(each["MergeWhenClause"].get("commandType", ""), Act(0))
            return found
        case "CopyStmt" if body.get("is_from"):
            return Act.INSERT | Act.DEFAULT
    return Act(0)


def _defaulted(body: Node) -> Act:
    return Act.DEFAULT if any("SetToDefault" in each for _, each in nodes(body)) else Act(0)


def _of_names(catalog: Catalog, flat: Nodes, path: Path) -> Door | None:
    doors = catalog.doors
    if not (doors.operators or doors.types or doors.classes):
        return None
    for kind, body in flat:
        for known, written in (
            (doors.operators, _operators(kind, body)),
            (doors.types, _types(kind, body)),
            (doors.classes, [body["opclass"]] if body.get("opclass") else []),
        ):
            for each in written if known else ():
                door = _named(known, each, path)
                if door is not None:
                    return door
    return None


def _operators(kind: str, body: Node) -> list[list[Node]]:
    """Those that are written, and those that a construct stands for."""
    if kind == "A_Expr":
        return _BETWEEN if "BETWEEN" in body["kind"] else [body.get("name", [])]
    if kind == "SubLink":
        return [body["operName"]] if body.get("operName") else _EQUAL
    if kind == "SortBy" and body.get("useOp"):
        return [body["useOp"]]
    if (kind == "CaseExpr" and "arg" in body) or kind == "JoinExpr":
        return _EQUAL
    return []


def _types(kind: str, body: Node) -> list[list[Node]]:
    """Names of types, and what may be a cast in the clothes of a function: `domain('x')`, `('x').domain`."""
    if "names" in body and "typemod" in body:
        return [body["names"]]
    if kind == "FuncCall":
        return [body["funcname"]]
    if kind == "A_Indirection":
        return [[step] for step in body["indirection"] if "String" in step]
    return []


def _named(doors: dict[str, tuple[NamedDoor, ...]], written: list[Node], path: Path) -> Door | None:
    names = strings(written) or ("",)
    schema = names[-2] if len(names) > 1 else None
    for each in doors.get(names[-1], ()):
        if schema == each.schema or (schema is None and visible(each.schema, path)):
            return each.door
    return None


def visible(schema: str, path: Path) -> bool:
    """`$user` stands for a name that is not known here, and temporary schemas are always there."""
    return path is None or schema in path or "$user" in path or schema == "pg_catalog" or schema.startswith("pg_temp")


def _of_casts(catalog: Catalog, flat: Nodes, relations: Relations) -> Door | None:
    for cast in catalog.doors.casts:
        if _casts(cast, flat, relations):
            return cast.door
    return None


def _casts(cast: CastDoor, flat: Nodes, relations: Relations) -> bool:
    """Written out; by an assignment to a column of the type; or, an implicit one, wherever two types may meet."""
    for kind, body in flat:
        if any(name in cast.names for written in _types(kind, body) for name in strings(written)[-1:]):
            return True
        if kind.startswith("Json") and not cast.names.isdisjoint(("json", "jsonb")):
            return True
        if cast.context == "i" and (kind in _MEETING or "valuesLists" in body or body.get("op", _ALONE) != _ALONE):
            return True
    if cast.context == "e":
        return False
    written = _written(flat)
    return any(
        id(body) in written and (relation is None or any(c.type_oid == cast.target for c in relation.columns))
        for body, relation in relations
    )


def _of_ddl(catalog: Catalog, kind: str) -> Door | None:
    return catalog.doors.events if kind.startswith(_DDL) else None
