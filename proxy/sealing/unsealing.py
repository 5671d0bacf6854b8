"""Every statement of the way back, from cells to plaintext, as text.  Pure.

The values grow in a column of their own, `fg_open_<field id>`, of the field's logical type.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.fields import Field

from .ddl import index_name, quote, sealing_of, token_column, token_index_name, unique_name
from .memory import memory_name
from .staging import Staging, printed, type_of
from .survey import SealedSurvey


def open_column(field: Field) -> str:
    return f"fg_open_{sealing_of(field).field_id}"


@dataclass(frozen=True, slots=True)
class OpeningStatements(Staging):
    """`survey` is that of a sealed column: what it names as carried stands on the term column now."""

    survey: SealedSurvey

    @property
    def staged(self) -> str:
        return open_column(self.field)

    def staged_definition(self) -> str:
        return type_of(sealing_of(self.field)) + self.survey.traits.collate()

    def _pair(self) -> str:
        value = f"CASE WHEN t.{self._staged} IS NOT NULL THEN {printed(self.staged)} END"
        return f"{value} AS value, t.{self._column} AS cell"

    def _array(self) -> tuple[str, str]:
        # Without modifiers: what does not fit is an error then, and not cut to fit.
        return "pg_catalog.text", f"s.made::{type_of(sealing_of(self.field), bare=True)}"

    def switch(self) -> tuple[str, ...]:
        """The column keeps its place, its NOT NULL, privileges and comment; what we made for the cells goes."""
        sealing = sealing_of(self.field)
        checks = self.survey.checks + ((memory_name(self.field),) if self.survey.remembered else ())
        drops = [f"DROP CONSTRAINT {quote(check)}" for check in checks]
        if self.field.term_column is not None:
            drops.append(f"DROP COLUMN {quote(self.field.term_column)}")
        if sealing.tokens:
            drops.append(f"DROP COLUMN {quote(token_column(self.field))}")
        becomes = f"{type_of(sealing)}{self.survey.traits.collate()}"
        return (
            *self._drop_trigger(),
            *self._drop_carried(),
            f"ALTER TABLE {self.table} {', '.join(drops)}",
            f"ALTER TABLE {self.table} ALTER COLUMN {self._column} TYPE {becomes} USING {self._staged}",
            f"ALTER TABLE {self.table} DROP COLUMN {self._staged}",
            *self.survey.traits.settings(self.table, self._column),
            *self._indexes(),
        )

    def _indexes(self) -> list[str]:
        """All that stood on the term, but for what was there for the sake of terms alone."""
        sealing, column = sealing_of(self.field), self.field.column
        ours = {index_name(sealing), token_index_name(sealing), unique_name(sealing)}
        kept = [each for each in self.survey.carried if each.name not in ours]
        return [sql for each in kept for sql in self._carried(self.field.term_column or column, column, each)]
