"""Whether the database's columns are sealed as the data map says; what is not, is a reason not to start (I9).

`problems_of` judges and is pure; `verify_sealed` reads pg_catalog and judges.  A partition or inheritance child is held
to the same as its root, because writes may go to it directly.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from keys.envelope import HEAD_SIZE, KEY_ID_SIZE
from policies.fields import DataMap, Field, ProtectedTable, Sealing
from proxy.sql.parameters import OIDS
from proxy.stored_forms import TermColumn, at_epochs

from .ddl import (
    check_name,
    checks_of,
    create_index,
    create_token_index,
    minimum_octets,
    sealing_of,
    term_column,
    term_expression,
    token_column,
    token_expression,
)
from .facts import ColumnFacts, Connection, TableFacts, read_tables
from .fences import write_fence_name

BYTEA, INT4_ARRAY = 17, 1007
_HEAD = rf"'\\x([0-9a-f]{{{2 * HEAD_SIZE}}})'::bytea"


@dataclass(frozen=True, slots=True)
class SealProblem:
    """One thing that is not as the data map says.  `field` is `schema.table.column`, or `schema.table`."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


Heads = Mapping[str, Collection[bytes]]


async def verify_sealed(
    connection: Connection,
    data_map: DataMap,
    heads: Heads,
    known: Heads | None = None,
    epochs: Mapping[str, Collection[int]] | None = None,
) -> tuple[SealProblem, ...]:
    """Everything that is wrong; `heads` holds the heads that are written now, by field id.

    `known` holds those of all keys that open: a CHECK may admit others of these while a key is rotated.  `epochs` are
    those of the terms and tokens that cells are written with.
    """
    found = await read_tables(connection, data_map.tables)
    data_map = at_epochs(data_map, {name: _terms(of[0]) for name, of in found.items()})
    problems = tuple(
        problem
        for key, table in data_map.tables.items()
        for problem in table_problems(table, found.get(key, ()), heads, known)
    )
    if problems or epochs is None:
        return problems
    return tuple(
        problem
        for key, table in data_map.tables.items()
        for field in table.fields.values()
        for problem in _epoch_problems(field, found[key][0], epochs)
    )


def _epoch_problems(field: Field, table: TableFacts, epochs: Mapping[str, Collection[int]]) -> Iterator[SealProblem]:
    """What is written by one epoch of a term key and searched by another is not found; heads tell its parity alone."""
    written = epochs.get(field.sealing.field_id, ()) if field.sealing is not None else ()
    columns = ((field.term_column, field.term_epoch), (field.token_column, field.token_epoch))
    for name, epoch in columns:
        if name in table.columns and epoch not in written:
            yield SealProblem(
                field.name,
                f"its column {name} is of epoch {epoch} of its term key, and cells would be written by epoch"
                f" {', '.join(map(str, written))}: the database is of before a rotation of that key."
                " Bring the control database of that time back with it, elsewhere, and copy the rows through Fieldgate",
            )


def _terms(table: TableFacts) -> dict[str, TermColumn]:
    return {
        name: TermColumn.UNIQUE
        if name in table.unique
        else TermColumn.INDEXED
        if name in table.indexed
        else TermColumn.THERE
        for name in table.columns
    }


def table_problems(
    table: ProtectedTable, members: tuple[TableFacts, ...], heads: Heads, known: Heads | None = None
) -> Iterator[SealProblem]:
    if not members:
        yield SealProblem(f"{table.schema}.{table.table}", "the data map names a table that does not exist")
        return
    for member in members:
        where = "" if member is members[0] else f" (in {member.schema}.{member.name})"
        if member.kind not in ("r", "p"):
            yield SealProblem(f"{table.schema}.{table.table}", f"is not an ordinary or partitioned table{where}")
            continue
        for field in table.fields.values():
            for reason in problems_of(field, member, heads, known, root=member is members[0]):
                yield SealProblem(field.name, reason + where)
            if field.sealing is not None and field.sealing.row_bound:
                for reason in _row_key_problems(table, member):
                    yield SealProblem(field.name, reason + where)


def problems_of(
    field: Field, table: TableFacts, heads: Heads, known: Heads | None = None, *, root: bool = True
) -> Iterator[str]:
    """The reasons why one field is not sealed in one table as the data map says; none for a sound one."""
    column, sealing = table.columns.get(field.column), field.sealing
    if column is None:
        yield "the data map names a column that does not exist"
        return
    if sealing is None:
        return
    if field.migrating is not None and not checks_of(sealing, table.checks):
        yield from _plain_problems(column, sealing)
        return
    if column.type_oid != BYTEA:
        yield f"is {column.type_name}, not sealed bytea: run `fieldgate seal {field.table}.{field.column}`"
        return
    if column.not_null != sealing.not_null:
        yield "is NOT NULL" + (" in the data map only" if sealing.not_null else ", but not in the data map")
    if sealing.not_null and field.column in table.unproven_not_null:
        yield "its NOT NULL has not been validated"
    if column.expression is not None:
        yield "has a default or is generated, so the database could write it by itself"
    written = heads.get(sealing.field_id, ())
    yield from _check_problems(field, column, table, written, (known or heads).get(sealing.field_id, ()))
    yield from _fence_problems(sealing, table, written)
    if sealing.equality:
        yield from _term_problems(field, column, table, root=root)
    if sealing.tokens:
        yield from _token_problems(field, column, table, root=root)


def _plain_problems(column: ColumnFacts, sealing: Sealing) -> Iterator[str]:
    """While its form changes, a field may stand plain, just as its cells would be shown."""
    if (column.type_oid, column.typmod) != (OIDS[sealing.logical_type][0], sealing.typmod):
        yield f"is {column.type_name}: neither sealed nor plain as the data map says"
    if column.not_null != sealing.not_null:
        yield "is NOT NULL" + (" in the data map only" if sealing.not_null else ", but not in the data map")


def _check_problems(
    field: Field, column: ColumnFacts, table: TableFacts, heads: Collection[bytes], known: Collection[bytes]
) -> Iterator[str]:
    sealing = sealing_of(field)
    check = table.checks.get(check_name(sealing))
    if check is None and checks_of(sealing, table.checks):
        declared, modes = ", ".join(sealing.normalisers) or "none", ", ".join(sealing.tokens) or "none"
        yield (
            f"its terms were made with other normalisers than the data map's ({declared}), or its search tokens for"
            f" other modes than the data map's ({modes}), so nothing would be found"
        )
        return
    if check is None:
        yield f"has no CHECK {check_name(sealing)}: plaintext could be stored"
        return
    if not check.enforced:
        yield f"its CHECK {check.name} is NOT VALID or NOT ENFORCED: cells that it would refuse may be stored"
    admitted = admitted_heads(check.definition, column, sealing)
    if admitted is None:
        yield f"its CHECK {check.name} was altered: it does not say what a sealed column's says"
        return
    unknown = admitted - {*heads, *known}
    if unknown:
        names = ", ".join(sorted(head[-KEY_ID_SIZE:].hex() for head in unknown))
        yield f"its CHECK admits cells that may not be written now (key {names}, or another scheme)"
    if not admitted & set(heads):
        yield "its CHECK refuses every cell that the keyring would write"


def _fence_problems(sealing: Sealing, table: TableFacts, heads: Collection[bytes]) -> Iterator[str]:
    """While a key is rotated a fence admits cells of the new key alone (proxy/rotation/fence.py)."""
    admitted = {head for name, head in table.fences.items() if name.startswith(f"~{write_fence_name(sealing)}_")}
    if admitted and not admitted & set(heads):
        yield "its write fence refuses every cell that the keyring would write: its key has been rotated"


def admitted_heads(definition: str, column: ColumnFacts, sealing: Sealing) -> set[bytes] | None:
    """The heads that a CHECK admits, read from pg_get_constraintdef; None when it says anything else than it should."""
    name = re.escape(column.quoted)
    pattern = (
        rf"CHECK \(\(\({name} IS NULL\) OR \(\(octet_length\({name}\) >= {minimum_octets(sealing)}\) AND "
        rf"\(substr\({name}, 1, {HEAD_SIZE}\) = (?:{_HEAD}|ANY \(ARRAY\[((?:{_HEAD}(?:, )?)+)\]\))\)\)\)\)"
    )
    found = re.fullmatch(pattern, definition.removesuffix(" NOT VALID").removesuffix(" NOT ENFORCED"))
    return None if found is None else {bytes.fromhex(head) for head in re.findall(_HEAD, definition)}


def _term_problems(field: Field, column: ColumnFacts, table: TableFacts, *, root: bool) -> Iterator[str]:
    name = term_column(field)
    term = table.columns.get(name)
    if term is None:
        yield f"has no term column {name}"
        return
    expected = term_expression(column.quoted, field)
    if term.type_oid != BYTEA or term.generated != "s" or term.expression != expected:
        yield f"its term column {name} is not GENERATED ALWAYS AS ({expected}) STORED"
    if root and sealing_of(field).unique and name not in table.unique:
        yield f"is unique in the data map, but {name} has no unique constraint"
    elif root and name not in table.indexed:
        made = create_index(field)
        yield f"its term column {name} has no valid index: each search would read the whole table ({made})"
    if root and not sealing_of(field).unique and name in table.unique:
        yield f"{name} is unique, but the data map does not say so"


def _token_problems(field: Field, column: ColumnFacts, table: TableFacts, *, root: bool) -> Iterator[str]:
    name = token_column(field)
    tokens, expected = table.columns.get(name), token_expression(column.quoted, sealing_of(field))
    if tokens is None:
        yield f"has no token column {name}"
    elif tokens.type_oid != INT4_ARRAY or tokens.generated != "s" or tokens.expression != expected:
        yield f"its token column {name} is not GENERATED ALWAYS AS ({expected}) STORED"
    elif root and name not in table.token_indexed:
        statement = create_token_index(field)
        yield f"its token column {name} has no valid GIN index: each search would read the whole table ({statement})"


def _row_key_problems(table: ProtectedTable, member: TableFacts) -> Iterator[str]:
    key = member.columns.get(table.row_key or "")
    if key is None:
        yield "is bound to its row, but the table has no row key"
    elif not key.not_null:
        yield f"is bound to its row, but the row key {key.name} may be NULL"
