"""Execute of a portal whose rows are candidates: as many as were asked for, none twice, none lost, in one answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.session.refusals import OWN_NAME, STAND_IN_PORTAL
from proxy.wire import frontend
from proxy.wire.framing import HEADER_SIZE

from .search_plans import DESCRIBED, FIND, PATTERN, candidate, in_text, shown, talking
from .talk import (
    BOUND,
    CLOSED,
    FLUSH,
    PARSED,
    SUSPENDED,
    SYNC,
    Talk,
    bind,
    catalog,
    close,
    describe,
    done,
    error_of,
    execute,
    failed,
    parse,
    query,
    ready,
    row,
    tags,
)


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return talking(split=request.param)


def opened(talk: Talk, text: str = "find") -> None:
    """In a transaction, with its portal bound and described."""
    talk.client(query("begin"))
    talk.server(done("BEGIN"), ready(b"T"))
    talk.client(parse(text), bind(PATTERN), describe(b"P"), FLUSH)
    talk.server(PARSED, BOUND, DESCRIBED)


def synced(talk: Talk) -> None:
    """The client's Sync, which has waited, and its answer."""
    assert talk.sent() == [SYNC]
    assert talk.server(ready(b"T")) == [ready(b"T")]


def rows_asked(message: bytes) -> int:
    assert message[:1] == b"E"
    return frontend.parse_execute(message[HEADER_SIZE:]).maximum_rows


def test_more_is_asked_for_until_so_many_have_passed(talk: Talk) -> None:
    opened(talk)
    sent = talk.client(execute(rows=2), SYNC)
    assert tags(sent) == "EH" and rows_asked(sent[0]) >= 2
    assert talk.server(candidate(1, "joanna"), candidate(2, "bob"), SUSPENDED) == [shown(1, "joanna")]
    sent = talk.sent()
    assert tags(sent) == "EH"
    told = talk.server(candidate(3, "anna"), candidate(4, "hanna"), candidate(5, "x"), SUSPENDED)
    assert told == [shown(3, "anna"), SUSPENDED]
    assert talk.sent() == [SYNC]
    assert talk.server(ready(b"T")) == [ready(b"T")]


def test_what_passed_too_early_comes_with_the_next_execute(talk: Talk) -> None:
    opened(talk)
    talk.client(execute(rows=1))
    assert talk.server(*(candidate(n, "anna") for n in (1, 2, 3)), SUSPENDED) == [shown(1, "anna"), SUSPENDED]
    talk.client(execute(rows=1))
    assert talk.server(candidate(4, "anna"), SUSPENDED) == [shown(2, "anna"), SUSPENDED]
    sent = talk.client(execute(), SYNC)
    assert tags(sent) == "ES" and rows_asked(sent[0]) == 0
    told = talk.server(done("SELECT 0"), ready(b"T"))
    assert told == [shown(3, "anna"), shown(4, "anna"), done("SELECT 2"), ready(b"T")]
    talk.client(execute(rows=5), SYNC)
    assert talk.server(done("SELECT 0")) == [done("SELECT 0")]


def test_the_end_is_told_as_the_server_tells_it(talk: Talk) -> None:
    """Just as many rows as were asked for: it is not known yet that these were all."""
    opened(talk)
    talk.client(execute(rows=2), SYNC)
    told = talk.server(candidate(1, "anna"), candidate(2, "anna"), candidate(3, "bob"), done("SELECT 3"))
    assert told == [shown(1, "anna"), shown(2, "anna"), SUSPENDED]
    synced(talk)
    talk.client(execute(rows=2), SYNC)
    assert talk.server(done("SELECT 0")) == [done("SELECT 0")]


def test_limit_stops_the_server_early(talk: Talk) -> None:
    opened(talk, "find two")
    sent = talk.client(execute(), SYNC)
    assert tags(sent) == "EH" and 0 < rows_asked(sent[0]) < 50
    told = talk.server(*(candidate(n, "anna") for n in range(4)), SUSPENDED)
    assert told == [shown(0, "anna"), shown(1, "anna"), done("SELECT 2")]
    synced(talk)
    talk.client(execute(), SYNC)
    assert talk.server(candidate(9, "anna"), SUSPENDED) == [done("SELECT 0")]


def test_all_rows_at_once_take_one_step_and_hold_nothing_up(talk: Talk) -> None:
    sent = talk.client(parse("find"), bind(PATTERN), describe(b"P"), execute(), SYNC)
    assert tags(sent) == "PBDES"
    told = talk.server(PARSED, BOUND, DESCRIBED, candidate(1, "anna"), candidate(2, "bob"), done("SELECT 2"), ready())
    assert told[-3:] == [shown(1, "anna"), done("SELECT 1"), ready()]


def test_an_answer_to_what_was_sent_before_is_waited_for(talk: Talk) -> None:
    sent = talk.client(parse("find"), bind(PATTERN), execute(rows=1), SYNC)
    assert tags(sent) == "PBDEH"
    told = talk.server(PARSED, BOUND, DESCRIBED, candidate(1, "bob"), done("SELECT 1"))
    assert told == [PARSED, BOUND, done("SELECT 0")]
    assert talk.sent() == [SYNC]


def test_a_failure_in_a_later_step_fails_the_execute(talk: Talk) -> None:
    opened(talk)
    talk.client(execute(rows=1), close(b"P"), SYNC)
    talk.server(candidate(1, "bob"), SUSPENDED)
    assert tags(talk.sent()) == "EH"
    told = talk.server(failed(b"57014", b"canceling statement"))
    assert error_of(told[0])[b"C"] == b"57014"
    assert talk.sent() == [SYNC]
    assert talk.server(ready(b"E")) == [ready(b"E")]


def test_a_failure_before_it_skips_it(talk: Talk) -> None:
    talk.client(parse("find"), bind(PATTERN), execute(rows=1), execute(rows=1), SYNC)
    assert tags(talk.server(failed(b"42P01", b"no such table"))) == "E"
    assert talk.sent() == [SYNC]
    assert talk.server(ready()) == [ready()]


def test_a_cell_that_cannot_be_opened_fails_as_the_server_would(talk: Talk) -> None:
    opened(talk)
    talk.client(execute(rows=2), SYNC)
    told = talk.server(candidate(1, "bob"), row(b"2", b"no cell"), candidate(3, "anna"), SUSPENDED)
    assert told == []
    [made, flush] = talk.sent()
    assert made == execute(STAND_IN_PORTAL) and flush == FLUSH
    told = talk.server(failed(b"34000", b"no such portal"))
    assert error_of(told[0])[b"C"] == b"XX001" and error_of(told[0])[b"S"] == b"ERROR"
    assert talk.sent() == [SYNC]
    assert talk.server(ready(b"E")) == [ready(b"E")]


def test_rows_that_wait_are_those_of_their_portal(talk: Talk) -> None:
    opened(talk)
    talk.client(execute(rows=1))
    talk.server(*(candidate(n, "anna") for n in (1, 2)), SUSPENDED)
    talk.client(bind(PATTERN), execute(), SYNC)
    assert talk.server(BOUND, candidate(7, "anna"), done("SELECT 1"), ready(b"T"))[1:-1] == [
        shown(7, "anna"),
        done("SELECT 1"),
    ]


def test_no_step_is_told_before_its_record_is_durable() -> None:
    talk = talking(durable_at_once=False)
    opened(talk)
    talk.client(execute(rows=1), SYNC)
    assert talk.server(candidate(1, "anna"), SUSPENDED) == []
    talk.conversation.audit_durable(talk.tickets[-1])
    assert talk.told() == [shown(1, "anna"), SUSPENDED]
    assert talk.sent() == [SYNC]


def test_rights_that_changed_end_a_portal_that_waits(talk: Talk) -> None:
    opened(talk)
    talk.client(execute(rows=1), SYNC)
    talk.server(candidate(1, "anna"), candidate(2, "anna"), SUSPENDED)
    synced(talk)
    talk.planner.plans["find"] = replace(FIND, outputs=FIND.outputs and FIND.outputs[:1], hidden_outputs=1)
    talk.revision = replace(talk.revision, catalog=catalog(version=2))
    sent = talk.client(execute(rows=1), SYNC)
    assert sent[0] == execute(STAND_IN_PORTAL)
    told = talk.server(failed(b"34000", b"no such portal"), ready(b"E"))
    assert error_of(told[0])[b"C"] == b"42501"


def test_a_simple_query_counts_what_passed(talk: Talk) -> None:
    sent = talk.client(query("find anna"))
    assert len(sent) == 1 and b"anna" not in sent[0][:20]
    told = talk.server(DESCRIBED, in_text(1, "anna"), in_text(2, "bob"), done("SELECT 2"))
    assert told[1:] == [shown(1, "anna"), done("SELECT 1")]


def test_an_execute_behind_a_refused_bind_is_skipped_with_it(talk: Talk) -> None:
    sent = talk.client(parse("find"), bind(b"\xff"), execute(rows=1), SYNC)
    assert tags(sent) == "PBDES"
    told = talk.server(PARSED, failed(b"26000", b"no such statement"), ready())
    assert tags(told) == "1EZ" and error_of(told[1])[b"C"] == b"22021"


def test_a_query_with_limit_stops_the_server_early(talk: Talk) -> None:
    sent = talk.client(query("find two anna"), query("select 1"))
    assert tags(sent) == "CCPBDEH" and rows_asked(sent[5]) == 2 and not any(b"anna" in each for each in sent)
    answer = (CLOSED, CLOSED, PARSED, BOUND, DESCRIBED, candidate(1, "anna"), candidate(2, "bob"), SUSPENDED)
    told = talk.server(*answer)
    assert tags(told) == "TD" and told[1] == shown(1, "anna")
    assert [rows_asked(each) for each in talk.sent() if each[:1] == b"E"] == [1]
    assert talk.server(candidate(3, "anna"), SUSPENDED) == [shown(3, "anna"), done("SELECT 2")]
    assert talk.sent() == [close(b"S", OWN_NAME), close(b"P", OWN_NAME), SYNC, query("select 1")]
    assert talk.server(CLOSED, CLOSED, ready()) == [ready()]


def test_a_query_with_limit_fails_as_a_query(talk: Talk) -> None:
    talk.client(query("find two anna"))
    told = talk.server(CLOSED, CLOSED, PARSED, BOUND, DESCRIBED, failed(b"57014", b"canceling statement"))
    assert tags(told) == "TE" and talk.sent() == [SYNC]
    assert talk.server(ready()) == [ready()]


def test_beside_other_statements_a_query_stays_one(talk: Talk) -> None:
    assert tags(talk.client(query("find two anna; select 1"))) == "Q"
