"""Which physical columns statements under some rights may read.  Pure.

One answer for two who must agree: the planner, which must name no other column in what it writes, and
`proxy.grants`, which gives the upstream role just these column privileges.
"""

from __future__ import annotations

from .fields import Field, ProtectedTable
from .model import NO_VERBS, READ_VERBS, TableRights, Verb

_TERM_VERBS = Verb.FILTER_EQ | Verb.JOIN | Verb.GROUP | Verb.ORDER | Verb.AGGREGATE
_TOKEN_VERBS = Verb.FILTER_RANGE
_CELL_VERBS = READ_VERBS & ~(Verb.FILTER_EQ | Verb.JOIN | Verb.GROUP)


def selectable(table: ProtectedTable, rights: TableRights) -> dict[str, Verb]:
    """Column -> the verbs it is read for; none for a row key or a row filter's column that is read for its own sake."""
    columns: dict[str, Verb] = {}
    for field in table.fields.values():
        found = rights.fields.get(field.column)
        verbs = found.verbs & READ_VERBS if found is not None else NO_VERBS
        if verbs & _cell_verbs(field):
            columns[field.column] = verbs
        if field.term_column is not None and verbs & _TERM_VERBS:
            columns[field.term_column] = verbs & _TERM_VERBS
        if field.token_column is not None and verbs & _TOKEN_VERBS:
            columns[field.token_column] = verbs & _TOKEN_VERBS
    for column in _for_their_own_sake(table, rights) if columns else ():
        columns.setdefault(column, NO_VERBS)
    return columns


def _cell_verbs(field: Field) -> Verb:
    """A sealed field with a term is compared by the term alone; any other by the column itself."""
    return READ_VERBS if field.term_column is None else _CELL_VERBS


def _for_their_own_sake(table: ProtectedTable, rights: TableRights) -> list[str]:
    """What our own rewriting reads: the key that a cell is bound to, and the column that says whose row it is."""
    opened = (
        field.sealing is not None
        and field.sealing.row_bound
        and rights.fields[field.column].allows(Verb.READ)
        for field in table.fields.values()
    )  # fmt: skip
    columns = [table.row_key] if table.row_key is not None and any(opened) else []
    if rights.parts is not None:
        parting = (table.fields[column] for column in rights.parts.columns)
        columns += [field.term_column or field.column for field in parting]
    return [*columns, rights.row_filter.column] if rights.row_filter is not None else columns
