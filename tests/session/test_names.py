"""What a name stands for: our books never say less than the server knows, whatever fails, is skipped or comes from SQL.

A name that we had forgotten while the server has it would take values to the server as they are, and bring rows back
that nobody accounts for.
"""

from __future__ import annotations

import pytest

from proxy.session.refusals import STAND_IN_PORTAL, STAND_IN_STATEMENT
from proxy.wire import frontend
from proxy.wire.framing import HEADER_SIZE

from .talk import (
    BOUND,
    CLOSED,
    EMAIL_COLUMNS,
    PARSED,
    SYNC,
    Talk,
    bind,
    catalog,
    cell,
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
    made = Talk(split=request.param)
    made.client(parse("find email", b"s"), SYNC)
    made.server(PARSED, ready())
    return made


def is_sealed(message: bytes) -> bool:
    """A Bind of "ivan" in which the server gets the term."""
    return frontend.parse_bind(message[HEADER_SIZE:]).values[0] == b"ivan............"


@pytest.mark.parametrize("script", ["select 1; deallocate s", "select 1; discard all"])
def test_what_a_failing_query_never_reached_is_not_forgotten(talk: Talk, script: str) -> None:
    talk.client(query(script))
    talk.server(failed(b"22012", b"division by zero"), ready())
    (sent, _) = talk.client(bind(b"ivan", b"5", name=b"s"), SYNC)
    assert is_sealed(sent)


def test_what_a_failing_query_did_before_it_failed_is_done(talk: Talk) -> None:
    talk.client(query("deallocate s; select 1"))
    talk.server(done("DEALLOCATE"), failed(b"22012", b"division by zero"), ready())
    (sent, _) = talk.client(bind(b"ivan", b"5", name=b"s"), SYNC)
    assert frontend.parse_bind(sent[HEADER_SIZE:]).statement == STAND_IN_STATEMENT


@pytest.mark.parametrize("script", ["discard all", "deallocate s"])
def test_a_bind_behind_what_may_fail_waits_for_its_answer(talk: Talk, script: str) -> None:
    sent = talk.client(query(script), bind(b"ivan", b"5", name=b"s"), SYNC)
    assert tags(sent) == "Q"
    assert talk.conversation.client_paused
    talk.server(failed(b"25001", b"not in a transaction"), ready(b"E"))
    sent = talk.sent()
    assert tags(sent) == "BS"
    assert is_sealed(sent[0])
    assert not talk.conversation.client_paused


def test_a_name_given_anew_in_a_batch_that_may_fail_waits_for_its_answer(talk: Talk) -> None:
    """The batch fails, so the server's `s` is still the old one; the value must not reach it as it is."""
    batch = [parse("select boom"), close(b"S", b"s"), parse("select other", b"s"), SYNC]
    sent = talk.client(*batch, bind(b"ivan", b"5", name=b"s"), execute(), SYNC)
    assert tags(sent) == "PCPS"
    talk.server(failed(b"42703", b"no"), ready())
    sent = talk.sent()
    assert tags(sent) == "BES"
    assert is_sealed(sent[0])


def test_nothing_waits_where_a_failure_would_skip_it_too(talk: Talk) -> None:
    """One batch, and names used for the first time: what drivers do in pipelines."""
    sent = talk.client(close(b"S", b"s"), parse("select other", b"s"), bind(b"x", name=b"s"), execute(), SYNC)
    assert tags(sent) == "CPBES"
    sent = talk.client(parse("find email", b"new"), SYNC, bind(b"ivan", b"5", name=b"new"), execute(), SYNC)
    assert tags(sent) == "PSBES"


def test_what_sql_prepared_and_declared_can_be_run_either_way() -> None:
    talk = Talk()
    assert tags(talk.client(query("prepare s"))) == "Q"
    talk.server(done("PREPARE"), ready())
    asked = bind(name=b"s")
    assert talk.client(asked, execute(), SYNC)[0] == asked
    talk.server(BOUND, done(), ready())
    asked = query("execute s")
    assert talk.client(asked) == [asked]
    talk.server(done(), ready())
    talk.client(query("begin"), query("declare p"))
    talk.server(done("BEGIN"), ready(b"T"), done("DECLARE CURSOR"), ready(b"T"))
    for asked in (query("fetch p"), execute(b"p")):
        assert talk.client(asked) == [asked]
        talk.server(done())
        if asked[:1] == b"Q":
            talk.server(ready(b"T"))


def test_a_portal_that_nobody_knows_is_not_executed() -> None:
    talk = Talk()
    sent = talk.client(execute(b"p"), SYNC)
    assert frontend.parse_execute(sent[0][HEADER_SIZE:]).portal == STAND_IN_PORTAL
    told = talk.server(failed(b"34000", b"no such portal"), ready())
    assert error_of(told[0])[b"M"] == b'portal "p" does not exist'


def test_an_empty_query_leaves_the_unnamed_portal_and_its_account() -> None:
    talk = Talk()
    talk.client(query("begin"), parse("select email"), bind(), describe(b"P"), SYNC, query(""))
    talk.server(done("BEGIN"), ready(b"T"), PARSED, BOUND, EMAIL_COLUMNS, ready(b"T"), b"I\0\0\0\x04", ready(b"T"))
    talk.client(execute(), SYNC)
    assert len(talk.records) == 1
    assert talk.server(row(b"7", cell(b"ivan")), done(), ready(b"T"))[0] == row(b"7", b"ivan")


def test_rights_that_changed_after_bind_are_asked_again_at_execute() -> None:
    talk = Talk()
    talk.client(query("begin"), parse("select email"), bind(), SYNC)
    talk.server(done("BEGIN"), ready(b"T"), PARSED, BOUND, ready(b"T"))
    talk.planner.plans["select email"] = talk.planner.plans["refused"]
    talk.revision = type(talk.revision)(catalog(version=2), talk.revision.decisions, talk.revision.ciphers)
    sent = talk.client(execute(), SYNC)
    assert frontend.parse_execute(sent[0][HEADER_SIZE:]).portal == STAND_IN_PORTAL
    told = talk.server(failed(b"34000", b"no such portal"), ready(b"E"))
    assert error_of(told[0])[b"C"] == b"42501"
    assert [record["decision"] for record in talk.records] == ["deny"]


def test_a_portal_gives_nothing_more_when_the_audit_sink_has_gone() -> None:
    talk = Talk()
    talk.client(query("begin"), parse("select email"), bind(), SYNC)
    talk.server(done("BEGIN"), ready(b"T"), PARSED, BOUND, ready(b"T"))
    talk.audit = False
    sent = talk.client(execute(), SYNC)
    assert frontend.parse_execute(sent[0][HEADER_SIZE:]).portal == STAND_IN_PORTAL


@pytest.mark.parametrize("message", [parse("select 1", STAND_IN_STATEMENT), bind(portal=STAND_IN_PORTAL)])
def test_names_of_our_own_cannot_be_taken(message: bytes) -> None:
    talk = Talk()
    talk.client(message)
    assert error_of(talk.told()[0])[b"C"] == b"08P01"


def test_a_closed_name_is_forgotten_only_if_the_server_gets_there(talk: Talk) -> None:
    talk.client(close(b"S", b"s"), SYNC)
    talk.server(CLOSED, ready())
    assert not talk.conversation.client_paused
    (sent, _) = talk.client(bind(b"ivan", b"5", name=b"s"), SYNC)
    assert frontend.parse_bind(sent[HEADER_SIZE:]).statement == STAND_IN_STATEMENT


def test_a_value_is_refused_only_where_the_server_has_the_statement(talk: Talk) -> None:
    """Its Parse may be on its way to fail, and then the server's word counts."""
    sent = talk.client(parse("select boom"), parse("find email", b"new"), SYNC, bind(name=b"new"), SYNC)
    assert tags(sent) == "PPS"
    talk.server(failed(b"42703", b"no"), ready())
    assert tags(talk.sent()) == "BS"
    assert error_of(talk.server(failed(b"26000", b"no"), ready())[0])[b"C"] == b"26000"
