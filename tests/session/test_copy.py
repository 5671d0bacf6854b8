"""COPY data: to whom it belongs, what the server ignores meanwhile, and what must never be sent."""

from __future__ import annotations

import pytest

from proxy.sql.plan import StatementKind
from proxy.wire import backend, frontend

from .talk import BOUND, PARSED, SYNC, Talk, bind, done, execute, failed, parse, plain, query, ready, tags

DATA = frontend.build_copy_data(b"1\n")
END = frontend.COPY_DONE
COPY_IN = backend.build_copy_response(b"G", 0, (0,))
COPY = "copy t from stdin"


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return Talk(split=request.param)


def test_a_copy_behind_other_statements_of_a_query_gets_its_data(talk: Talk) -> None:
    talk.client(query(f"select 1; select 2; {COPY}; select 3"))
    talk.server(done(), done(), COPY_IN)
    assert talk.client(DATA, END) == [DATA, END]
    assert tags(talk.server(done("COPY 1"), done(), ready())) == "CCZ"


def test_each_copy_of_a_query_gets_its_data(talk: Talk) -> None:
    talk.client(query(f"{COPY}; {COPY}"))
    for _ in range(2):
        talk.server(COPY_IN)
        assert talk.client(DATA, END) == [DATA, END]
        talk.server(done("COPY 1"))
    assert tags(talk.server(ready())) == "Z"
    assert talk.client(DATA) == []


def test_data_of_both_copies_may_come_before_the_server_asks(talk: Talk) -> None:
    sent = talk.client(query(f"{COPY}; {COPY}"), DATA, END, SYNC, DATA, END, SYNC)
    assert tags(sent) == "QdcSdcS"
    assert tags(talk.server(COPY_IN, done("COPY 1"), COPY_IN, done("COPY 1"), ready(), ready())) == "GCGCZZ"
    assert talk.conversation.idle


def test_sync_during_the_copy_of_a_query_is_ignored_by_the_server(talk: Talk) -> None:
    talk.client(query(COPY), SYNC)
    talk.server(COPY_IN)
    talk.client(SYNC, DATA, END)
    assert tags(talk.server(done("COPY 1"), ready())) == "CZ"
    assert talk.conversation.idle


def test_sync_behind_a_copy_that_never_begins_is_answered(talk: Talk) -> None:
    talk.client(query(COPY), SYNC)
    assert tags(talk.server(failed(b"42501", b"no"), ready(), ready())) == "EZZ"
    assert talk.conversation.idle


def test_data_behind_a_refused_copy_is_not_sent_though_an_earlier_one_is_open(talk: Talk) -> None:
    """COPY TO takes no data, and the data of a COPY FROM belongs to the newest."""
    talk.planner.plans["copy t to stdout"] = plain("copy t to stdout", kind=StatementKind.COPY, returns_rows=False)
    secret = frontend.build_copy_data(b"secret")
    assert tags(talk.client(query("copy t to stdout"), query("refused"), secret, END)) == "QQ"
    talk = Talk(split=talk.split)
    assert tags(talk.client(query(f"{COPY}; refused"), DATA, END, secret, END)) == "Qdc"
    talk = Talk(split=talk.split)
    assert tags(talk.client(query(COPY), query("refused"), secret, END)) == "QQ"
    talk = Talk(split=talk.split)
    assert tags(talk.client(parse("refused"), bind(), execute(), secret, END, SYNC)) == "PBES"


def test_a_copy_that_nobody_asked_for_ends_the_session(talk: Talk) -> None:
    talk.client(query("select 1"))
    assert tags(talk.server(COPY_IN)) == "E"
    talk = Talk(split=talk.split)
    talk.client(parse(COPY), bind(), execute(), SYNC)
    assert tags(talk.server(PARSED, BOUND, COPY_IN, COPY_IN)) == "12GE"
