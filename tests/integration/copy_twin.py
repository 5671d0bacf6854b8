"""The same strange rows twice: in the sealed shop, written through the proxy, and in a plain database of its own.

What PostgreSQL's COPY makes of the plain ones is what the proxy must make of the sealed ones, byte for byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus

from proxy.demo.schema import logical_schema
from tests.support.servers import fresh_database

from .stage import Stage

FIRST = 900_000  # ids from here on are these tests' own
STRANGE = (
    "", " ", "plain", "NULL", "null", "\\N", "\\.", ".", "\\", "\\\\x41", "\\x41", "a\tb", "a\nb", "a\r\nb", "\r",
    "'", '"', '""', 'a"b', "a,b", ";", "|", "e", "x", "a", "nil", "Ольга 👩", "\u00a0", "\b\f\v", "=1+1", "{a,b}", "D",
    "\\D", "\\xf967010" + "0" * 20, "end",
)  # fmt: skip
COLUMNS = {
    "customers": "id surname name patronymic email phone country city postal_code address status preferences",
    "employees": "id full_name birth_date phone hired_on position salary",
    "orders": "id customer_id placed_at total recipient_name recipient_phone delivery_address submit_ip tech_notes",
    "access_accounts": "id customer_id login password_hash last_login_at last_login_ip",
    "refunds": "id order_id customer_id amount reason passport_scan requisites",
}


def rows(table: str) -> Iterator[tuple[Any, ...]]:
    for place, text in enumerate(STRANGE):
        number, other = FIRST + place, STRANGE[-place]
        spare = text if place % 3 else None
        yield {
            "customers": (number, text, other, spare, f"{number}{text}@x", other, text, other, text, text, other,
                          psycopg.types.json.Jsonb({"k": text}) if spare is not None else None),
            "employees": (number, text, f"19{50 + place}-02-{1 + place % 28:02}" if place % 4 else None, spare,
                          "2020-01-31", other, place * 100 - 7 if spare is not None else None),
            "orders": (number, number, f"2024-01-01 00:00:{place:02}.5+00", place, text, other, text,
                       f"10.0.0.{place}/24" if place % 2 else None, spare),
            "access_accounts": (number, number, f"{number}{text}", text, None, f"2001:db8::{place}"),
            "refunds": (number, number, number, "1.50", text, bytes((0, 255, place)) + text.encode(), spare),
        }[table]  # fmt: skip


@dataclass(slots=True)
class Side:
    """One session of libpq; what is asked of both sides is asked here."""

    connection: psycopg.Connection[Any]

    def run(self, statement: str) -> None:
        self.connection.execute(statement.encode())

    def fill(self, *tables: str) -> None:
        for table in tables or tuple(COLUMNS):
            columns = COLUMNS[table].split()
            marks = ", ".join(["%s"] * len(columns))
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
            self.connection.cursor().executemany(statement.encode(), list(rows(table)))

    def clear(self, *tables: str) -> None:
        for table in tables or tuple(reversed(COLUMNS)):
            self.run(f"DELETE FROM {table} WHERE id >= {FIRST}")

    def out(self, statement: str) -> bytes:
        """Raises psycopg.Error."""
        with self.connection.cursor().copy(statement.encode()) as copy:
            return b"".join(bytes(part) for part in copy)

    def put(self, statement: str, pieces: Sequence[bytes], failure: bytes | None = None) -> tuple[str, str]:
        """SQLSTATE ("" for success), and the message with its CONTEXT or the command's tag."""
        raw = self.connection.pgconn
        begun = raw.exec_(statement.encode())
        if begun.status != ExecStatus.COPY_IN:
            return _told(begun)
        for piece in pieces:
            raw.put_copy_data(piece)
        raw.put_copy_end(failure)
        result = raw.get_result()
        assert result is not None and raw.get_result() is None
        return _told(result)


def _told(result: psycopg.pq.abc.PGresult) -> tuple[str, str]:
    if result.status == ExecStatus.COMMAND_OK:
        return "", (result.command_status or b"").decode()
    fields = (DiagnosticField.MESSAGE_PRIMARY, DiagnosticField.MESSAGE_DETAIL, DiagnosticField.CONTEXT)
    said = [(result.error_field(field) or b"").decode() for field in fields]
    return (result.error_field(DiagnosticField.SQLSTATE) or b"").decode(), " / ".join(said)


@contextmanager
def both(stage: Stage) -> Iterator[tuple[Side, Side]]:
    """The proxy's side as `management`, and the plain one, both filled; what was added is removed again."""
    with fresh_database(stage.server) as database, stage.connect("management") as through:
        sealed = Side(through)
        sealed.clear()

        async def create() -> None:
            connection = await database.connect_async()
            await connection.execute(logical_schema())
            await connection.close()

        asyncio.run(create())
        with database.connect() as direct:
            direct.execute("SET log_statement = 'none'")
            plain = Side(direct)
            for side in (sealed, plain):
                side.fill()
            try:
                yield sealed, plain
            finally:
                sealed.clear()
