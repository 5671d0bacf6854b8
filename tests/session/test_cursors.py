"""DECLARE, FETCH, MOVE and CLOSE: rows of a cursor are opened by the plan that was made for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.session.refusals import STAND_IN_PORTAL, STAND_IN_SQL
from proxy.sql.plan import (
    SessionEffect,
)
from proxy.wire import backend, frontend
from proxy.wire.framing import HEADER_SIZE

from .named_plans import BOUND_COLUMNS, asked, did, new_rights, talking
from .talk import (
    BOUND,
    EMAIL_COLUMNS,
    NO_DATA,
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
    tags,
    utility,
)


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return talking(split=request.param)


def test_fetch_opens_rows_by_the_plan_of_declare(talk: Talk) -> None:
    did(talk, "begin; declare c", "BEGIN", "DECLARE CURSOR")
    assert talk.client(query("fetch c")) == [query("fetch c")]
    told = talk.server(EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan")), done("FETCH 1"), ready(b"T"))
    assert [field.type_oid for field in backend.parse_row_description(told[0][HEADER_SIZE:])] == [20, 25]
    assert told[1] == row(b"7", b"ivan")
    assert [record["decision"] for record in talk.records] == ["allow", "allow"]


def test_fetch_strips_what_declare_put_in(talk: Talk) -> None:
    did(talk, "begin; declare bound", "BEGIN", "DECLARE CURSOR")
    talk.client(query("fetch c"))
    told = talk.server(BOUND_COLUMNS, row(hex_cell(b"ivan"), b"7"), done("FETCH 1"), ready(b"T"))
    assert told[1] == row(b"ivan")


def test_fetch_from_a_binary_cursor_is_binary(talk: Talk) -> None:
    did(talk, "begin; declare bound", "BEGIN", "DECLARE CURSOR")
    talk.client(query("fetch c"))
    fields = [replace(f, format=1) for f in backend.parse_row_description(BOUND_COLUMNS[HEADER_SIZE:])]
    key = (7).to_bytes(8, "big")
    told = talk.server(backend.build_row_description(fields), row(cell(b"ivan"), key), done("FETCH 1"), ready(b"T"))
    assert [(f.type_oid, f.format) for f in backend.parse_row_description(told[0][HEADER_SIZE:])] == [(25, 1)]
    assert told[1] == row(b"ivan")


def test_fetch_in_the_extended_protocol(talk: Talk) -> None:
    did(talk, "begin; declare bound", "BEGIN", "DECLARE CURSOR")
    sent = talk.client(parse("fetch c"), bind(), execute(), SYNC)
    assert tags(sent) == "PBDES"
    assert frontend.parse_bind(sent[1][HEADER_SIZE:]).result_formats == (1, 1)
    key = (7).to_bytes(8, "big")
    told = talk.server(PARSED, BOUND, BOUND_COLUMNS, row(cell(b"ivan"), key), done("FETCH 1"), ready(b"T"))
    assert tags(told) == "12DCZ"
    assert told[2] == row(b"ivan")


def test_describe_of_a_cursor_tells_logical_types(talk: Talk) -> None:
    did(talk, "begin; declare bound", "BEGIN", "DECLARE CURSOR")
    talk.client(describe(b"P", b"c"), SYNC)
    told = talk.server(BOUND_COLUMNS, ready(b"T"))
    assert [f.type_oid for f in backend.parse_row_description(told[0][HEADER_SIZE:])] == [25]


def test_execute_of_a_declared_portal_gets_text(talk: Talk) -> None:
    did(talk, "begin; declare bound", "BEGIN", "DECLARE CURSOR")
    sent = talk.client(execute(b"c"), SYNC)
    assert tags(sent) == "DES"
    told = talk.server(BOUND_COLUMNS, row(hex_cell(b"ivan"), b"7"), done(), ready(b"T"))
    assert told[0] == row(b"ivan")


def test_fetch_from_a_portal_that_bind_made(talk: Talk) -> None:
    talk.client(query("begin"), parse("select email", b"s"), bind(name=b"s", portal=b"c", results=(1,)), SYNC)
    talk.server(done("BEGIN"), ready(b"T"), PARSED, BOUND, ready(b"T"))
    assert talk.client(query("fetch c")) == [query("fetch c")]
    told = talk.server(EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan")), done("FETCH 1"), ready(b"T"))
    assert told[1] == row(b"7", b"ivan")


def test_move_is_accounted_for_and_shows_nothing(talk: Talk) -> None:
    did(talk, "begin; declare bound", "BEGIN", "DECLARE CURSOR")
    talk.client(query("move c"))
    assert tags(talk.server(done("MOVE 1"), ready(b"T"))) == "CZ"
    assert len(talk.records) == 2


def test_a_cursor_that_nobody_knows_is_the_servers_business(talk: Talk) -> None:
    assert talk.client(query("fetch c")) == [query("fetch c")]
    told = talk.server(failed(b"34000", b'cursor "c" does not exist'), ready())
    assert error_of(told[0])[b"M"] == b'cursor "c" does not exist'


def test_a_cursor_whose_rights_changed_gives_nothing_more(talk: Talk) -> None:
    did(talk, "begin; declare c", "BEGIN", "DECLARE CURSOR")
    new_rights(talk, declare_c=talk.planner.plans["refused"])
    assert asked(talk.client(query("fetch c"))[0]) == STAND_IN_SQL
    assert error_of(talk.server(failed(), ready(b"E"))[0])[b"C"] == b"42501"


def test_a_cursor_over_somebody_elses_rows_gives_nothing(talk: Talk) -> None:
    """Its plan is the same for everybody, but not whose rows it has found."""
    talk.planner.plans["set subject"] = utility("set", SessionEffect.FIELDGATE, "fieldgate.subject=8")
    did(talk, "begin; declare own", "BEGIN", "DECLARE CURSOR")
    talk.client(query("fetch own"))
    talk.server(EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan")), done("FETCH 1"), ready(b"T"))
    did(talk, "set subject", "SET")
    assert asked(talk.client(query("fetch own"))[0]) == STAND_IN_SQL


def test_a_cursor_declared_twice_keeps_its_first_meaning(talk: Talk) -> None:
    did(talk, "begin; declare bound", "BEGIN", "DECLARE CURSOR")
    sent = talk.client(query("declare other"), query("fetch c"))
    assert len(sent) == 1 and talk.conversation.client_paused
    talk.server(failed(b"42P03", b'cursor "c" already exists'), ready(b"E"))
    assert talk.sent() == [query("fetch c")]
    told = talk.server(BOUND_COLUMNS, row(hex_cell(b"ivan"), b"7"), done("FETCH 1"), ready(b"T"))
    assert told[1] == row(b"ivan")


def test_a_fetch_whose_cursor_is_another_by_now_is_refused(talk: Talk) -> None:
    did(talk, "begin; declare bound", "BEGIN", "DECLARE CURSOR")
    talk.client(parse("fetch c"), bind(portal=b"p"), SYNC)
    talk.server(PARSED, BOUND, ready(b"T"))
    did(talk, "close c; declare other", "CLOSE CURSOR", "DECLARE CURSOR")
    sent = talk.client(execute(b"p"), SYNC)
    assert frontend.parse_execute(sent[0][HEADER_SIZE:]).portal == STAND_IN_PORTAL


def test_a_prepared_fetch_follows_its_cursor_at_bind(talk: Talk) -> None:
    did(talk, "begin; declare c", "BEGIN", "DECLARE CURSOR")
    talk.client(parse("fetch c", b"n"), describe(b"S", b"n"), SYNC)
    talk.server(PARSED, b"t\0\0\0\x06\0\0", EMAIL_COLUMNS, ready(b"T"))
    did(talk, "close c; declare bound", "CLOSE CURSOR", "DECLARE CURSOR")
    sent = talk.client(bind(name=b"n"), execute(), SYNC)
    assert tags(sent) == "BDES"
    key = (7).to_bytes(8, "big")
    told = talk.server(BOUND, BOUND_COLUMNS, row(cell(b"ivan"), key), done("FETCH 1"), ready(b"T"))
    assert told[1] == row(b"ivan")


def test_a_fetch_bound_before_its_cursor_was_declared_is_refused(talk: Talk) -> None:
    did(talk, "begin", "BEGIN")
    talk.client(parse("fetch c"), bind(), describe(b"P"), SYNC)
    talk.server(PARSED, BOUND, NO_DATA, ready(b"T"))
    talk.client(parse("declare c", b"d"), bind(name=b"d", portal=b"d"), execute(b"d"), SYNC)
    talk.server(PARSED, BOUND, done("DECLARE CURSOR"), ready(b"T"))
    sent = talk.client(execute(), SYNC)
    assert frontend.parse_execute(sent[0][HEADER_SIZE:]).portal == STAND_IN_PORTAL


@pytest.mark.parametrize("script", ["close c", "close all", "discard all"])
def test_a_closed_cursor_is_forgotten(talk: Talk, script: str) -> None:
    did(talk, "begin; declare held", "BEGIN", "DECLARE CURSOR")
    did(talk, script, "CLOSE CURSOR")
    assert len(talk.records) == 1
    talk.client(query("fetch c"))
    talk.server(failed(b"34000", b'cursor "c" does not exist'), ready(b"E"))
    assert len(talk.records) == 1, "nothing protected is fetched"


def test_a_held_cursor_outlives_its_transaction(talk: Talk) -> None:
    did(talk, "declare held", "DECLARE CURSOR", status=b"I")
    did(talk, "select 1", "SELECT 1", status=b"I")
    talk.client(query("fetch c"))
    told = talk.server(EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan")), done("FETCH 1"), ready())
    assert told[1] == row(b"7", b"ivan")


def test_other_cursors_end_with_it(talk: Talk) -> None:
    did(talk, "begin; declare c", "BEGIN", "DECLARE CURSOR")
    did(talk, "rollback", "ROLLBACK", status=b"I")
    talk.client(query("fetch c"))
    assert len(talk.records) == 1


def test_nobody_fetches_without_the_audit_sink(talk: Talk) -> None:
    did(talk, "begin; declare c", "BEGIN", "DECLARE CURSOR")
    talk.audit = False
    assert asked(talk.client(query("fetch c"))[0]) == STAND_IN_SQL
