"""Server-side cursors as drivers and ORMs use them, and what a restricted role gets out of names."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import pq
from sqlalchemy import create_engine, text

from .stage import Stage

pytestmark = pytest.mark.integration

QUESTION = "SELECT id, email, phone FROM customers WHERE id <= 20 ORDER BY id"


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("held", [False, True])
def test_psycopgs_server_cursor(stage: Stage, held: bool, binary: bool) -> None:
    with stage.connect("management") as connection:
        expected = connection.execute(QUESTION.encode()).fetchall()
        connection.autocommit = held
        with connection.cursor("named here", withhold=held, binary=binary) as cursor:
            cursor.itersize = 7
            cursor.execute(QUESTION.replace("20", "%s").encode(), (20,))
            assert cursor.description is not None
            assert [column.type_code for column in cursor.description] == [20, 25, 25]
            assert list(cursor) == expected


def test_a_cursor_that_scrolls_and_finds_by_a_sealed_value(stage: Stage) -> None:
    with stage.connect("management") as connection, connection.transaction():
        expected = connection.execute(QUESTION.encode()).fetchall()
        with connection.cursor("s", scrollable=True) as cursor:
            cursor.execute(QUESTION.encode())
            assert cursor.fetchmany(3) == expected[:3]
            cursor.scroll(-2)
            assert cursor.fetchone() == expected[1]
            cursor.scroll(10, mode="absolute")
            assert cursor.fetchall() == expected[10:]
        with connection.cursor("t") as cursor:
            cursor.execute("SELECT id FROM customers WHERE email = %s", (expected[4][1],))
            assert cursor.fetchall() == [expected[4][:1]]


def test_sqlalchemy_streams_its_results(stage: Stage) -> None:
    engine = create_engine(
        f"postgresql+psycopg://management:demo@localhost:{stage.port}/shop",
        connect_args={"sslmode": "verify-full", "sslrootcert": str(stage.folder.ca)},
    )
    with engine.connect() as connection:
        expected = connection.execute(text(QUESTION)).all()
        streamed = connection.execution_options(stream_results=True, max_row_buffer=6).execute(text(QUESTION))
        assert [len(part) for part in streamed.partitions(6)] == [6, 6, 6, 2]
        assert connection.execution_options(stream_results=True).execute(text(QUESTION)).all() == expected
    engine.dispose()


def test_statements_that_django_and_psql_send(stage: Stage) -> None:
    with stage.connect("management") as connection:
        expected = connection.execute(QUESTION.encode()).fetchall()
        raw = connection.pgconn
        raw.exec_(f"DECLARE _django_curs_1_sync_1 NO SCROLL CURSOR WITH HOLD FOR {QUESTION}".encode())
        found = raw.exec_(b"FETCH FORWARD 100 FROM _django_curs_1_sync_1")
        assert [found.get_value(row, 1) for row in range(found.ntuples)] == [row[1].encode() for row in expected]
        assert raw.exec_(b"CLOSE _django_curs_1_sync_1").command_status == b"CLOSE CURSOR"
        script = (
            f"BEGIN; DECLARE _psql_cursor NO SCROLL CURSOR FOR\n{QUESTION}; FETCH FORWARD 2 FROM _psql_cursor; COMMIT"
        )
        raw.send_query(script.encode())
        results = []
        while (result := raw.get_result()) is not None:
            results.append(result)
        assert [result.command_status for result in results] == [b"BEGIN", b"DECLARE CURSOR", b"FETCH 2", b"COMMIT"]
        assert results[2].get_value(1, 1) == expected[1][1].encode()


def test_a_row_filters_parameter_is_nobodys_to_give(stage: Stage) -> None:
    """The hidden parameter of a prepared statement says whose rows they are."""
    with stage.connect("client") as connection:
        own = connection.execute("SELECT id FROM orders ORDER BY id").fetchall()
        raw = connection.pgconn
        raw.exec_(b"PREPARE p AS SELECT id FROM orders ORDER BY id")
        for attempt in (b"EXECUTE p", b"EXECUTE p ('2')", b"EXECUTE p ('2', '3')"):
            found = raw.exec_(attempt)
            assert [(int(found.get_value(row, 0) or 0),) for row in range(found.ntuples)] == own
        assert raw.exec_prepared(b"p", [b"2"]).error_field(pq.DiagnosticField.SQLSTATE) == b"08P01"
        raw.exec_(b"PREPARE q (bigint) AS SELECT id FROM orders WHERE id > $1 ORDER BY id")
        refused = raw.exec_(b"EXECUTE q (0, '2')")
        assert refused.error_field(pq.DiagnosticField.SQLSTATE) == b"42601"
        found = raw.exec_(b"EXECUTE q (0)")
        assert [(int(found.get_value(row, 0) or 0),) for row in range(found.ntuples)] == own


def test_a_cursor_shows_a_role_its_own_view(stage: Stage) -> None:
    with stage.connect("support") as connection, connection.transaction():
        with connection.cursor("c") as cursor:
            cursor.execute("SELECT * FROM customers WHERE id = 2")
            assert cursor.description is not None
            shown = dict(zip([column.name for column in cursor.description], cursor.fetchall()[0], strict=True))
        assert shown["email"] is not None and shown["address"] is None
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.cursor("d") as cursor:
            cursor.execute("SELECT address FROM customers")


def test_an_envelope_as_an_argument_is_a_value_like_any_other(stage: Stage) -> None:
    """Its bytes are sealed once more, or compared as what they are; they are never taken for a cell."""
    with stage.raw.connect() as direct:
        row = direct.execute("SELECT email FROM customers WHERE id = 3").fetchone()
        assert row is not None
    cell = "\\x" + row[0].hex()
    with stage.connect("management") as connection:
        raw = connection.pgconn
        raw.exec_(b"PREPARE p AS SELECT id FROM customers WHERE email = $1")
        assert raw.exec_(f"EXECUTE p ('{cell}')".encode()).ntuples == 0
        raw.exec_(b"BEGIN; PREPARE u AS UPDATE customers SET phone = $1 WHERE id = 3 RETURNING phone")
        assert raw.exec_(f"EXECUTE u ('{cell}')".encode()).get_value(0, 0) == cell.encode()
        raw.exec_(b"ROLLBACK")
