"""JOIN: ON, USING, and why NATURAL is refused."""

from __future__ import annotations

from collections.abc import Callable

from policies.model import Verb
from proxy.errors import Unsupported

from .analysis import FILTERING, Analysis
from .conditions import walk_condition
from .name_errors import ambiguous, unknown_column
from .references import sealed_in
from .scope import Column, Namespace, Origin, Scope, Source, Visible, namespace_of
from .tree import Node, strings

FromItem = Callable[[Analysis, Node, Scope], Namespace]


def walk_join(a: Analysis, body: Node, scope: Scope, from_item: FromItem) -> Namespace:
    if body.get("isNatural"):
        raise Unsupported(
            "NATURAL JOIN is not supported in statements over protected tables: it also joins by columns not shown",
            hint="Write the condition with ON or USING.",
        )
    left = from_item(a, body["larg"], scope)
    seen = Namespace()
    seen.add(scope.names)
    seen.add(left)
    right = from_item(a, body["rarg"], scope.with_names(seen))
    both = Namespace()
    both.add(left)
    both.add(right)
    if body.get("quals"):
        walk_condition(a, body["quals"], scope.with_names(both), FILTERING.inside("a join condition"))
    using = strings(body.get("usingClause", []))
    if using:
        both.columns = _merged(a, left, right, using, body.get("jointype", "JOIN_INNER"))
    if body.get("join_using_alias"):
        raise Unsupported("JOIN USING (...) AS is not supported in statements over protected tables")
    return _aliased(body["alias"], both) if "alias" in body else both


def _merged(a: Analysis, left: Namespace, right: Namespace, using: tuple[str, ...], kind: str) -> list[Visible]:
    """USING: the merged columns first, then the others of the left side, then of the right."""
    merged = []
    for name in using:
        one, other = _only(left, name), _only(right, name)
        for visible in (one, other):
            origin = visible.column.origin
            if origin.cell is not None:
                raise sealed_in(origin.cell, "USING; write the condition with ON", None)
            a.charge(origin, Verb.JOIN, None)
        merged.append(_merge(name, one, other, kind))
    return [
        *merged,
        *(v for v in left.columns if v.name not in using),
        *(v for v in right.columns if v.name not in using),
    ]


def _only(side: Namespace, name: str) -> Visible:
    found = [visible for visible in side.columns if visible.name == name]
    if len(found) > 1:
        raise ambiguous(name)
    if not found and side.opaque:
        raise Unsupported(f'it is not known whether "{name}" is a column here', hint="Write the condition with ON.")
    if not found:
        raise unknown_column(name, None)
    return found[0]


def _merge(name: str, one: Visible, other: Visible, kind: str) -> Visible:
    """Inner and left joins show the left column, right joins the right one, full joins whichever there is."""
    if kind in ("JOIN_INNER", "JOIN_LEFT"):
        return one
    if kind == "JOIN_RIGHT":
        return other
    mine, theirs = one.column.origin, other.column.origin
    origin = Origin(mine.columns + theirs.columns, pending=mine.pending + theirs.pending)
    return Visible(name, Column(name, origin), one.source, merged=(one, other))


def _aliased(alias: Node, names: Namespace) -> Namespace:
    """A join with an alias hides the names inside it."""
    if alias.get("colnames"):
        raise Unsupported("a column alias list over a join is not supported", hint="Rename with AS instead.")
    columns = [Column(v.name, v.column.origin, None, None if v.column.row_key is None else "") for v in names.columns]
    return namespace_of(Source(alias["aliasname"], columns, opaque=bool(names.opaque)))
