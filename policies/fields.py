"""The data map: which tables and columns are protected, what each field is, and how it is sealed.  Pure data.

A table that stands in the data map is protected: each of its columns is a field; a column that the map does not
name is untagged and therefore denied for everyone (design, Words).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class LogicalType(StrEnum):
    """The types that a sealed field may have, by PostgreSQL's own names (pg_type.typname)."""

    TEXT = "text"
    VARCHAR = "varchar"
    INT2 = "int2"
    INT4 = "int4"
    INT8 = "int8"
    NUMERIC = "numeric"
    BOOL = "bool"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    INET = "inet"
    UUID = "uuid"
    JSON = "json"
    JSONB = "jsonb"
    BYTEA = "bytea"


@dataclass(frozen=True, slots=True)
class Sealing:
    """How a sealed field is stored.

    `field_id` is 32 hex digits, random, for ever (design, Cells).  `typmod` is PostgreSQL's (-1: none).
    `equality` adds the term column `fg_<column>_eq`, of later epochs of the term key `fg_<column>_eq_<epoch>`; fields
    of one `join_group` share a term key.
    `normalisers` are what terms are made through, in this order (keys/normalisers): equal then means equal after them.
    `tokens` are the modes of inexact search (keys/tokens); they add the token column `fg_<column>_tk`, which is named
    after later epochs of the term key as term columns are.
    `own_key` promises that no other field shares any key with this one, so its keys may be destroyed by themselves.
    `row_bound` puts the table's row key into the associated data.
    `subject_kind`: cells are sealed under the secret of the row's data subject, too, and bound to it, not to the row;
    the table's row key is then the column that names the subject.
    """

    field_id: str
    logical_type: LogicalType
    typmod: int = -1
    not_null: bool = False
    equality: bool = False
    unique: bool = False
    join_group: str | None = None
    normalisers: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    own_key: bool = False
    row_bound: bool = False
    pad_to: int = 0  # 0: no padding; else the plaintext is padded to a multiple of this many bytes
    subject_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    schema: str
    table: str
    column: str
    tag: str
    sealing: Sealing | None = None  # None: protected but stored plain
    migrating: Sealing | None = None  # its form is changing: how it is sealed when it is, whatever it is now
    term_epoch: int = 1  # of the term key whose terms are searched; the database says which (proxy.stored_forms)
    token_epoch: int = 1  # the same for search tokens

    @property
    def name(self) -> str:
        """`schema.table.column`, as in policies, errors and audit records."""
        return f"{self.schema}.{self.table}.{self.column}"

    @property
    def term_column(self) -> str | None:
        return self.term_column_of(self.term_epoch) if self.sealing is not None and self.sealing.equality else None

    def term_column_of(self, epoch: int) -> str:
        """While a term key is rotated the columns of two epochs stand beside each other."""
        return f"fg_{self.column}_eq" if epoch == 1 else f"fg_{self.column}_eq_{epoch}"

    @property
    def token_column(self) -> str | None:
        return self.token_column_of(self.token_epoch) if self.sealing is not None and self.sealing.tokens else None

    def token_column_of(self, epoch: int) -> str:
        """There is one at a time, which changes its name."""
        return f"fg_{self.column}_tk" if epoch == 1 else f"fg_{self.column}_tk_{epoch}"


@dataclass(frozen=True, slots=True)
class ProtectedTable:
    schema: str
    table: str
    fields: dict[str, Field]
    row_key: str | None = None  # the column that row-bound cells are bound to
    subject: str | None = None  # the column that names the data subject, if the table declares one
    parts: tuple[str, ...] = ()  # columns by which groups are parted first, in this order (policies.parts)
    observed: bool = False  # the policy is not in force for it yet: what it would refuse is recorded, and passes
    subject_kind: str | None = None  # subjects of one kind are numbered alike; None: cells have no subjects' secrets


@dataclass(frozen=True, slots=True)
class Harmless:
    """What the database has of its own and somebody looked at: it shows nothing of protected tables.

    `functions` are signatures as PostgreSQL prints them: `public.slug(text)`.  `foreign_tables` are `schema.table`.
    """

    functions: frozenset[str] = frozenset()
    extensions: frozenset[str] = frozenset()
    foreign_tables: frozenset[str] = frozenset()

    @property
    def of_postgres(self) -> frozenset[str]:
        """The bare names of PostgreSQL's own functions among them."""
        return frozenset(
            name.removeprefix("pg_catalog.").partition("(")[0]
            for name in self.functions
            if name.startswith("pg_catalog.")
        )


@dataclass(frozen=True, slots=True)
class DataMap:
    """One controller's map of one database."""

    controller: str
    database: str
    tables: dict[tuple[str, str], ProtectedTable] = field(default_factory=dict)  # (schema, table)
    harmless: Harmless = field(default_factory=Harmless)

    @property
    def observed(self) -> tuple[ProtectedTable, ...]:
        return tuple(table for table in self.tables.values() if table.observed)

    def enforced(self) -> DataMap:
        """The same without the tables that are only observed."""
        kept = {name: table for name, table in self.tables.items() if not table.observed}
        return self if len(kept) == len(self.tables) else replace(self, tables=kept)

    @property
    def migrates(self) -> bool:
        """Some field's form is changing."""
        return any(f.migrating is not None for table in self.tables.values() for f in table.fields.values())

    def as_stored(self, sealed: Collection[str]) -> DataMap:
        """The same, where of the fields that change their form those with the ids `sealed` are sealed, others plain."""
        tables = {name: replace(table, fields=_stored(table.fields, sealed)) for name, table in self.tables.items()}
        return replace(self, tables=tables)

    def with_epochs(self, terms: Mapping[str, int], tokens: Mapping[str, int]) -> DataMap:
        """The same, where terms and search tokens are of these epochs, by field id; others stay as they are."""
        tables = {
            name: replace(table, fields=_at_epochs(table.fields, terms, tokens)) for name, table in self.tables.items()
        }
        return self if tables == self.tables else replace(self, tables=tables)

    def field(self, schema: str, table: str, column: str) -> Field | None:
        found = self.tables.get((schema, table))
        return found.fields.get(column) if found else None


def _stored(fields: dict[str, Field], sealed: Collection[str]) -> dict[str, Field]:
    return {
        name: each
        if each.migrating is None
        else replace(each, sealing=each.migrating if each.migrating.field_id in sealed else None)
        for name, each in fields.items()
    }


def _at_epochs(fields: dict[str, Field], terms: Mapping[str, int], tokens: Mapping[str, int]) -> dict[str, Field]:
    return {
        name: each
        if each.sealing is None
        else replace(
            each,
            term_epoch=terms.get(each.sealing.field_id, each.term_epoch),
            token_epoch=tokens.get(each.sealing.field_id, each.token_epoch),
        )
        for name, each in fields.items()
    }
