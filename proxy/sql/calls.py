"""Function calls: known functions only; aggregates have verbs and capabilities of their own."""

from __future__ import annotations

from dataclasses import replace

from policies.model import NO_VERBS, Verb
from proxy.errors import Refused, Unsupported

from . import functions
from .analysis import Analysis, Use
from .groups import count_groups, require_group
from .operands import Lineage, Operand, column_operand, require_equality, retype_casts
from .ordering import walk_sort, walk_window
from .references import masked, refuse_unreadable, sealed_in
from .scope import Scope
from .tree import Node, strings


def walk_call(a: Analysis, body: Node, scope: Scope, use: Use) -> Lineage:
    name = check_function(a, strings(body["funcname"]), scope.text.position(body.get("location", -1)))
    position = scope.text.position(body.get("location", -1))
    aggregate = name in functions.AGGREGATES
    inner = use.inside(f"the {'aggregate' if aggregate else 'function'} {name}")
    if name in functions.SENDING:
        inner = replace(inner, base=inner.base | Verb.EXPORT)
    lineage = _arguments(a, name, body, scope, inner, aggregate=aggregate)
    for node in body.get("agg_order", []):
        walk_sort(a, node["SortBy"], scope)
        if body.get("agg_within_group"):  # what is sorted is what is returned
            sorted_by = {**body, "args": [node["SortBy"]["node"]]}
            lineage += _arguments(a, name, sorted_by, scope, inner, aggregate=aggregate)
    if "agg_filter" in body:
        a.filters.append(position)
        a.walk(a, body["agg_filter"], scope, Use(NO_VERBS, predicate=True, what="FILTER"))
    if "over" in body:
        walk_window(a, body["over"], scope)
    return lineage


def check_function(a: Analysis, names: tuple[str, ...], position: int | None) -> str:
    """The bare name of a function that may be called over protected data."""
    if is_volatile(a, names[-1]):
        a.volatile.append((names[-1], position))
    name, schema = names[-1], names[0] if len(names) > 1 else None
    others = a.catalog.functions.get(name, ())
    if schema in (None, "pg_catalog") and functions.known(name):
        if schema is None and not all(other.allowed for other in others):
            raise _unknown(names, position, "Write pg_catalog. before its name if PostgreSQL's own is meant.")
        return name
    matching = [other for other in others if schema in (None, other.schema)]
    if schema != "pg_catalog" and matching and all(other.allowed and not other.aggregate for other in matching):
        return name
    raise _unknown(names, position, "Call it in a statement of its own, or ask for it to be allowed in the data map.")


def is_volatile(a: Analysis, name: str) -> bool:
    return name in functions.VOLATILE or any(other.volatile for other in a.catalog.functions.get(name, ()))


def _unknown(names: tuple[str, ...], position: int | None, hint: str) -> Unsupported:
    return Unsupported(
        f"the function {'.'.join(names)} is not known to be harmless in a statement over protected tables",
        hint=hint,
        position=position,
    )


def _arguments(a: Analysis, name: str, body: Node, scope: Scope, use: Use, *, aggregate: bool) -> Lineage:
    lineage: Lineage = ()
    window = "over" in body
    if aggregate:
        count_groups(a, scope, window=window, position=scope.text.position(body.get("location", -1)))
    for node in body.get("args", []):
        operand = column_operand(a, node, scope)
        if not aggregate:
            lineage += a.walk(a, node, scope, use)
        elif operand is None:
            lineage += a.walk(a, node, scope, Use(use.base | Verb.READ | Verb.AGGREGATE, use.predicate, use.what))
        else:
            lineage += _aggregated(a, name, operand, scope, use, body)
    return lineage


def _aggregated(a: Analysis, name: str, operand: Operand, scope: Scope, use: Use, body: Node) -> Lineage:
    """A bare column.  What an aggregate that needs no reading returns is free to be filtered and ordered by."""
    grouping = Verb.GROUP if body.get("agg_distinct") else NO_VERBS
    position = operand.reference.position
    if operand.cell is not None:
        return _aggregated_cell(a, name, operand, scope, use, grouping)
    readless = name in functions.READLESS_AGGREGATES and "over" not in body and not operand.casts
    if readless:
        a.charge(operand.origin, Verb.AGGREGATE | grouping, position)
        require_group(a, operand.reference, scope)
        return ()
    if masked(operand.origin.columns, use):
        raise Refused("an aggregate over a column that reads as NULL is refused", position=position)
    a.charge(operand.origin, use.general | Verb.READ | Verb.AGGREGATE | grouping, position)
    require_group(a, operand.reference, scope)
    return operand.origin.columns


def _aggregated_cell(a: Analysis, name: str, operand: Operand, scope: Scope, use: Use, grouping: Verb) -> Lineage:
    """Cells can be counted, and counted apart by their terms."""
    assert operand.cell is not None  # noqa: S101
    if name != "count":
        refuse_unreadable(operand.origin.columns, use, operand.reference.position)
        raise sealed_in(operand.cell, use.what, operand.reference.position)
    a.charge(operand.origin, Verb.AGGREGATE | grouping, operand.reference.position)
    require_group(a, operand.reference, scope)
    if grouping:
        require_equality(operand.cell, operand.reference.position)
        retype_casts(operand)
        operand.reference.text.replace(*operand.reference.span(), operand.reference.term())
    return ()
