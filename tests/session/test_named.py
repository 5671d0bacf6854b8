"""PREPARE, EXECUTE, DECLARE, FETCH, MOVE and CLOSE: what a name stands for is run by the plan that was made for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.session.refusals import STAND_IN_PORTAL, STAND_IN_SQL, STAND_IN_STATEMENT
from proxy.sql.plan import (
    Argument,
    SessionEffect,
    Slot,
    SlotKind,
    StatementKind,
    StatementPlan,
    Written,
)
from proxy.wire import backend, frontend
from proxy.wire.framing import HEADER_SIZE

from .talk import (
    BOUND,
    BOUND_EMAIL,
    CLOSED,
    CUSTOMERS_OID,
    EMAIL_COLUMNS,
    FIND_EMAIL,
    INSERT_CONSTANT,
    INSERT_DRAWN,
    NO_DATA,
    PARSED,
    SELECT_EMAIL,
    SYNC,
    Talk,
    bind,
    catalog,
    cell,
    close,
    columns,
    describe,
    done,
    error_of,
    execute,
    failed,
    hex_cell,
    keeping,
    parse,
    query,
    ready,
    row,
    running,
    tags,
    utility,
)

IVAN = Argument(b"'ivan'", Written.STRING, b"ivan")
FIVE = Argument(b"2 + 3")
TERM = b"'\\x" + b"ivan............".hex().encode() + b"'"
BOUND_COLUMNS = columns(("email", 17, CUSTOMERS_OID, 2), ("id", 20, CUSTOMERS_OID, 1))
OWN_ROWS = StatementPlan(
    StatementKind.UTILITY,
    (b"declare own cursor for select id from customers where id = ", 0),
    slots=(Slot(SlotKind.PRINCIPAL, attribute="subject"),),
    touches_protected=True,
    uses=SELECT_EMAIL.uses,
    effect=SessionEffect.DECLARES,
    effect_value="own",
)


def rows_of(plan: StatementPlan) -> StatementPlan:
    return replace(plan, segments=(), slots=(), client_parameters=0, parameter_types=())


def declaring(text: str, name: str, kept: StatementPlan, **more: object) -> StatementPlan:
    """A DECLARE with uses of its own, as the planner makes it."""
    made = keeping(text, SessionEffect.DECLARES, name, rows_of(kept), **more)  # type: ignore[arg-type]
    return replace(made, touches_protected=True, uses=kept.uses)


PLANS = {
    "prepare email": keeping("select email", SessionEffect.PREPARES, "e", SELECT_EMAIL),
    "prepare find": keeping("find email", SessionEffect.PREPARES, "f", FIND_EMAIL),
    "prepare insert": keeping("insert", SessionEffect.PREPARES, "i", INSERT_CONSTANT),
    "prepare drawn": keeping("drawn", SessionEffect.PREPARES, "d", INSERT_DRAWN),
    "execute e": running("execute e", SessionEffect.RUNS_STATEMENT, "e"),
    "execute f": running("execute f('ivan', 2 + 3)", SessionEffect.RUNS_STATEMENT, "f", IVAN, FIVE),
    "execute i": running("execute i", SessionEffect.RUNS_STATEMENT, "i"),
    "execute d": running("execute d", SessionEffect.RUNS_STATEMENT, "d"),
    "execute s": running("execute s('ivan', 2 + 3)", SessionEffect.RUNS_STATEMENT, "s", IVAN, FIVE),
    "execute one": running("execute f('ivan')", SessionEffect.RUNS_STATEMENT, "f", IVAN),
    "execute worked": running("execute f(lower('X'), 1)", SessionEffect.RUNS_STATEMENT, "f", FIVE, FIVE),
    "explain execute e": utility("explain execute e", SessionEffect.RUNS_STATEMENT, "e"),
    "deallocate f": utility("deallocate f", SessionEffect.DEALLOCATE, "f"),
    "drawn": INSERT_DRAWN,
    "declare c": declaring("declare c", "c", SELECT_EMAIL),
    "declare other": declaring("declare other", "c", FIND_EMAIL),
    "declare bound": declaring("declare bound", "c", BOUND_EMAIL),
    "declare held": declaring("declare held", "c", SELECT_EMAIL, held=True),
    "declare own": replace(OWN_ROWS, keeps=declaring("declare own", "own", SELECT_EMAIL).keeps),
    "fetch c": running("fetch c", SessionEffect.RUNS_PORTAL, "c"),
    "fetch own": running("fetch own", SessionEffect.RUNS_PORTAL, "own"),
    "move c": replace(running("move c", SessionEffect.RUNS_PORTAL, "c"), returns_rows=False),
    "close c": utility("close c", SessionEffect.CLOSES, "c"),
    "close all": utility("close all", SessionEffect.CLOSES),
}


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    made = Talk(split=request.param)
    made.planner.plans |= PLANS
    return made


def asked(message: bytes) -> bytes:
    assert message[:1] == b"Q"
    return frontend.parse_query(message[HEADER_SIZE:])


def did(talk: Talk, text: str, *tags_of_commands: str, status: bytes = b"T") -> None:
    """A Query that goes well."""
    talk.client(query(text))
    talk.server(*(done(tag) for tag in tags_of_commands), ready(status))


def new_rights(talk: Talk, **plans: StatementPlan) -> None:
    """Another revision, under which these texts are planned otherwise."""
    talk.planner.plans |= {name.replace("_", " "): plan for name, plan in plans.items()}
    talk.revision = type(talk.revision)(catalog(version=2), talk.revision.decisions, talk.revision.ciphers)


# -- EXECUTE


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


# -- cursors


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


# -- names


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
