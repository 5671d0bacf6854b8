"""Sessions over observed tables: what passes is recorded as observed; when enforcement begins they connect again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.session.commands import RecordAudit
from proxy.sql.plan import Observed

from .talk import (
    BOUND,
    PARSED,
    READ_EMAIL,
    SELECT_EMAIL,
    SYNC,
    Talk,
    bind,
    catalog,
    done,
    error_of,
    execute,
    failed,
    parse,
    plain,
    query,
    ready,
    row,
    status,
)  # fmt: skip

SEEN = replace(
    plain("seen"), uses=READ_EMAIL, observed=Observed("42501"), outline="select _", reason="permission denied"
)


def watching() -> Talk:
    talk = Talk(protected=False, observing=True)
    talk.planner.plans |= {"seen": SEEN, "narrowed": replace(SEEN, observed=Observed(None), uses=())}
    return talk


def test_what_passes_is_recorded_with_what_policy_would_say() -> None:
    talk = watching()
    assert talk.client(query("seen")) == [query("seen")]
    [made] = talk.records
    assert (made["decision"], made["error"], made["statement"]) == ("observe", "42501", "select _")
    assert made["fields"] == {"public.customers.email": ["read"]}
    [command] = [each for each in talk.commands if isinstance(each, RecordAudit)]
    assert (command.refused, command.observed) == ("", "42501")
    assert talk.server(row(b"1"), done(), ready()) == [row(b"1"), done(), ready()]


def test_the_same_in_the_extended_protocol_at_each_execution() -> None:
    talk = watching()
    talk.client(parse("narrowed", b"s"), SYNC)
    talk.server(PARSED, ready())
    for count in (1, 2):
        talk.client(bind(name=b"s"), execute(), SYNC)
        assert len(talk.records) == count
        assert talk.records[-1]["decision"] == "observe"
        assert talk.records[-1]["error"] is None
        talk.server(BOUND, row(b"1"), done(), ready())
    assert {each.observed for each in talk.commands if isinstance(each, RecordAudit)} == {"narrowed"}


def test_without_an_audit_sink_observed_statements_run_on() -> None:
    talk = watching()
    talk.audit = False
    assert talk.client(query("seen")) == [query("seen")]
    assert talk.records == []


def test_a_session_from_before_enforcement_connects_again() -> None:
    talk = watching()
    talk.client(query("seen"))
    talk.server(done(), ready())
    talk.planner.plans["select email"] = SELECT_EMAIL
    talk.revision = replace(talk.revision, catalog=catalog(version=2), observed=None)
    talk.client(query("select email"))
    told = talk.server(failed(), ready())
    assert b"connect again" in error_of(told[0])[b"M"]
    assert talk.client(query("select 1")) == [query("select 1")]


@pytest.mark.parametrize("observing", [True, False])
def test_settings_that_stop_analysis_stop_nothing_where_all_is_observed(observing: bool) -> None:
    talk = Talk(observing=observing, protected=not observing)
    talk.server(status("standard_conforming_strings", "off"))
    sent = talk.client(query("select '\\'"))
    assert (sent == [query("select '\\'")]) is observing
