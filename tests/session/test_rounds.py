"""A usual round goes in one piece; whatever is not usual goes as if there were no rounds."""

from __future__ import annotations

import pytest

from proxy.session import rounds
from proxy.wire import backend

from .talk import (
    BOUND,
    EMAIL_COLUMNS,
    FLUSH,
    NO_DATA,
    PARSED,
    SYNC,
    Talk,
    bind,
    catalog,
    cell,
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
    tags,
)

ROUND = [bind(b"1", name=b"s"), describe(b"P"), execute(), SYNC]
SHORT = [bind(b"1", name=b"s"), execute(), SYNC]
ANSWER = [BOUND, columns(("a", 25, 0, 0)), row(b"1"), row(b"2"), done("SELECT 2"), ready()]


@pytest.fixture
def talk() -> Talk:
    talk = Talk()
    talk.client(parse("select $1", b"s"), SYNC)
    talk.server(PARSED, ready())
    return talk


def in_one_piece(talk: Talk) -> bool:
    return talk.conversation._state.round is not None


@pytest.mark.parametrize("described", [True, False])
def test_a_usual_round_and_its_answer_are_one_slice_each(talk: Talk, described: bool) -> None:
    asked = ROUND if described else SHORT
    answer = ANSWER if described else [ANSWER[0], *ANSWER[2:]]
    for _ in range(3):
        assert talk.client(*asked) == asked
        assert in_one_piece(talk)
        assert not talk.conversation.idle
        assert talk.server(*answer) == answer
        assert talk.conversation.idle


def test_an_error_in_a_round_is_an_error(talk: Talk) -> None:
    talk.client(*ROUND)
    assert tags(talk.server(BOUND, columns(("a", 25, 0, 0)), failed(b"22012", b"division by zero"), ready())) == "2TEZ"
    assert talk.conversation.idle
    talk.client(*ROUND)
    assert talk.server(*ANSWER) == ANSWER


def test_an_answer_in_pieces_is_passed_on_piece_by_piece(talk: Talk) -> None:
    talk.client(*ROUND)
    told = [message for piece in ANSWER for message in talk.server(piece)]
    assert told == ANSWER
    assert talk.conversation.idle


def test_an_envelope_in_a_round_is_an_error(talk: Talk) -> None:
    talk.client(*ROUND)
    told = talk.server(BOUND, columns(("a", 17, 0, 0)), row(hex_cell(b"ivan")), done(), ready())
    assert tags(told) == "2TEZ"
    assert error_of(told[2])[b"C"] == b"XX001"


def test_what_comes_behind_a_round_that_is_under_way_goes_the_usual_way(talk: Talk) -> None:
    talk.client(*ROUND)
    talk.client(*ROUND, query("select 1"))
    assert not in_one_piece(talk)
    answer = [*ANSWER, *ANSWER, columns(("b", 25, 0, 0)), done("SELECT 0"), ready()]
    assert talk.server(*answer) == answer


def test_notices_and_settings_inside_a_round_pass(talk: Talk) -> None:
    talk.client(*ROUND)
    status = backend.build_parameter_status(b"TimeZone", b"UTC")
    told = talk.server(*ANSWER[:2], status, *ANSWER[2:])
    assert told == [*ANSWER[:2], status, *ANSWER[2:]]
    assert talk.conversation.idle


def test_a_statement_that_returns_nothing(talk: Talk) -> None:
    talk.client(*ROUND)
    answer = [BOUND, NO_DATA, done("UPDATE 1"), ready(b"T")]
    assert talk.server(*answer) == answer
    assert talk.client(execute(), SYNC) == [execute(), SYNC]  # the portal lives on in the open transaction


@pytest.mark.parametrize(
    "asked",
    [
        [bind(b"1", name=b"s", portal=b"p"), execute(b"p"), SYNC],
        [bind(b"1", name=b"s"), execute(rows=1), SYNC],
        [bind(b"1", name=b"s"), execute(), FLUSH],
        [bind(b"1", name=b"s"), describe(b"S", b"s"), execute(), SYNC],
        [bind(b"1", name=b"s"), execute(), SYNC, SYNC],
    ],
)
def test_anything_else_is_no_round(talk: Talk, asked: list[bytes]) -> None:
    talk.client(*asked)
    assert not in_one_piece(talk)


@pytest.mark.parametrize("text", ["select email", "find email", "refused", "set path", "begin", "copy t from stdin"])
def test_statements_that_need_something_are_no_round(text: str) -> None:
    talk = Talk()
    talk.client(parse(text, b"s"), SYNC)
    talk.server(failed() if text == "refused" else PARSED, ready())
    talk.client(*SHORT)
    assert not in_one_piece(talk)


def test_what_changed_since_parse_is_planned_again(talk: Talk) -> None:
    talk.planner.plans["select $1"] = talk.planner.plans["refused"]
    talk.revision = type(talk.revision)(catalog(version=2), talk.revision.decisions, talk.revision.ciphers)
    talk.client(*ROUND)
    assert not in_one_piece(talk)
    assert error_of(talk.server(failed(b"26000", b"none"), ready())[0])[b"C"] == b"42501"


def test_without_rounds_the_client_sees_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual way gives the same bytes on both sides."""

    def both(talk: Talk) -> list[bytes]:
        talk.client(parse("select $1", b"s"), SYNC)
        talk.server(PARSED, ready())
        talk.client(parse("select email", b"e"), SYNC)
        talk.server(PARSED, ready())
        seen: list[bytes] = []
        for asked, answer in (
            (ROUND, ANSWER),
            (SHORT, [BOUND, failed(b"22012", b"no"), ready()]),
            (
                [bind(name=b"e"), describe(b"P"), execute(), SYNC],
                [BOUND, EMAIL_COLUMNS, row(b"1", cell(b"a")), done(), ready()],
            ),
            (SHORT, [BOUND, row(b"1"), done(), ready(b"T")]),
            (ROUND, [BOUND, NO_DATA, done(), ready()]),
        ):
            seen += talk.client(*asked)
            seen += talk.server(*answer)
        return seen

    usual = both(Talk())
    monkeypatch.setattr(rounds, "_plain", lambda plan: False)
    assert both(Talk()) == usual
