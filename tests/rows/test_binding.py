"""A Bind rewritten: the same meaning in every combination of formats, and nothing malformed gets through."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ProtocolViolation, ValueRejected
from proxy.rows.binding import build_bind, make_binding, split_bind
from proxy.sql.plan import StatementPlan
from proxy.wire import frontend
from proxy.wire.framing import HEADER_SIZE
from tests.session.talk import FIND_EMAIL, SELECT_EMAIL

NAMES = st.binary(max_size=5).filter(lambda name: 0 not in name)
VALUES = st.lists(st.none() | st.binary(max_size=20), max_size=4)


def rebuilt(plan: StatementPlan, raw: bytes, values: list[bytes | None] | None) -> frontend.Bind:
    bind = frontend.parse_bind(raw[HEADER_SIZE:])
    parts = split_bind(raw, HEADER_SIZE + len(bind.portal) + len(bind.statement) + 2)
    assert parts.values == list(bind.values)
    return frontend.parse_bind(build_bind(make_binding(plan, parts), parts, values)[HEADER_SIZE:])


@given(NAMES, NAMES, VALUES, st.data())
def test_without_slots_only_result_formats_change(
    portal: bytes, name: bytes, values: list[bytes | None], data: st.DataObject
) -> None:
    formats = data.draw(st.sampled_from([(), (0,), (1,), tuple(i % 2 for i in range(len(values)))]))
    asked, told = data.draw(st.sampled_from([((), [0, 1]), ((0,), [0, 1]), ((1,), [1, 1]), ((1, 0), [1, 1])]))
    again = rebuilt(SELECT_EMAIL, frontend.build_bind(portal, name, formats, values, asked), None)
    assert (again.portal, again.statement, list(again.values)) == (portal, name, values)
    assert again.parameter_formats == formats
    assert list(again.result_formats) == told


@pytest.mark.parametrize(("formats", "told"), [((), (1, 0)), ((0,), (1, 0)), ((1,), (1, 1)), ((0, 1), (1, 1))])
def test_what_is_made_here_is_binary_and_the_rest_stays_as_it_is(
    formats: tuple[int, ...], told: tuple[int, ...]
) -> None:
    again = rebuilt(FIND_EMAIL, frontend.build_bind(b"", b"s", formats, (b"ivan", b"7")), [b"term", None])
    assert again.parameter_formats == told
    assert list(again.values) == [b"term", None]


def test_another_number_of_values_is_refused() -> None:
    with pytest.raises(ValueRejected, match="supplies 1 parameters, but the prepared statement requires 2"):
        rebuilt(FIND_EMAIL, frontend.build_bind(b"", b"s", (), (b"ivan",)), [])


@given(st.binary(max_size=40))
def test_bytes_of_any_kind_are_a_bind_just_when_they_are_one(body: bytes) -> None:
    raw = b"B" + (len(body) + 6).to_bytes(4, "big") + b"\0\0" + body
    assert outcome(lambda: frontend.parse_bind(raw[HEADER_SIZE:])) == outcome(
        lambda: rebuilt(StatementPlan(SELECT_EMAIL.kind, (b"select 1",)), raw, None)
    )


def outcome(act: Any) -> object:
    try:
        return act()
    except ProtocolViolation:
        return ProtocolViolation
