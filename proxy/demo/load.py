"""The made-up rows into the database, sealed on the way: binary COPY straight to the server, as a backfill would do it.

The server never sees a plaintext of a sealed field, neither in a statement nor in its log or WAL.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from decimal import Decimal

import asyncpg

from keys.field import FieldCiphers
from policies.fields import DataMap, Field, ProtectedTable
from proxy.rows.row_key import row_key_bytes
from proxy.sealing.ddl import sealing_of
from proxy.wire.oids import INT8
from proxy.wire.values.codecs import codec_for
from proxy.wire.values.settings import ValueSettings

from .generate import Row, Shop, TableRows, tables

Progress = Callable[[str, int, int], None]
"""Called with a table's name, the rows done and the rows in all."""

_STEP = 250
_SETTINGS = ValueSettings()


def cell_maker(field: Field, ciphers: FieldCiphers) -> Callable[[object, bytes | None], bytes | None]:
    """What turns a value of Python, with its row's key, into a cell of the field."""
    sealing = sealing_of(field)
    codec, cipher = codec_for(sealing.logical_type), ciphers.cipher(sealing.field_id)
    typmod, equality, row_bound = sealing.typmod, sealing.equality, sealing.row_bound

    def seal(value: object, row_key: bytes | None) -> bytes | None:
        if value is None:
            return None
        cell = codec.from_text(text_form(value), typmod, _SETTINGS)
        term_input = codec.term_input(cell) if equality else None
        return cipher.seal(cell, term_input=term_input, row_key=row_key if row_bound else None)

    return seal


def text_form(value: object) -> bytes:
    """A value as PostgreSQL writes it in text."""
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat().encode()
    if isinstance(value, str | int | Decimal):
        return str(value).encode()
    raise TypeError(f"a {type(value).__name__} has no text form here")


def sealed_rows(table: TableRows, protected: ProtectedTable, ciphers: FieldCiphers) -> Iterator[Row]:
    """The table's rows with a cell in the place of each sealed value."""
    fields = [protected.fields.get(column) for column in table.columns]
    makers = [
        (at, cell_maker(field, ciphers))
        for at, field in enumerate(fields)
        if field is not None and field.sealing is not None
    ]
    key_at = table.columns.index(protected.row_key) if protected.row_key else None
    for row in table.rows:
        made = list(row)
        key = None if key_at is None else _row_key(row[key_at])
        for at, seal in makers:
            made[at] = seal(row[at], key)
        yield tuple(made)


def _row_key(value: object) -> bytes:
    return row_key_bytes(str(value).encode(), binary=False, type_oid=0, key_oid=INT8)


async def load_shop(
    connection: asyncpg.Connection, shop: Shop, data_map: DataMap, ciphers: FieldCiphers, progress: Progress
) -> None:
    """All tables in one transaction; numbers drawn later go on where these end."""
    async with connection.transaction():
        for table in tables(shop):
            rows = sealed_rows(table, data_map.tables["public", table.name], ciphers)
            await connection.copy_records_to_table(
                table.name, records=_counted(table, rows, progress), columns=table.columns
            )
            await connection.execute(f"ALTER TABLE {table.name} ALTER id RESTART WITH {len(table.rows) + 1}")
    await connection.execute("ANALYZE")


def _counted(table: TableRows, rows: Iterator[Row], progress: Progress) -> Iterator[Row]:
    total = len(table.rows)
    for done, row in enumerate(rows):
        if done % _STEP == 0:
            progress(table.name, done, total)
        yield row
    progress(table.name, total, total)
