"""Minimum groups: what may only be grouped or summed is shown for groups of so many rows, and for no smaller ones.

The condition is put into HAVING.  It counts rows of the protected table itself (its primary key, distinct), so that a
join can not blow a small group up.  What two groups have not in common is no smaller either: see parts.py.
"""

from __future__ import annotations

from policies.model import Verb
from proxy.errors import Refused, Unsupported

from .analysis import Analysis
from .edits import SqlText, end_index, word_index
from .fragments import dotted
from .operands import Operand
from .references import Reference
from .scope import Level, Scope, Source

_AFTER_GROUP = ("having", "window", "union", "intersect", "except", "order", "limit", "offset", "fetch", "for")


def require_group(a: Analysis, reference: Reference, scope: Scope) -> None:
    """The column is grouped or summed: remember how many rows its groups must have."""
    visible = reference.visible
    if visible is None or visible.column.origin.released:
        return
    least = max((column.rights.min_group for column in visible.column.origin.columns), default=0)
    if least == 0:
        return
    source = visible.source
    if not source.protected or visible.merged or source not in scope.names.sources:
        raise Unsupported(
            f'the column "{visible.name}" may only be seen in groups, and groups are formed over a subquery here',
            hint="Group the table itself.",
            position=reference.position,
        )
    _require(a, scope.level, source, least)


def count_groups(a: Analysis, scope: Scope, *, window: bool, position: int | None) -> None:
    """An aggregate, also one that names no column: `count(*)`."""
    if not window:
        scope.level.grouped = True
    for source in scope.names.sources:
        if source.relation is None or source.relation.protected is None:
            continue
        least = a.ledger.table(source.relation.protected).min_group
        if least and window:
            raise too_small(position)
        if least:
            _require(a, scope.level, source, least)


def _require(a: Analysis, level: Level, source: Source, least: int) -> None:
    assert source.relation is not None and source.relation.protected is not None  # noqa: S101 - the callers look
    if a.ledger.table(source.relation.protected).parts != source.parts:
        raise Unsupported(
            f'"{source.relation.name}" may only be seen in groups, and it is not clear beforehand that this forms some',
            hint="Write the aggregate into the select list, or use GROUP BY.",
        )
    level.over[id(source)] = (source, max(least, level.over.get(id(source), (source, 0))[1]))


def no_small_windows(operand: Operand) -> None:
    """A partition shows each of its rows; who may not read a column may not partition by it either."""
    for column in operand.origin.columns:
        if column.rights.min_group and not column.rights.allows(Verb.READ):
            raise too_small(operand.reference.position)


def too_small(position: int | None) -> Refused:
    return Refused(
        "a window function could show groups that are smaller than policy allows",
        hint="Use GROUP BY.",
        position=position,
    )


def check_rows_are_grouped(a: Analysis, scope: Scope) -> None:
    """A table of which nothing may be read, only counted, is read in groups only."""
    for source in scope.names.sources:
        if source.relation is None or source.relation.protected is None or scope.level.grouped:
            continue
        rights = a.ledger.table(source.relation.protected)
        if rights.min_group and not any(r.allows(Verb.READ) for r in rights.fields.values()):
            raise Refused(
                f'rows of "{source.relation.schema}.{source.relation.name}" may only be seen in groups',
                hint="Use GROUP BY, or an aggregate.",
            )


def add_minimum(scope: Scope, start: int, *, having: bool) -> None:
    """Put the condition into the query whose select list begins at token `start`."""
    if not scope.level.over:
        return
    condition = " AND ".join(_enough_rows(source, least) for source, least in scope.level.over.values())
    text = scope.text
    if having:
        _join_having(text, start, condition)
        return
    following = word_index(text, start, *_AFTER_GROUP)
    last = following - 1 if following is not None else end_index(text, start)
    text.insert_after(last, f" HAVING {condition}")


def _join_having(text: SqlText, start: int, condition: str) -> None:
    word = word_index(text, start, "having")
    if word is None:
        raise Unsupported("HAVING can not be located exactly")
    following = word_index(text, word + 1, *_AFTER_GROUP)
    last = following - 1 if following is not None else end_index(text, word + 1)
    text.insert_after(word, f" {condition} AND (")
    text.insert_after(last, ")")


def _enough_rows(source: Source, least: int) -> str:
    assert source.relation is not None  # noqa: S101 - only tables are remembered
    key = source.relation.primary_key
    if len(key) != 1:
        raise Unsupported(f'groups of "{source.relation.name}" can not be counted: it has no primary key of one column')
    named = next(column.name for column in source.columns if column.inner == key[0])  # an alias list may rename it
    # Of a table in parts there are all rows of a part or none, however often a join repeats them.
    rows = dotted(source.alias, named) if source.parts is not None else f"DISTINCT {dotted(source.alias, named)}"
    return f"pg_catalog.count({rows}) >= {least}"
