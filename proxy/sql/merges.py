"""MERGE: each WHEN branch needs the verbs that the same INSERT, UPDATE or DELETE would, and seals the same values.

The tag tells how many rows matched and how many did not.  So whoever merges must be allowed to know that rows exist on
both sides, and neither side may be a table of which the principal sees only some rows or groups.
"""

from __future__ import annotations

from collections.abc import Callable

from policies.model import Verb
from proxy.errors import Refused, SqlState, Unsupported

from .analysis import FILTERING, READING, Analysis, Item, QueryRole
from .common_tables import walk_with
from .conditions import walk_condition
from .fragments import quoted
from .inserts import insert_columns, insert_defaults
from .operands import column_operand
from .plan import SlotKind
from .scope import Namespace, Scope
from .sources import walk_from
from .tree import Node
from .updates import assignments, charge_delete, check_row_key, fixed_row_key, walk_assignment
from .writes import Target, assign, bound_key, charge_write, names_with, returning, source_of_value, write_target


def walk_merge(a: Analysis, body: Node, outer: Scope, role: QueryRole) -> list[Item]:
    scope = Scope(outer.text, outer)
    walk_with(a, body, scope)
    target = write_target(a, body, scope)
    others = Scope(scope.text, target.scope.parent)
    walk_from(a, [body["sourceRelation"]], others)
    _check_sides(a, target, others.names)
    own = target.scope.names
    target.scope.names = names_with(own, others.names)
    walk_condition(a, body["joinCondition"], target.scope, FILTERING)
    seen = {
        "MERGE_WHEN_MATCHED": target.scope,
        "MERGE_WHEN_NOT_MATCHED_BY_SOURCE": target.scope.with_names(own),
        "MERGE_WHEN_NOT_MATCHED_BY_TARGET": others,
    }
    places = iter(_insert_places(target, body))
    for node in body["mergeWhenClauses"]:
        clause = node["MergeWhenClause"]
        branch = seen[clause["matchKind"]]
        if "condition" in clause:
            walk_condition(a, clause["condition"], branch, FILTERING)
        if clause["commandType"] == "CMD_INSERT":
            _insert(a, target, clause, branch, next(places))
        else:
            _BRANCHES[clause["commandType"]](a, target, body, clause, branch)
    target.scope.names = names_with(others.names, own)  # RETURNING * shows the source first
    return returning(a, body, target.scope, role)


def _check_sides(a: Analysis, target: Target, others: Namespace) -> None:
    if target.relation is not None and target.relation.protected is not None:
        a.ledger.charge_existence(target.relation.protected, None)
    if target.row_filter is not None:
        raise _partial(target.source.alias)
    for visible in (*target.scope.names.columns, *others.columns):
        origin = visible.column.origin
        if not origin.released and any(a.ledger.table(column.table).min_group for column in origin.columns):
            raise _partial(visible.source.alias)


def _partial(alias: str) -> Unsupported:
    return Unsupported(
        f'you may see only some rows or groups of "{alias}", so it can not take part in MERGE',
        hint="Use UPDATE or DELETE.",
    )


def _nothing(a: Analysis, target: Target, body: Node, clause: Node, scope: Scope) -> None:
    """DO NOTHING."""


def _delete(a: Analysis, target: Target, body: Node, clause: Node, scope: Scope) -> None:
    charge_delete(a, target)


def _update(a: Analysis, target: Target, body: Node, clause: Node, scope: Scope) -> None:
    """Every row of the branch fulfils its own condition, and ON where it is about rows that matched."""
    matched = clause["matchKind"] == "MERGE_WHEN_MATCHED"
    key = fixed_row_key(target, clause.get("condition", {}))
    if key is None and matched:
        key = fixed_row_key(target, body["joinCondition"])
    for name, node, position in assignments(clause["targetList"], scope):
        charge_write(a, target, name, Verb.UPDATE, position)
        check_row_key(target, name, position)
        if not _given(a, target, name, node, scope, position):
            walk_assignment(a, target, name, node, scope, key, position)


_BRANCHES: dict[str, Callable[[Analysis, Target, Node, Node, Scope], None]] = {
    "CMD_NOTHING": _nothing,
    "CMD_DELETE": _delete,
    "CMD_UPDATE": _update,
}


def _insert(a: Analysis, target: Target, clause: Node, scope: Scope, place: int) -> None:
    """`place` is the token INSERT of the branch."""
    values = clause.get("values")
    if values is None:
        insert_defaults(a, target)
        return
    if not target.protected:
        for node in values:
            a.charge_stored(a.walk(a, node, scope, READING), False, None)
        return
    names = insert_columns(target, {"cols": clause["targetList"]} if "targetList" in clause else {})
    if len(values) > len(names) or ("targetList" in clause and len(values) < len(names)):
        raise Refused("INSERT has another number of expressions than target columns", sqlstate=SqlState.SYNTAX_ERROR)
    names = names[: len(values)]
    if "targetList" not in clause:
        scope.text.insert_after(place, f" ({', '.join(quoted(name) for name, _ in names)})")
    pairs = list(zip(names, values, strict=True))
    key = next((source_of_value(node) for (name, _), node in pairs if name == target.row_key), None)
    for (name, position), node in pairs:
        target.column(name, position)
        charge_write(a, target, name, Verb.INSERT, position)
        if not _given(a, target, name, node, scope, position):
            assign(a, target, name, node, scope, key, position)


def _given(a: Analysis, target: Target, name: str, node: Node, scope: Scope, position: int | None) -> bool:
    """The value is a column of VALUES, or of a SELECT of constants and parameters: these become cells."""
    guarded = target.guarded(a, name)
    operand = column_operand(a, node, scope) if guarded is not None and guarded.cell is not None else None
    if guarded is None or guarded.cell is None or operand is None or operand.origin.given is None:
        return False
    bound_key(target, guarded.cell, None, position)
    return a.seal_given(a, operand, guarded.cell, SlotKind.CELL)


def _insert_places(target: Target, body: Node) -> list[int]:
    """The tokens INSERT of the branches, in their order: each stands behind THEN, outside all brackets."""
    tokens, depth, found = target.scope.text.tokens, 0, []
    for index in range(target.name_end + 1, len(tokens)):
        if tokens.text(index) in (b"(", b"["):
            depth += 1
        elif tokens.text(index) in (b")", b"]"):
            depth -= 1
            if depth < 0:
                break
        elif depth == 0 and tokens.word(index) == "insert" and tokens.word(index - 1) == "then":
            found.append(index)
    wanted = [node for node in body["mergeWhenClauses"] if node["MergeWhenClause"]["commandType"] == "CMD_INSERT"]
    if len(found) != len(wanted):
        raise Unsupported("the branches of MERGE can not be located exactly", hint="Write them more simply.")
    return found
