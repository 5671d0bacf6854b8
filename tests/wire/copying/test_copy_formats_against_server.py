"""Our reading and writing of COPY data compared with PostgreSQL's own, over generated and collected data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.pq import DiagnosticField, ExecStatus

from proxy.wire.copying.binary_rows import HEADER, TRAILER, build_row
from proxy.wire.copying.csv_fields import csv_encoder
from proxy.wire.copying.options import CopyFormat, CopyOptions
from proxy.wire.copying.text_fields import text_encoder
from tests.support.servers import Database

from .reading import Row, lines, pieces, read

pytestmark = pytest.mark.integration

CSV = CopyFormat.CSV
OPTIONS = [
    CopyOptions(),
    CopyOptions(delimiter=b"|", null=b""),
    CopyOptions(delimiter=b",", null=b"NULL"),
    CopyOptions(CSV, b",", b"", dot_ends=False),
    CopyOptions(CSV, b";", b"\\N", dot_ends=False),
    CopyOptions(CSV, b"\t", b"n", quote=b"'", escape=b"'", dot_ends=False),
    CopyOptions(CSV, b",", b"", escape=b"\\", dot_ends=False),
    CopyOptions(CSV, b"x", b"b", quote=b"a", escape=b"n", dot_ends=False),
]
# What means something in one of the formats stands here often.
ALPHABET = [
    b"\\",
    b"\n",
    b"\r",
    b"\t",
    b",",
    b'"',
    b"'",
    b"|",
    b";",
    b"a",
    b"b",
    b"n",
    b"x",
    b"N",
    b".",
    b"7",
    b"\xc3\xa9",
]
DATA = st.lists(st.sampled_from(ALPHABET), max_size=40).map(b"".join)
COLLECTED = [
    b"", b"\n", b"a", b"a\tb\n", b"a\tb\nc\td", b"a\tb\r\nc\td\r\n", b"a\tb\rc\td\r", b"a\tb\nc\r\td\n",
    b"a\tb\r\nc\td\n",
    b"a\tb\\\nc\n", b"a\\\tb\n", b"\\N\t\\\\N\n", b"a\tb\n\\.\nrubbish", b"a\tb\n\\.", b"a\t\\.b\n", b"a\t\\\\.b\n",
    b"a\t\\x41\\101\\8\\xg\n", b"a\tb\\", b"a\tb\\\\", b"a|b|c\n", b"a,b\n", b'a,"b\nc"\n', b'"a""b",c\n',
    b'a"b,c"d,e\n', b'a,"b\n', b'a,"b\\"c"\n', b'"",\n', b'a,"b\r\nc"\r\n', b"a,b\r", b"\\.\n", b'"\\.",\\.\n',
    b"a\t\0\n", b"a\t\xff\n", b"a\t\\0\n", b"a\\", b'"\\N";\\N\n', b"axb\n", b"aanxaxb\n", b"a\tb\n\n",
]  # fmt: skip


class Copier:
    """One session with tables of one and of two columns."""

    def __init__(self, database: Database) -> None:
        self.connection: psycopg.Connection[Any] = database.connect()
        self.connection.execute("CREATE TEMP TABLE c1 (a text); CREATE TEMP TABLE c2 (a text, b text)")

    def read(self, data: bytes, options: CopyOptions, columns: int, sizes: list[int]) -> list[Row] | str:
        table = f"c{columns}"
        self.connection.execute(f"TRUNCATE {table}".encode())
        raw = self.connection.pgconn
        assert raw.exec_(f"COPY {table} FROM STDIN ({clause(options)})".encode()).status == ExecStatus.COPY_IN
        for piece in pieces(data, sizes):
            raw.put_copy_data(piece)
        raw.put_copy_end()
        result = raw.get_result()
        assert result is not None and raw.get_result() is None
        if result.status != ExecStatus.COMMAND_OK:
            return (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
        with psycopg.RawCursor(self.connection) as cursor:
            rows = cursor.execute(f"SELECT * FROM {table}".encode()).fetchall()
        return [tuple(None if value is None else value.encode() for value in row) for row in rows]

    def write(self, rows: list[Row], options: CopyOptions, columns: int, more: str = "") -> bytes:
        table = f"c{columns}"
        self.connection.execute(f"TRUNCATE {table}".encode())
        marks = ", ".join(["%s"] * columns)
        for row in rows:
            values = [None if value is None else value.decode() for value in row]
            self.connection.execute(f"INSERT INTO {table} VALUES ({marks})".encode(), values)
        with self.connection.cursor().copy(f"COPY {table} TO STDOUT ({clause(options)}{more})".encode()) as copy:
            return b"".join(bytes(chunk) for chunk in copy)


@pytest.fixture
def copier(database: Database) -> Iterator[Copier]:
    made = Copier(database)
    yield made
    made.connection.close()


def clause(options: CopyOptions) -> str:
    if options.format is CopyFormat.BINARY:
        return "FORMAT binary"
    parts = [f"FORMAT {options.format}", f"DELIMITER {literal(options.delimiter)}", f"NULL {literal(options.null)}"]
    if options.format is CSV:
        parts += [f"QUOTE {literal(options.quote)}", f"ESCAPE {literal(options.escape)}"]
    return ", ".join(parts)


def literal(value: bytes) -> str:
    return "'" + value.decode().replace("'", "''") + "'"


def readable(answer: list[Row] | str) -> list[Row] | str:
    """The server looks at a row's encoding as soon as it is cut, we only at what is sealed: left out here."""
    if isinstance(answer, str):
        return answer
    return "22021" if any(v is not None and not is_text(v) for row in answer for v in row) else answer


def is_text(value: bytes) -> bool:
    try:
        return "\0" not in value.decode()
    except UnicodeDecodeError:
        return False


def check(copier: Copier, data: bytes, options: CopyOptions, columns: int, sizes: list[int]) -> None:
    theirs, ours = copier.read(data, options, columns, sizes), readable(read(data, options, columns, sizes))
    assert isinstance(ours, str) == isinstance(theirs, str), (data, options, theirs, ours)
    if not isinstance(ours, str):
        assert ours == theirs, (data, options)
    assert ours == readable(read(data, options, columns, [1])), data


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("columns", [1, 2])
def test_collected_data(copier: Copier, options: CopyOptions, columns: int) -> None:
    for data in COLLECTED:
        check(copier, data, options, columns, [])


@pytest.mark.parametrize("options", [o for o in OPTIONS if o.format is CSV], ids=str)
def test_collected_csv_on_servers_where_a_dot_ends_it(tls_database: Database, options: CopyOptions) -> None:
    copier = Copier(tls_database)
    for data in COLLECTED:
        check(copier, data, replace(options, dot_ends=True), 1, [])
    copier.connection.close()


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=DATA, sizes=st.lists(st.integers(1, 9), max_size=3))
def test_generated_data(copier: Copier, options: CopyOptions, data: bytes, sizes: list[int]) -> None:
    check(copier, data, options, 1, sizes)
    check(copier, data, options, 2, sizes)


VALUES = st.one_of(st.none(), st.lists(st.sampled_from(ALPHABET), max_size=6).map(b"".join))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.tuples(VALUES, VALUES), always=st.booleans())
def test_written_values(copier: Copier, options: CopyOptions, row: Row, always: bool) -> None:
    more = ", FORCE_QUOTE *" if always and options.format is CSV else ""
    for values in (row, row[:1]):
        written = copier.write([values], options, len(values), more)
        if options.format is CSV:
            encode = csv_encoder(options, single=len(values) == 1, always=bool(more))
        else:
            encode = text_encoder(options.delimiter)
        fields = [options.null if value is None else encode(value) for value in values]
        assert written == options.delimiter.join(fields) + b"\n"
        if options.format is CSV or options.null == b"\\N":  # other NULLs of text are not told from values
            assert read(written, options, len(values)) == [values]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(VALUES, VALUES), max_size=4), sizes=st.lists(st.integers(1, 30), max_size=3))
def test_binary(copier: Copier, rows: list[Row], sizes: list[int]) -> None:
    options = CopyOptions(CopyFormat.BINARY)
    written = copier.write(rows, options, 2)
    assert written == HEADER + b"".join(build_row(row) for row in rows) + TRAILER
    assert read(written, options, 2, sizes) == rows
    for cut in (written[:-1], written[:-2], written[:5], written + b"x", b""):
        check(copier, cut, options, 2, sizes)


@pytest.mark.parametrize("data", [
    b"PGCOPX\n\xff\r\n\0" + bytes(8), HEADER[:11] + b"\0\1\0\0" + bytes(4), HEADER[:11] + b"\0\2\0\0" + bytes(4),
    HEADER[:11] + bytes(4) + b"\xff\xff\xff\xff", HEADER[:15] + b"\0\0\0\4abcd" + build_row([b"a", b"b"]),
    HEADER[:15] + b"\0\0\0\4ab", HEADER + b"\0\1\0\0\0\0", HEADER + b"\0\3", HEADER + b"\xff\xfe",
    HEADER + b"\0\2\xff\xff\xff\xfe",
    HEADER + b"\0\2\x3f\xff\xff\xff", HEADER + b"\0\2\0\0\0\1",
])  # fmt: skip
def test_binary_that_is_not_well_formed(copier: Copier, data: bytes) -> None:
    for sizes in ([], [1], [7]):
        check(copier, data, CopyOptions(CopyFormat.BINARY), 2, list(sizes))


def test_rows_before_the_bad_one_are_given() -> None:
    assert lines(b"a\nb\nc\\.\nd\n", CopyOptions()) == ([b"a", b"b"], "22P04")
    assert lines(b"a\nb\rc\n", CopyOptions()) == ([b"a"], "22P04")
