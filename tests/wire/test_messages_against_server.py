"""Our messages understood by a real server, and its messages by us; SCRAM both ways with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from proxy.wire import backend, frontend, oids
from proxy.wire.scram import ScramKeys, derive_keys, make_verifier, parse_verifier
from proxy.wire.startup import PROTOCOL_3_0, PROTOCOL_3_2, CancelRequest, StartupMessage, build_options
from tests.support.servers import Database

from .raw_client import RawClient, Received, error_of

pytestmark = pytest.mark.integration

PASSWORD = "correct horse"


def startup(database: Database, role: str, protocol: int = PROTOCOL_3_0, **more: bytes) -> StartupMessage:
    parameters = {b"user": role.encode(), b"database": database.name.encode()}
    parameters |= {name.encode(): value for name, value in more.items()}
    return StartupMessage(parameters, protocol)


@pytest.fixture
def client(database: Database) -> Iterator[RawClient]:
    role = database.role("wire", PASSWORD)
    with RawClient(database.server.host, database.server.port) as made:
        assert made.log_in(startup(database, role), PASSWORD)[-1] == (b"Z", b"I")
        yield made


def bodies(received: list[Received], tag: bytes) -> list[bytes]:
    return [body for found, body in received if found == tag]


def test_login_with_protocol_3_2_and_options(database: Database) -> None:
    role = database.role("wire", PASSWORD)
    options = build_options(((b"application_name", rb"a b\c"), (b"DateStyle", b"SQL, DMY")))
    message = startup(database, role, PROTOCOL_3_2, options=options)
    with RawClient(database.server.host, database.server.port) as client:
        received = client.log_in(message, PASSWORD)
        status = dict(backend.parse_parameter_status(body) for body in bodies(received, b"S"))
        assert status[b"application_name"] == rb"a b\c"
        assert status[b"DateStyle"] == b"SQL, DMY"
        key = backend.parse_backend_key_data(bodies(received, b"K")[0])
        assert len(key.key) == 32


def test_negotiation(database: Database) -> None:
    role = database.role("wire", PASSWORD)
    grease = StartupMessage({b"user": role.encode()}, 0x3_0000 | 9999, {b"_pq_.test_protocol_negotiation": b""})
    with RawClient(database.server.host, database.server.port) as client:
        client.send(grease.build())
        received = client.receive(b"R")
    answer = backend.parse_negotiate_protocol_version(bodies(received, b"v")[0])
    assert answer == backend.NegotiateProtocolVersion(PROTOCOL_3_2, (b"_pq_.test_protocol_negotiation",))


def test_a_wrong_password(database: Database) -> None:
    role = database.role("wire", PASSWORD)
    with RawClient(database.server.host, database.server.port) as client:
        assert error_of(client.log_in(startup(database, role), "wrong"))[b"C"] == b"28P01"


def test_keys_instead_of_the_password(database: Database) -> None:
    role = database.role("wire", PASSWORD)
    verifier = parse_verifier(stored_verifier(database, role))
    keys = derive_keys(PASSWORD, verifier.salt, verifier.iterations)
    with RawClient(database.server.host, database.server.port) as client:
        assert client.log_in(startup(database, role), keys)[-1] == (b"Z", b"I")
    with RawClient(database.server.host, database.server.port) as client:
        wrong = ScramKeys(bytes(32), keys.server_key)
        assert error_of(client.log_in(startup(database, role), wrong))[b"C"] == b"28P01"


def stored_verifier(database: Database, role: str) -> str:
    with database.connect() as connection:
        row = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role]).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    "password",
    ["pencil", "\u2168", "I\u00adX", "a\u00a0b", "a\u200bb", "\u00e9", "e\u0301", "a\tb", "\u06271", "\U0001f600"],
)
def test_passwords_are_prepared_as_the_server_prepares_them(database: Database, password: str) -> None:
    role = database.role("wire", password)
    verifier = parse_verifier(stored_verifier(database, role))
    assert make_verifier(password, salt=verifier.salt, iterations=verifier.iterations) == str(verifier)


def test_libpq_logs_in_with_a_verifier_of_ours(database: Database) -> None:
    role = database.role("wire", make_verifier("pa\u00adss\u2168"))
    with database.connect(role, "pass\u2168") as connection:
        assert connection.info.user == role


def test_channel_binding(tls_database: Database) -> None:
    role = tls_database.role("wire", PASSWORD)
    host, port = tls_database.server.host, tls_database.server.port
    with RawClient(host, port) as client:
        end_point = hashlib.sha256(client.start_tls()).digest()
        assert client.log_in(startup(tls_database, role), PASSWORD, end_point=end_point)[-1] == (b"Z", b"I")
    with RawClient(host, port) as client:
        client.start_tls()
        other = hashlib.sha256(b"another certificate").digest()
        assert error_of(client.log_in(startup(tls_database, role), PASSWORD, end_point=other))[b"S"] == b"FATAL"


def test_simple_query(client: RawClient) -> None:
    client.send(frontend.build_query(b"SELECT 1::int4 AS a, NULL::text AS b; SET TimeZone = 'UTC'; SELECT 1/0"))
    received = client.receive(b"Z")
    fields = backend.parse_row_description(bodies(received, b"T")[0])
    assert fields == [
        backend.FieldDescription(b"a", 0, 0, oids.INT4, 4, -1, 0),
        backend.FieldDescription(b"b", 0, 0, oids.TEXT, -1, -1, 0),
    ]
    assert backend.build_row_description(fields)[5:] == bodies(received, b"T")[0]
    assert backend.parse_data_row(bodies(received, b"D")[0]) == (b"1", None)
    assert [backend.parse_command_complete(body) for body in bodies(received, b"C")] == [b"SELECT 1", b"SET"]
    error = error_of(received)
    assert error[b"C"] == b"22012"
    assert backend.build_error_response(error)[5:] == bodies(received, b"E")[0]


def test_the_description_of_a_table(client: RawClient, database: Database) -> None:
    client.send(frontend.build_query(b"CREATE TEMP TABLE t (a varchar(5), b numeric(12,2)); SELECT b, a FROM t"))
    fields = backend.parse_row_description(bodies(client.receive(b"Z"), b"T")[0])
    assert [(f.attnum, f.type_oid, f.type_modifier) for f in fields] == [
        (2, oids.NUMERIC, ((12 << 16) | 2) + 4),
        (1, oids.VARCHAR, 9),
    ]
    assert len({f.table_oid for f in fields}) == 1
    assert fields[0].table_oid > 16383


def test_extended_query(client: RawClient) -> None:
    client.send(
        frontend.build_parse(b"s", b"SELECT $1 + 1, $2", [oids.INT4, oids.TEXT]),
        frontend.build_describe(b"S", b"s"),
        frontend.build_bind(b"p", b"s", [1, 0], [b"\0\0\0\x29", None], [1, 0]),
        frontend.build_describe(b"P", b"p"),
        frontend.build_execute(b"p", 0),
        frontend.build_close(b"P", b"p"),
        frontend.build_close(b"S", b"s"),
        frontend.SYNC,
    )
    received = client.receive(b"Z")
    assert [tag for tag, _ in received] == [b"1", b"t", b"T", b"2", b"T", b"D", b"C", b"3", b"3", b"Z"]
    assert backend.parse_parameter_description(bodies(received, b"t")[0]) == (oids.INT4, oids.TEXT)
    assert [f.format for f in backend.parse_row_description(bodies(received, b"T")[1])] == [1, 0]
    assert backend.parse_data_row(bodies(received, b"D")[0]) == (b"\0\0\0\x2a", None)


def test_copy(client: RawClient) -> None:
    client.send(frontend.build_query(b"CREATE TEMP TABLE t (a int, b text); COPY t FROM STDIN"))
    assert backend.parse_copy_response(bodies(client.receive(b"G"), b"G")[0]) == backend.CopyResponse(0, (0, 0))
    client.send(frontend.build_copy_data(b"1\tx\n2"), frontend.build_copy_data(b"\ty\n"), frontend.COPY_DONE)
    assert backend.parse_command_complete(bodies(client.receive(b"Z"), b"C")[-1]) == b"COPY 2"
    client.send(frontend.build_query(b"COPY t TO STDOUT (FORMAT binary)"))
    received = client.receive(b"Z")
    assert backend.parse_copy_response(bodies(received, b"H")[0]) == backend.CopyResponse(1, (1, 1))
    client.send(frontend.build_query(b"COPY t FROM STDIN"))
    client.receive(b"G")
    client.send(frontend.build_copy_fail(b"enough"))
    assert error_of(client.receive(b"Z"))[b"C"] == b"57014"


def test_function_call_and_notification(client: RawClient) -> None:
    client.send(frontend.build_function_call(1317, [0], [b"h\xc3\xa9"], 1))  # length(text)
    assert bodies(client.receive(b"Z"), b"V") == [b"\0\0\0\4\0\0\0\2"]
    client.send(frontend.build_query(b"LISTEN c; NOTIFY c, 'hello'"))
    note = backend.parse_notification_response(bodies(client.receive(b"A"), b"A")[0])
    assert (note.channel, note.payload) == (b"c", b"hello")


def test_cancel(database: Database) -> None:
    role = database.role("wire", PASSWORD)
    for protocol in (PROTOCOL_3_0, PROTOCOL_3_2):
        with RawClient(database.server.host, database.server.port) as client:
            received = client.log_in(startup(database, role, protocol), PASSWORD)
            key = backend.parse_backend_key_data(bodies(received, b"K")[0])
            client.send(frontend.build_query(b"LISTEN ready; SELECT pg_sleep(60)"))
            wait_until_asleep(database, key.process_id)
            with RawClient(database.server.host, database.server.port) as canceller:
                canceller.send(CancelRequest(key.process_id, key.key).build())
                assert canceller.receive(b"Z") == []  # the server closes without a word
            assert error_of(client.receive(b"Z"))[b"C"] == b"57014"


def wait_until_asleep(database: Database, process_id: int) -> None:
    with database.connect() as connection:
        query = "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = %s"
        while not _first(connection, query, process_id):
            pass


def _first(connection: psycopg.Connection[Any], query: str, argument: int) -> bool:
    row = connection.execute(query, [argument]).fetchone()
    return row is not None and bool(row[0])
