"""Searches of sealed fields are counted by value and refused when they are too many, in every protocol."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.model import Principal
from proxy.errors import TooManySearches
from proxy.session.commands import RecordAudit
from proxy.session.refusals import STAND_IN_SQL
from proxy.session.searches import SearchLimits, SearchRates
from proxy.sql.plan import Slot, SlotKind, ValueSource
from proxy.wire.values.arrays import build_binary_array

from .talk import (
    BOUND,
    EMAIL,
    FIND_EMAIL,
    PARSED,
    PLANS,
    SYNC,
    Talk,
    bind,
    error_of,
    execute,
    failed,
    parse,
    query,
    ready,
    tags,
)  # fmt: skip

ANN = Principal("ann", "ann", frozenset(), "shop", "support")
APP = replace(ANN, login="app", person="app")
CONSTANT = replace(
    FIND_EMAIL,
    segments=FIND_EMAIL.segments[:2],
    slots=(Slot(SlotKind.TERM, ValueSource(constant=b"a@x"), EMAIL),),
    client_parameters=0,
    parameter_types=(),
)
ARRAY = replace(
    CONSTANT, slots=(Slot(SlotKind.TERM, ValueSource(parameter=1), EMAIL, array=True),), client_parameters=1
)
ARRAY_CONSTANT = replace(CONSTANT, slots=(Slot(SlotKind.TERM, ValueSource(constant=b"{a,b,NULL}"), EMAIL, array=True),))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> SearchLimits:
    return SearchLimits(SearchRates(person=60, service=120), clock)


def test_a_budget_is_spent_and_fills_again(limits: SearchLimits, clock: Clock) -> None:
    spend = limits.spender(ANN, service=False)
    spend(60)
    with pytest.raises(TooManySearches) as refused:
        spend(1)
    assert refused.value.sqlstate == "53400"
    clock.now += 5
    with pytest.raises(TooManySearches):
        spend(6)
    spend(5)  # what was refused took nothing
    clock.now += 3600
    spend(60)
    with pytest.raises(TooManySearches):
        spend(1)


def test_all_sessions_of_a_login_share_it_and_others_do_not(limits: SearchLimits) -> None:
    limits.spender(ANN, service=False)(60)
    with pytest.raises(TooManySearches):
        limits.spender(ANN, service=False)(1)
    limits.spender(replace(ANN, login="bob"), service=False)(60)


def test_a_service_has_more_and_each_person_whom_it_names_a_share(limits: SearchLimits) -> None:
    limits.spender(replace(APP, person="p1"), service=True)(60)
    with pytest.raises(TooManySearches):
        limits.spender(replace(APP, person="p1"), service=True)(1)
    limits.spender(replace(APP, person="p2"), service=True)(50)
    with pytest.raises(TooManySearches):
        limits.spender(replace(APP, person="p3"), service=True)(11)  # the service's own is all but spent
    limits.spender(APP, service=True)(10)


def test_new_rates_count_at_once_and_forgive_nothing(limits: SearchLimits, clock: Clock) -> None:
    spend = limits.spender(ANN, service=False)
    spend(60)
    limits.configure(SearchRates(person=600, service=1200))
    with pytest.raises(TooManySearches):
        spend(1)
    clock.now += 1
    spend(10)


def test_more_than_a_minutes_worth_at_once_is_told_apart(limits: SearchLimits) -> None:
    with pytest.raises(TooManySearches) as refused:
        limits.spender(ANN, service=False)(61)
    assert refused.value.hint == "Look for fewer values at once."


def test_budgets_are_bounded_in_number(limits: SearchLimits) -> None:
    for number in range(10_050):
        limits.spender(replace(ANN, login=f"p{number}"), service=False)
    assert len(limits._budgets) == 10_000


# -- in conversations --


def talk_about(**plans: object) -> Talk:
    talk = Talk(searches=3)
    talk.planner.plans |= plans  # type: ignore[arg-type]
    return talk


def test_a_bind_counts_and_is_refused_there() -> None:
    talk = talk_about()
    talk.client(parse("find email", b"s"), SYNC)
    talk.server(PARSED, ready())
    talk.client(bind(b"a", b"1", name=b"s"), execute(), SYNC)
    assert talk.searches == 2
    talk.searches = 0
    sent = talk.client(bind(b"a", b"1", name=b"s"), execute(), SYNC)
    assert b"fieldgate refused this Bind" in sent[0]
    denied = [record for record in talk.records if record["decision"] == "deny"]
    assert [record["error"] for record in denied] == ["53400"]
    assert "53400" in [command.refused for command in talk.commands if isinstance(command, RecordAudit)]


def test_the_usual_round_counts_once() -> None:
    talk = talk_about()
    talk.client(parse("find email", b"s"), SYNC)
    talk.server(PARSED, ready())
    for left in (2, 1, 0):
        assert tags(talk.client(bind(b"a", b"1", name=b"s", results=()), execute(), SYNC)) == "BES"
        assert talk.searches == left
        talk.server(BOUND, b"C\0\0\0\x0dSELECT 0\0", ready())
    sent = talk.client(bind(b"a", b"1", name=b"s"), execute(), SYNC)
    assert b"fieldgate refused this Bind" in sent[0]
    told = talk.server(failed(b"26000"), ready())
    assert error_of(told[0])[b"C"] == b"53400"
    assert tags(told) == "EZ"


def test_null_is_not_looked_for() -> None:
    talk = talk_about()
    talk.client(parse("find email", b"s"), bind(None, b"1", name=b"s"), SYNC)
    assert talk.searches == 3


def test_a_constant_counts_at_each_query() -> None:
    talk = talk_about(**{"find constant": CONSTANT})
    talk.client(query("find constant;find constant"))
    assert talk.searches == 1
    talk.server(b"C\0\0\0\x0dSELECT 0\0", b"C\0\0\0\x0dSELECT 0\0", ready())
    [sent] = talk.client(query("find constant;find constant"))
    assert sent.count(b"fg_email_eq") == 1  # the first runs, the second is refused in its place
    assert STAND_IN_SQL in sent


@pytest.mark.parametrize("values", [(b"a", b"b", b"c"), (b"a", b"b", b"c", None)])
def test_each_element_of_an_array_counts(values: tuple[bytes | None, ...]) -> None:
    talk = talk_about(array=ARRAY)
    talk.client(parse("array", b"s"), bind(build_binary_array(25, list(values)), name=b"s", formats=(1,)), SYNC)
    assert talk.searches == 0


def test_an_array_that_is_too_long_is_refused_whole() -> None:
    talk = talk_about(array=ARRAY, constant=ARRAY_CONSTANT)
    many = build_binary_array(25, [b"x"] * 4)
    sent = talk.client(parse("array", b"s"), bind(many, name=b"s", formats=(1,)), SYNC)
    assert b"fieldgate refused this Bind" in sent[1]
    assert talk.searches == 3
    talk = talk_about(constant=ARRAY_CONSTANT)
    talk.client(query("constant"))
    assert talk.searches == 1


def test_writing_is_not_searching() -> None:
    talk = talk_about()
    assert "insert" in PLANS
    talk.client(query("insert"))
    assert talk.searches == 3
