"""The extended protocol through an analysed conversation: pipelines, errors, names, formats."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.model import Verb
from proxy.session.refusals import STAND_IN_SQL, STAND_IN_STATEMENT
from proxy.sql.plan import FieldUse
from proxy.wire import backend, frontend
from proxy.wire.framing import HEADER_SIZE

from .talk import (
    BOUND,
    CLOSED,
    CUSTOMERS_OID,
    EMAIL_COLUMNS,
    FLUSH,
    NO_DATA,
    PARSED,
    SELECT_EMAIL,
    SUSPENDED,
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
    parse,
    query,
    ready,
    row,
    tags,
)


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return Talk(split=request.param)


def test_what_touches_nothing_passes_as_it_is(talk: Talk) -> None:
    asked = [parse("select $1"), bind(b"1"), describe(b"P"), execute(), SYNC]
    assert talk.client(*asked) == asked
    answer = [PARSED, BOUND, columns(("a", 25, 0, 0)), row(b"1"), done(), ready()]
    assert talk.server(*answer) == answer


def test_a_cell_is_opened_in_the_format_that_bind_asked_for(talk: Talk) -> None:
    sent = talk.client(parse("select email"), bind(results=(0,)), describe(b"P"), execute(), SYNC)
    assert tags(sent) == "PBDES"
    assert frontend.parse_bind(sent[1][HEADER_SIZE:]).result_formats == (0, 1)  # cells always come in binary
    told = talk.server(PARSED, BOUND, EMAIL_COLUMNS, row(b"7", cell(b"ivan")), done(), ready())
    assert tags(told) == "12TDCZ"
    assert [f.format for f in backend.parse_row_description(told[2][HEADER_SIZE:])] == [0, 0]
    assert told[3] == row(b"7", b"ivan")


def test_a_client_that_never_describes_is_answered_by_a_description_of_our_own(talk: Talk) -> None:
    sent = talk.client(parse("select email"), bind(), execute(), SYNC)
    assert tags(sent) == "PBDES"
    told = talk.server(PARSED, BOUND, EMAIL_COLUMNS, row(b"7", cell(b"ivan")), done(), ready())
    assert tags(told) == "12DCZ"  # the description was ours alone
    again = talk.client(bind(), execute(), SYNC)
    assert tags(again) == "BES"
    assert tags(talk.server(BOUND, row(b"7", cell(b"ivan")), done(), ready())) == "2DCZ"


def test_parameters_are_sealed_and_described_in_the_clients_numbering(talk: Talk) -> None:
    sent = talk.client(
        parse("find email", b"s", (25, 20)), describe(b"S", b"s"), bind(b"ivan", b"5", name=b"s"), execute(), SYNC
    )
    assert frontend.parse_parse(sent[0][HEADER_SIZE:]).query.endswith(b"fg_email_eq = $1::pg_catalog.bytea and id > $2")
    assert frontend.parse_parse(sent[0][HEADER_SIZE:]).parameter_types == (0, 20)
    bound = frontend.parse_bind(sent[2][HEADER_SIZE:])
    assert bound.values == (b"ivan............", b"5")
    assert bound.parameter_formats == (1, 0)
    told = talk.server(
        PARSED,
        backend.build_parameter_description((17, 20)),
        columns(("id", 20, CUSTOMERS_OID, 1)),
        BOUND,
        row(b"7"),
        done(),
        ready(),
    )
    assert tags(told) == "1tT2DCZ"
    assert backend.parse_parameter_description(told[1][HEADER_SIZE:]) == (25, 20)


def test_undeclared_parameters_are_described_by_their_logical_type(talk: Talk) -> None:
    talk.client(parse("find email", b"s"), describe(b"S", b"s"), SYNC)
    told = talk.server(PARSED, backend.build_parameter_description((17, 20)), columns(("id", 20, 0, 0)), ready())
    assert backend.parse_parameter_description(told[1][HEADER_SIZE:]) == (25, 20)


def test_a_refused_parse_fails_there_and_the_rest_is_skipped_until_sync(talk: Talk) -> None:
    sent = talk.client(parse("refused", b"s"), bind(name=b"s"), execute(), SYNC, parse("select 1"), SYNC)
    assert frontend.parse_parse(sent[0][HEADER_SIZE:]).query == STAND_IN_SQL
    told = talk.server(failed(), ready(), PARSED, ready())
    assert tags(told) == "EZ1Z"
    assert error_of(told[0])[b"C"] == b"42501"


def test_nothing_that_follows_an_error_is_sent_before_sync(talk: Talk) -> None:
    """What the server would skip could hold a plaintext: it is not analysed, so it is not sent (I1)."""
    talk.client(parse("select boom"), FLUSH)
    told = talk.server(failed(b"42703", b"no such column"))
    assert tags(told) == "E"
    assert talk.client(parse("insert secret"), bind(b"secret"), query("select secret"), FLUSH) == []
    assert talk.client(SYNC) == [SYNC]
    assert tags(talk.server(ready())) == "Z"


def test_a_statement_that_failed_is_not_known_afterwards(talk: Talk) -> None:
    talk.client(parse("find email", b"s"), SYNC)
    assert tags(talk.server(failed(b"42601", b"syntax"), ready())) == "EZ"
    sent = talk.client(bind(b"plain", name=b"s"), SYNC)
    assert tags(sent) == "BS"
    assert b"plain" not in sent[0]  # nobody knows where the value would go
    told = talk.server(failed(b"26000", b"no such statement"), ready())
    assert error_of(told[0])[b"M"] == b'prepared statement "s" does not exist'


def test_a_failed_parse_does_not_take_back_a_later_one_of_the_same_name(talk: Talk) -> None:
    talk.client(parse("select boom", b"s"), SYNC, parse("find email", b"s"), SYNC)
    talk.server(failed(b"42703", b"no"), ready(), PARSED, ready())
    (sent, _) = talk.client(bind(b"ivan", b"5", name=b"s"), SYNC)
    assert frontend.parse_bind(sent[HEADER_SIZE:]).values[0] == b"ivan............"


def test_a_value_that_does_not_fit_is_refused_at_bind(talk: Talk) -> None:
    talk.client(parse("find email", b"s"), SYNC)
    talk.server(PARSED, ready())
    sent = talk.client(bind(b"\xff\xfe", b"5", name=b"s"), execute(), SYNC)
    assert frontend.parse_bind(sent[0][HEADER_SIZE:]).statement == STAND_IN_STATEMENT
    assert b"\xff\xfe" not in b"".join(sent)
    told = talk.server(failed(b"26000", b"no such statement"), ready())
    assert tags(told) == "EZ"
    assert error_of(told[0])[b"C"] == b"22021"


def test_suspended_portals_go_on_with_the_same_shape(talk: Talk) -> None:
    talk.client(parse("select email"), bind(), describe(b"P"), execute(rows=1), FLUSH)
    assert tags(talk.server(PARSED, BOUND, EMAIL_COLUMNS, row(b"7", cell(b"a")), SUSPENDED)) == "12TDs"
    talk.client(execute(rows=1), SYNC)
    told = talk.server(row(b"8", cell(b"b")), done(), ready())
    assert told[0] == row(b"8", b"b")


def test_deep_pipelines_answer_in_order() -> None:
    talk = Talk()
    asked: list[bytes] = []
    answer: list[bytes] = []
    expected: list[bytes] = []
    for number in range(300):
        value = b"%d" % number
        if number % 3 == 0:
            asked += [parse("select email"), bind(), describe(b"P"), execute(), SYNC]
            answer += [PARSED, BOUND, EMAIL_COLUMNS, row(value, cell(value)), done(), ready()]
            expected.append(row(value, value))
        else:
            asked += [query("select other")]
            answer += [columns(("a", 25, 0, 0)), row(value), done(), ready()]
            expected.append(row(value))
    talk.client(*asked)
    told = talk.server(*answer)
    assert [m for m in told if m[:1] == b"D"] == expected


def test_close_and_deallocated_names_are_forgotten(talk: Talk) -> None:
    talk.client(parse("find email", b"s"), SYNC)
    talk.server(PARSED, ready())
    talk.client(close(b"S", b"s"), SYNC)
    assert tags(talk.server(CLOSED, ready())) == "3Z"
    sent = talk.client(bind(b"secret", name=b"s"), SYNC)
    assert frontend.parse_bind(sent[0][HEADER_SIZE:]).statement == STAND_IN_STATEMENT
    assert b"secret" not in sent[0]


def test_a_simple_query_between_extended_messages_is_skipped_after_an_error(talk: Talk) -> None:
    talk.client(parse("select boom"), query("select email"), SYNC)
    told = talk.server(failed(b"42703", b"no"), ready())
    assert tags(told) == "EZ"


def test_copy_in_makes_the_server_ignore_sync(talk: Talk) -> None:
    talk.client(parse("copy t from stdin"), bind(), describe(b"P"), execute(), SYNC)
    copy_in = backend.build_copy_response(b"G", 0, (0,))
    assert tags(talk.server(PARSED, BOUND, NO_DATA, copy_in)) == "12nG"
    data = frontend.build_copy_data(b"1\n")
    assert talk.client(data, frontend.COPY_DONE, SYNC) == [data, frontend.COPY_DONE, SYNC]
    assert tags(talk.server(done("COPY 1"), ready())) == "CZ"
    assert talk.conversation.idle


def test_copy_data_may_come_before_the_server_asks_for_it(talk: Talk) -> None:
    data = frontend.build_copy_data(b"1\n")
    asked = [query("copy t from stdin"), data, frontend.COPY_DONE, query("select 1")]
    assert talk.client(*asked) == asked
    copy_in = backend.build_copy_response(b"G", 0, (0,))
    told = talk.server(copy_in, done("COPY 1"), ready(), columns(("a", 25, 0, 0)), done("SELECT 0"), ready())
    assert tags(told) == "GCZTCZ"
    assert talk.conversation.idle


def test_a_whole_copy_in_one_pipeline_answers_only_the_sync_behind_its_data(talk: Talk) -> None:
    data = frontend.build_copy_data(b"1\n")
    talk.client(parse("copy t from stdin"), bind(), execute(), SYNC, data, frontend.COPY_DONE, SYNC)
    told = talk.server(PARSED, BOUND, backend.build_copy_response(b"G", 0, (0,)), done("COPY 1"), ready())
    assert tags(told) == "12GCZ"
    assert talk.conversation.idle


def test_data_for_a_copy_that_was_refused_is_not_sent(talk: Talk) -> None:
    """It could hold plaintexts, and the server would only throw it away (I1)."""
    sent = talk.client(query("refused"), frontend.build_copy_data(b"secret"), frontend.COPY_DONE)
    assert tags(sent) == "Q"
    assert tags(talk.server(failed(), ready())) == "EZ"


def test_late_copy_data_after_the_servers_error_is_dropped(talk: Talk) -> None:
    talk.client(query("copy t from stdin"))
    talk.server(backend.build_copy_response(b"G", 0, (0,)))
    assert tags(talk.server(failed(b"22P04", b"bad"), ready())) == "EZ"
    assert talk.client(frontend.build_copy_data(b"1\n"), frontend.COPY_DONE) == []
    assert talk.conversation.idle


def test_a_new_revision_is_planned_again_at_bind(talk: Talk) -> None:
    talk.client(parse("select email", b"s"), SYNC)
    talk.server(PARSED, ready())
    refused = talk.planner.plans["refused"]
    talk.planner.plans["select email"] = refused
    talk.revision = type(talk.revision)(catalog(version=2), talk.revision.decisions, talk.revision.ciphers)
    sent = talk.client(bind(name=b"s"), execute(), SYNC)
    assert frontend.parse_bind(sent[0][HEADER_SIZE:]).statement == STAND_IN_STATEMENT
    assert error_of(talk.server(failed(b"26000", b"none"), ready())[0])[b"C"] == b"42501"


def test_a_new_text_is_parsed_again_upstream_unseen_by_the_client(talk: Talk) -> None:
    talk.client(parse("select email", b"s"), SYNC)
    talk.server(PARSED, ready())
    changed = replace(SELECT_EMAIL, segments=(b"select id, email from public.customers where true",))
    talk.planner.plans["select email"] = changed
    talk.revision = type(talk.revision)(catalog(version=2), talk.revision.decisions, talk.revision.ciphers)
    sent = talk.client(bind(name=b"s"), describe(b"P"), execute(), SYNC)
    assert tags(sent) == "CPBDES"
    told = talk.server(CLOSED, PARSED, BOUND, EMAIL_COLUMNS, row(b"7", cell(b"a")), done(), ready())
    assert tags(told) == "2TDCZ"


def test_search_path_is_part_of_what_a_plan_depends_on(talk: Talk) -> None:
    talk.client(query("set path"))
    talk.server(done("SET"), ready())
    talk.client(query("select email"))
    assert talk.planner.contexts[-1].search_path == ("other",)
    talk.server(EMAIL_COLUMNS, done(), ready())


def test_a_set_that_failed_does_not_change_the_path(talk: Talk) -> None:
    talk.client(parse("set path"), bind(), execute(), SYNC)
    talk.server(PARSED, BOUND, failed(b"22023", b"no"), ready())
    talk.client(query("select email"))
    assert talk.planner.contexts[-1].search_path == ("public",)


def test_a_rollback_returns_to_the_path_before(talk: Talk) -> None:
    talk.client(query("begin"))
    talk.server(done("BEGIN"), ready(b"T"))
    talk.client(query("set path"))
    talk.server(done("SET"), ready(b"T"))
    talk.client(query("rollback"))
    talk.server(done("ROLLBACK"), ready())
    talk.client(query("select 1"))
    assert talk.planner.contexts[-1].search_path == ("public",)


def test_a_reported_path_is_believed(talk: Talk) -> None:
    talk.server(backend.build_parameter_status(b"search_path", b'"$user", public'))
    talk.client(query("select 1"))
    assert talk.planner.contexts[-1].search_path == ("$user", "public")


def test_execution_is_recorded_each_time_and_waits() -> None:
    talk = Talk(durable_at_once=False)
    talk.client(parse("select email"), bind(), describe(b"P"), execute(), SYNC, bind(), execute(), SYNC)
    assert len(talk.tickets) == 2
    assert all(r["fields"] == {"public.customers.email": ["read"]} for r in talk.records)
    answer = (
        PARSED,
        BOUND,
        EMAIL_COLUMNS,
        row(b"7", cell(b"a")),
        done(),
        ready(),
        BOUND,
        EMAIL_COLUMNS,  # to a Describe of our own: the client's could have been lost to an error
        row(b"7", cell(b"a")),
        done(),
        ready(),
    )
    assert talk.server(*answer) == [], "what comes before the result waits with it, and is sent with it"
    talk.conversation.audit_durable(talk.tickets[0])
    assert tags(talk.told()) == "12TDCZ2"
    talk.conversation.audit_durable(talk.tickets[1])
    assert tags(talk.told()) == "DCZ"


def test_replies_that_nobody_asked_for_end_the_session() -> None:
    for unasked in (done(), row(b"1"), ready(), PARSED):
        talk = Talk()
        told = talk.server(unasked)
        assert tags(told) == "E"
        assert error_of(told[0])[b"C"] == b"08P01"
        assert talk.client(query("select 1")) == [frontend.TERMINATE]


def test_replies_in_the_wrong_order_end_the_session() -> None:
    talk = Talk()
    talk.client(parse("select 1"), bind(), SYNC)
    assert tags(talk.server(BOUND)) == "E"


def test_use_records_are_distinct() -> None:
    talk = Talk()
    talk.planner.plans["both"] = type(SELECT_EMAIL)(
        SELECT_EMAIL.kind,
        SELECT_EMAIL.segments,
        outputs=SELECT_EMAIL.outputs,
        returns_rows=True,
        touches_protected=True,
        uses=(FieldUse("public.customers.email", Verb.READ), FieldUse("public.customers.email", Verb.FILTER_EQ)),
    )
    talk.client(query("both"))
    assert talk.records[0]["fields"] == {"public.customers.email": ["filter_eq", "read"]}


def test_a_description_that_an_error_may_have_lost_is_not_relied_on(talk: Talk) -> None:
    talk.client(parse("select email", b"s"), SYNC)
    talk.server(PARSED, ready())
    lost = [bind(portal=b"taken", name=b"s"), describe(b"P", b"taken"), SYNC]
    sent = talk.client(*lost, bind(name=b"s"), execute(), SYNC)
    assert tags(sent) == "BDSBDES"
    answer = [failed(b"42P03", b"taken"), ready(), BOUND, EMAIL_COLUMNS, row(b"7", cell(b"a")), done(), ready()]
    told = talk.server(*answer)
    assert tags(told) == "EZ2DCZ"
    assert told[3] == row(b"7", b"a")


def test_a_tampered_cell_behind_a_write_of_the_same_batch_ends_the_session(talk: Talk) -> None:
    """An error would make the client believe that the write was rolled back, and Sync would commit it."""
    talk.client(parse("write something"), bind(), execute(), parse("select email"), bind(), execute(), SYNC)
    broken = row(b"7", b"\x00\xff")
    told = talk.server(PARSED, BOUND, done("INSERT 0 1"), PARSED, BOUND, EMAIL_COLUMNS, broken)
    assert error_of(told[-1])[b"S"] == b"FATAL"
    assert error_of(told[-1])[b"C"] == b"XX001"


def test_only_a_fatal_error_may_come_unasked(talk: Talk) -> None:
    told = talk.server(failed(b"57P01", b"going down", V=b"FATAL"))
    assert error_of(told[0])[b"C"] == b"57P01"
    told = Talk().server(failed(b"22000", b"\\xf9670101" + b"00" * 60))
    assert tags(told) == "E"
    assert error_of(told[0])[b"C"] == b"08P01"


def test_commit_leaves_a_reported_path_known(talk: Talk) -> None:
    """PostgreSQL 18 reports search_path; what it reported before counts when it says nothing new."""
    talk.server(backend.build_parameter_status(b"search_path", b"public"))
    talk.client(query("begin"), query("set path"))
    report = backend.build_parameter_status(b"search_path", b"other")
    talk.server(done("BEGIN"), ready(b"T"), done("SET"), report, ready(b"T"))
    talk.client(query("commit"))
    talk.server(done("COMMIT"), ready())
    talk.client(query("select 1"))
    assert talk.planner.contexts[-1].search_path == ("other",)


def test_a_path_that_an_implicit_transaction_lost_is_unknown(talk: Talk) -> None:
    talk.client(query("set path; select boom"))
    talk.server(done("SET"), failed(b"42703", b"no"), ready())
    talk.client(query("select 1"))
    assert talk.planner.contexts[-1].search_path is None


def test_the_users_own_schema_is_that_of_the_servers_role(talk: Talk) -> None:
    talk.server(backend.build_parameter_status(b"session_authorization", b"fg_support"))
    talk.server(backend.build_parameter_status(b"search_path", b'"$user", public'))
    talk.client(query("select 1"))
    assert talk.planner.contexts[-1].search_path == ("fg_support", "public")
