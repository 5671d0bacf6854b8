"""Ask the decision table, keep what was used and why, and refuse what is not allowed.

Contract: every use of a protected column passes through `charge`; the refusal names field, verb and rule, never data.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from policies.engine import DecisionTable
from policies.fields import Field, ProtectedTable
from policies.model import NO_VERBS, FieldRights, Parts, Principal, TableRights, Verb
from policies.physical import selectable
from proxy.errors import Refused

from .plan import FieldUse

DENIED = FieldRights(NO_VERBS)
CHOOSING = Verb.FILTER_EQ | Verb.FILTER_RANGE | Verb.JOIN | Verb.GROUP | Verb.ORDER


@dataclass(frozen=True, slots=True, eq=False)
class Guarded:
    """One column of a protected table together with what the principal may do with it.

    `field` None: the column is not in the data map, or is a system column; nobody may use it.
    """

    table: ProtectedTable
    column: str
    field: Field | None
    rights: FieldRights
    withheld: Verb = NO_VERBS  # verbs that policy gives, but not where figures are shown (parts.py)

    @property
    def name(self) -> str:
        return f"{self.table.schema}.{self.table.table}.{self.column}"

    @property
    def cell(self) -> Field | None:
        """The field, when the column physically holds cells."""
        return self.field if self.field is not None and self.field.sealing is not None else None


@dataclass(slots=True)
class Ledger:
    """The rights of one principal, and the uses that one statement made of them."""

    decisions: DecisionTable
    principal: Principal
    uses: dict[FieldUse, None] = field(default_factory=dict)
    rules: dict[str, None] = field(default_factory=dict)
    _tables: dict[tuple[str, str], TableRights] = field(default_factory=dict)
    _selectable: dict[tuple[str, str], Collection[str]] = field(default_factory=dict)
    _columns: dict[tuple[str, str, str, bool], Guarded] = field(default_factory=dict)

    def table(self, table: ProtectedTable) -> TableRights:
        key = (table.schema, table.table)
        if key not in self._tables:
            self._tables[key] = self.decisions.table_rights(self.principal, *key)
        return self._tables[key]

    def used_tables(self) -> list[TableRights]:
        """The rights over every protected table that the statement has asked about."""
        return list(self._tables.values())

    def selectable(self, column: Guarded) -> bool:
        """May the physical column be read at all, by what its rights are?"""
        key = (column.table.schema, column.table.table)
        if key not in self._selectable:
            self._selectable[key] = selectable(column.table, self.table(column.table))
        return column.column in self._selectable[key]

    def guarded(self, table: ProtectedTable, column: str, parts: Parts | None = None) -> Guarded:
        """The same column is the same object, however often it is asked for.

        `parts`: of the table in parts, where a column chooses no rows unless the parts are made of it.
        """
        key = (table.schema, table.table, column, parts is not None)
        if key not in self._columns:
            tagged = table.fields.get(column)
            rights = self.table(table).fields.get(column, DENIED) if tagged is not None else DENIED
            withheld = rights.verbs & CHOOSING if parts is not None and column not in parts.columns else NO_VERBS
            left = replace(rights, verbs=rights.verbs & ~withheld) if withheld else rights
            self._columns[key] = Guarded(table, column, tagged, left, withheld)
        return self._columns[key]

    def charge(self, column: Guarded, verbs: Verb, position: int | None) -> None:
        """Every verb of `verbs` must be allowed on the column."""
        for verb in verbs:
            if not column.rights.allows(verb):
                raise refused_use(column, verb, position)
            self.uses[FieldUse(column.name, verb)] = None
        self.rules.update(dict.fromkeys(column.rights.rules))

    def charge_existence(self, table: ProtectedTable, position: int | None) -> None:
        """To learn that rows exist, some column of the table must be usable in some way."""
        rights = self.table(table)
        if not rights.countable:
            raise Refused(
                f'permission denied for table "{table.schema}.{table.table}"',
                detail="No rule of the policy lets this role read or use any of its columns for this purpose.",
                position=position,
            )
        verb = Verb.READ if any(r.allows(Verb.READ) for r in rights.fields.values()) else Verb.AGGREGATE
        self.uses[FieldUse(f"{table.schema}.{table.table}.*", verb)] = None


class UseRefused(Refused):
    """One use of one field is not allowed; `use` and `rules` are for the record of the decision."""

    use: FieldUse
    rules: tuple[str, ...] = ()


def refused_use(column: Guarded, verb: Verb, position: int | None) -> UseRefused:
    name = (verb.name or "").lower()
    if verb in column.withheld:
        detail = "Where figures are shown rows are not chosen by it: two figures could be subtracted from one another."
    elif column.field is None:
        detail = "The column is not in the data map, and what is not in the data map is denied to everyone."
    elif column.rights.rules:
        detail = f"Decided by {', '.join(column.rights.rules)}."
    else:
        detail = "No rule of the policy gives it."
    refusal = UseRefused(f'permission denied: {name} of column "{column.name}"', detail=detail, position=position)
    refusal.use, refusal.rules = FieldUse(column.name, verb), column.rights.rules
    return refusal
