"""Every statement of sealing one column, as text.  Pure; proxy/sealing/job.py says in which order and why.

While a field is being sealed, its cells grow in a column of their own, `fg_new_<field id>`, under the CHECK of a sealed
column.  A trigger forgets the cell when the plaintext (or the row's key) changes, so that it is made again; it is
named to fire after other triggers and always, also under `session_replication_role = replica`.
"""

# ruff: noqa: S608 (every name that is put into a statement is quoted by proxy/sealing/ddl.py; values are parameters)

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from policies.fields import Field

from .carry import carried_sql
from .ddl import (
    check_constraint,
    check_expression,
    create_index,
    create_token_index,
    qualified,
    quote,
    sealing_of,
    term_column,
    term_definition,
    token_definition,
    unique_constraint,
)
from .survey import KeyColumn, Survey


def new_column(field: Field) -> str:
    return f"fg_new_{sealing_of(field).field_id}"


def new_check(field: Field) -> str:
    return f"{new_column(field)}_check"


def _text(column: str) -> str:
    """A value as its type's own output function prints it (a cast to text prints bool and inet otherwise)."""
    return f"pg_catalog.convert_to(pg_catalog.format('%s', t.{quote(column)}), 'UTF8')"


@dataclass(frozen=True, slots=True)
class Statements:
    """For one field, its survey and the heads that may be written."""

    field: Field
    survey: Survey
    heads: Collection[bytes]

    @property
    def table(self) -> str:
        return qualified(self.field.schema, self.field.table)

    @property
    def _new(self) -> str:
        return quote(new_column(self.field))

    @property
    def _column(self) -> str:
        return quote(self.field.column)

    @property
    def _function(self) -> str:
        return qualified(self.field.schema, new_column(self.field))

    @property
    def _trigger(self) -> str:
        return quote(f"~{new_column(self.field)}")

    # --- preparing, and going back

    def prepare(self) -> tuple[str, ...]:
        check = check_expression(self.field, self.heads, new_column(self.field))
        return (
            f"ALTER TABLE {self.table} ADD COLUMN {self._new} pg_catalog.bytea"
            f" CONSTRAINT {quote(new_check(self.field))} CHECK ({check})",
            f"CREATE OR REPLACE FUNCTION {self._function}() RETURNS pg_catalog.trigger LANGUAGE plpgsql"
            f" SET search_path = pg_catalog AS $fieldgate$\n{self._trigger_body()}$fieldgate$",
            f"CREATE TRIGGER {self._trigger} BEFORE INSERT OR UPDATE ON {self.table}"
            f" FOR EACH ROW EXECUTE FUNCTION {self._function}()",
            f"ALTER TABLE {self.table} ENABLE ALWAYS TRIGGER {self._trigger}",
        )

    def _trigger_body(self) -> str:
        watched = [self.field.column]
        if sealing_of(self.field).row_bound and self.survey.row_key is not None:
            watched.append(self.survey.row_key.name)
        changed = " OR ".join(
            f"(OLD.{name} IS NULL) <> (NEW.{name} IS NULL) OR format('%s', OLD.{name}) <> format('%s', NEW.{name})"
            for name in map(quote, watched)
        )
        return (
            f"BEGIN\n  IF TG_OP = 'INSERT' THEN NEW.{self._new} := NULL;\n"
            f"  ELSIF {changed} THEN NEW.{self._new} := NULL;\n  END IF;\n  RETURN NEW;\nEND\n"
        )

    def abandon(self) -> tuple[str, ...]:
        """Takes back what `prepare` made; also cleans up after another version of it."""
        return (
            f"DROP TRIGGER IF EXISTS {self._trigger} ON {self.table}",
            f"DROP FUNCTION IF EXISTS {self._function}()",
            f"ALTER TABLE {self.table} DROP COLUMN IF EXISTS {self._new}",
        )

    # --- filling

    @property
    def keys(self) -> tuple[KeyColumn, ...]:
        return self.survey.primary_key

    def _selected(self) -> str:
        keys = ", ".join(f"pg_catalog.format('%s', t.{quote(key.name)})" for key in self.keys)
        row_key = self.survey.row_key if sealing_of(self.field).row_bound else None
        bound = "NULL::pg_catalog.bytea" if row_key is None else _text(row_key.name)
        value = f"CASE WHEN t.{self._column} IS NOT NULL THEN {_text(self.field.column)} END"
        return f"ARRAY[{keys}] AS key, {bound} AS bound, {value} AS value, t.{self._new} AS cell"

    @property
    def missing(self) -> str:
        return f"t.{self._column} IS NOT NULL AND t.{self._new} IS NULL"

    def count(self) -> str:
        return (
            f"SELECT count(*) FILTER (WHERE {self.missing}) AS missing, count(t.{self._column}) AS total"
            f" FROM {self.table} t"
        )

    def batch(self, *, first: bool, skip_locked: bool) -> str:
        """The next rows to fill, locked: $1 is how many, then the key of the last row before, in text form."""
        names = ", ".join(f"t.{quote(key.name)}" for key in self.keys)
        after = ", ".join(f"${n}::pg_catalog.text::{key.type_name}" for n, key in enumerate(self.keys, 2))
        where = self.missing if first else f"{self.missing} AND ({names}) > ({after})"
        wait = " SKIP LOCKED" if skip_locked else ""
        return (
            f"SELECT {self._selected()} FROM {self.table} t WHERE {where}"
            f" ORDER BY {names} LIMIT $1 FOR NO KEY UPDATE OF t{wait}"
        )

    def fill(self) -> str:
        """Puts cells into rows: one array of texts for each column of the key, then the array of cells."""
        arrays = "".join(f"pg_catalog.unnest(${n}::pg_catalog.text[]), " for n in range(1, len(self.keys) + 1))
        names = ", ".join(f"k{n}" for n in range(1, len(self.keys) + 1))
        same = " AND ".join(f"t.{quote(key.name)} = s.k{n}::{key.type_name}" for n, key in enumerate(self.keys, 1))
        return (
            f"UPDATE {self.table} t SET {self._new} = s.cell FROM ROWS FROM ({arrays}"
            f"pg_catalog.unnest(${len(self.keys) + 1}::pg_catalog.bytea[])) AS s({names}, cell) WHERE {same}"
        )

    def all_cells(self) -> str:
        return (
            f"SELECT {self._selected()} FROM {self.table} t"
            f" WHERE t.{self._column} IS NOT NULL OR t.{self._new} IS NOT NULL"
        )

    # --- switching

    def stop_writers(self) -> str:
        return f"LOCK TABLE {self.table} IN SHARE ROW EXCLUSIVE MODE"

    def stop_everyone(self) -> str:
        return f"LOCK TABLE {self.table} IN ACCESS EXCLUSIVE MODE"

    def switch(self) -> tuple[str, ...]:
        """Puts the cells in the plaintext's place: the one ALTER TABLE writes a new file, without any plaintext.

        The column keeps its place, its NOT NULL, privileges and comment.
        """
        sealing = sealing_of(self.field)
        drops = (
            f"ALTER TABLE {self.table} DROP CONSTRAINT {quote(c.name)}"
            if c.constraint
            else f"DROP INDEX {qualified(self.field.schema, c.name)}"
            for c in self.survey.carried
        )
        actions = [
            f"ALTER COLUMN {self._column} TYPE pg_catalog.bytea USING {self._new}",
            f"ADD {check_constraint(self.field, self.heads)}",
        ]
        if sealing.equality:
            actions.append(f"ADD COLUMN {term_definition(self.field)}")
        if sealing.tokens:
            actions.append(f"ADD COLUMN {token_definition(self.field)}")
        return (
            f"DROP TRIGGER {self._trigger} ON {self.table}",
            f"DROP FUNCTION {self._function}()",
            *drops,
            f"ALTER TABLE {self.table} {', '.join(actions)}",
            f"ALTER TABLE {self.table} DROP COLUMN {self._new}",
            *self._indexes(),
        )

    def _indexes(self) -> list[str]:
        tokens = [create_token_index(self.field)] if sealing_of(self.field).tokens else []
        return [*self._term_indexes(), *tokens]

    def _term_indexes(self) -> list[str]:
        sealing = sealing_of(self.field)
        if not sealing.equality:
            return []
        term = term_column(self.field)
        made = [carried_sql(self.table, self.field.column, term, carried) for carried in self.survey.carried]
        alone = [carried for carried in self.survey.carried if carried.columns == (self.field.column,)]
        if sealing.unique and not any(carried.unique for carried in alone):
            made.append(f"ALTER TABLE {self.table} ADD {unique_constraint(self.field)}")
        elif not alone:
            made.append(create_index(self.field))
        return made
