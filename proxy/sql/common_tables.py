"""WITH: common table expressions, recursive ones, and those that write."""

from __future__ import annotations

from proxy.errors import Refused, Unsupported

from .analysis import Analysis, Item, QueryRole
from .scope import CommonTable, Scope
from .source_names import rename
from .sources import columns_of
from .tree import Node, strings, unwrap

WRITING = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})


def walk_with(a: Analysis, body: Node, scope: Scope) -> None:
    """Add the expressions of the statement's WITH clause to its scope, each seeing those before it."""
    clause = body.get("withClause")
    if clause is None:
        return
    recursive = bool(clause.get("recursive"))
    for node in clause["ctes"]:
        expression = node["CommonTableExpr"]
        if "search_clause" in expression or "cycle_clause" in expression:
            raise Unsupported("SEARCH and CYCLE are not supported in statements over protected tables")
        scope.tables[expression["ctename"]] = _common_table(a, expression, scope, recursive=recursive)


def _common_table(a: Analysis, expression: Node, scope: Scope, *, recursive: bool) -> CommonTable:
    name, names = expression["ctename"], strings(expression.get("aliascolnames", []))
    kind, query = unwrap(expression["ctequery"])
    inner = Scope(scope.text, scope.parent, tables=dict(scope.tables))
    if kind in WRITING:
        return _finished(name, a.write(a, kind, query, inner, QueryRole.DERIVED), names)
    if kind != "SelectStmt":
        raise Unsupported(f"{kind} in WITH is not supported in statements over protected tables")
    if not recursive:
        return _finished(name, a.query(a, query, inner, QueryRole.DERIVED), names)
    return _recursive(a, name, names, query, inner)


def _recursive(a: Analysis, name: str, names: tuple[str, ...], query: Node, inner: Scope) -> CommonTable:
    """The first side of the UNION says what the columns are; the second may add nothing to what they depend on."""
    first: list[Item] = []

    def left_is_known(items: list[Item]) -> None:
        for item in items:
            item.appendix = None  # both sides must have the same columns
        first.extend(items)
        inner.tables[name] = _finished(name, items, names)

    # Until the first side is known a reference to the name is an error of the statement's.
    inner.tables[name] = CommonTable(name, None)
    a.left_side[id(query)] = left_is_known
    items = a.query(a, query, inner, QueryRole.DERIVED)
    a.left_side.pop(id(query), None)
    for before, after in zip(first, items, strict=False):
        known = {column.name for column in before.origin.columns}
        if any(column.name not in known for column in after.origin.columns) or before.origin.cell != after.origin.cell:
            raise Unsupported(
                f'the recursive part of "{name}" brings other columns of protected tables than its first part',
                hint="Select the same columns in both parts.",
            )
    return _finished(name, items, names)


def _finished(name: str, items: list[Item], names: tuple[str, ...]) -> CommonTable:
    columns = columns_of(items, None)
    if len(names) > len(columns):
        raise Refused(f'"{name}" has {len(columns)} columns available but more are named')
    renamed = rename(columns, names)
    return CommonTable(name, renamed, opaque=any(item.unknown for item in items))
