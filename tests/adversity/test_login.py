"""At the door: what a client may not become, and settings that would make the analysis mean something else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy.wire.authentication import parse_authentication
from proxy.wire.framing import message
from proxy.wire.startup import PROTOCOL_3_2, SSL_REQUEST_PACKET
from tests.integration.stage import PASSWORD, Stage

from .line import Heard, Line, errors, states, tags
from .twin import through

pytestmark = pytest.mark.integration


def knock(stage: Stage, user: str = "management", database: str = "shop", **more: str) -> str:
    """The SQLSTATE of the refusal; Z: none."""
    with Line("localhost", stage.port, stage.folder.ca) as line:
        heard = line.log_in(user, database, PASSWORD, **more)
        return states(heard)[0] if heard[-1][0] == "E" else heard[-1][0]


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"options": "-c fieldgate.principal=hr"}, "28000"),
        ({"options": "-c fieldgate.person=somebody"}, "28000"),
        ({"options": "-c FieldGate.Purpose=anything"}, "28000"),
        ({"options": "--fieldgate.purpose=anything"}, "28000"),
        ({"fieldgate.purpose": "anything"}, "28000"),
        ({"options": "-c fieldgate.purpose=contract -c fieldgate.purpose=anything"}, "28000"),
        ({"options": "-c role=fg_hr"}, "42501"),
        ({"role": "fg_hr"}, "42501"),
        ({"options": "-c session_authorization=postgres"}, "42501"),
        ({"options": "-c standard_conforming_strings=off"}, "0A000"),
        ({"options": "--standard-conforming-strings=off"}, "0A000"),
        ({"standard_conforming_strings": "off"}, "0A000"),
        ({"client_encoding": "LATIN1"}, "0A000"),
        ({"options": "-c client_encoding=sjis"}, "0A000"),
        ({"replication": "database"}, "0A000"),
        ({"replication": "true"}, "0A000"),
        ({"options": "-c"}, "42601"),
    ],
    ids=str,
)
def test_no_startup_packet_makes_more_of_a_login(stage: Stage, more: dict[str, str], state: str) -> None:
    assert knock(stage, **more) == state


@pytest.fixture
def settings_of(stage: Stage, request: pytest.FixtureRequest) -> Iterator[str]:
    """`ROLE fg_management` or `DATABASE shop`, to be set by ALTER; put back afterwards."""
    yield request.param
    stage.raw.run(f"ALTER {request.param} RESET ALL")


@pytest.mark.parametrize("settings_of", ["ROLE fg_management", "DATABASE shop"], indirect=True)
def test_what_is_set_for_role_or_database_counts_too(stage: Stage, settings_of: str) -> None:
    stage.raw.run(f"ALTER {settings_of} SET standard_conforming_strings = off")
    assert knock(stage) == "0A000"
    stage.raw.run(f"ALTER {settings_of} RESET standard_conforming_strings")
    stage.raw.run(f"ALTER {settings_of} SET client_encoding = 'LATIN1'", "CREATE SCHEMA IF NOT EXISTS elsewhere")
    stage.raw.run(f"ALTER {settings_of} SET search_path = elsewhere, public")
    with through(stage) as line:
        assert line.rows("SHOW client_encoding") == [(b"UTF8",)]
        assert line.rows("SHOW search_path") == [(b"elsewhere, public",)]
        assert len(line.rows("SELECT email FROM customers WHERE id = 1")) == 1
    stage.raw.run(f"ALTER {settings_of} SET search_path = elsewhere")
    with through(stage) as line:
        assert len(line.rows("SELECT email FROM public.customers WHERE id = 1")) == 1


def challenge(stage: Stage, user: str) -> tuple[str, list[str], list[str]]:
    """The shape of what a login hears until it is refused: messages, SCRAM's attributes without their values, words."""
    with Line("localhost", stage.port, stage.folder.ca) as line:
        heard = line.log_in(user, "no such database", "guess")
    return tags(heard), shape(heard), [errors(heard)[0]["C"], errors(heard)[0]["M"].replace(user, "")]


def shape(heard: list[Heard]) -> list[str]:
    said = parse_authentication(next(body for tag, body in heard[1:] if tag == "R")).data.decode()
    parts = [part.split("=", 1) for part in said.split(",")]
    return [f"{name}={value if name == 'i' else len(value)}" for name, value in parts]


def test_a_guess_tells_nothing_of_logins_or_databases(stage: Stage) -> None:
    known, unknown = challenge(stage, "management"), challenge(stage, "somebody-else")
    assert known == unknown
    assert known[2][0] == "28P01"
    assert knock(stage, database="no such database") == "3D000"  # told to who has proved who it is


def test_the_salt_of_an_unknown_login_does_not_change(stage: Stage) -> None:
    """Else two tries would tell it from a known one."""
    salts = set()
    for _ in range(2):
        with Line("localhost", stage.port, stage.folder.ca) as line:
            heard = line.log_in("somebody-else", "shop", "guess")
            said = parse_authentication(next(body for tag, body in heard[1:] if tag == "R")).data
            salts.add(said.split(b",s=")[1])
    assert len(salts) == 1


def test_requests_inside_tls_are_not_answered(stage: Stage) -> None:
    for packet in (SSL_REQUEST_PACKET, b"\0\0\0\x08\x04\xd2\x16\x30"):
        with Line("localhost", stage.port, stage.folder.ca) as line:
            line.send(packet)
            assert set(tags(line.to_the_end())) <= {"E"}
    assert knock(stage) == "Z"


def test_newer_protocols_are_negotiated(stage: Stage) -> None:
    with Line("localhost", stage.port, stage.folder.ca) as line:
        line.log_in("management", "shop", PASSWORD, protocol=PROTOCOL_3_2)
        assert len(line.key) == 32
        assert line.rows("SELECT 1") == [(b"1",)]
    with Line("localhost", stage.port, stage.folder.ca) as line:
        grease = {"_pq_.test_protocol_negotiation": "x"}
        heard = line.log_in("management", "shop", PASSWORD, protocol=(3 << 16) + 9999, **grease)
        assert heard[0][0] == "v"
        assert line.rows("SELECT 1") == [(b"1",)]


@pytest.mark.parametrize(
    "first", [b"\0\0\x80\0" + b"x" * 100, b"\0\0\0\x04", b"\xff\xff\xff\xff" * 3, message(b"Q", b"")]
)
def test_a_first_packet_that_is_none(stage: Stage, first: bytes) -> None:
    with Line("localhost", stage.port, stage.folder.ca) as line:
        line.send(first)
        assert set(tags(line.to_the_end())) <= {"E"}
    assert knock(stage, user="u" * 9000) == "28P01"
    assert knock(stage, database="d" * 9000) == "3D000"
