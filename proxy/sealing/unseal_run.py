"""Unsealing as a direction of `Run`: the second column holds plaintext."""

from __future__ import annotations

from typing import Any

from proxy.sql.parameters import OIDS

from .ddl import checks_of, sealing_of
from .errors import SealingRefused
from .facts import ColumnFacts, TableFacts
from .fence import raise_fence, refuse_cells
from .run import Run, facts_of
from .statements import new_column
from .survey import SealedSurvey, survey_sealed
from .unsealing import OpeningStatements, open_column


class UnsealRun(Run):
    statements: OpeningStatements

    async def already(self) -> bool:
        facts = await facts_of(self.connection, self.table)
        if checks_of(sealing_of(self.field), facts.checks):
            return False
        if new_column(self.field) in facts.columns:
            raise SealingRefused(self.field.name, ["it is being sealed: go on with that, or abandon it"])
        self.require_sound(facts)
        return True

    def require_sound(self, facts: TableFacts) -> None:
        """A plain column as the data map describes it, and nothing left of the cells."""
        sealing, column = sealing_of(self.field), facts.columns.get(self.field.column)
        wrong = []
        if column is None or not self._is_plain(column):
            wrong.append("it is not of the type and length that the data map says")
        elif column.not_null != sealing.not_null:
            wrong.append("its NOT NULL is not that of the data map")
        ours = {open_column(self.field), new_column(self.field), self.field.term_column, self.field.token_column}
        left = sorted(name for name in facts.columns if name in ours)
        if left or checks_of(sealing, facts.checks):
            wrong.append(f"something of the cells is left: {', '.join(left) or 'its CHECK'}")
        if wrong:
            raise SealingRefused(self.field.name, wrong)

    def _is_plain(self, column: ColumnFacts) -> bool:
        sealing = sealing_of(self.field)
        return (column.type_oid, column.typmod) == (OIDS[sealing.logical_type][0], sealing.typmod)

    async def look(self) -> tuple[SealedSurvey, OpeningStatements]:
        found = await survey_sealed(self.connection, self.table, self.field)
        return found, OpeningStatements(self.field, found)

    def is_staged(self, facts: TableFacts) -> bool:
        column = facts.columns.get(open_column(self.field))
        return column is not None and self._is_plain(column)

    def made(self, row: Any) -> bytes | str:
        return self.maker.open(row["cell"], row["bound"]).decode()

    def size(self, row: Any) -> int:
        return len(row["cell"])

    def matches(self, row: Any) -> bool:
        if row["value"] is None or row["cell"] is None:
            return row["value"] is row["cell"]
        return self.maker.open(row["cell"], row["bound"]) == bytes(row["value"])

    async def refuse_switch(self) -> None:
        """Terms are at least as unique as values: nothing can be refused for their sake."""

    def raise_fence(self, xid: str) -> tuple[str, ...]:
        return (*raise_fence(self.field, xid, "unsealed"), *refuse_cells(self.field))
