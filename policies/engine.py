"""The decision: which verbs a role set has over each field of a table.  Compiled once per revision; default deny."""

from __future__ import annotations

from typing import Protocol

from .model import Principal, TableRights


class DecisionTable(Protocol):
    """One published, immutable revision."""

    @property
    def revision(self) -> str: ...

    def table_rights(self, principal: Principal, schema: str, table: str) -> TableRights:
        """Rights over every field of the data map's table; a field without rights has FieldRights(NO_VERBS)."""
        ...

    def rights_key(self, principal: Principal) -> object:
        """Hashable: principals with equal keys have equal rights for every table, so they share plans."""
        ...
