"""The columns by which fields are searched, under two epochs of their term key: added, compared, and exchanged in one
transaction.

A generated column takes the term of its epoch out of each cell by itself (docs/envelope.md).  To add one writes the
whole table anew under an exclusive lock, so large tables are refused.  In the exchange all tables of a database move
together: joins inside a group never see terms of two epochs.  Indexes and unique constraints are made again on the new
column there, under the lock and under their names: a second unique index beside the one that ON CONFLICT names would
raise errors for rows that conflict with both.  Foreign keys between such columns are made again there, too.

Search tokens of both epochs stand in one list, so their column serves both, and is named after the new epoch in the
exchange: whoever searches for tokens of the old one by its old name gets an error from then on, and not fewer rows.
"""

# ruff: noqa: S608 (every name that is put into a statement is quoted by proxy/sealing/ddl.py)

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from policies.fields import Field
from proxy.sealing import queries
from proxy.sealing.carry import Carried, carried_of, carried_sql
from proxy.sealing.ddl import qualified, quote, sealing_of, term_column, term_definition, token_column
from proxy.sealing.facts import Connection
from proxy.sealing.run import ANNOUNCE
from proxy.sql.fragments import SECOND

from .errors import RotationRefused
from .locking import Locking
from .places import Place
from .term_references import Column, references_of

Privileges = Callable[[str, Connection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class TwoEpochs:
    """A place, and the epochs that its cells carry terms and tokens of: `old`, and the next one."""

    place: Place
    old: int

    @property
    def before(self) -> Field:
        return replace(self.place.field, term_epoch=self.old, token_epoch=self.old)

    @property
    def after(self) -> Field:
        return replace(self.place.field, term_epoch=self.old + 1, token_epoch=self.old + 1)

    @property
    def has_terms(self) -> bool:
        return sealing_of(self.place.field).equality

    @property
    def has_tokens(self) -> bool:
        return bool(sealing_of(self.place.field).tokens)

    @property
    def table(self) -> str:
        return qualified(self.place.field.schema, self.place.field.table)


def renamed_by(moving: Sequence[TwoEpochs], database: str) -> dict[Column, str]:
    """What takes the place of each old term column of the database."""
    return {
        (two.place.field.schema, two.place.field.table, term_column(two.before)): term_column(two.after)
        for two in moving
        if two.has_terms and two.place.database == database
    }


async def is_searched(connection: Connection, field: Field) -> bool:
    """Whether it still has a column of this epoch; a term and a token column go together, in one transaction."""
    name = term_column(field) if sealing_of(field).equality else token_column(field)
    return await _position(connection, field, name) is not None


async def _position(connection: Connection, field: Field, name: str) -> int | None:
    found: int | None = await connection.fetchval(_POSITION, field.schema, field.table, name)
    return found


async def add_column(connection: Connection, two: TwoEpochs, locking: Locking) -> None:
    """Writes the table anew, under an exclusive lock.  For tokens there is nothing to add."""
    if not two.has_terms or await _position(connection, two.after, term_column(two.after)) is not None:
        return

    async def add() -> None:
        await connection.execute(f"ALTER TABLE {two.table} ADD COLUMN {term_definition(two.after)}")

    await locking(add)


async def drop_column(connection: Connection, two: TwoEpochs, locking: Locking) -> None:
    """Of the next epoch, which nobody searches by yet."""
    if not two.has_terms:
        return

    async def drop() -> None:
        name = quote(term_column(two.after))
        await connection.execute(f"ALTER TABLE {two.table} DROP COLUMN IF EXISTS {name}")

    await locking(drop)


async def require_same(connection: Connection, two: TwoEpochs) -> None:
    """Every cell is of both epochs, and cells with one old term have one new term, and the other way round.

    Raises RotationRefused.
    """
    cell = quote(two.place.field.column)
    single = await connection.fetchval(
        f"SELECT EXISTS (SELECT FROM {two.table} WHERE pg_catalog.get_byte({cell}, 3) & {SECOND} = 0)"
    )
    if single:
        raise RotationRefused(two.place.field.name, ["cells of one epoch have come in behind its CHECK"])
    if two.has_terms:
        await _require_same_terms(connection, two)


async def _require_same_terms(connection: Connection, two: TwoEpochs) -> None:
    cell, old, new = (quote(name) for name in (two.place.field.column, term_column(two.before), term_column(two.after)))
    row = await connection.fetchrow(
        f"SELECT pg_catalog.count({cell}) AS cells, pg_catalog.count({new}) AS terms,"
        f" pg_catalog.count(DISTINCT {old}) AS old, pg_catalog.count(DISTINCT {new}) AS new,"
        f" pg_catalog.count(DISTINCT ({old}, {new})) FILTER (WHERE {cell} IS NOT NULL) AS pairs FROM {two.table}"
    )
    if row["cells"] != row["terms"] or not row["old"] == row["new"] == row["pairs"]:
        raise RotationRefused(
            two.place.field.name,
            ["its terms of two epochs do not say the same of its cells: `fieldgate keys verify` finds which are wrong"],
        )


async def exchange_columns(
    connection: Connection, moving: Sequence[TwoEpochs], privileges: Privileges, locking: Locking
) -> None:
    """One transaction for all tables of a database: from its end on statements are planned by the new columns."""

    async def exchange() -> None:
        tables = ", ".join(sorted({two.table for two in moving}))
        await connection.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        renamed = renamed_by(moving, moving[0].place.database)
        references = await references_of(connection, renamed)
        for reference in references:
            await connection.execute(reference.drop())
        for two in moving:
            for statement in await _exchange(connection, two):
                await connection.execute(statement)
        for statement in (made for reference in references for made in reference.make(renamed)):
            await connection.execute(statement)
        await privileges(moving[0].place.database, connection)
        await connection.execute(ANNOUNCE)

    await locking(exchange)


async def _exchange(connection: Connection, two: TwoEpochs) -> list[str]:
    if not await is_searched(connection, two.before):
        return []  # an earlier run did it
    terms = await _exchange_terms(connection, two) if two.has_terms else []
    if not two.has_tokens:
        return terms
    old, new = quote(token_column(two.before)), quote(token_column(two.after))
    return [*terms, f"ALTER TABLE {two.table} RENAME COLUMN {old} TO {new}"]


async def _exchange_terms(connection: Connection, two: TwoEpochs) -> list[str]:
    position = await _position(connection, two.before, term_column(two.before))
    field, old, new = two.place.field, term_column(two.before), term_column(two.after)
    oid = await connection.fetchval(_OID, field.schema, field.table)
    carried = [carried_of(index) for index in await connection.fetch(queries.INDEXES, oid, position)]
    drops = [_drop(two, each) for each in carried]
    makes = [sql for each in carried for sql in carried_sql(field.schema, field.table, old, new, each)]
    return [*drops, f"ALTER TABLE {two.table} DROP COLUMN {quote(old)}", *makes]


def _drop(two: TwoEpochs, carried: Carried) -> str:
    if carried.constraint:
        return f"ALTER TABLE {two.table} DROP CONSTRAINT {quote(carried.name)}"
    return f"DROP INDEX {qualified(two.place.field.schema, carried.name)}"


_OID = """
SELECT c.oid::pg_catalog.int8 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
"""

_POSITION = """
SELECT a.attnum::pg_catalog.int4
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND NOT a.attisdropped
"""
