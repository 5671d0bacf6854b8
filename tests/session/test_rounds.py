"""A usual round goes in one piece; whatever is not usual goes as if there were no rounds."""

from __future__ import annotations

import pytest

from proxy.session import rounds
from proxy.wire import backend, frontend
from proxy.wire.framing import HEADER_SIZE, message

from .talk import (
    BOUND,
    CUSTOMERS_OID,
    EMAIL_COLUMNS,
    FLUSH,
    NO_DATA,
    PARSED,
    SUSPENDED,
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
    status,
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
        [bind(b"1", name=b"s"), execute(), FLUSH],
        [bind(b"1", name=b"s"), describe(b"P"), describe(b"P"), execute(), SYNC],
        [bind(b"1", name=b"s"), describe(b"S", b"s"), execute(), SYNC],
        [bind(b"1", name=b"s"), execute(), SYNC, SYNC],
    ],
)
def test_anything_else_is_no_round(talk: Talk, asked: list[bytes]) -> None:
    talk.client(*asked)
    assert not in_one_piece(talk)


@pytest.mark.parametrize("text", ["select email", "refused", "set path", "begin", "copy t from stdin"])
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
            (
                [bind(name=b"e", results=(1,)), execute(rows=2), SYNC],
                [BOUND, row(b"1", cell(b"a")), row(b"2", None), SUSPENDED, ready()],
            ),
            (SHORT, [BOUND, row(b"1"), done(), ready(b"T")]),
            (ROUND, [BOUND, NO_DATA, done(), ready()]),
        ):
            seen += talk.client(*asked)
            seen += talk.server(*answer)
        return seen

    usual = both(Talk())
    monkeypatch.setattr(rounds, "_usual", lambda plan: False)
    assert both(Talk()) == usual


# -- over protected tables --

EMAILS = [bind(name=b"e"), execute(), SYNC]
ONE_EMAIL = [BOUND, row(b"1", cell(b"ivan")), done(), ready()]
OPENED = [BOUND, row(b"1", b"ivan"), done(), ready()]


def protected(talk: Talk) -> Talk:
    """`e` is prepared, described, and has run once."""
    talk.client(parse("select email", b"e"), describe(b"S", b"e"), SYNC)
    talk.server(PARSED, backend.build_parameter_description(()), EMAIL_COLUMNS, ready())
    return talk


def test_a_protected_round_is_one_step_with_one_record() -> None:
    talk = protected(Talk())
    for number in range(1, 4):
        sent = talk.client(*EMAILS)
        assert in_one_piece(talk)
        assert tags(sent) == "BES" and frontend.parse_bind(sent[0][HEADER_SIZE:]).result_formats == (0, 1)
        assert len(talk.records) == number and talk.records[-1]["decision"] == "allow"
        assert talk.server(*ONE_EMAIL) == OPENED
        assert talk.conversation.idle


def test_a_described_protected_round_shows_logical_types() -> None:
    talk = protected(Talk())
    for _ in range(2):
        talk.client(bind(name=b"e"), describe(b"P"), execute(), SYNC)
        assert in_one_piece(talk)
        told = talk.server(BOUND, EMAIL_COLUMNS, *ONE_EMAIL[1:])
        assert tags(told) == "2TDCZ"
        assert [f.type_oid for f in backend.parse_row_description(told[1][HEADER_SIZE:])] == [20, 25]


def test_a_protected_round_waits_for_its_record() -> None:
    talk = protected(Talk(durable_at_once=False))
    talk.client(*EMAILS)
    assert talk.server(*ONE_EMAIL) == [] and not talk.conversation.idle
    talk.conversation.audit_durable(talk.tickets[-1])
    assert talk.told() == OPENED and talk.conversation.idle


def test_a_protected_round_in_pieces_waits_too() -> None:
    talk = protected(Talk(durable_at_once=False))
    talk.client(*EMAILS)
    told = [message for piece in ONE_EMAIL for message in talk.server(piece)]
    assert row(b"1", b"ivan") not in told
    talk.conversation.audit_durable(talk.tickets[-1])
    assert told + talk.told() == OPENED and talk.conversation.idle


def test_a_record_that_fails_ends_the_session_without_the_row() -> None:
    talk = protected(Talk(durable_at_once=False))
    talk.client(*EMAILS)
    talk.server(*ONE_EMAIL)
    talk.conversation.audit_failed(talk.tickets[-1])
    assert tags(talk.told()) == "E"


def test_without_a_sink_a_protected_round_is_refused() -> None:
    talk = protected(Talk())
    talk.audit = False
    assert tags(talk.client(*EMAILS)) == "BES"
    assert not in_one_piece(talk)
    assert error_of(talk.server(failed(b"26000", b"none"), ready())[0])[b"C"] == b"58030"


def test_a_tampered_cell_in_a_protected_round_fails_the_statement() -> None:
    talk = protected(Talk())
    talk.client(*EMAILS)
    told = talk.server(BOUND, row(b"1", b"no envelope"), done(), ready())
    assert tags(told) == "2EZ" and error_of(told[1])[b"C"] == b"XX001"


def test_an_envelope_beside_an_opened_cell_is_an_error() -> None:
    talk = protected(Talk())
    talk.client(*EMAILS)
    told = talk.server(BOUND, row(hex_cell(b"other"), cell(b"ivan")), done(), ready())
    assert b"other" not in b"".join(told)
    talk = protected(Talk())
    talk.client(*EMAILS)
    long = backend.build_command_complete(b"SELECT " + hex_cell(b"other"))
    with_tag = talk.server(BOUND, row(b"1", cell(b"ivan")), long, ready())
    assert cell(b"other").hex().encode() not in b"".join(with_tag)


def test_values_that_do_not_fit_are_refused_the_usual_way() -> None:
    talk = Talk()
    talk.client(parse("find email", b"f", (25, 20)), describe(b"S", b"f"), SYNC)
    talk.server(PARSED, backend.build_parameter_description((17, 20)), columns(("id", 20, CUSTOMERS_OID, 1)), ready())
    talk.client(bind(b"ivan", b"5", name=b"f"), execute(), SYNC)
    assert in_one_piece(talk)
    talk.server(BOUND, row(b"7"), done(), ready())
    talk.client(bind(b"\xff", b"5", name=b"f"), execute(), SYNC)
    assert not in_one_piece(talk)
    assert error_of(talk.server(failed(b"26000", b"none"), ready())[0])[b"C"] == b"22021"


def test_what_is_owed_at_goodbye_waits_for_its_record_though_the_server_has_closed() -> None:
    talk = protected(Talk(durable_at_once=False))
    talk.client(*EMAILS)
    assert talk.server(*ONE_EMAIL) == []
    talk.client(frontend.TERMINATE)
    assert talk.conversation.settling
    talk.conversation.server_closed()
    assert not talk.conversation.take_commands()
    talk.conversation.audit_durable(talk.tickets[-1])
    assert talk.told() == OPENED


def test_in_another_encoding_a_round_is_refused_as_a_bind_is() -> None:
    talk = Talk()
    talk.client(parse("select 'é'", b"x"), SYNC)
    talk.server(PARSED, ready())
    talk.client(query("select 1"))
    talk.server(done(), status("client_encoding", "LATIN1"), ready())
    talk.client(bind(name=b"x"), execute(), SYNC)
    assert not in_one_piece(talk)
    assert error_of(talk.server(failed(b"26000"), ready())[0])[b"C"] == b"0A000"


def test_a_bind_without_its_names_does_not_take_the_next_message_for_one() -> None:
    talk = Talk()
    talk.client(parse("select 1", b"E"), SYNC)
    talk.server(PARSED, ready())
    assert tags(talk.client(message(b"B", b"\0"), execute(), SYNC)) == "X"


def test_an_envelope_in_a_described_round_is_in_no_name_of_a_column() -> None:
    talk = protected(Talk())
    talk.client(bind(name=b"e"), describe(b"P"), execute(), SYNC)
    named = columns(("id", 20, CUSTOMERS_OID, 1), (hex_cell(b"other").decode(), 17, CUSTOMERS_OID, 2))
    assert tags(talk.server(BOUND, named, *ONE_EMAIL[1:])) == "2E"
