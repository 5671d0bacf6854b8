"""UPDATE and DELETE."""

from __future__ import annotations

from policies.model import Verb
from proxy.errors import Refused, Unsupported

from .analysis import FILTERING, Analysis, Item, QueryRole
from .common_tables import walk_with
from .conditions import walk_condition
from .edits import end_index, word_index
from .leakproof import require_leakproof
from .locking import by_keys, condition_of, lock
from .plan import FieldUse, Slot, ValueSource
from .ranges import finish_ranges, walk_range
from .row_view import own_rows
from .scope import Scope, Source
from .searches import conjuncts, walk_search
from .sources import walk_from
from .tree import Node, strings, unwrap
from .writes import Target, assign, charge_write, returning, same_column, source_of_value, write_target

Assignment = tuple[str, Node, int | None]


def walk_update(a: Analysis, body: Node, outer: Scope, role: QueryRole) -> list[Item]:
    scope = Scope(outer.text, outer)
    walk_with(a, body, scope)
    target = write_target(a, body, scope)
    _others(a, target, body.get("fromClause", []))
    key = fixed_row_key(target, body.get("whereClause", {}))
    for name, node, position in assignments(body["targetList"], target.scope):
        charge_write(a, target, name, Verb.UPDATE, position)
        _check_filter_column(target, name, position)
        check_row_key(target, name, position)
        walk_assignment(a, target, name, node, target.scope, key, position)
    _where(a, target, body, role)
    return returning(a, body, target.scope, role)


def walk_delete(a: Analysis, body: Node, outer: Scope, role: QueryRole) -> list[Item]:
    scope = Scope(outer.text, outer)
    walk_with(a, body, scope)
    target = write_target(a, body, scope)
    charge_delete(a, target)
    _others(a, target, body.get("usingClause", []))
    _where(a, target, body, role)
    return returning(a, body, target.scope, role)


def charge_delete(a: Analysis, target: Target) -> None:
    """A row is all its fields: each of them must allow it."""
    table = target.relation.protected if target.relation is not None else None
    if table is None:
        return
    rights = a.ledger.table(table)
    if not rights.deletes_rows:
        raise Refused(
            f'permission denied: delete of rows of "{table.schema}.{table.table}"',
            detail="Policy must allow delete for every field of the table.",
        )
    a.ledger.uses[FieldUse(f"{table.schema}.{table.table}.*", Verb.DELETE)] = None
    for right in rights.fields.values():
        a.ledger.rules.update(dict.fromkeys(right.rules))


def _others(a: Analysis, target: Target, items: list[Node]) -> None:
    """FROM and USING do not see the target."""
    if items:
        others = Scope(target.scope.text, target.scope.parent)
        walk_from(a, items, others)
        target.scope.names.add(others.names)


def assignments(targets: list[Node], scope: Scope) -> list[Assignment]:
    """(column, value, position) of each SET; `(a, b) = (x, y)` is two of them."""
    found = []
    for node in targets:
        body = node["ResTarget"]
        position = scope.text.position(body.get("location", -1))
        if body.get("indirection"):
            raise Unsupported("assigning to a part of a column is not supported here", position=position)
        value = body["val"]
        if "MultiAssignRef" in value:
            value = _member(value["MultiAssignRef"], position)
        found.append((str(body["name"]), value, position))
    return found


def _member(reference: Node, position: int | None) -> Node:
    row = reference["source"].get("RowExpr")
    if row is None:
        raise Unsupported(
            "SET (...) = (SELECT ...) is not supported in statements over protected tables",
            hint="Assign the columns one by one.",
            position=position,
        )
    args: list[Node] = row.get("args", [])
    if len(args) != reference.get("ncolumns", 0):
        raise Refused("number of columns does not match number of values", position=position)
    index: int = reference["colno"] - 1
    return args[index]


def walk_assignment(
    a: Analysis,
    target: Target,
    name: str,
    node: Node,
    scope: Scope,
    key: ValueSource | None,
    position: int | None,
    excluded: Source | None = None,
) -> None:
    target.column(name, position)
    own = (target.source,) if excluded is None else (target.source, excluded)
    if target.protected and same_column(a, node, scope, own, name):
        return
    assign(a, target, name, node, scope, key, position)


def _check_filter_column(target: Target, name: str, position: int | None) -> None:
    if target.row_filter is not None and name == target.row_filter.column:
        raise Refused(f'"{name}" says whose row it is, and can not be changed', position=position)


def check_row_key(target: Target, name: str, position: int | None) -> None:
    if name == target.row_key:
        raise Unsupported(
            f'"{name}" is what sealed columns of the row are bound to, and can not be changed',
            hint="Insert a new row.",
            position=position,
        )


def fixed_row_key(target: Target, where: Node) -> ValueSource | None:
    """`key = constant` or `key = $n` as a condition that every updated row fulfils."""
    if target.row_key is None:
        return None
    kind, body = unwrap(where)
    if kind == "BoolExpr" and body.get("boolop") == "AND_EXPR":
        return next((found for node in body["args"] if (found := fixed_row_key(target, node)) is not None), None)
    if kind != "A_Expr" or body.get("kind") != "AEXPR_OP" or strings(body["name"]) != ("=",):
        return None
    for one, other in ((body.get("lexpr", {}), body.get("rexpr", {})), (body.get("rexpr", {}), body.get("lexpr", {}))):
        if "ColumnRef" in one and _is_key(target, strings(one["ColumnRef"]["fields"])):
            return source_of_value(other)
    return None


def _is_key(target: Target, names: tuple[str, ...]) -> bool:
    if names[-1] != target.row_key:
        return False
    return names[:-1] in ((), (target.source.alias,)) and (len(names) == 2 or len(target.scope.names.sources) == 1)


def _walk_where(a: Analysis, target: Target, body: Node, role: QueryRole) -> None:
    for node in conjuncts(body["whereClause"]):
        if not walk_search(a, node, body, target.scope, role) and not walk_range(a, node, body, target.scope, role):
            walk_condition(a, node, target.scope, FILTERING)
    finish_ranges(a, target.scope)


def _own_rows(a: Analysis, target: Target, condition: Node | None) -> tuple[str | Slot, ...] | None:
    if target.row_filter is None or target.relation is None:
        return None
    if condition is not None:
        require_leakproof(condition, target.scope.text)
    return own_rows(target.relation, target.row_filter, a.catalog, target.source.alias)


def _locked(a: Analysis, target: Target, body: Node) -> tuple[str | Slot, ...]:
    """The rows that a search finds are written by their keys."""
    text = target.scope.text
    word = word_index(text, target.name_end + 1, "where")
    if word is None:
        raise Unsupported("WHERE can not be located exactly")
    following = word_index(text, word + 1, "returning")
    last = following - 1 if following is not None else end_index(text, word)
    a.locked = lock(a, target, body, condition_of(text, word, last))
    return by_keys(a.locked)


def _where(a: Analysis, target: Target, body: Node, role: QueryRole) -> None:
    condition = body.get("whereClause")
    if condition is not None:
        _walk_where(a, target, body, role)
    own = _own_rows(a, target, condition)
    text = target.scope.text
    if a.searches:
        own = _locked(a, target, body)
    if own is None:
        return
    start = target.name_end + 1
    word = word_index(text, start, "where")
    following = word_index(text, start if word is None else word + 1, "returning")
    last = following - 1 if following is not None else end_index(text, start)
    if (word is None) is not (condition is None):
        raise Unsupported("WHERE can not be located exactly")
    if word is None:
        text.insert_after(last, " WHERE ", *own)
    else:
        text.insert_after(word, " (", *own, ") AND (")
        text.insert_after(last, ")")
