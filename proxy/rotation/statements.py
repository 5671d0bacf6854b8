"""Every statement of re-encrypting cells, as text.  Pure; proxy/rotation/reencrypt.py says what they are for.

A row is found by its primary key, of whatever type: columns of common types go over the wire as they are, others in
text form under fixed settings, and are cast.  All fields of a table that are being rotated go in one pass.
"""

# ruff: noqa: S608 (every name that is put into a statement is quoted by proxy/sealing/ddl.py; values are parameters)

from __future__ import annotations

from dataclasses import dataclass

from keys.envelope import HEAD_SIZE
from policies.fields import Field
from proxy.sealing.ddl import quote, sealing_of

from .places import KeyColumn, Member


def literal(head: bytes) -> str:
    """A head as a constant.  Raises ValueError for anything that is none."""
    if len(head) != HEAD_SIZE:
        raise ValueError("a head has 12 bytes")
    return f"E'\\\\x{head.hex()}'::pg_catalog.bytea"


def is_old(row: str, field: Field, head: bytes) -> str:
    """True for a cell under any other head; NULL (not true) where there is no cell."""
    return f"pg_catalog.substr({row}.{quote(field.column)}, 1, {HEAD_SIZE}) <> {literal(head)}"


@dataclass(frozen=True, slots=True)
class Batches:
    """For one table that holds rows, and the fields of it with the heads that their cells are to have."""

    member: Member
    fields: tuple[tuple[Field, bytes], ...]

    @property
    def keys(self) -> tuple[KeyColumn, ...]:
        return self.member.primary_key

    @property
    def old(self) -> str:
        return " OR ".join(is_old("t", field, head) for field, head in self.fields)

    @property
    def bound(self) -> bool:
        """Whether cells of these fields are bound to their rows."""
        return any(sealing_of(field).row_bound for field, _ in self.fields)

    @property
    def _row_key(self) -> str:
        return f"pg_catalog.format('%s', t.{quote(self.member.row_key or '')})"

    def _key(self, key: KeyColumn) -> str:
        column = f"t.{quote(key.name)}"
        return column if key.direct else f"pg_catalog.format('%s', {column})"

    def _parameter(self, key: KeyColumn, number: int) -> str:
        return f"${number}::{key.type_name}" if key.direct else f"${number}::pg_catalog.text::{key.type_name}"

    @property
    def _names(self) -> str:
        return ", ".join(f"t.{quote(key.name)}" for key in self.keys)

    def _after(self, start: int) -> str:
        parameters = ", ".join(self._parameter(key, n) for n, key in enumerate(self.keys, start))
        return f"({self._names}) > ({parameters})"

    def _until(self, start: int) -> str:
        parameters = ", ".join(self._parameter(key, n) for n, key in enumerate(self.keys, start))
        return f"({self._names}) <= ({parameters})"

    def _where(self, *, after: bool, until: bool) -> str:
        number, parts = 2, []
        if after:
            parts.append(self._after(number))
            number += len(self.keys)
        if until:
            parts.append(self._until(number))
        return " AND ".join((*parts, f"({self.old})"))

    def select(self, *, after: bool, until: bool, lock: bool = False) -> str:
        """The next rows with old cells: $1 is how many, then the last key before, then the last key of the range.

        Columns: the key's, the row key's text (or NULL), then a cell for each field, NULL where it is not old.
        `lock`: rows that somebody else holds are left out.
        """
        keys = ", ".join(self._key(key) for key in self.keys)
        bound = self._row_key if self.bound else "NULL"
        cells = ", ".join(
            f"CASE WHEN {is_old('t', field, head)} THEN t.{quote(field.column)} END" for field, head in self.fields
        )
        return (
            f"SELECT {keys}, {bound}, {cells} FROM {self.member.sql} t WHERE {self._where(after=after, until=until)}"
            f" ORDER BY {self._names} LIMIT $1" + (" FOR NO KEY UPDATE OF t SKIP LOCKED" if lock else "")
        )

    def read(self, *, after: bool) -> str:
        """The next rows with all their cells, otherwise as `select`; for reading, without any lock."""
        keys = ", ".join(self._key(key) for key in self.keys)
        bound = self._row_key if self.bound else "NULL"
        cells = ", ".join(f"t.{quote(field.column)}" for field, _ in self.fields)
        where = f" WHERE {self._after(2)}" if after else ""
        return f"SELECT {keys}, {bound}, {cells} FROM {self.member.sql} t{where} ORDER BY {self._names} LIMIT $1"

    def replace(self, *, compare: bool = True) -> str:
        """Puts new cells in the place of old ones where these still stand: compare and set, for each cell by itself.

        An array for each column of the key, then one of row keys if cells are bound to them, then two for each field:
        the old cells and the new.  PostgreSQL judges a row that changed meanwhile by its newest version.
        """
        count = len(self.keys)
        arrays = [f"pg_catalog.unnest(${n}::{self._array_of(key)})" for n, key in enumerate(self.keys, 1)]
        names = [f"k{n}" for n in range(1, count + 1)]
        same = [
            f"t.{quote(key.name)} = s.k{n}" + ("" if key.direct else f"::{key.type_name}")
            for n, key in enumerate(self.keys, 1)
        ]
        if self.bound:
            count += 1
            arrays.append(f"pg_catalog.unnest(${count}::pg_catalog.text[])")
            names.append("bound")
            same.append(f"{self._row_key} = s.bound")
        sets, unchanged = [], []
        for n, (field, _) in enumerate(self.fields, 1):
            column = quote(field.column)
            arrays += [f"pg_catalog.unnest(${count + 2 * n - 1 + m}::pg_catalog.bytea[])" for m in (0, 1)]
            names += [f"o{n}", f"n{n}"]
            still = f"t.{column} = s.o{n}" if compare else f"s.o{n} IS NOT NULL"
            sets.append(
                f"{column} = s.n{n}"
                if len(self.fields) == 1
                else f"{column} = CASE WHEN {still} THEN s.n{n} ELSE t.{column} END"
            )
            unchanged.append(still)
        return (
            f"UPDATE {self.member.sql} t SET {', '.join(sets)} FROM ROWS FROM ({', '.join(arrays)})"
            f" AS s({', '.join(names)}) WHERE {' AND '.join(same)} AND ({' OR '.join(unchanged)})"
        )

    @staticmethod
    def _array_of(key: KeyColumn) -> str:
        return f"{key.type_name}[]" if key.direct else "pg_catalog.text[]"

    def split(self) -> str:
        """Keys that cut the table into $2 parts of about one size, from a sample of $1 percent of its pages."""
        keys = ", ".join(f"{self._key(key)} AS k{n}" for n, key in enumerate(self.keys, 1))
        names = ", ".join(f"k{n}" for n in range(1, len(self.keys) + 1))
        return (
            f"SELECT {names} FROM (SELECT {keys}, pg_catalog.row_number() OVER (ORDER BY {self._names}) AS n,"
            " pg_catalog.count(*) OVER () AS total"
            f" FROM {self.member.sql} t TABLESAMPLE SYSTEM ($1::pg_catalog.float4)) q"
            " WHERE total >= $2 * 8 AND n % ((total + $2 - 1) / $2) = 0 AND n < total ORDER BY n"
        )


def count_cells(table: str, field: Field, head: bytes) -> str:
    """How many cells there are, and how many are old, in the table with all its members."""
    return (
        f"SELECT pg_catalog.count(t.{quote(field.column)}) AS total,"
        f" pg_catalog.count(*) FILTER (WHERE {is_old('t', field, head)}) AS old FROM {table} t"
    )


def any_old(table: str, field: Field, head: bytes) -> str:
    return f"SELECT EXISTS (SELECT FROM {table} t WHERE {is_old('t', field, head)})"


def count_under(table: str, field: Field, key_id: bytes) -> str:
    """How many cells stand under a key, whatever their scheme; $1 is the key's id."""
    place = f"pg_catalog.substr(t.{quote(field.column)}, 5, {len(key_id)})"
    return f"SELECT pg_catalog.count(*) FROM {table} t WHERE {place} = $1::pg_catalog.bytea"
