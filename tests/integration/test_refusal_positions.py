"""A refusal has PostgreSQL's effect (I4): wherever a statement is refused, the conversation goes on as if the server
itself had refused it there.

Each conversation runs twice: straight to the server with a statement that PostgreSQL refuses, and through the proxy, at
the same place, with one that Fieldgate refuses.  Messages and transaction status must be the same, and so must what
the session can do afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from proxy.wire import frontend
from tests.adversity.line import Heard, Line, errors, states, statuses, tags
from tests.session.talk import FLUSH, SYNC, bind, close, describe, execute, parse, query

from .stage import DATABASE, PASSWORD, Stage

pytestmark = pytest.mark.integration

END = "end of talk"
GOOD = "SELECT id, email FROM customers WHERE id = 2"


@dataclass(frozen=True, slots=True)
class Wrong:
    """What fails while it is parsed, bound and executed; `value` is the parameter of the second and third."""

    at_parse: str
    at_bind: str
    value: bytes


POSTGRES = Wrong("SELECT no_such_column FROM customers", "SELECT id FROM customers WHERE id = $1::int4", b"no number")
REFUSED = Wrong(
    "SELECT customers FROM customers",
    "SELECT id FROM orders WHERE submit_ip = $1",
    b"no address",
)


def simple(wrong: Wrong) -> Iterator[tuple[str, list[bytes]]]:
    bad = wrong.at_parse
    yield "alone", [query(bad)]
    yield "twice", [query(bad), query(bad)]
    yield "between others", [query(GOOD), query(bad), query(GOOD)]
    yield "first of a script", [query(f"{bad}; {GOOD}")]
    yield "in the middle of a script", [query(f"{GOOD}; {bad}; {GOOD}")]
    yield "last of a script", [query(f"{GOOD}; {GOOD}; {bad} -- the end")]
    yield "in a transaction", [query("BEGIN"), query(bad), query(GOOD), query(bad), query("COMMIT"), query(GOOD)]
    yield "in a transaction of a script", [query(f"BEGIN; {GOOD}; {bad}; COMMIT"), query("COMMIT")]
    savepoint = [query("BEGIN"), query("SAVEPOINT a"), query(bad), query("ROLLBACK TO a"), query(GOOD)]
    yield "behind a savepoint", [*savepoint, query("COMMIT")]
    yield "behind a savepoint, twice", [*savepoint, query(bad), query("ROLLBACK TO a"), query("RELEASE a"), query(GOOD)]
    yield "in a read-only transaction", [query("BEGIN READ ONLY"), query(bad), query("ROLLBACK AND CHAIN"), query(GOOD)]


GOOD_BATCH = [parse(GOOD), bind(), describe(b"P"), execute()]
GOOD_NAMED = [parse(GOOD, b"good"), describe(b"S", b"good"), bind(name=b"good"), execute(), close(b"S", b"good")]


def batches(wrong: Wrong) -> Iterator[tuple[str, list[bytes]]]:
    """One thing that fails and what usually follows it, without Sync."""
    bad = wrong.at_parse
    yield "parse", [parse(bad), bind(), describe(b"P"), execute()]
    yield "parse alone", [parse(bad)]
    yield "parse and describe", [parse(bad, b"bad"), describe(b"S", b"bad")]
    yield "parse of a name, bound later", [parse(bad, b"bad"), bind(name=b"bad"), execute(), close(b"S", b"bad")]
    yield "bind", [parse(wrong.at_bind), bind(wrong.value), describe(b"P"), execute()]
    yield "bind alone", [parse(wrong.at_bind), bind(wrong.value)]
    named = [parse(wrong.at_bind, b"n"), describe(b"S", b"n"), bind(wrong.value, name=b"n", portal=b"p")]
    yield "bind of names", [*named, describe(b"P", b"p"), execute(b"p"), close(b"P", b"p"), close(b"S", b"n")]
    yield "bind of no statement", [bind(b"x", name=b"nobody"), execute()]
    yield "execute of no portal", [execute(b"nobody")]
    yield "parse of a taken name", [parse(GOOD, b"t"), parse(bad, b"t"), bind(name=b"t"), execute()]
    yield "bind of a name that failed", [parse(GOOD, b"u"), SYNC, parse(bad, b"u"), SYNC, bind(name=b"u"), execute()]


def extended(wrong: Wrong) -> Iterator[tuple[str, list[bytes]]]:
    for name, batch in batches(wrong):
        yield f"{name}", [*batch, SYNC]
        yield f"{name}, flushed", [*batch, FLUSH, *GOOD_BATCH, SYNC]
        yield f"{name}, first", [*batch, *GOOD_BATCH, *GOOD_NAMED, SYNC]
        yield f"{name}, in the middle", [*GOOD_BATCH, *batch, *GOOD_BATCH, SYNC]
        yield f"{name}, last", [*GOOD_NAMED, *GOOD_BATCH, *batch, SYNC]
        yield f"{name}, in batches of its own", [*GOOD_BATCH, SYNC, *batch, SYNC, *GOOD_BATCH, SYNC, SYNC]
        yield f"{name}, before a query", [*batch, query(GOOD), SYNC, query(GOOD)]
        yield f"{name}, behind a query", [*GOOD_BATCH, query(GOOD), *batch, query(GOOD), SYNC, query(GOOD)]
        yield f"{name}, in a transaction", [query("BEGIN"), *batch, SYNC, *GOOD_BATCH, SYNC, *batch, SYNC]
        behind = [query("BEGIN; SAVEPOINT a"), *batch, SYNC, query("ROLLBACK TO a"), *GOOD_BATCH, SYNC]
        yield f"{name}, behind a savepoint", [*behind, *batch, SYNC, query("ROLLBACK TO a"), *GOOD_BATCH, SYNC]
        begun = [parse("BEGIN"), bind(), execute()]
        yield f"{name}, in a transaction of the same batch", [*begun, *GOOD_BATCH, *batch, SYNC, *GOOD_BATCH, SYNC]
    yield "a refused query between", [*GOOD_BATCH[:2], query(wrong.at_parse), *GOOD_BATCH[2:], SYNC]
    yield "a refused query in front", [query(wrong.at_parse), *GOOD_BATCH, SYNC]
    yield "a function call", [frontend.build_function_call(0, (), (), 0), *GOOD_BATCH, SYNC]


CASES = {"simple": (dict(simple(POSTGRES)), dict(simple(REFUSED)))}
CASES |= {"extended": (dict(extended(POSTGRES)), dict(extended(REFUSED)))}


def heard(line: Line, messages: list[bytes]) -> list[Heard]:
    """The whole conversation; what ends it is answered whatever came before."""
    line.send(*messages, SYNC, query("ROLLBACK"), query(f"SELECT '{END}'"))
    got: list[Heard] = []
    while not (got and got[-1][0] == "D" and END.encode() in got[-1][1]):
        got.append(line.hear())
    return got + line.until("Z")


@pytest.fixture(scope="module")
def server_line(stage: Stage) -> Iterator[Line]:
    with Line(stage.server.host, stage.server.port) as line:
        assert line.log_in(stage.server.superuser, DATABASE, stage.server.password)[-1][0] == "Z"
        yield line


@pytest.fixture(scope="module")
def proxy_line(stage: Stage) -> Iterator[Line]:
    """One session for all: what a refusal left behind would show in the next conversation."""
    with Line("localhost", stage.port, stage.folder.ca) as line:
        assert line.log_in("management", DATABASE, PASSWORD)[-1][0] == "Z"
        yield line


@pytest.mark.parametrize("protocol", list(CASES))
def test_the_conversation_is_the_same(server_line: Line, proxy_line: Line, protocol: str) -> None:
    direct, refused = CASES[protocol]
    for name, messages in refused.items():
        compare(name, heard(server_line, direct[name]), heard(proxy_line, messages))
        assert len(proxy_line.rows(GOOD)) == 1, name


def compare(name: str, expected: list[Heard], got: list[Heard]) -> None:
    assert (tags(got), statuses(got)) == (tags(expected), statuses(expected)), (name, errors(got), errors(expected))
    assert states(got), name
    for ours, theirs in zip(states(got), states(expected), strict=True):
        assert (ours == "25P02") is (theirs == "25P02"), name


def test_the_refusals_are_ours(proxy_line: Line) -> None:
    """Else the whole comparison would prove nothing."""
    got = heard(proxy_line, [query(REFUSED.at_parse)])
    assert states(got) == ["0A000"]
    assert "customers" in errors(got)[0]["M"]
    got = heard(proxy_line, [parse(REFUSED.at_bind), bind(REFUSED.value), SYNC])
    assert states(got) == ["22P02"]
    assert "no address" not in errors(got)[0]["M"]
