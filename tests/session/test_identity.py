"""`SET fieldgate.*`: who a session acts for changes when the statement runs, by the policy's rules, and not before."""

from __future__ import annotations

from policies.audit.events import decode, encode
from proxy.session.refusals import RESET_STAND_IN_SQL, STAND_IN_SQL
from proxy.sql.plan import SessionEffect, Slot, SlotKind, StatementKind, StatementPlan
from proxy.wire import frontend
from proxy.wire.framing import HEADER_SIZE

from .talk import (
    BOUND,
    PARSED,
    PASS_ID,
    READ_EMAIL,
    SUSPENDED,
    SYNC,
    Talk,
    bind,
    catalog,
    done,
    error_of,
    execute,
    failed,
    parse,
    query,
    ready,
    row,
    tags,
    utility,
)


def purpose(talk: Talk) -> str:
    """Under which purpose the next statement is planned."""
    talk.client(query("select 1"))
    talk.server(done(), ready())
    return talk.planner.contexts[-1].principal.purpose


def test_a_purpose_that_the_policy_does_not_know_is_refused() -> None:
    talk = Talk()
    plan = utility("set fieldgate.purpose = 'unheard of'", SessionEffect.FIELDGATE, "fieldgate.purpose=unheard of")
    talk.planner.plans["set unheard"] = plan
    (sent,) = talk.client(query("set unheard"))
    assert frontend.parse_query(sent[HEADER_SIZE:]) == STAND_IN_SQL
    assert b"register" in error_of(talk.server(failed(), ready())[0])[b"M"]
    assert purpose(talk) == "support_service"
    talk.client(parse("set unheard"), bind(), execute(), SYNC)
    assert b"register" in error_of(talk.server(failed(), ready())[0])[b"M"]
    assert purpose(talk) == "support_service"


def test_a_set_that_the_server_never_got_to_changes_nothing() -> None:
    talk = Talk()
    talk.client(query("select boom; set purpose"))
    talk.server(failed(b"42703", b"no"), ready())
    assert purpose(talk) == "support_service"
    talk.client(parse("select boom"), parse("set purpose"), bind(), execute(), SYNC)
    talk.server(failed(b"42703", b"no"), ready())
    assert purpose(talk) == "support_service"
    talk.client(parse("set purpose"), bind(), execute(), SYNC)
    talk.server(PARSED, BOUND, done("SET"), ready())
    assert purpose(talk) == "audit"


def test_discard_all_forgets_whom_the_session_acted_for() -> None:
    """Poolers give the session to somebody else after it."""
    talk = Talk()
    talk.client(query("set purpose"))
    talk.server(done("SET"), ready())
    assert purpose(talk) == "audit"
    talk.client(query("discard all"))
    talk.server(done("DISCARD ALL"), ready())
    assert purpose(talk) == "support_service"


def test_the_record_names_the_data_subject_whom_a_session_speaks_for() -> None:
    talk = Talk()
    plan = utility("set fieldgate.subject = '42'", SessionEffect.FIELDGATE, "fieldgate.subject=42")
    talk.planner.plans["set subject"] = plan
    for text, answer in (("insert", "INSERT 0 1"), ("set subject", "SET"), ("insert", "INSERT 0 1")):
        talk.client(query(text))
        talk.server(done(answer), ready())
    assert [record["subject"] for record in talk.records] == [None, "42"]
    for record in talk.records:
        assert decode(encode(record)) == record


def new_policy(talk: Talk) -> None:
    talk.revision = type(talk.revision)(catalog(version=2), talk.revision.decisions, talk.revision.ciphers)


def test_a_new_policy_gives_an_open_session_its_new_roles() -> None:
    talk = Talk()
    talk.client(parse("select email", b"s"), SYNC)
    talk.server(PARSED, ready())
    talk.roles = frozenset({"guest"})
    new_policy(talk)
    talk.client(bind(name=b"s"), execute(), SYNC)
    assert talk.planner.contexts[-1].principal.roles == frozenset({"guest"})


def test_who_may_not_be_any_more_what_they_were_gets_no_protected_data() -> None:
    talk = Talk()
    talk.unknown_purpose = "support_service"
    new_policy(talk)
    (sent,) = talk.client(query("select email"))
    assert frontend.parse_query(sent[HEADER_SIZE:]) == STAND_IN_SQL
    talk.server(failed(), ready())
    assert talk.client(query("select 1")) == [query("select 1")]


def test_reset_is_answered_as_reset_and_goes_back_to_the_login() -> None:
    talk = Talk()
    talk.client(query("set purpose"))
    talk.server(done("SET"), ready())
    assert purpose(talk) == "audit"
    assert talk.client(query("reset purpose")) == [query(RESET_STAND_IN_SQL.decode())]
    assert talk.server(done("RESET"), ready()) == [done("RESET"), ready()]
    assert purpose(talk) == "support_service"
    assert frontend.parse_parse(talk.client(parse("reset purpose"))[0][HEADER_SIZE:]).query == RESET_STAND_IN_SQL


OWN_ROWS = StatementPlan(
    StatementKind.SELECT,
    (b"select id from customers where id = ", 0),
    slots=(Slot(SlotKind.PRINCIPAL, attribute="subject"),),
    outputs=(PASS_ID,),
    returns_rows=True,
    touches_protected=True,
    uses=READ_EMAIL,
)


def half_read() -> Talk:
    """A portal with a row filter, of which one row was read in a transaction."""
    talk = Talk()
    talk.planner.plans |= {
        "own rows": OWN_ROWS,
        "set subject": utility("set fieldgate.subject = '8'", SessionEffect.FIELDGATE, "fieldgate.subject=8"),
    }
    talk.client(parse("own rows", b"o"), bind(name=b"o", portal=b"p"), execute(b"p", 1), SYNC)
    talk.server(PARSED, BOUND, row(b"7"), SUSPENDED, ready(b"T"))
    return talk


def test_rows_that_were_chosen_for_one_are_not_shown_for_another() -> None:
    talk = half_read()
    talk.client(query("set subject"))
    talk.server(done("SET"), ready(b"T"))
    (refused, _) = talk.client(execute(b"p"), SYNC)
    assert b"refused" in refused
    told = talk.server(failed(b"34000"), ready(b"E"))
    assert error_of(told[0])[b"C"] == b"42501" and b"has changed" in error_of(told[0])[b"M"]
    assert [(r["subject"], r["decision"]) for r in talk.records] == [(None, "allow"), ("8", "deny")]


def test_a_portal_is_not_made_another_s_by_binding_its_statement_again() -> None:
    talk = half_read()
    talk.client(query("set subject"))
    talk.server(done("SET"), ready(b"T"))
    assert tags(talk.client(bind(name=b"o"), execute(), execute(b"p"), SYNC)) == "BEES"
    told = talk.server(BOUND, row(b"8"), done(), failed(b"34000"), ready(b"E"))
    assert b"has changed" in error_of(told[3])[b"M"]


def test_another_purpose_does_not_end_a_portal_whose_rows_are_the_same() -> None:
    talk = half_read()
    talk.client(query("set purpose"))
    talk.server(done("SET"), ready(b"T"))
    assert talk.client(execute(b"p"), SYNC) == [execute(b"p"), SYNC]
