"""Ranges over opened values, beside the server's own comparisons; what lies within has one of the tokens looked for."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.tokens import inputs_of
from policies.fields import Field, LogicalType, Sealing
from proxy.errors import SqlState, ValueRejected
from proxy.rows.client_values import ClientValues
from proxy.rows.ranges import Range, range_of
from proxy.sql.plan import Bound, End, ValueSource
from proxy.wire.values.codecs import codec_for
from proxy.wire.values.ordering import BY_OID, COMPARABLE, number_position, number_text
from proxy.wire.values.settings import ValueSettings
from tests.support.servers import Database

OIDS = {logical: oid for oid, logical in BY_OID.items()}
MODES = {
    LogicalType.DATE: "range-date.1", LogicalType.TIMESTAMP: "range-time.1", LogicalType.TIMESTAMPTZ: "range-time.1",
    LogicalType.INT2: "range-integer.1", LogicalType.INT4: "range-integer.1", LogicalType.INT8: "range-integer.1",
    LogicalType.NUMERIC: "range-numeric.1",
}  # fmt: skip
DATES = (
    "1990-01-01", "1990-01-02", "1989-12-31", "2000-01-01", "2024-03-31", "2024-10-27", "0044-03-15 BC", "-infinity",
    "infinity", "4714-11-24 BC", "5874897-12-31", "1640-02-29", "2359-01-01", "294276-12-31",
)  # fmt: skip
TIMES = (
    *(date for date in DATES if not date.startswith("5874897")), "1990-01-01 12:00:00", "1990-01-01 00:00:00.000001",
    "1989-12-31 23:59:59.999999", "2024-03-31 02:30:00", "2024-10-27 02:30:00", "294276-12-31 23:59:59.999999",
)  # fmt: skip
WHOLES = ("0", "1", "-1", "9", "10", "99", "-100", "32767", "-32768")
NUMBERS = (*WHOLES, "NaN", "Infinity", "-Infinity", "0.5", "-0.5", "0.50", "9.99", "32767.5", "1e30", "-1e30", "1e-20")
VALUES = {
    LogicalType.DATE: DATES,
    LogicalType.TIMESTAMP: TIMES,
    LogicalType.TIMESTAMPTZ: tuple(time for time in TIMES if not time.startswith("4714")),
    LogicalType.INT2: WHOLES,
    LogicalType.INT4: (*WHOLES, "2147483647", "70000"),
    LogicalType.INT8: (*WHOLES, "9223372036854775807", "-9223372036854775808"),
    LogicalType.NUMERIC: NUMBERS,
}
OPERATORS = {"<": End.LESS, "<=": End.AT_MOST, ">": End.MORE, ">=": End.AT_LEAST}
BERLIN = ValueSettings(time_zone="Europe/Berlin")
ZONED = LogicalType.TIMESTAMPTZ  # what is no moment for it is refused as an end
PAIRS = [(own, other) for own, others in COMPARABLE.items() for other in sorted(others)]


def field(logical: LogicalType) -> Field:
    return Field("public", "t", "x", "pd", Sealing("0" * 32, logical, tokens=(MODES[logical],)))


def within(logical: LogicalType, *ends: tuple[End, str | None, int]) -> Range | None:
    bounds = [
        Bound(end, ValueSource(constant=text.encode() if text is not None else None), oid) for end, text, oid in ends
    ]
    return range_of(field(logical), bounds, ClientValues(), BERLIN)


def cell_of(logical: LogicalType, text: str) -> bytes:
    return codec_for(logical).from_text(text.encode(), -1, BERLIN)


@pytest.mark.integration
@pytest.mark.parametrize("server", ["database", "tls_database"])
def test_the_same_as_the_server(server: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue(server)
    compared = 0
    with database.connect() as asked:
        asked.execute("SET TimeZone = 'Europe/Berlin'")
        for own, other in PAIRS:
            bounds = [text for text in VALUES[other] if own is not ZONED or text in VALUES[own]]
            query = "SELECT v, b, " + ", ".join(f"v::{own} {sign} b::{other}" for sign in OPERATORS)
            query += " FROM unnest(%s::text[]) v, unnest(%s::text[]) b"
            for value, bound, *told in asked.execute(query, [list(VALUES[own]), bounds]):  # type: ignore[arg-type]
                for end, answer in zip(OPERATORS.values(), told, strict=True):
                    found = within(own, (end, bound, OIDS[other]))
                    assert found is not None
                    assert found.holds(cell_of(own, value)) is answer, (own, value, end, other, bound)
                    assert found.test()(cell_of(own, value)) is answer
                    compared += 1
    assert compared > 8000


@pytest.mark.parametrize("own", list(VALUES))
def test_what_lies_within_has_a_token_and_several_ends_are_one_range(own: LogicalType) -> None:
    for low, high in itertools.product(VALUES[own], repeat=2):
        found = within(own, (End.MORE, low, 0), (End.AT_MOST, high, 0), (End.AT_LEAST, low, 0))
        either = within(own, (End.EITHER, low, 0), (End.EITHER, high, 0))
        again = within(own, (End.EITHER, high, 0), (End.EITHER, low, 0))
        assert found is not None and either is not None and either == again
        for text in VALUES[own]:
            cell = cell_of(own, text)
            made = inputs_of([MODES[own]])(cell)
            assert made is not None
            for each in (found, either):
                assert not each.holds(cell) or made & each.inputs()


_TEXTS = st.decimals(-(10**6), 10**6, places=6).map(lambda d: f"{d:f}" if d else "0")


@settings(suppress_health_check=list(HealthCheck))
@given(st.lists(_TEXTS, min_size=3, max_size=8), st.sampled_from(list(End)[:4]))
def test_numbers_that_lie_within_have_a_token(texts: list[str], end: End) -> None:
    bound, *values = texts
    found = within(LogicalType.NUMERIC, (end, bound, 0))
    assert found is not None
    for value in values:
        held = found.holds(value.encode())
        one, other = float(value), float(bound)
        assert (
            held
            is {End.LESS: one < other, End.AT_MOST: one <= other, End.MORE: one > other, End.AT_LEAST: one >= other}[
                end
            ]
        )
        assert not held or inputs_of(["range-numeric.1"])(value.encode()) & found.inputs()  # type: ignore[operator]


@given(_TEXTS)
def test_a_numbers_position_is_the_number(text: str) -> None:
    position = number_position(text.encode())
    assert float(number_text(position)) == float(text)
    assert number_position(number_text(position)) == position


def test_null_is_no_end_of_anything() -> None:
    assert within(LogicalType.DATE, (End.LESS, None, 0)) is None
    assert within(LogicalType.DATE, (End.LESS, "2000-01-01", 0), (End.MORE, None, 0)) is None
    with pytest.raises(ValueRejected):
        within(LogicalType.DATE, (End.MORE, None, 0), (End.LESS, "no date", 0))


def test_an_empty_range_has_no_tokens() -> None:
    found = within(LogicalType.DATE, (End.MORE, "2000-01-01", 0), (End.LESS, "1990-01-01", 0))
    assert found is not None and found.inputs() == frozenset()


def bound(
    value: bytes | None, oid: int, *, cast: int = 0, own: LogicalType = LogicalType.DATE, binary: bool = True
) -> Range | None:
    client = ClientValues((value,), (binary,), (oid,))
    return range_of(field(own), [Bound(End.LESS, ValueSource(parameter=1), cast)], client, BERLIN)


def test_parameters_of_other_types() -> None:
    noon = (-3652 * 86_400_000_000 + 43_200_000_000).to_bytes(8, "big", signed=True)
    found = bound(noon, 1114)
    assert found is not None and found.holds(cell_of(LogicalType.DATE, "1990-01-01"))
    assert not found.holds(cell_of(LogicalType.DATE, "1990-01-02"))
    small = bound((300).to_bytes(2, "big"), 21, cast=23, own=LogicalType.INT4)
    assert small is not None and small.holds((299).to_bytes(4, "big"))
    wide = bound(b"99999999999", 20, own=LogicalType.INT2, binary=False)
    assert wide is not None and wide.holds((32767).to_bytes(2, "big"))


@pytest.mark.parametrize(
    ("value", "oid", "cast", "own"),
    [(bytes(8), 1184, 0, LogicalType.DATE), (b"x", 25, 0, LogicalType.DATE), (bytes(8), 701, 0, LogicalType.INT4),
     (bytes(8), 1114, 1082, LogicalType.DATE), (bytes(8), 20, 23, LogicalType.INT4),
     (bytes(4), 1082, 1114, LogicalType.DATE)],
)  # fmt: skip
def test_types_that_are_not_compared_exactly_are_refused(value: bytes, oid: int, cast: int, own: LogicalType) -> None:
    with pytest.raises(ValueRejected) as refused:
        bound(value, oid, cast=cast, own=own)
    assert refused.value.sqlstate is SqlState.DATATYPE_MISMATCH
    with pytest.raises(ValueRejected):
        bound(None, oid, cast=cast, own=own)


def test_constants_are_read_as_when_they_were_parsed() -> None:
    european = replace(BERLIN, date_style="ISO, DMY")
    client = ClientValues((b"02/01/1990",), (False,), (), (), european)
    for source, day in ((ValueSource(constant=b"02/01/1990"), "1990-01-02"), (ValueSource(parameter=1), "1990-02-01")):
        found = range_of(field(LogicalType.DATE), [Bound(End.AT_MOST, source)], client, BERLIN)
        assert found is not None and found.high == int.from_bytes(cell_of(LogicalType.DATE, day), "big", signed=True)
