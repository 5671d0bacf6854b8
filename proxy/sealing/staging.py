"""What sealing and unsealing a column have in common, as text: a second column that grows beside the first.  Pure.

The second column is filled in batches while applications go on writing the first.  A trigger forgets a row's second
value when its first (or the row's key) changes, so that it is made again; the trigger is named to fire after others
and always, also under `session_replication_role = replica`.
"""

# ruff: noqa: S608 (every name that is put into a statement is quoted by proxy/sealing/ddl.py; values are parameters)

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from policies.fields import Field, LogicalType, Sealing

from .carry import Carried, carried_sql
from .ddl import qualified, quote, sealing_of
from .survey import KeyColumn, Survey


def printed(column: str) -> str:
    """A value as its type's own output function prints it (a cast to text prints bool and inet otherwise)."""
    return f"pg_catalog.convert_to(pg_catalog.format('%s', t.{quote(column)}), 'UTF8')"


def type_of(sealing: Sealing, *, bare: bool = False) -> str:
    """The logical type with its modifiers (PostgreSQL's typmod encoding), or without them."""
    logical, typmod = sealing.logical_type, sealing.typmod
    name = f"pg_catalog.{logical.value}"
    if typmod < 0 or bare:
        return name
    match logical:
        case LogicalType.VARCHAR:
            return f"{name}({typmod - 4})"
        case LogicalType.NUMERIC:
            scale = (typmod - 4) & 0x7FF
            return f"{name}({(typmod - 4) >> 16 & 0xFFFF},{scale - 0x800 if scale & 0x400 else scale})"
        case _:
            return f"{name}({typmod})"


@dataclass(frozen=True, slots=True)
class Staging(ABC):
    """For one field and its survey."""

    field: Field
    survey: Survey

    @property
    @abstractmethod
    def staged(self) -> str:
        """The name of the second column, of its trigger (with ~ before it) and of the trigger's function."""

    @abstractmethod
    def staged_definition(self) -> str:
        """Type and constraint of the second column."""

    @property
    def table(self) -> str:
        return qualified(self.field.schema, self.field.table)

    @property
    def _column(self) -> str:
        return quote(self.field.column)

    @property
    def _staged(self) -> str:
        return quote(self.staged)

    @property
    def _function(self) -> str:
        return qualified(self.field.schema, self.staged)

    @property
    def _trigger(self) -> str:
        return quote(f"~{self.staged}")

    # --- preparing, and going back

    def prepare(self) -> tuple[str, ...]:
        return (
            f"ALTER TABLE {self.table} ADD COLUMN {self._staged} {self.staged_definition()}",
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
            f"BEGIN\n  IF TG_OP = 'INSERT' THEN NEW.{self._staged} := NULL;\n"
            f"  ELSIF {changed} THEN NEW.{self._staged} := NULL;\n  END IF;\n  RETURN NEW;\nEND\n"
        )

    def abandon(self) -> tuple[str, ...]:
        """Takes back what `prepare` made; also cleans up after another version of it."""
        return (
            f"DROP TRIGGER IF EXISTS {self._trigger} ON {self.table}",
            f"DROP FUNCTION IF EXISTS {self._function}()",
            f"ALTER TABLE {self.table} DROP COLUMN IF EXISTS {self._staged}",
        )

    # --- filling

    @property
    def keys(self) -> tuple[KeyColumn, ...]:
        return self.survey.primary_key

    @abstractmethod
    def _pair(self) -> str:
        """The select list's `value`, as PostgreSQL prints it, and `cell`."""

    def _selected(self) -> str:
        keys = ", ".join(f"pg_catalog.format('%s', t.{quote(key.name)})" for key in self.keys)
        row_key = self.survey.row_key if sealing_of(self.field).row_bound else None
        bound = "NULL::pg_catalog.bytea" if row_key is None else printed(row_key.name)
        return f"ARRAY[{keys}] AS key, {bound} AS bound, {self._pair()}"

    @property
    def missing(self) -> str:
        return f"t.{self._column} IS NOT NULL AND t.{self._staged} IS NULL"

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

    @abstractmethod
    def _array(self) -> tuple[str, str]:
        """The element type of the array of second values, and what makes such a value of the element `s.made`."""

    def fill(self) -> str:
        """Puts second values into rows: one array of texts for each column of the key, then the array of values."""
        element, made = self._array()
        arrays = "".join(f"pg_catalog.unnest(${n}::pg_catalog.text[]), " for n in range(1, len(self.keys) + 1))
        names = ", ".join(f"k{n}" for n in range(1, len(self.keys) + 1))
        same = " AND ".join(f"t.{quote(key.name)} = s.k{n}::{key.type_name}" for n, key in enumerate(self.keys, 1))
        return (
            f"UPDATE {self.table} t SET {self._staged} = {made} FROM ROWS FROM ({arrays}"
            f"pg_catalog.unnest(${len(self.keys) + 1}::{element}[])) AS s({names}, made) WHERE {same}"
        )

    def all_rows(self) -> str:
        return (
            f"SELECT {self._selected()} FROM {self.table} t"
            f" WHERE t.{self._column} IS NOT NULL OR t.{self._staged} IS NOT NULL"
        )

    # --- switching

    def stop_writers(self) -> str:
        return f"LOCK TABLE {self.table} IN SHARE ROW EXCLUSIVE MODE"

    def stop_everyone(self) -> str:
        return f"LOCK TABLE {self.table} IN ACCESS EXCLUSIVE MODE"

    def _drop_trigger(self) -> tuple[str, ...]:
        return f"DROP TRIGGER {self._trigger} ON {self.table}", f"DROP FUNCTION {self._function}()"

    def _drop_carried(self) -> tuple[str, ...]:
        return tuple(
            f"ALTER TABLE {self.table} DROP CONSTRAINT {quote(c.name)}"
            if c.constraint
            else f"DROP INDEX {qualified(self.field.schema, c.name)}"
            for c in self.survey.carried
        )

    def _carried(self, column: str, place: str, carried: Carried) -> tuple[str, ...]:
        return carried_sql(self.field.schema, self.field.table, column, place, carried)

    @abstractmethod
    def switch(self) -> tuple[str, ...]:
        """Puts the second values in the first's place: the one ALTER TABLE writes a new file."""
