"""DateStyle and TimeZone rule how dates are sealed and shown, and the server reports them only with ReadyForQuery.

What stands between a change and that report waits where it can, and is refused where it cannot: a date that is read the
wrong way round is a wrong date for good.
"""

from __future__ import annotations

import pytest

from proxy.session.refusals import STAND_IN_PORTAL, STAND_IN_SQL, STAND_IN_STATEMENT
from proxy.wire import frontend
from proxy.wire.framing import HEADER_SIZE

from .talk import (
    BOUND,
    DAY_COLUMNS,
    FLUSH,
    PARSED,
    SYNC,
    Talk,
    bind,
    cell,
    describe,
    done,
    error_of,
    execute,
    failed,
    hex_cell,
    parse,
    query,
    ready,
    row,
    status,
    tags,
)

FIRST_OF_FEBRUARY, SECOND_OF_JANUARY = (day.to_bytes(4, "big") for day in (31, 1))  # days from 2000-01-01
DMY = status("DateStyle", "SQL, DMY")


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return Talk(split=request.param)


def sealed(message: bytes) -> bytes:
    """The value of the one cell in a Query or a Bind, as the test's cipher has it."""
    if message[:1] == b"B":
        (value,) = frontend.parse_bind(message[HEADER_SIZE:]).values
        assert value is not None
        return value[-4:]
    text = frontend.parse_query(message[HEADER_SIZE:])
    return bytes.fromhex(text.split(b"'")[-2][-8:].decode())


def test_a_query_of_its_own_is_read_by_the_setting_that_was_reported(talk: Talk) -> None:
    assert sealed(talk.client(query("insert day"))[0]) == SECOND_OF_JANUARY
    talk.server(done("INSERT 0 1"), ready())
    talk.client(query("set style"))
    talk.server(done("SET"), DMY, ready())
    assert sealed(talk.client(query("insert day"))[0]) == FIRST_OF_FEBRUARY


@pytest.mark.parametrize("change", ["set style", "reset all", "discard all"])
@pytest.mark.parametrize("statement", ["insert day", "select day"])
def test_a_change_in_the_same_query_refuses_what_follows_it(talk: Talk, change: str, statement: str) -> None:
    (sent,) = talk.client(query(f"select 1; {change}; {statement}"))
    assert frontend.parse_query(sent[HEADER_SIZE:]).endswith(b";" + STAND_IN_SQL)
    told = talk.server(done(), done("SET"), failed(), ready())
    assert tags(told) == "CCEZ"
    assert error_of(told[2])[b"C"] == b"0A000" and b"DateStyle" in error_of(told[2])[b"M"]
    assert b"Sync" in error_of(told[2])[b"H"]


def test_what_stands_before_the_change_or_is_no_date_is_not_hindered(talk: Talk) -> None:
    (sent,) = talk.client(query("insert day; set style; insert; select email"))
    assert STAND_IN_SQL not in sent


def test_a_query_behind_the_change_waits_for_its_report(talk: Talk) -> None:
    sent = talk.client(query("set style"), query("insert day"))
    assert len(sent) == 1
    assert talk.conversation.client_paused
    talk.server(done("SET"), DMY, ready())
    assert sealed(talk.sent()[0]) == FIRST_OF_FEBRUARY
    assert not talk.conversation.client_paused


def test_a_query_that_only_shows_dates_need_not_wait(talk: Talk) -> None:
    assert len(talk.client(query("set style"), query("select day"))) == 2
    talk.server(done("SET"), DMY, ready())
    assert talk.server(DAY_COLUMNS, row(hex_cell(FIRST_OF_FEBRUARY)))[1] == row(b"01/02/2000")


def test_a_bind_in_the_batch_of_the_change_is_refused(talk: Talk) -> None:
    talk.client(parse("set style", b"c"), parse("bind day", b"s"), SYNC)
    talk.server(PARSED, PARSED, ready())
    sent = talk.client(bind(name=b"c"), execute(), bind(b"01/02/2000", name=b"s"), execute(), SYNC)
    assert frontend.parse_bind(sent[2][HEADER_SIZE:]).statement == STAND_IN_STATEMENT
    told = talk.server(BOUND, done("SET"), failed(b"26000"), ready())
    assert error_of(told[2])[b"C"] == b"0A000"
    assert talk.records[0]["decision"] == "deny"


def test_a_bind_behind_a_sync_waits(talk: Talk) -> None:
    first = [parse("set style"), bind(), execute(), SYNC]
    assert tags(talk.client(*first, parse("bind day"), bind(b"01/02/2000"), execute(), SYNC)) == "PBESP"
    talk.server(PARSED, BOUND, done("SET"))
    assert talk.sent() == []
    talk.server(DMY, ready())
    sent = talk.sent()
    assert tags(sent) == "BES" and sealed(sent[0]) == FIRST_OF_FEBRUARY


def test_the_report_of_an_earlier_sync_is_not_the_one(talk: Talk) -> None:
    talk.client(query("select 1"), query("set style"), query("insert day"))
    talk.server(done(), ready())
    assert talk.sent() == []
    talk.server(done("SET"), DMY, ready())
    assert sealed(talk.sent()[0]) == FIRST_OF_FEBRUARY


def test_constants_are_read_when_they_are_parsed(talk: Talk) -> None:
    """As PostgreSQL does: a later change of the setting does not turn them round."""
    talk.client(parse("insert day", b"s"), SYNC)
    talk.server(PARSED, ready())
    talk.client(query("set style"))
    talk.server(done("SET"), DMY, ready())
    assert sealed(talk.client(bind(name=b"s"), SYNC)[0]) == SECOND_OF_JANUARY


def test_a_parse_of_a_constant_right_behind_the_change_is_refused(talk: Talk) -> None:
    sent = talk.client(parse("set style"), bind(), execute(), parse("insert day"), SYNC)
    assert frontend.parse_parse(sent[3][HEADER_SIZE:]).query == STAND_IN_SQL


def test_an_execute_that_shows_dates_is_refused_in_the_batch_of_the_change_and_no_later(talk: Talk) -> None:
    talk.client(parse("set style", b"c"), parse("select day", b"s"), describe(b"S", b"s"), SYNC)
    talk.server(PARSED, PARSED, b"t\0\0\0\x06\0\0", DAY_COLUMNS, ready())
    batch = [bind(name=b"c"), execute(), bind(name=b"s"), execute(), SYNC, bind(name=b"s"), execute(), SYNC]
    sent = talk.client(*batch)
    assert frontend.parse_execute(sent[3][HEADER_SIZE:]).portal == STAND_IN_PORTAL
    assert frontend.parse_execute(sent[6][HEADER_SIZE:]).portal == b""
    talk.server(BOUND, done("SET"), BOUND, failed(b"34000"), DMY, ready())
    told = talk.server(BOUND, row(cell(FIRST_OF_FEBRUARY)), done(), ready())
    assert row(b"01/02/2000") in told


def test_dates_in_binary_look_the_same_under_every_setting(talk: Talk) -> None:
    talk.client(parse("set style", b"c"), parse("select day", b"s"), describe(b"S", b"s"), SYNC)
    talk.server(PARSED, PARSED, b"t\0\0\0\x06\0\0", DAY_COLUMNS, ready())
    sent = talk.client(bind(name=b"c"), execute(), bind(name=b"s", results=(1,)), execute(), SYNC)
    assert frontend.parse_execute(sent[3][HEADER_SIZE:]).portal == b""


@pytest.mark.parametrize("end", ["commit", "rollback", "rollback to a"])
def test_the_end_of_a_transaction_may_take_the_setting_back(talk: Talk, end: str) -> None:
    talk.client(query("begin; set style"))
    talk.server(done("BEGIN"), done("SET"), DMY, ready(b"T"))
    assert sealed(talk.client(query("insert day"))[0]) == FIRST_OF_FEBRUARY
    talk.server(done("INSERT 0 1"), ready(b"T"))
    assert STAND_IN_SQL in talk.client(query(f"{end}; insert day"))[0]
    talk.server(done(), failed(), ready())
    talk.client(query("begin"))
    talk.server(done("BEGIN"), ready(b"T"))
    assert STAND_IN_SQL not in talk.client(query(f"{end}; insert day"))[0]


def test_a_pipelined_end_of_a_transaction_is_waited_for(talk: Talk) -> None:
    talk.client(query("begin; set style"))
    talk.server(done("BEGIN"), done("SET"), DMY, ready(b"T"))
    assert len(talk.client(query("rollback"), query("insert day"))) == 1
    talk.server(done("ROLLBACK"), status("DateStyle", "ISO, MDY"), ready())
    assert sealed(talk.sent()[0]) == SECOND_OF_JANUARY


def test_a_change_that_the_server_never_got_to_keeps_nobody_waiting_for_good(talk: Talk) -> None:
    talk.client(parse("select boom"), bind(), execute(), parse("set style"), bind(), execute(), SYNC)
    talk.server(failed(b"42703", b"no"), ready())
    assert sealed(talk.client(query("insert day"))[0]) == SECOND_OF_JANUARY


def test_a_change_whose_sync_was_sent_later_is_settled_by_it(talk: Talk) -> None:
    """Also where that Sync belongs to the short way of a usual round."""
    talk.client(parse("set style"), bind(), execute(), parse("select 1", b"r"), FLUSH)
    talk.server(PARSED, BOUND, done("SET"), PARSED)
    talk.client(bind(name=b"r"), execute(), SYNC)
    talk.server(BOUND, done(), DMY, ready())
    assert sealed(talk.client(query("insert day"))[0]) == FIRST_OF_FEBRUARY
