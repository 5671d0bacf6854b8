"""UPDATE and DELETE by a search: rows are locked, looked at, and written by their keys, in one transaction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.rows.finishing.arranging import FinishBounds
from proxy.session.refusals import OWN_NAME, STAND_IN_PORTAL, STAND_IN_SQL
from proxy.wire import frontend
from proxy.wire.framing import HEADER_SIZE
from proxy.wire.values.arrays import parse_binary_array

from .search_plans import DESCRIBED, LOCKED, PATTERN, candidate, lockable, shown, talking
from .talk import (
    BOUND,
    CLOSED,
    CUSTOMERS_OID,
    FLUSH,
    PARSED,
    SUSPENDED,
    SYNC,
    Talk,
    bind,
    columns,
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

LOCK = (CLOSED, CLOSED, PARSED, BOUND, LOCKED)


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return talking(split=request.param)


def keys_of(message: bytes) -> list[int]:
    """What the last parameter of a Bind holds."""
    assert message[:1] == b"B"
    values = frontend.parse_bind(message[HEADER_SIZE:]).values
    assert values[-1] is not None
    return [int.from_bytes(item or b"", "big") for item in parse_binary_array(values[-1])[1]]


def asked(talk: Talk, *, rows: int = 0) -> list[bytes]:
    return talk.client(parse("delete"), bind(PATTERN), execute(rows=rows), SYNC)


def test_just_the_rows_that_were_found_are_written(talk: Talk) -> None:
    sent = asked(talk)
    assert tags(sent) == "PBCCPBDEH"
    assert frontend.parse_bind(sent[1][HEADER_SIZE:]).values[-1] is None  # without keys it writes nothing
    select = frontend.parse_parse(sent[4][HEADER_SIZE:])
    assert select.name == OWN_NAME and select.query.endswith(b"for update")
    assert sent[-2] == execute(OWN_NAME, 10_001) and sent[-1] == FLUSH
    told = talk.server(PARSED, BOUND, *LOCK, lockable(1, "anna"), lockable(2, "bob"), lockable(3, "joanna"))
    assert told == [PARSED, BOUND]
    assert talk.server(done("SELECT 3")) == []
    sent = talk.sent()
    assert tags(sent) == "CCPCBECCS"
    assert keys_of(sent[4]) == [1, 3]
    assert sent[5] == execute(b"") and frontend.parse_bind(sent[4][HEADER_SIZE:]).portal == b""
    told = talk.server(CLOSED, CLOSED, PARSED, CLOSED, BOUND, done("DELETE 2"), CLOSED, CLOSED, ready())
    assert told == [done("DELETE 2"), ready()]
    assert [record["decision"] for record in talk.records] == ["allow"]


def test_nothing_found_is_written_as_nothing(talk: Talk) -> None:
    asked(talk)
    talk.server(PARSED, BOUND, *LOCK, lockable(2, "bob"), done("SELECT 1"))
    assert keys_of(talk.sent()[4]) == []


def test_returning_in_the_clients_formats(talk: Talk) -> None:
    talk.client(parse("delete returning", b"s"), bind(PATTERN, name=b"s", portal=b"p", results=(1,)))
    talk.client(describe(b"P", b"p"), execute(b"p", rows=1), SYNC)
    told = talk.server(PARSED, BOUND, DESCRIBED, *LOCK, lockable(1, "anna"), lockable(2, "anna"), done("SELECT 2"))
    assert tags(told) == "12T"
    sent = talk.sent()
    assert sent[3] == frontend.build_close(b"P", b"p") and sent[5] == execute(b"p", 1)
    assert frontend.parse_bind(sent[4][HEADER_SIZE:]).result_formats == (1, 1)
    told = talk.server(CLOSED, CLOSED, PARSED, CLOSED, BOUND, candidate(1, "anna"), SUSPENDED, CLOSED, CLOSED, ready())
    assert told == [shown(1, "anna"), SUSPENDED, ready()]


def test_a_portal_that_was_executed_goes_on_as_the_server_has_it(talk: Talk) -> None:
    talk.client(query("begin"))
    talk.server(done("BEGIN"), ready(b"T"))
    asked(talk)
    talk.server(PARSED, BOUND, *LOCK, done("SELECT 0"))
    talk.sent()
    talk.server(CLOSED, CLOSED, PARSED, CLOSED, BOUND, done("DELETE 0"), CLOSED, CLOSED, ready(b"T"))
    assert talk.client(execute(), SYNC) == [execute(), SYNC]


def test_a_query_is_written_in_the_same_way(talk: Talk) -> None:
    sent = talk.client(query("delete anna"))
    assert tags(sent) == "CCPBDEH" and not any(b"anna" in each for each in sent)
    assert talk.server(*LOCK, lockable(1, "anna"), lockable(2, "bob"), done("SELECT 2")) == []
    sent = talk.sent()
    assert tags(sent) == "CCPBECCS" and keys_of(sent[3]) == [1]
    told = talk.server(CLOSED, CLOSED, PARSED, BOUND, done("DELETE 1"), CLOSED, CLOSED, ready())
    assert told == [done("DELETE 1"), ready()]


def test_a_query_with_returning(talk: Talk) -> None:
    talk.client(query("delete anna returning"))
    talk.server(*LOCK, lockable(1, "anna"), done("SELECT 1"))
    assert tags(talk.sent()) == "CCPBDECCS"
    answer = (CLOSED, CLOSED, PARSED, BOUND, DESCRIBED, candidate(1, "anna"), done("DELETE 1"), CLOSED, CLOSED, ready())
    told = talk.server(*answer)
    assert tags(told) == "TDCZ" and told[1] == shown(1, "anna")


@pytest.mark.parametrize("plainly", [False, True])
def test_too_many_candidates_are_refused_as_the_server_would(talk: Talk, plainly: bool) -> None:
    state = talk.conversation._state
    state.services = replace(state.services, bounds=lambda: FinishBounds(locked_rows=2))
    sent = talk.client(query("delete anna")) if plainly else asked(talk)
    assert execute(OWN_NAME, 3) in sent
    before = () if plainly else (PARSED, BOUND)
    talk.server(*before, *LOCK, *(lockable(n, "bob") for n in range(3)), SUSPENDED)
    assert talk.sent() == [execute(STAND_IN_PORTAL), FLUSH]
    told = talk.server(failed(b"34000"))
    assert error_of(told[-1])[b"C"] == b"54000" and b"limits.locked_rows" in error_of(told[-1])[b"H"]
    assert talk.sent() == [SYNC]
    assert talk.server(ready()) == [ready()]


@pytest.mark.parametrize("plainly", [False, True])
@pytest.mark.parametrize("code", [b"40001", b"40P01", b"55P03", b"57014"])
def test_an_error_while_rows_are_locked_is_the_clients(talk: Talk, code: bytes, plainly: bool) -> None:
    talk.client(query("delete anna")) if plainly else asked(talk)
    before = () if plainly else (PARSED, BOUND)
    told = talk.server(*before, *LOCK, lockable(1, "anna"), failed(code, b"could not serialize access"))
    assert tags(told) == ("E" if plainly else "12E") and error_of(told[-1])[b"C"] == code
    assert talk.sent() == [SYNC]
    assert talk.server(ready(b"E")) == [ready(b"E")]


def test_an_error_of_the_write_is_the_clients(talk: Talk) -> None:
    talk.client(query("delete anna"))
    talk.server(*LOCK, lockable(1, "anna"), done("SELECT 1"))
    told = talk.server(CLOSED, CLOSED, PARSED, BOUND, failed(b"23503", b"violates foreign key"), ready())
    assert tags(told) == "EZ" and error_of(told[0])[b"C"] == b"23503"


@pytest.mark.parametrize(
    "wrong",
    [
        (LOCKED, row(b"\0\0\0\1", b"no cell", b"\0" * 8)),
        (LOCKED, row(b"\0\0\0\1", lockable(1, "anna")[HEADER_SIZE + 10 + 4 : -12], None)),
        (columns(("?", 23, 0, 0), ("name", 17, CUSTOMERS_OID, 4), ("id", 20, CUSTOMERS_OID, 2)), lockable(1, "anna")),
        (columns(("?", 23, 0, 0), ("name", 17, CUSTOMERS_OID, 3), ("id", 20, CUSTOMERS_OID, 1)), lockable(1, "anna")),
    ],
    ids=["no cell", "no key", "another key", "another column"],
)
def test_what_is_not_proven_is_not_written(talk: Talk, wrong: tuple[bytes, bytes]) -> None:
    asked(talk)
    talk.server(PARSED, BOUND, *LOCK[:-1], wrong[0], wrong[1], done("SELECT 1"))
    assert talk.sent() == [execute(STAND_IN_PORTAL), FLUSH]
    told = talk.server(failed(b"34000"))
    assert error_of(told[-1])[b"C"] == b"XX001"


@pytest.mark.parametrize("text", ["delete anna; select 1", "select 1; delete anna"])
def test_beside_other_statements_it_is_refused(talk: Talk, text: str) -> None:
    sent = talk.client(query(text))
    assert STAND_IN_SQL in sent[0] and b"delete" not in sent[0]
    told = talk.server(*([done()] if text.startswith("select") else []), failed(), ready())
    assert error_of(told[-2])[b"C"] == b"0A000"


def test_in_a_failed_transaction_nothing_of_ours_is_sent(talk: Talk) -> None:
    talk.client(query("select broken"))
    talk.server(failed(), ready(b"E"))
    [sent] = talk.client(query("delete anna"))
    assert sent.startswith(b"Q") and b"any (NULL)" in sent
    assert error_of(talk.server(failed(b"25P02"), ready(b"E"))[0])[b"C"] == b"25P02"


def test_it_is_not_run_by_name(talk: Talk) -> None:
    talk.client(parse("delete", b"s"), SYNC)
    talk.server(PARSED, ready())
    assert STAND_IN_SQL in talk.client(query("execute"))[0]


def test_searches_are_counted_once() -> None:
    talk = talking(searches=1)
    assert tags(asked(talk)) == "PBCCPBDEH" and talk.searches == 0


def test_behind_a_rollback_that_is_answered_it_finds_its_rows_again(talk: Talk) -> None:
    """By a Flush, so that no ReadyForQuery has told yet that the transaction has not failed any more."""
    talk.client(query("begin"))
    talk.server(done("BEGIN"), ready(b"T"))
    talk.client(query("nope"))
    talk.server(failed(), ready(b"E"))
    talk.client(parse("rollback"), bind(), execute(), FLUSH)
    assert talk.server(PARSED, BOUND, done("ROLLBACK")) == [PARSED, BOUND, done("ROLLBACK")]
    talk.client(parse("delete"), bind(PATTERN), FLUSH)
    talk.server(PARSED, BOUND)
    assert tags(talk.client(execute(), SYNC)) == "CCPBDEH"


def test_behind_an_execute_without_sync_it_is_refused(talk: Talk) -> None:
    """PostgreSQL keeps that Query in the transaction of the batch; a Sync of ours would commit both."""
    talk.client(parse("rollback"), bind(), execute(), FLUSH)
    talk.server(PARSED, BOUND, done("ROLLBACK"))
    [sent] = talk.client(query("delete anna"))
    assert sent == query(STAND_IN_SQL.decode())
    told = talk.server(failed(b"22P02"), ready())
    assert error_of(told[0])[b"C"] == b"0A000" and b"Sync" in error_of(told[0])[b"H"]
    talk.client(SYNC)
    talk.server(ready())
    assert tags(talk.client(query("delete anna"))) == "CCPBDEH"
