"""Codecs by themselves: vectors, round trips, and that nothing but a ValueRejected without the value comes out.

The comparison with a real server is in test_values_against_server.py.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.fields import LogicalType
from proxy.errors import ValueRejected
from proxy.wire import oids
from proxy.wire.values import DEFAULT_SETTINGS, Codec, ValueSettings, accepts_source, codec_for
from proxy.wire.values.arrays import build_binary_array, build_text_array, parse_binary_array, parse_text_array
from proxy.wire.values.julian import DATE_END, DATE_MINIMUM, date_of_days, days_in_month, days_of_date, weekday

from . import value_generators

logical_types = st.sampled_from(list(LogicalType))
settings = st.builds(
    ValueSettings,
    date_style=st.sampled_from(
        [f"{s}, {o}" for s in ("ISO", "SQL", "Postgres", "German") for o in ("MDY", "DMY", "YMD")]
    ),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "<+03>-03"]),
    bytea_output=st.sampled_from(["hex", "escape"]),
)

VECTORS: list[tuple[LogicalType, int, str, str, str, str]] = [
    # type, typmod, text in, text out, binary (hex), term input
    (LogicalType.TEXT, -1, " é ", " é ", "20c3a920", " é "),
    (LogicalType.VARCHAR, 9, "abcde  ", "abcde", "6162636465", "abcde"),
    (LogicalType.INT2, -1, " -1 ", "-1", "ffff", "-1"),
    (LogicalType.INT4, -1, "+70000", "70000", "00011170", "70000"),
    (LogicalType.INT8, -1, "0x7fffffffffffffff", "9223372036854775807", "7fffffffffffffff", "9223372036854775807"),
    (LogicalType.NUMERIC, -1, "1.50", "1.50", "0002000000000002" + "0001" + "1388", "1.5"),
    (LogicalType.NUMERIC, -1, "-0.00", "0.00", "0000000000000002", "0"),
    (LogicalType.NUMERIC, -1, "12345678", "12345678", "0002000100000000" + "04d2" + "162e", "12345678"),
    (LogicalType.NUMERIC, -1, "NaN", "NaN", "00000000c0000000", "NaN"),
    (LogicalType.NUMERIC, 786438, "99.994", "99.99", "0002000000000002" + "006326ac", "99.99"),
    (LogicalType.NUMERIC, 786438, "-1.005", "-1.01", "0002000040000002" + "0001" + "0064", "-1.01"),
    (LogicalType.BOOL, -1, "YES", "t", "01", "\x01"),
    (LogicalType.DATE, -1, "1999-01-08", "1999-01-08", "fffffe9a", ""),
    (LogicalType.DATE, -1, "infinity", "infinity", "7fffffff", ""),
    (LogicalType.TIMESTAMP, -1, "2000-01-01T00:00:01.5", "2000-01-01 00:00:01.5", "000000000016e360", ""),
    (LogicalType.TIMESTAMP, 0, "2000-01-01 00:00:01.5", "2000-01-01 00:00:02", "00000000001e8480", ""),
    (LogicalType.TIMESTAMPTZ, -1, "2000-01-01 01:00+01", "2000-01-01 00:00:00+00", "0000000000000000", ""),
    (LogicalType.INET, -1, "10.1/16", "10.1.0.0/16", "021000040a010000", ""),
    (LogicalType.INET, -1, "::ffff:1.2.3.4", "::ffff:1.2.3.4", "03800010" + "00" * 10 + "ffff01020304", ""),
    (LogicalType.UUID, -1, "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
     "a0eebc999c0b4ef8bb6d6bb9bd380a11", ""),
    (LogicalType.JSON, -1, ' {"b":1, "a":1}', ' {"b":1, "a":1}', "207b2262223a312c202261223a317d", "-"),
    (LogicalType.JSONB, -1, '{"bb":1.0,"a":[1e2],"a":[-0]}', '{"a": [0], "bb": 1.0}',
     "01" + b'{"a": [0], "bb": 1.0}'.hex(), '{"a": [0], "bb": 1}'),
    (LogicalType.BYTEA, -1, "a\\\\\\001", "\\x615c01", "615c01", ""),
]  # fmt: skip


@pytest.mark.parametrize(("logical", "typmod", "text", "out", "binary", "term"), VECTORS)
def test_vectors(logical: LogicalType, typmod: int, text: str, out: str, binary: str, term: str) -> None:
    codec = codec_for(logical)
    cell = codec.from_text(text.encode(), typmod, DEFAULT_SETTINGS)
    assert codec.to_text(cell, DEFAULT_SETTINGS) == out.encode()
    assert codec.to_binary(cell).hex() == binary
    assert codec.from_binary(bytes.fromhex(binary), typmod, codec.type_oid) == cell
    if term != "-":
        assert codec.term_input(cell) == (term.encode() or bytes.fromhex(binary))


REJECTED: list[tuple[LogicalType, int, bytes, str]] = [
    (LogicalType.TEXT, -1, b"a\0b", "22021"),
    (LogicalType.TEXT, -1, b"\xff", "22021"),
    (LogicalType.TEXT, -1, b"\xed\xa0\x80", "22021"),
    (LogicalType.VARCHAR, 9, b"abcdef", "22001"),
    (LogicalType.INT2, -1, b"32768", "22003"),
    (LogicalType.INT4, -1, b"1.0", "22P02"),
    (LogicalType.INT8, -1, b"9" * 10_000, "22003"),
    (LogicalType.INT8, -1, b"0x" + b"f" * 10_000, "22003"),
    (LogicalType.INT4, -1, "\uff11".encode(), "22P02"),
    (LogicalType.INT8, -1, b"\xff", "22021"),
    (LogicalType.NUMERIC, 786438, b"10000000000", "22003"),
    (LogicalType.NUMERIC, 786438, b"Infinity", "22003"),
    (LogicalType.NUMERIC, -1, b"1e2147483647", "22003"),
    (LogicalType.NUMERIC, -1, b"1e-999999999", "22003"),
    (LogicalType.NUMERIC, -1, b"", "22P02"),
    (LogicalType.BOOL, -1, b"o", "22P02"),
    (LogicalType.DATE, -1, b"1999-02-29", "22008"),
    (LogicalType.DATE, -1, b"99-01-08", "22008"),
    (LogicalType.DATE, -1, b"today", "22007"),
    (LogicalType.DATE, -1, b"5874898-01-01", "22008"),
    (LogicalType.TIMESTAMP, -1, b"294277-01-01", "22008"),
    (LogicalType.TIMESTAMPTZ, -1, b"2000-01-01 00:00 PST", "22007"),
    (LogicalType.TIMESTAMPTZ, -1, b"2000-01-01 00:00+16", "22009"),
    (LogicalType.TIMESTAMPTZ, -1, b"2000-01-01 00:00 Europe/Nowhere", "22023"),
    (LogicalType.TIMESTAMPTZ, -1, b"2000-01-01 00:00 ../../etc/passwd", "22007"),
    (LogicalType.INET, -1, b"1.2.3", "22P02"),
    (LogicalType.UUID, -1, b"a0eebc99", "22P02"),
    (LogicalType.JSON, -1, b"NaN", "22P02"),
    (LogicalType.JSON, -1, b'{"a":1,}', "22P02"),
    (LogicalType.JSON, -1, b"[" * 100_000, "54000"),
    (LogicalType.JSONB, -1, b"[" * 100_000 + b"]" * 100_000, "54000"),
    (LogicalType.JSONB, -1, b'"\\u0000"', "22P05"),
    (LogicalType.JSONB, -1, b'{"a": "\\u0000", "a": 1}', "22P05"),
    (LogicalType.JSONB, -1, b'"\\ud800"', "22P02"),
    (LogicalType.JSONB, -1, b"1e131072", "22003"),
    (LogicalType.BYTEA, -1, b"\\xabc", "22023"),
    (LogicalType.BYTEA, -1, b"\\9", "22P02"),
]


@pytest.mark.parametrize(("logical", "typmod", "raw", "state"), REJECTED)
def test_rejected(logical: LogicalType, typmod: int, raw: bytes, state: str) -> None:
    with pytest.raises(ValueRejected) as caught:
        codec_for(logical).from_text(raw, typmod, DEFAULT_SETTINGS)
    assert caught.value.sqlstate == state


@pytest.mark.parametrize(
    ("logical", "raw", "source"),
    [
        (LogicalType.INT4, b"\0", oids.INT4),
        (LogicalType.INT4, b"\0\0\0\1", oids.INT8),
        (LogicalType.NUMERIC, b"", oids.NUMERIC),
        (LogicalType.NUMERIC, b"\0\1\0\0\0\0\0\0", oids.NUMERIC),
        (LogicalType.NUMERIC, b"\0\1\0\0\0\0\0\0\x27\x10", oids.NUMERIC),
        (LogicalType.NUMERIC, b"\0\0\0\0\x12\x34\0\0", oids.NUMERIC),
        (LogicalType.BOOL, b"", oids.BOOL),
        (LogicalType.DATE, b"\0\0\0", oids.DATE),
        (LogicalType.TIMESTAMP, b"\0\0\0\0", oids.TIMESTAMP),
        (LogicalType.INET, b"\x02\x21\0\4\1\2\3\4", oids.INET),
        (LogicalType.INET, b"\x04\x20\0\4\1\2\3\4", oids.INET),
        (LogicalType.INET, b"", oids.INET),
        (LogicalType.UUID, b"\0" * 15, oids.UUID),
        (LogicalType.JSONB, b"\2{}", oids.JSONB),
        (LogicalType.JSONB, b"", oids.JSONB),
    ],
)
def test_binary_that_is_no_value(logical: LogicalType, raw: bytes, source: int) -> None:
    with pytest.raises(ValueRejected) as caught:
        codec_for(logical).from_binary(raw, -1, source)
    assert caught.value.sqlstate == "22P03"


def test_every_logical_type_has_its_codec() -> None:
    for logical in LogicalType:
        codec: Codec = codec_for(logical)
        assert codec.logical is logical
        assert codec.type_oid == oids.LOGICAL[logical]
        assert codec.array_oid == oids.ARRAYS[codec.type_oid]
        assert oids.ELEMENTS[codec.array_oid] == codec.type_oid
        assert accepts_source(logical, codec.type_oid)
        assert not accepts_source(logical, oids.RECORD)


@given(logical_types, settings, st.integers(0))
def test_a_cell_survives_both_forms(logical: LogicalType, how: ValueSettings, seed: int) -> None:
    codec = codec_for(logical)
    try:
        cell = codec.from_binary(value_generators.binary(Random(seed), logical), -1, codec.type_oid)
    except ValueRejected:
        return
    binary, text = codec.to_binary(cell), codec.to_text(cell, how)
    assert codec.from_binary(binary, -1, codec.type_oid) == cell
    assert not codec.binary_is_cell or binary == cell
    assert not codec.text_is_cell or text == cell
    if logical is LogicalType.TIMESTAMPTZ or not how.date_style.startswith("ISO"):
        return  # an hour that is there twice, and abbreviations of zones, are lost in text
    assert codec.from_text(text, -1, how) == cell


@given(logical_types, settings, st.integers(0))
def test_texts_are_read_into_canonical_cells(logical: LogicalType, how: ValueSettings, seed: int) -> None:
    codec = codec_for(logical)
    text = value_generators.TEXTS[logical](Random(seed)).encode()
    try:
        cell = codec.from_text(text, -1, how)
    except ValueRejected:
        return
    assert codec.from_binary(codec.to_binary(cell), -1, 0) == cell


@given(
    logical_types, st.binary(max_size=24) | st.text(max_size=12).map(str.encode), settings, st.integers(-1, 2**31 - 1)
)
def test_arbitrary_bytes_are_read_or_rejected(
    logical: LogicalType, raw: bytes, how: ValueSettings, typmod: int
) -> None:
    codec = codec_for(logical)
    readers = [lambda: codec.from_text(raw, typmod, how), lambda: codec.from_binary(raw, typmod, 0)]
    for source in (oids.NUMERIC, oids.INT4, oids.DATE, oids.TIMESTAMPTZ, oids.BPCHAR, oids.NAME, oids.JSON, oids.JSONB):
        if accepts_source(logical, source):
            readers += [
                lambda source=source: codec.from_text(raw, typmod, how, source),  # type: ignore[misc]
                lambda source=source: codec.from_binary(raw, typmod, source, how),  # type: ignore[misc]
            ]
    for read in readers:
        try:
            cell = read()
        except ValueRejected:
            continue
        codec.to_text(cell, how)
        codec.to_binary(cell)


@given(logical_types, st.text("Sekretwrt0123456789", min_size=12, max_size=30))
def test_a_rejection_never_repeats_the_value(logical: LogicalType, text: str) -> None:
    codec = codec_for(logical)
    for read in (
        lambda: codec.from_text(text.encode(), 5, DEFAULT_SETTINGS),
        lambda: codec.from_binary(text.encode(), 5),
    ):
        try:
            read()
        except ValueRejected as error:
            shown = f"{error} {error.detail} {error.hint}"
            assert text not in shown
            assert error.__cause__ is None
            assert error.__suppress_context__ or error.__context__ is None


def test_time_zone_changes_are_read_as_postgresql_reads_them() -> None:
    """2005-03-27 02:30 was never in Berlin, 2005-10-30 02:30 was twice."""
    codec, berlin = codec_for(LogicalType.TIMESTAMPTZ), ValueSettings(time_zone="Europe/Berlin")
    never = codec.from_text(b"2005-03-27 02:30", -1, berlin)
    assert codec.to_text(never, DEFAULT_SETTINGS) == b"2005-03-27 01:30:00+00"
    twice = codec.from_text(b"2005-10-30 02:30", -1, berlin)
    assert codec.to_text(twice, DEFAULT_SETTINGS) == b"2005-10-30 01:30:00+00"


def test_a_conversion_that_would_lose_something_is_refused() -> None:
    berlin = ValueSettings(time_zone="Europe/Berlin")
    for logical, source, raw in (
        (LogicalType.INT4, oids.NUMERIC, b"1.5"),
        (LogicalType.DATE, oids.TIMESTAMP, b"2000-01-01 00:00:01"),
        (LogicalType.DATE, oids.TIMESTAMPTZ, b"2000-01-01 00:00Z"),
        (LogicalType.TIMESTAMP, oids.TIMESTAMPTZ, b"2005-10-30 00:30Z"),  # the first of two 02:30 in Berlin
    ):
        with pytest.raises(ValueRejected) as caught:
            codec_for(logical).from_text(raw, -1, berlin, source)
        assert caught.value.sqlstate == "42804"


def test_a_conversion_in_a_time_zone_needs_the_settings() -> None:
    codec, raw = codec_for(LogicalType.TIMESTAMPTZ), bytes(8)
    with pytest.raises(ValueRejected):
        codec.from_binary(raw, -1, oids.TIMESTAMP)
    assert codec.from_binary(raw, -1, oids.TIMESTAMP, DEFAULT_SETTINGS) == raw


def test_an_unknown_session_zone_is_an_error() -> None:
    for zone in ("Mars/Olympus", "", "FOO5BAR", "../etc/passwd"):
        with pytest.raises(ValueRejected):
            codec_for(LogicalType.TIMESTAMPTZ).to_text(bytes(8), ValueSettings(time_zone=zone))


def test_integers_and_numerics_share_terms() -> None:
    terms = {
        codec_for(logical).term_input(codec_for(logical).from_text(b"15", -1, DEFAULT_SETTINGS))
        for logical in (LogicalType.INT2, LogicalType.INT4, LogicalType.INT8, LogicalType.NUMERIC)
    }
    assert terms == {b"15"}


@given(st.dates(max_value=date(9999, 11, 30)))
def test_days_agree_with_python(day: date) -> None:
    days = days_of_date(day.year, day.month, day.day)
    assert days == (day - date(2000, 1, 1)).days
    assert date_of_days(days) == (day.year, day.month, day.day)
    assert weekday(days) == day.isoweekday() % 7
    assert days_in_month(day.year, day.month) >= day.day
    assert (day.replace(day=28) + timedelta(4)).month != day.month or days_in_month(day.year, day.month) > 28


@given(st.integers(DATE_MINIMUM, DATE_END - 1))
def test_days_are_dates_and_back(days: int) -> None:
    assert days_of_date(*date_of_days(days)) == days


items = st.lists(st.none() | st.binary(max_size=6).filter(lambda raw: 0 not in raw), max_size=5)


@given(items)
def test_binary_arrays(elements: list[bytes | None]) -> None:
    raw = build_binary_array(oids.BYTEA, elements)
    assert parse_binary_array(raw) == (oids.BYTEA, elements)
    for wrong in (raw[:-1], raw + b"\0"):
        with pytest.raises(ValueRejected):
            parse_binary_array(wrong)


@given(st.lists(st.none() | st.text(max_size=6).filter(lambda text: "\0" not in text).map(str.encode), max_size=5))
def test_text_arrays(elements: list[bytes | None]) -> None:
    assert parse_text_array(build_text_array(elements)) == elements


@given(st.binary(max_size=40))
def test_arbitrary_bytes_are_arrays_or_rejected(raw: bytes) -> None:
    for read in (parse_binary_array, parse_text_array):
        for variant in (raw, b"\0\0\0\1\0\0\0\0\0\0\0\x19" + raw, b"{" + raw + b"}"):
            try:
                read(variant)
            except ValueRejected:
                pass


@pytest.mark.parametrize("raw", [b"{{a},{b}}", b"[1:1][1:1]={{a}}"])
def test_arrays_of_more_dimensions_are_rejected(raw: bytes) -> None:
    with pytest.raises(ValueRejected):
        parse_text_array(raw)
    with pytest.raises(ValueRejected) as caught:
        parse_binary_array(b"\0\0\0\2\0\0\0\0\0\0\0\x19" + b"\0\0\0\1\0\0\0\1" * 2)
    assert caught.value.sqlstate == "0A000"


@pytest.mark.parametrize("count", [b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\1"])
def test_a_count_that_is_not_there(count: bytes) -> None:
    with pytest.raises(ValueRejected):
        parse_binary_array(b"\0\0\0\1\0\0\0\0\0\0\0\x19" + count + b"\0\0\0\1")
