"""Every statement of sealing one column, as text.  Pure; proxy/sealing/job.py says in which order and why.

While a field is being sealed, its cells grow in a column of their own, `fg_new_<field id>`, under the CHECK of a sealed
column (staging.py).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from policies.fields import Field

from .ddl import (
    check_constraint,
    check_expression,
    create_index,
    create_token_index,
    quote,
    sealing_of,
    term_column,
    term_definition,
    token_definition,
    unique_constraint,
)
from .memory import remember
from .staging import Staging, printed


def new_column(field: Field) -> str:
    return f"fg_new_{sealing_of(field).field_id}"


def new_check(field: Field) -> str:
    return f"{new_column(field)}_check"


@dataclass(frozen=True, slots=True)
class Statements(Staging):
    """For one field, its survey and the heads that may be written."""

    heads: Collection[bytes]

    @property
    def staged(self) -> str:
        return new_column(self.field)

    def staged_definition(self) -> str:
        check = check_expression(self.field, self.heads, new_column(self.field))
        return f"pg_catalog.bytea CONSTRAINT {quote(new_check(self.field))} CHECK ({check})"

    def _pair(self) -> str:
        value = f"CASE WHEN t.{self._column} IS NOT NULL THEN {printed(self.field.column)} END"
        return f"{value} AS value, t.{self._staged} AS cell"

    def _array(self) -> tuple[str, str]:
        return "pg_catalog.bytea", "s.made"

    def switch(self) -> tuple[str, ...]:
        """The new file holds no plaintext.  The column keeps its place, its NOT NULL, privileges and comment."""
        sealing = sealing_of(self.field)
        actions = [
            f"ALTER COLUMN {self._column} TYPE pg_catalog.bytea USING {self._staged}",
            f"ADD {check_constraint(self.field, self.heads)}",
        ]
        if sealing.equality:
            actions.append(f"ADD COLUMN {term_definition(self.field)}")
        if sealing.tokens:
            actions.append(f"ADD COLUMN {token_definition(self.field)}")
        return (
            *self._drop_trigger(),
            *self._drop_carried(),
            f"ALTER TABLE {self.table} {', '.join(actions)}",
            f"ALTER TABLE {self.table} DROP COLUMN {self._staged}",
            *remember(self.field, self.survey.traits),
            *self._indexes(),
        )

    def _indexes(self) -> list[str]:
        sealing, column = sealing_of(self.field), self.field.column
        place = term_column(self.field) if sealing.equality else column
        made = [sql for each in self.survey.carried for sql in self._carried(column, place, each)]
        return [*made, *self._new_indexes()]

    def _new_indexes(self) -> list[str]:
        """What terms and search tokens need and the plain column had not."""
        sealing = sealing_of(self.field)
        tokens = [create_token_index(self.field)] if sealing.tokens else []
        alone = [
            each for each in self.survey.carried if each.columns == (self.field.column,) and each.predicate is None
        ]
        if sealing.unique and not any(each.unique for each in alone):
            return [f"ALTER TABLE {self.table} ADD {unique_constraint(self.field)}", *tokens]
        return [create_index(self.field), *tokens] if sealing.equality and not alone else tokens
