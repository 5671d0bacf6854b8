"""FETCH and MOVE of a cursor whose rows are candidates count what has passed, in a Query and by Parse and Bind."""

from __future__ import annotations

import pytest

from proxy.session.refusals import OWN_NAME, STAND_IN_PORTAL, STAND_IN_SQL
from proxy.wire import backend, frontend
from proxy.wire.framing import HEADER_SIZE

from .search_plans import DESCRIBED, PATTERN, candidate, in_text, shown, talking
from .talk import (
    BOUND,
    CLOSED,
    FLUSH,
    NO_DATA,
    PARSED,
    SUSPENDED,
    SYNC,
    Talk,
    bind,
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

STEP = (CLOSED, CLOSED, PARSED, BOUND)
END = (CLOSED, CLOSED, ready(b"T"))


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return talking(split=request.param)


def declared(talk: Talk, text: str = "declare") -> None:
    talk.client(query(f"begin; {text}"))
    talk.server(done("BEGIN"), done("DECLARE CURSOR"), ready(b"T"))


def fetched(messages: list[bytes]) -> bytes:
    """What the FETCH of ours asks for, in messages that are just one step."""
    assert tags(messages).replace("D", "") == "CCPBEH"
    made = frontend.parse_parse(messages[2][HEADER_SIZE:])
    assert made.name == OWN_NAME and messages[-2] == execute(OWN_NAME) and messages[-1] == FLUSH
    return made.query


def test_a_query_counts_what_passed(talk: Talk) -> None:
    declared(talk)
    sent = talk.client(query("fetch 2"))
    assert fetched(sent).startswith(b"FETCH FORWARD ") and fetched(sent).endswith(b' FROM "c"')
    asked = int(fetched(sent).split()[2])
    names = ["bob"] * (asked - 1) + ["anna"]
    told = talk.server(*STEP, DESCRIBED, *(candidate(1, name) for name in names), done(f"FETCH {asked}"))
    fields = backend.parse_row_description(told[0][HEADER_SIZE:])
    assert [(field.type_oid, field.format) for field in fields] == [(20, 0), (25, 0)]
    assert told[1:] == [shown(1, "anna")]
    assert int(fetched(talk.sent()).split()[2]) >= 1
    told = talk.server(*STEP, candidate(2, "anna"), candidate(3, "anna"), done("FETCH 2"))
    assert told == [shown(2, "anna"), done("FETCH 2")]
    assert tags(talk.sent()) == "CCS"
    assert talk.server(*END) == [ready(b"T")]
    fetched(talk.client(query("fetch 2")))
    told = talk.server(*STEP, DESCRIBED, done("FETCH 0"))
    assert told[1:] == [shown(3, "anna"), done("FETCH 1")]


def test_all_rows_are_one_fetch(talk: Talk) -> None:
    declared(talk)
    assert fetched(talk.client(query("fetch 0"))) == b'FETCH FORWARD ALL FROM "c"'
    told = talk.server(*STEP, DESCRIBED, candidate(1, "anna"), candidate(2, "bob"), done("FETCH 2"))
    assert told[1:] == [shown(1, "anna"), done("FETCH 1")]


def test_move_counts_what_passed_and_shows_nothing(talk: Talk) -> None:
    declared(talk)
    sent = talk.client(query("move 2"))
    fetched(sent)
    told = talk.server(*STEP, DESCRIBED, *(candidate(n, "anna") for n in range(3)), done("FETCH 3"))
    assert told == [done("MOVE 2")]
    talk.server(*END)
    talk.client(query("fetch 0"))
    told = talk.server(*STEP, DESCRIBED, done("FETCH 0"))
    assert told[1:] == [shown(2, "anna"), done("FETCH 1")]


def test_a_binary_cursor_is_read_in_binary(talk: Talk) -> None:
    declared(talk, "declare binary")
    sent = talk.client(query("fetch 1"))
    assert frontend.parse_bind(sent[3][HEADER_SIZE:]).result_formats == (1, 1)
    told = talk.server(*STEP, DESCRIBED, row(b"\0" * 8, candidate(1, "anna")[HEADER_SIZE + 11 :]), done("FETCH 1"))
    assert [field.format for field in backend.parse_row_description(told[0][HEADER_SIZE:])] == [1, 1]


def test_a_cursor_that_a_rollback_took_away_is_told_as_in_a_query(talk: Talk) -> None:
    """The server describes a FETCH of what is not there as one that has no rows, which no Query is answered with."""
    declared(talk)
    fetched(talk.client(query("fetch 1")))
    told = talk.server(*STEP, NO_DATA, failed(b"34000"))
    assert tags(told) == "E" and error_of(told[0])[b"C"] == b"34000"
    assert talk.sent() == [SYNC]
    assert talk.server(ready(b"E")) == [ready(b"E")]


def test_by_parse_and_bind(talk: Talk) -> None:
    declared(talk)
    sent = talk.client(parse("fetch 2"), bind(results=(1,)), describe(b"P"), execute(rows=2), SYNC)
    assert tags(sent) == "PBDCCPBEH"
    assert frontend.parse_bind(sent[6][HEADER_SIZE:]).result_formats == (1, 1)
    told = talk.server(PARSED, BOUND, DESCRIBED, *STEP, *(candidate(n, "anna") for n in range(3)), done("FETCH 3"))
    assert told[3:] == [shown(0, "anna"), shown(1, "anna"), SUSPENDED]
    assert tags(talk.sent()) == "CCS"
    assert talk.server(*END) == [ready(b"T")]
    sent = talk.client(parse("fetch 1"), bind(), describe(b"P"), execute(), SYNC)
    told = talk.server(PARSED, BOUND, DESCRIBED, failed(b"34000"), ready(b"E"))
    assert b"other formats" in error_of(told[-2])[b"M"]


def test_execute_of_less_than_fetch_wants_is_refused(talk: Talk) -> None:
    declared(talk)
    sent = talk.client(parse("fetch 2"), bind(), execute(rows=1), SYNC)
    assert execute(STAND_IN_PORTAL) in sent


@pytest.mark.parametrize("text", ["fetch back", "fetch 1; select 1", "select 1; fetch 1"])
def test_what_can_not_be_counted_is_refused(talk: Talk, text: str) -> None:
    declared(talk)
    sent = talk.client(query(text))
    assert STAND_IN_SQL in sent[0]
    told = talk.server(*([done()] if text.startswith("select") else []), failed(), ready(b"E"))
    assert error_of(told[-2])[b"C"] == b"0A000" and error_of(told[-2])[b"H"]


def test_a_failure_ends_the_query(talk: Talk) -> None:
    """Only a Sync makes the server listen again: it is the end of the client's Query."""
    declared(talk)
    talk.client(query("fetch 1"), query("rollback"))
    told = talk.server(CLOSED, CLOSED, failed(b"34000", b'cursor "c" does not exist'))
    assert tags(told) == "E" and error_of(told[0])[b"C"] == b"34000"
    assert talk.sent() == [SYNC, query("rollback")]
    assert talk.server(ready(b"E"), done("ROLLBACK"), ready()) == [ready(b"E"), done("ROLLBACK"), ready()]


def test_a_cell_that_cannot_be_opened_fails_the_fetch(talk: Talk) -> None:
    declared(talk)
    talk.client(query("fetch 2"))
    assert tags(talk.server(*STEP, DESCRIBED, row(b"1", b"no cell"), done("FETCH 1"))) == "T"
    assert talk.sent() == [execute(STAND_IN_PORTAL), FLUSH]
    told = talk.server(failed(b"34000"))
    assert error_of(told[0])[b"C"] == b"XX001"
    assert talk.sent() == [SYNC]
    assert talk.server(ready(b"E")) == [ready(b"E")]


def test_in_a_failed_transaction_nothing_of_ours_is_sent(talk: Talk) -> None:
    declared(talk)
    talk.client(query("select broken"))
    talk.server(failed(), ready(b"E"))
    assert talk.client(query("fetch 1")) == [query("fetch 1")]
    assert error_of(talk.server(failed(b"25P02"), ready(b"E"))[0])[b"C"] == b"25P02"


def test_the_name_of_ours_is_nobody_elses(talk: Talk) -> None:
    talk.client(parse("select 1", OWN_NAME))
    assert error_of(talk.told()[0])[b"S"] == b"FATAL"


def test_rows_are_told_when_the_record_is_durable() -> None:
    talk = talking()
    declared(talk)
    talk.durable_at_once = False
    talk.client(query("fetch 1"))
    assert tags(talk.server(*STEP, DESCRIBED, candidate(1, "anna"), done("FETCH 1"))) in ("", "T")
    talk.conversation.audit_durable(talk.tickets[-1])
    assert talk.told()[-2:] == [shown(1, "anna"), done("FETCH 1")]


def test_a_declared_cursor_is_executed_as_text(talk: Talk) -> None:
    declared(talk)
    sent = talk.client(execute(b"c", rows=1), SYNC)
    assert tags(sent) == "DEH"
    assert talk.server(DESCRIBED, in_text(1, "anna"), SUSPENDED) == [shown(1, "anna"), SUSPENDED]


def test_declared_with_a_parameter(talk: Talk) -> None:
    talk.client(query("begin"), parse("declare find"), bind(PATTERN), execute(), SYNC)
    talk.server(done("BEGIN"), ready(b"T"), PARSED, BOUND, done("DECLARE CURSOR"), ready(b"T"))
    talk.client(query("fetch 0"))
    told = talk.server(*STEP, DESCRIBED, candidate(1, "anna"), candidate(2, "bob"), done("FETCH 2"))
    assert told[1:] == [shown(1, "anna"), done("FETCH 1")]


def test_execute_by_name_looks_at_its_rows(talk: Talk) -> None:
    talk.client(query("prepare"))
    talk.server(done("PREPARE"), ready())
    sent = talk.client(query("execute"))
    assert b"anna" not in sent[0] and sent[0].startswith(b"Q")
    told = talk.server(DESCRIBED, in_text(1, "anna"), in_text(2, "bob"), done("SELECT 2"), ready())
    assert told[1:] == [shown(1, "anna"), done("SELECT 1"), ready()]
    sent = talk.client(parse("execute"), bind(), execute(rows=1), SYNC)
    assert tags(sent) == "PBDEH"
    told = talk.server(PARSED, BOUND, DESCRIBED, candidate(1, "bob"), candidate(2, "anna"), SUSPENDED)
    assert told[-2:] == [shown(2, "anna"), SUSPENDED]


def test_limit_of_a_prepared_search_counts_what_passed(talk: Talk) -> None:
    talk.client(query("prepare two"))
    talk.server(done("PREPARE"), ready())
    talk.client(query("execute"))
    rows = [in_text(n, name) for n, name in enumerate(("bob", "anna", "anna", "anna"))]
    told = talk.server(DESCRIBED, *rows, done("SELECT 4"), ready())
    assert told[1:] == [shown(1, "anna"), shown(2, "anna"), done("SELECT 2"), ready()]


def test_a_failure_of_what_came_before_does_not_end_the_query(talk: Talk) -> None:
    declared(talk)
    talk.client(parse("select broken"), SYNC, query("fetch 1"))
    assert talk.server(failed(), ready(b"T"))[1:] == [ready(b"T")]
    assert SYNC not in talk.sent()
    told = talk.server(*STEP, DESCRIBED, candidate(1, "anna"), done("FETCH 1"))
    assert told[1:] == [shown(1, "anna"), done("FETCH 1")]
    assert tags(talk.sent()) == "CCS"


def test_a_query_that_is_skipped_owes_nothing(talk: Talk) -> None:
    """As in PostgreSQL: behind an error of the extended protocol only a Sync is answered."""
    declared(talk)
    talk.client(parse("select broken"), query("fetch 1"))
    assert tags(talk.server(failed())) == "E"
    assert talk.sent() == []
    assert talk.client(SYNC) == [SYNC]
    assert talk.server(ready(b"E")) == [ready(b"E")]
