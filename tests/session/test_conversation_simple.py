"""The simple protocol through an analysed conversation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.session.commands import CloseBoth, DrawKeys
from proxy.session.refusals import SET_STAND_IN_SQL, STAND_IN_SQL
from proxy.wire import backend, frontend
from proxy.wire.framing import HEADER_SIZE

from .talk import (
    CUSTOMERS_OID,
    EMAIL_COLUMNS,
    INSERT_DRAWN,
    SELECT_EMAIL,
    Talk,
    cell,
    columns,
    done,
    error_of,
    failed,
    hex_cell,
    query,
    ready,
    row,
    tags,
)


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return Talk(split=request.param)


def test_what_touches_nothing_passes_as_the_clients_own_bytes(talk: Talk) -> None:
    asked = query("select 1; /* two */ select 2")
    assert talk.client(asked) == [asked]
    answer = [columns(("a", 23, 0, 0)), row(b"1"), done(), columns(("b", 23, 0, 0)), row(b"2"), done(), ready()]
    assert talk.server(*answer) == answer
    assert talk.records == []


def test_cells_are_opened_and_told_as_their_logical_type(talk: Talk) -> None:
    assert talk.client(query("select email")) == [query("select id, email from public.customers")]
    told = talk.server(
        EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan@example.org")), row(b"8", None), done("SELECT 2"), ready()
    )
    assert tags(told) == "TDDCZ"
    described = backend.parse_row_description(told[0][HEADER_SIZE:])
    assert (described[1].type_oid, described[1].type_size, described[1].format) == (25, -1, 0)
    assert told[1] == row(b"7", b"ivan@example.org")
    assert told[2] == row(b"8", None)


def test_a_constant_is_sealed_for_each_execution(talk: Talk) -> None:
    (sent,) = talk.client(query("insert"))
    assert b"ivan@example.org".hex().encode() in sent  # the test's cipher hides nothing; the form is what counts
    assert sent.startswith(query("")[:1]) and b"values ('\\xf9670101" in sent
    assert talk.server(done("INSERT 0 1"), ready()) == [done("INSERT 0 1"), ready()]


def test_a_refusal_in_the_middle_fails_there_and_nowhere_else(talk: Talk) -> None:
    (sent,) = talk.client(query("select 1; refused; select 3"))
    assert frontend.parse_query(sent[HEADER_SIZE:]) == b"select 1;" + STAND_IN_SQL
    told = talk.server(columns(("a", 23, 0, 0)), row(b"1"), done(), failed(message=b"invalid input"), ready())
    assert tags(told) == "TDCEZ"
    assert error_of(told[3])[b"C"] == b"42501"
    assert b"customers.secret" in error_of(told[3])[b"M"]


@pytest.mark.parametrize("code", [b"25P02", b"57014", b"40001"])
def test_another_error_at_a_refused_position_is_the_servers_own(talk: Talk, code: bytes) -> None:
    talk.client(query("refused"))
    told = talk.server(failed(code, b"the server's words"), ready(b"E"))
    assert error_of(told[0])[b"C"] == code


def test_errors_over_protected_fields_carry_no_value(talk: Talk) -> None:
    talk.client(query("insert"))
    error = failed(
        b"23505",
        b'duplicate key value violates unique constraint "customers_fg_email_eq_key"',
        D=b"Key (fg_email_eq)=(secret) already exists.",
        H=b"secret",
        W=b"secret",
        q=b"secret",
        n=b"customers_fg_email_eq_key",
        P=b"4",
    )
    told = talk.server(error, ready())
    fields = error_of(told[0])
    assert b"secret" not in told[0]
    assert set(fields) == {b"S", b"V", b"C", b"n", b"M"}
    told = Talk_after(talk, failed(b"22P02", b'invalid input syntax for type integer: "secret"'))
    assert b"secret" not in told[0]


def Talk_after(talk: Talk, error: bytes) -> list[bytes]:  # noqa: N802
    talk.client(query("insert"))
    return talk.server(error, ready())


def test_errors_elsewhere_are_the_servers_own_to_the_byte(talk: Talk) -> None:
    talk.client(query("select 1/0"))
    error = failed(b"22012", b"division by zero", D=b"detail", P=b"9")
    assert talk.server(error, ready()) == [error, ready()]


def test_an_envelope_that_nobody_expects_is_an_error_and_never_bytes(talk: Talk) -> None:
    talk.client(query("select leak from elsewhere"))
    told = talk.server(columns(("leak", 17, 0, 0)), row(hex_cell(b"ivan@example.org")), done(), ready())
    assert tags(told) == "TEZ"
    assert error_of(told[1])[b"C"] == b"XX001"
    assert b"f967" not in b"".join(told)


def test_a_cell_whose_origin_is_another_column_is_not_opened(talk: Talk) -> None:
    talk.client(query("select email"))
    moved = columns(("id", 20, CUSTOMERS_OID, 1), ("email", 17, CUSTOMERS_OID, 3))
    told = talk.server(moved, row(b"7", hex_cell(b"ivan@example.org")), done(), ready())
    assert tags(told) == "EZ"
    assert b"ivan" not in b"".join(told)


def test_a_tampered_cell_fails_its_statement_alone_outside_a_transaction(talk: Talk) -> None:
    talk.client(query("select email"))
    told = talk.server(EMAIL_COLUMNS, row(b"7", b"\\x00ff"), row(b"8", hex_cell(b"x")), done("SELECT 2"), ready())
    assert tags(told) == "TEZ"
    assert error_of(told[1])[b"S"] == b"ERROR"
    assert talk.client(query("select 1")) == [query("select 1")]


def test_a_tampered_cell_beside_a_write_ends_the_session_for_the_write_stays(talk: Talk) -> None:
    talk.planner.plans["with w as (insert ...) select email"] = replace(SELECT_EMAIL, writes=True)
    talk.client(query("with w as (insert ...) select email"))
    told = talk.server(EMAIL_COLUMNS, row(b"7", b"\\x00ff"), done("SELECT 1"), ready())
    assert error_of(told[1])[b"S"] == b"FATAL"


def test_a_tampered_cell_inside_a_transaction_ends_the_session(talk: Talk) -> None:
    talk.client(query("begin"))
    talk.server(done("BEGIN"), ready(b"T"))
    talk.client(query("select email"))
    told = talk.server(EMAIL_COLUMNS, row(b"7", b"\\x00ff"), done("SELECT 1"), ready(b"T"))
    assert tags(told) == "TE"
    assert error_of(told[1])[b"S"] == b"FATAL"
    assert any(isinstance(c, CloseBoth) for c in talk.commands)


def test_an_escape_format_cell_is_understood() -> None:
    talk = Talk()
    talk.client(query("select email"))
    escaped = b"".join(b"\\%03o" % byte if byte < 32 or byte > 126 else bytes([byte]) for byte in cell(b"ivan"))
    told = talk.server(EMAIL_COLUMNS, row(b"7", escaped), done(), ready())
    assert told[1] == row(b"7", b"ivan")


def test_replies_wait_until_the_decision_is_durable() -> None:
    talk = Talk(durable_at_once=False)
    talk.client(query("select email"))
    assert talk.server(EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan")), done(), ready()) == []
    assert not talk.conversation.server_paused
    talk.conversation.audit_durable(talk.tickets[0])
    assert tags(talk.told()) == "TDCZ"


def test_while_replies_wait_the_server_is_read_only_so_far() -> None:
    talk = Talk(durable_at_once=False)
    talk.client(query("select email"))
    some = row(b"7", hex_cell(b"i" * 1000)) * 10
    given = 0
    while not talk.conversation.server_paused:
        assert talk.server(some if given else EMAIL_COLUMNS) == []
        given += len(some)
        assert given < 200_000
    talk.conversation.audit_durable(talk.tickets[0])
    assert set(tags(talk.told())) == {"T", "D"}
    assert not talk.conversation.server_paused


def test_a_record_names_fields_and_verbs_and_no_value() -> None:
    talk = Talk()
    talk.client(query("insert"))
    (record,) = talk.records
    assert record["fields"] == {"public.customers.email": ["insert"]}
    assert record["decision"] == "allow"
    assert "ivan" not in repr(record)


def test_a_refusal_is_recorded_as_denied() -> None:
    talk = Talk()
    talk.client(query("refused"))
    assert [r["decision"] for r in talk.records] == ["deny"]


def test_without_an_audit_sink_protected_fields_are_refused_and_the_rest_works() -> None:
    talk = Talk(audit=False)
    (sent,) = talk.client(query("select email"))
    assert frontend.parse_query(sent[HEADER_SIZE:]) == STAND_IN_SQL
    told = talk.server(failed(), ready())
    assert error_of(told[0])[b"C"] == b"58030"
    assert talk.client(query("select 1")) == [query("select 1")]


def test_a_record_that_cannot_be_written_ends_the_session_without_data() -> None:
    talk = Talk(durable_at_once=False)
    talk.client(query("select email"))
    talk.server(EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan")), done(), ready())
    talk.conversation.audit_failed(talk.tickets[0])
    told = talk.told()
    assert tags(told) == "E"
    assert error_of(told[0])[b"C"] == b"58030"


def test_setting_the_purpose_never_reaches_the_server(talk: Talk) -> None:
    (sent,) = talk.client(query("set purpose"))
    assert frontend.parse_query(sent[HEADER_SIZE:]) == SET_STAND_IN_SQL
    talk.server(done("SET"), ready())
    talk.client(query("select email"))
    assert talk.planner.contexts[-1].principal.purpose == "audit"


def test_a_function_call_is_refused_with_the_servers_effect(talk: Talk) -> None:
    (sent,) = talk.client(frontend.build_function_call(2200, (), (b"secret",), 0))
    assert b"secret" not in sent
    told = talk.server(failed(b"42883", b"function with OID 0 does not exist"), ready())
    assert tags(told) == "EZ"
    assert error_of(told[0])[b"C"] == b"0A000"


def test_a_row_key_is_drawn_before_the_statement_is_sent() -> None:
    talk = Talk()
    talk.planner.plans["insert bound"] = INSERT_DRAWN
    asked = query("insert bound")
    assert talk.client(asked, query("select 1")) == []
    assert talk.commands == [DrawKeys({'"public"."customers_id_seq"': 1})]
    assert talk.conversation.client_paused
    talk.keys['"public"."customers_id_seq"'] = [b"42"]
    talk.conversation.keys_drawn()
    sent = talk.sent()
    assert tags(sent) == "QQ"
    assert b"values ('42'::pg_catalog.int8, '\\xf967" in sent[0]
    assert not talk.conversation.client_paused


def test_without_a_key_nothing_is_sent_and_the_session_ends() -> None:
    talk = Talk()
    talk.planner.plans["insert bound"] = INSERT_DRAWN
    talk.client(query("insert bound"))
    talk.conversation.keys_unavailable()
    assert tags(talk.sent()) == "X"
    assert error_of(talk.told()[0])[b"S"] == b"FATAL"


def test_what_ran_before_a_refusal_is_recorded_as_allowed() -> None:
    talk = Talk(durable_at_once=False)
    talk.client(query("select email; refused; insert"))
    assert [(r["decision"], r["fields"]) for r in talk.records] == [
        ("allow", {"public.customers.email": ["read"]}),
        ("deny", {}),
    ]
    assert talk.server(EMAIL_COLUMNS, done("SELECT 0"), failed(), ready()) == []
    talk.conversation.audit_durable(talk.tickets[1])
    assert talk.told() == []
    talk.conversation.audit_durable(talk.tickets[0])
    assert tags(talk.told()) == "TCEZ"


@pytest.mark.parametrize(
    "report", [(b"standard_conforming_strings", b"off"), (b"client_encoding", b"SJIS")], ids=["strings", "encoding"]
)
def test_what_the_server_may_read_differently_is_refused_though_it_seems_to_touch_nothing(
    report: tuple[bytes, bytes],
) -> None:
    r"""With standard_conforming_strings off `'\', '` is one string, and what follows is no string but SQL."""
    talk = Talk()
    talk.server(backend.build_parameter_status(*report))
    for text in ("SELECT '\\', ', city FROM customers --'", "select 'ソ'"):
        (sent,) = talk.client(query(text))
        assert frontend.parse_query(sent[HEADER_SIZE:]) == STAND_IN_SQL
        assert error_of(talk.server(failed(), ready())[0])[b"C"] == b"0A000"
    assert talk.client(query("set standard_conforming_strings to on")) != []
