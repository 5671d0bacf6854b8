"""Terminate behind a pipeline: what came before it is carried out and answered, as PostgreSQL does; then it is over."""

from __future__ import annotations

import pytest

from proxy.session.commands import CloseBoth
from proxy.wire.frontend import TERMINATE

from .talk import (
    BOUND,
    EMAIL_COLUMNS,
    INSERT_DRAWN,
    PARSED,
    SYNC,
    Talk,
    bind,
    columns,
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


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return Talk(split=request.param)


def over(talk: Talk) -> bool:
    return any(isinstance(command, CloseBoth) for command in talk.commands)


def test_without_anything_owed_it_is_over_at_once(talk: Talk) -> None:
    assert talk.client(TERMINATE) == [TERMINATE]
    assert over(talk)


def test_what_is_owed_is_answered_first(talk: Talk) -> None:
    assert tags(talk.client(query("select email"), query("select 1"), TERMINATE)) == "QQX"
    assert talk.conversation.leaving and not over(talk)
    told = talk.server(EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan")), done(), ready())
    assert told[1] == row(b"7", b"ivan") and not over(talk)
    assert tags(talk.server(done(), ready())) == "CZ"
    assert over(talk)


def test_a_usual_round_is_answered_too(talk: Talk) -> None:
    talk.client(parse("select 1", b"s"), SYNC)
    talk.server(PARSED, ready())
    talk.client(bind(name=b"s"), describe(b"P"), execute(), SYNC)
    assert talk.client(TERMINATE) == [TERMINATE]
    assert not over(talk)
    answer = [BOUND, columns(("a", 23, 0, 0)), row(b"1"), done(), ready()]
    assert talk.server(*answer) == answer
    assert over(talk)


def test_what_comes_after_it_is_nobodys(talk: Talk) -> None:
    assert tags(talk.client(query("select 1"), TERMINATE, query("select 2"))) == "QX"
    assert talk.client(query("select 3"), b"\0garbage") == []
    assert tags(talk.server(done(), ready())) == "CZ"
    assert over(talk)


def test_an_error_leaves_nothing_owed(talk: Talk) -> None:
    talk.client(parse("select boom"), bind(), execute(), TERMINATE)
    assert tags(talk.server(failed(b"42703", b"no"))) == "E"
    assert over(talk)


def test_a_message_that_waits_for_an_answer_is_sent_before_it(talk: Talk) -> None:
    assert tags(talk.client(query("set style"), query("insert day"), TERMINATE)) == "Q"
    assert not talk.conversation.leaving
    talk.server(done("SET"), status("DateStyle", "SQL, DMY"), ready())
    assert tags(talk.sent()) == "QX"
    assert not over(talk)
    talk.server(done("INSERT 0 1"), ready())
    assert over(talk)


def test_a_message_that_waits_for_keys_is_sent_before_it(talk: Talk) -> None:
    talk.planner.plans["draw"] = INSERT_DRAWN
    assert talk.client(query("draw"), TERMINATE) == []
    talk.keys['"public"."customers_id_seq"'] = [b"1001"]
    talk.conversation.keys_drawn()
    assert tags(talk.sent()) == "QX"
    assert not over(talk)


def test_replies_that_wait_for_the_audit_are_told_first(talk: Talk) -> None:
    talk.durable_at_once = False
    talk.client(query("select email"), TERMINATE)
    assert talk.server(EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan")), done(), ready()) == []
    talk.conversation.server_closed()
    assert talk.conversation.settling and not over(talk)
    talk.conversation.audit_durable(talk.tickets[0])
    talk._perform()
    assert tags(talk.told()) == "TDCZ"
    assert over(talk)


def test_what_cannot_be_recorded_is_not_told(talk: Talk) -> None:
    talk.durable_at_once = False
    talk.client(query("select email"), TERMINATE)
    talk.server(EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan")), done(), ready())
    talk.conversation.audit_failed(talk.tickets[0])
    talk._perform()
    (told,) = talk.told()
    assert error_of(told)[b"S"] == b"FATAL"
    assert over(talk)


def test_a_server_that_closes_owes_nothing_more(talk: Talk) -> None:
    """A batch without Sync: PostgreSQL closes without having sent its answers."""
    talk.client(parse("select 1"), bind(), execute(), TERMINATE)
    assert not over(talk)
    talk.conversation.server_closed()
    talk._perform()
    assert over(talk)
