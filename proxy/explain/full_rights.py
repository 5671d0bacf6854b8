"""Every verb over every field: only to find out what a refused statement would use, never to run anything."""

from __future__ import annotations

from dataclasses import dataclass

from policies.engine import DecisionTable
from policies.model import NO_VERBS, FieldRights, Principal, TableRights

_ALL = FieldRights(~NO_VERBS)


@dataclass(frozen=True, slots=True)
class FullRights:
    """A DecisionTable over the same fields as `real`."""

    real: DecisionTable

    @property
    def revision(self) -> str:
        return f"{self.real.revision} with every right"

    def table_rights(self, principal: Principal, schema: str, table: str) -> TableRights:
        return TableRights(dict.fromkeys(self.real.table_rights(principal, schema, table).fields, _ALL))

    def rights_key(self, principal: Principal) -> object:
        return self
