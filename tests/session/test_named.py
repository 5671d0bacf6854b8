"""PREPARE and EXECUTE: what a name stands for is run by the plan that was made for it."""

from __future__ import annotations

import pytest

from proxy.session.refusals import STAND_IN_PORTAL, STAND_IN_SQL, STAND_IN_STATEMENT
from proxy.sql.plan import (
    SessionEffect,
)
from proxy.wire import backend, frontend
from proxy.wire.framing import HEADER_SIZE

from .named_plans import FIVE, IVAN, TERM, asked, did, new_rights, talking
from .talk import (
    BOUND,
    BOUND_EMAIL,
    CLOSED,
    EMAIL_COLUMNS,
    PARSED,
    SYNC,
    Talk,
    bind,
    cell,
    close,
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
    running,
    tags,
)


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return talking(split=request.param)


def test_execute_seals_what_meets_a_sealed_field_and_leaves_the_rest(talk: Talk) -> None:
    did(talk, "prepare find", "PREPARE", status=b"I")
    (sent,) = talk.client(query("execute f"))
    assert asked(sent) == b'EXECUTE "f" (' + TERM + b", 2 + 3)"
    talk.server(columns(("id", 20, 0, 0)), row(b"7"), done(), ready())
    assert [record["kind"] for record in talk.records] == ["select"]


def test_rows_of_execute_are_opened_by_the_plan_that_prepare_made(talk: Talk) -> None:
    did(talk, "prepare email", "PREPARE", status=b"I")
    assert talk.client(query("execute e")) == [query("execute e")]
    told = talk.server(EMAIL_COLUMNS, row(b"7", hex_cell(b"ivan")), done(), ready())
    assert [field.type_oid for field in backend.parse_row_description(told[0][HEADER_SIZE:])] == [20, 25]
    assert told[1] == row(b"7", b"ivan")


def test_constants_inside_prepare_are_sealed_at_each_execute(talk: Talk) -> None:
    (sent,) = talk.client(query("prepare insert"))
    assert b"ivan" not in sent
    talk.server(done("PREPARE"), ready())
    (sent,) = talk.client(query("execute i"))
    assert asked(sent) == b'EXECUTE "i" (' + b"'" + hex_cell(b"ivan@example.org") + b"')"


def test_execute_of_what_parse_made_is_sealed_too(talk: Talk) -> None:
    talk.client(parse("find email", b"s"), SYNC)
    talk.server(PARSED, ready())
    (sent,) = talk.client(query("execute s"))
    assert asked(sent) == b'EXECUTE "s" (' + TERM + b", 2 + 3)"


def test_bind_of_what_prepare_made_is_sealed_too(talk: Talk) -> None:
    did(talk, "prepare find", "PREPARE", status=b"I")
    sent = talk.client(bind(b"ivan", b"5", name=b"f"), execute(), SYNC)
    assert frontend.parse_bind(sent[0][HEADER_SIZE:]).values == (b"ivan............", b"5")


@pytest.mark.parametrize(
    ("text", "code"), [("execute one", b"42601"), ("execute worked", b"0A000"), ("explain execute e", b"0A000")]
)
def test_what_cannot_be_executed_is_refused(talk: Talk, text: str, code: bytes) -> None:
    did(talk, "prepare find", "PREPARE", status=b"I")
    did(talk, "prepare email", "PREPARE", status=b"I")
    (sent,) = talk.client(query(text))
    assert asked(sent) == STAND_IN_SQL
    assert error_of(talk.server(failed(), ready())[0])[b"C"] == code
    assert [record["decision"] for record in talk.records] == ["deny"]


@pytest.mark.parametrize("script", ["execute f", "prepare find; deallocate f; execute f"])
def test_values_for_a_name_that_nobody_knows_stay_here(talk: Talk, script: str) -> None:
    (sent,) = talk.client(query(script))
    assert b"ivan" not in sent and STAND_IN_SQL in sent
    before = [done("PREPARE"), done("DEALLOCATE")] if ";" in script else []
    told = talk.server(*before, failed(), ready())
    assert error_of(told[-2])[b"C"] == b"26000"


def test_a_query_that_prepares_and_executes_knows_its_own_names(talk: Talk) -> None:
    (sent,) = talk.client(query("prepare find; execute f"))
    assert asked(sent).endswith(b'EXECUTE "f" (' + TERM + b", 2 + 3)")


def test_what_a_query_would_have_prepared_behind_its_failure_is_not_known(talk: Talk) -> None:
    talk.client(query("select 1; prepare find"))
    talk.server(failed(b"22012", b"division by zero"), ready())
    assert asked(talk.client(query("execute f"))[0]) == STAND_IN_SQL


def test_what_stands_behind_a_refused_statement_is_not_sent(talk: Talk) -> None:
    did(talk, "prepare find", "PREPARE", status=b"I")
    (sent,) = talk.client(query("refused; execute f"))
    assert asked(sent) == STAND_IN_SQL


def test_drawn_keys_are_waited_for_with_nothing_changed(talk: Talk) -> None:
    assert talk.client(query("prepare drawn; execute d")) == []
    assert talk.conversation.client_paused
    talk.keys['"public"."customers_id_seq"'] = [b"41"]
    talk.conversation.keys_drawn()
    (sent,) = talk.sent()
    assert asked(sent).endswith(b"EXECUTE \"d\" ('41', '" + hex_cell(b"ivan") + b"')")


def test_a_statement_whose_rights_changed_is_refused_at_execute(talk: Talk) -> None:
    did(talk, "prepare email", "PREPARE", status=b"I")
    new_rights(talk, select_email=talk.planner.plans["refused"])
    assert asked(talk.client(query("execute e"))[0]) == STAND_IN_SQL
    assert error_of(talk.server(failed(), ready())[0])[b"C"] == b"42501"


def test_a_statement_whose_names_mean_something_else_is_refused_at_execute(talk: Talk) -> None:
    did(talk, "prepare email", "PREPARE", status=b"I")
    did(talk, "set path", "SET", status=b"I")
    talk.planner.plans["select email"] = BOUND_EMAIL
    (sent,) = talk.client(query("execute e"))
    assert asked(sent) == STAND_IN_SQL
    assert error_of(talk.server(failed(), ready())[0])[b"H"] == b"Prepare it again."


def test_a_path_that_is_set_in_the_same_query_counts(talk: Talk) -> None:
    did(talk, "prepare email", "PREPARE", status=b"I")
    talk.planner.plans["select email"] = BOUND_EMAIL
    (sent,) = talk.client(query("set path; execute e"))
    assert asked(sent).endswith(STAND_IN_SQL)


# -- EXECUTE in the extended protocol


def test_execute_by_parse_is_sealed_and_opened(talk: Talk) -> None:
    did(talk, "prepare find", "PREPARE", status=b"I")
    sent = talk.client(parse("execute f"), bind(), execute(), SYNC)
    assert frontend.parse_parse(sent[0][HEADER_SIZE:]).query == b'EXECUTE "f" (' + TERM + b", 2 + 3)"
    assert tags(sent) == "PBES"


def test_execute_by_parse_asks_for_binary_cells(talk: Talk) -> None:
    did(talk, "prepare email", "PREPARE", status=b"I")
    sent = talk.client(parse("execute e"), bind(results=(0,)), describe(b"P"), execute(), SYNC)
    assert frontend.parse_bind(sent[1][HEADER_SIZE:]).result_formats == (0, 1)
    told = talk.server(PARSED, BOUND, EMAIL_COLUMNS, row(b"7", cell(b"ivan")), done(), ready())
    assert [field.type_oid for field in backend.parse_row_description(told[2][HEADER_SIZE:])] == [20, 25]
    assert told[3] == row(b"7", b"ivan")


def test_cells_in_the_text_of_execute_serve_one_bind(talk: Talk) -> None:
    did(talk, "prepare insert", "PREPARE", status=b"I")
    talk.client(parse("execute i", b"x"), bind(name=b"x"), execute(), SYNC)
    talk.server(PARSED, BOUND, done("INSERT 0 1"), ready())
    sent = talk.client(bind(name=b"x"), execute(), SYNC)
    assert tags(sent) == "CPBES"
    assert tags(talk.server(CLOSED, PARSED, BOUND, done("INSERT 0 1"), ready())) == "2CZ"


def test_terms_in_the_text_of_execute_serve_again(talk: Talk) -> None:
    did(talk, "prepare find", "PREPARE", status=b"I")
    talk.client(parse("execute f", b"x"), bind(name=b"x"), execute(), SYNC)
    talk.server(PARSED, BOUND, done(), ready())
    assert tags(talk.client(bind(name=b"x"), execute(), SYNC)) == "BES"


def test_a_name_that_stands_for_something_else_is_parsed_again(talk: Talk) -> None:
    did(talk, "prepare find", "PREPARE", status=b"I")
    talk.client(parse("execute f", b"x"), SYNC)
    talk.server(PARSED, ready())
    did(talk, "deallocate f; prepare find", "DEALLOCATE", "PREPARE", status=b"I")
    assert tags(talk.client(bind(name=b"x"), execute(), SYNC)) == "CPBES"


def test_a_name_that_changed_between_bind_and_execute_is_refused(talk: Talk) -> None:
    did(talk, "begin; prepare find", "BEGIN", "PREPARE")
    talk.client(parse("execute f"), bind(portal=b"p"), SYNC)
    talk.server(PARSED, BOUND, ready(b"T"))
    did(talk, "deallocate f; prepare find", "DEALLOCATE", "PREPARE")
    sent = talk.client(execute(b"p"), SYNC)
    assert frontend.parse_execute(sent[0][HEADER_SIZE:]).portal == STAND_IN_PORTAL


def test_an_unknown_name_in_execute_by_parse_is_refused_there(talk: Talk) -> None:
    sent = talk.client(parse("execute f", b"x"), bind(name=b"x"), execute(), SYNC)
    assert frontend.parse_parse(sent[0][HEADER_SIZE:]).query == STAND_IN_SQL
    assert error_of(talk.server(failed(), ready())[0])[b"C"] == b"26000"


def test_what_a_refused_parse_has_not_made_stays_unknown(talk: Talk) -> None:
    """The name is there for us until the answer comes, so the Bind waits for it."""
    talk.client(parse("execute f", b"x"), SYNC, query("prepare find"), bind(name=b"x"), SYNC)
    talk.server(failed(), ready(), done("PREPARE"), ready())
    assert frontend.parse_bind(talk.sent()[-2][HEADER_SIZE:]).statement == STAND_IN_STATEMENT


def test_a_failed_transaction_comes_before_a_value_that_does_not_fit(talk: Talk) -> None:
    did(talk, "begin; prepare find", "BEGIN", "PREPARE")
    talk.client(query("select 1"))
    talk.server(failed(b"22012", b"division by zero"), ready(b"E"))
    for values, code in (((b"\xff", b"5"), b"25P02"), ((b"only one",), b"08P01")):
        talk.client(bind(*values, name=b"f"), SYNC)
        told = talk.server(failed(b"26000", b"no such statement"), ready(b"E"))
        assert error_of(told[0])[b"C"] == code


def test_names_are_cut_where_the_server_cuts_them(talk: Talk) -> None:
    """Otherwise a longer name would be unknown to us and the protected statement to the server."""
    name = b"s" * 63
    talk.planner.plans["execute long"] = running(
        "execute long", SessionEffect.RUNS_STATEMENT, name.decode(), IVAN, FIVE
    )
    talk.client(parse("find email", name + b"-one"), SYNC)
    talk.server(PARSED, ready())
    assert b"ivan'" not in talk.client(query("execute long"))[0]
    talk.server(done(), ready())
    sent = talk.client(bind(b"ivan", b"5", name=name + b"-two"), SYNC)
    assert frontend.parse_bind(sent[0][HEADER_SIZE:]).values[0] == b"ivan............"
    talk.server(BOUND, ready())
    talk.client(close(b"S", name + b"-three"), SYNC)
    talk.server(CLOSED, ready())
    sent = talk.client(bind(b"ivan", b"5", name=name), SYNC)
    assert frontend.parse_bind(sent[0][HEADER_SIZE:]).statement == STAND_IN_STATEMENT
