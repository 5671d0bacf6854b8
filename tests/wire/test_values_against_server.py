"""Every codec compared with a real server: what it reads, what it writes, what it refuses, what it holds equal."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from policies.fields import LogicalType
from proxy.errors import ValueRejected
from proxy.wire import oids
from proxy.wire.values import DEFAULT_SETTINGS, ValueSettings, accepts_source, codec_for
from proxy.wire.values.arrays import build_binary_array, build_text_array, parse_binary_array, parse_text_array
from tests.support.servers import Database

from . import value_cases, value_generators
from .server_values import COLUMNS, Answer, ServerValues, ours_text

pytestmark = pytest.mark.integration

MOMENTS = (LogicalType.DATE, LogicalType.TIMESTAMP, LogicalType.TIMESTAMPTZ)
SETTINGS = [
    DEFAULT_SETTINGS,
    ValueSettings("ISO, DMY", "Europe/Berlin", bytea_output="escape"),
    ValueSettings("SQL, MDY", "America/New_York"),
    ValueSettings("Postgres, DMY", "Asia/Kolkata"),
    ValueSettings("German, YMD", "Pacific/Apia"),
    ValueSettings("Postgres, MDY", "<+03>-03"),
    ValueSettings("SQL, DMY", "Europe/Moscow"),
    ValueSettings("Postgres, YMD", "Australia/Lord_Howe"),
    ValueSettings("German, DMY", "Africa/Monrovia"),
    ValueSettings("ISO, YMD", "America/Sao_Paulo"),
]


@pytest.fixture
def server(database: Database) -> Iterator[ServerValues]:
    with ServerValues(database) as values:
        yield values


def same(logical: LogicalType, server: Answer, ours: Answer) -> bool:
    """Equal values, or both refuse.  Which of two faults of one text is named first may differ."""
    return server == ours or (isinstance(server, str) and isinstance(ours, str))


def stricter(logical: LogicalType, ours: Answer, text: str) -> bool:
    """Refusals of ours that are meant: forms of moments that we do not read (22007), fields that are out of range in
    a run-together time (22008, where PostgreSQL reads 9999 as four days later), zones that are no names (22023)."""
    return logical in MOMENTS and ours in ("22007", "22008", "22023")


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: f"{s.date_style} {s.time_zone}")
def test_collected_texts(server: ServerValues, settings: ValueSettings) -> None:
    server.set(settings)
    for logical, texts in value_cases.TEXTS.items():
        column = "varchar(5)" if logical is LogicalType.VARCHAR else str(logical)
        for text in texts:
            raw = text.encode()
            ours = ours_text(column, raw, settings)
            theirs = (server.stored(column, raw), server.stored(column, raw, binary_out=True))
            assert same(logical, theirs[0], ours[0]), (column, text[:60], theirs[0], ours[0])
            assert same(logical, theirs[1], ours[1]), (column, text[:60], theirs[1], ours[1])


def test_the_sqlstates_of_collected_texts(server: ServerValues) -> None:
    for logical, texts in value_cases.TEXTS.items():
        column = "varchar(5)" if logical is LogicalType.VARCHAR else str(logical)
        for text in texts:
            theirs, ours = server.stored(column, text.encode()), ours_text(column, text.encode(), DEFAULT_SETTINGS)[0]
            if text not in value_cases.OTHER_SQLSTATE:
                assert theirs == ours, (column, text[:60])


def test_moments_that_are_refused_by_design(server: ServerValues) -> None:
    for text in value_cases.REFUSED_MOMENTS:
        assert isinstance(server.stored("timestamptz", text.encode()), bytes), text
        assert ours_text("timestamptz", text.encode(), DEFAULT_SETTINGS)[0] == "22007", text


@pytest.mark.parametrize("column", COLUMNS)
def test_random_texts(server: ServerValues, column: str) -> None:
    logical, _ = COLUMNS[column]
    random = Random(f"texts {column}")
    draw = value_generators.TEXTS[logical]
    agreed = 0
    for settings in SETTINGS:
        server.set(settings)
        for _ in range(60):
            text = draw(random)
            theirs, ours = server.stored(column, text.encode()), ours_text(column, text.encode(), settings)
            if isinstance(theirs, bytes) and stricter(logical, ours[0], text):
                continue
            assert same(logical, theirs, ours[0]), (settings, text, theirs, ours[0])
            if isinstance(theirs, bytes):
                agreed += 1
                assert server.stored(column, text.encode(), binary_out=True) == ours[1], (settings, text)
    assert agreed > 30


@pytest.mark.parametrize("column", COLUMNS)
def test_random_binary_values(server: ServerValues, column: str) -> None:
    """Read in binary, written in text and binary, and the server's text read back."""
    logical, _ = COLUMNS[column]
    random = Random(f"binary {column}")
    agreed = 0
    for settings in SETTINGS:
        server.set(settings)
        for _ in range(40):
            raw = value_generators.binary(random, logical)
            theirs = server.stored(column, raw, binary_in=True)
            ours = ours_text(column, raw, settings, binary_in=True)
            assert same(logical, theirs, ours[0]), (settings, raw, theirs, ours[0])
            if not isinstance(theirs, bytes):
                continue
            agreed += 1
            assert server.stored(column, raw, binary_in=True, binary_out=True) == ours[1], (settings, raw)
            again = ours_text(column, theirs, settings)
            if isinstance(again[0], bytes) or logical not in MOMENTS:
                assert again[1] == server.stored(column, theirs, binary_out=True), (settings, theirs)
    assert agreed > 100


def test_iso_output_is_always_read_back(server: ServerValues) -> None:
    random = Random("iso")
    for settings in (s for s in SETTINGS if s.date_style.startswith("ISO")):
        server.set(settings)
        for logical in MOMENTS:
            for _ in range(150):
                written = server.stored(str(logical), value_generators.binary(random, logical), binary_in=True)
                if isinstance(written, bytes):
                    assert ours_text(str(logical), written, settings)[0] == written, (settings, written)


EQUAL_PAIRS: dict[LogicalType, tuple[str, ...]] = {
    LogicalType.TEXT: ("", "a", "a ", "A", "é", "e\u0301"),
    LogicalType.VARCHAR: ("", "a", "a ", "A"),
    LogicalType.INT4: ("1", "+1", "-1", "01", "0", "-0"),
    LogicalType.NUMERIC: (
        "1",
        "1.0",
        "1.00",
        "-1",
        "0",
        "-0.0",
        "0.000",
        "NaN",
        "nan",
        "inf",
        "-inf",
        "10",
        "1e1",
        "100",
    ),
    LogicalType.BOOL: ("t", "true", "f", "0"),
    LogicalType.DATE: ("2000-01-01", "1 Jan 2000", "infinity", "-infinity", "0001-01-01 BC"),
    LogicalType.TIMESTAMP: ("2000-01-01", "2000-01-01 00:00:00.0", "1999-12-31 24:00", "infinity"),
    LogicalType.TIMESTAMPTZ: ("2000-01-01 00:00+00", "2000-01-01 01:00+01", "1999-12-31 19:00 America/New_York"),
    LogicalType.INET: ("1.2.3.4", "1.2.3.4/32", "1.2.3.4/24", "1.2.3.0/24", "::1", "0::1/128", "::ffff:1.2.3.4"),
    LogicalType.UUID: ("a0eebc999c0b4ef8bb6d6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
    LogicalType.JSONB: (
        *(
            "1",
            "1.0",
            "1.00",
            "10",
            "1e1",
            "[1]",
            "[1.0]",
            "[]",
            "{}",
            '""',
            "null",
            '"null"',
            '"1"',
            "0",
            "-0.0",
            "100",
        ),
        *('{"a": 1, "b": [1.50]}', '{"b": [1.5], "a": 1.0}', '{"a": 2, "a": 1, "b": [1.5]}', '"\\u0061"', '"a"'),
    ),
    LogicalType.BYTEA: ("\\x61", "a", "\\x", ""),
}


@pytest.mark.parametrize("logical", EQUAL_PAIRS)
def test_terms_are_equal_iff_the_values_are(server: ServerValues, logical: LogicalType) -> None:
    codec = codec_for(logical)
    random = Random(f"terms {logical}")
    texts = [*EQUAL_PAIRS[logical], *(value_generators.TEXTS[logical](random) for _ in range(15))]
    readable = [
        text.encode()
        for text in texts
        if isinstance(ours_text(str(logical), text.encode(), DEFAULT_SETTINGS)[0], bytes)
    ]
    both = 0
    for left in readable:
        for right in readable:
            answer = server.answer(f"SELECT $1::{logical} = $2::{logical}", [left, right], [0, 0])
            terms = [codec.term_input(codec.from_text(raw, -1, DEFAULT_SETTINGS)) for raw in (left, right)]
            assert (answer == b"t") is (terms[0] == terms[1]), (left, right)
            both += left != right and answer == b"t"
    assert both or logical in (LogicalType.TEXT, LogicalType.VARCHAR)


def test_json_has_no_equality(server: ServerValues) -> None:
    assert server.answer("SELECT $1::json = $2::json", [b"1", b"1"], [0, 0]) == "42883"
    with pytest.raises(ValueRejected) as caught:
        codec_for(LogicalType.JSON).term_input(b"1")
    assert caught.value.sqlstate == "42883"


SOURCES: dict[int, tuple[str, tuple[str, ...]]] = {
    oids.TEXT: ("text", ("", "abc", "abc  ")),
    oids.VARCHAR: ("varchar", ("abc", "abc  ")),
    oids.BPCHAR: ("bpchar", ("abc", "abc   ", " ")),
    oids.NAME: ("name", ("abc", "a" * 63, "é" * 40)),
    oids.INT2: ("int2", ("0", "-1", "32767")),
    oids.INT4: ("int4", ("0", "70000", "-70000")),
    oids.INT8: ("int8", ("0", "70000", "-3000000000", "9223372036854775807")),
    oids.NUMERIC: ("numeric", ("0", "1.00", "1.5", "70000", "99999999999999999999", "NaN", "Infinity")),
    oids.DATE: ("date", ("2000-02-29", "infinity", "-infinity", "0044-03-15 BC", "294277-01-01", "2005-10-30")),
    oids.TIMESTAMP: (
        "timestamp",
        ("2000-02-29 00:00", "2005-03-27 02:30", "2005-10-30 02:30", "infinity", "1800-01-01"),
    ),
    oids.TIMESTAMPTZ: ("timestamptz", ("2000-02-29 00:00", "2005-10-30 00:30Z", "2005-10-30 01:30Z", "-infinity")),
    oids.INET: ("inet", ("1.2.3.4/24",)),
    oids.CIDR: ("cidr", ("1.2.3.0/24", "::/0", "1.2.3.4/32")),
    oids.JSON: ("json", ('{"b":1.0,"a": 2}', '{"a":1,"a":2}')),
    oids.JSONB: ("jsonb", ('{"b":1.0,"a": 2}', "1e3")),
    oids.BOOL: ("bool", ("t",)),
    oids.UUID: ("uuid", ("a0eebc999c0b4ef8bb6d6bb9bd380a11",)),
    oids.BYTEA: ("bytea", ("\\x00ff",)),
}


@pytest.mark.parametrize("settings", SETTINGS[:3], ids=lambda s: s.time_zone)
def test_values_of_other_declared_types(server: ServerValues, settings: ValueSettings) -> None:
    """A parameter of another type of the family is what the server's assignment makes of it, or refused."""
    server.set(settings)
    seen = set()
    for logical in LogicalType:
        for source_oid, (source, texts) in SOURCES.items():
            if not accepts_source(logical, source_oid):
                continue
            for text in texts:
                raw = text.encode()
                forms = [(raw, False), (server.answer(f"SELECT $1::{source}", [raw], [0], binary_out=True), True)]
                for form, binary in forms:
                    assert isinstance(form, bytes)
                    theirs = server.stored(str(logical), form, source_oid=source_oid, binary_in=binary)
                    ours = ours_text(str(logical), form, settings, source_oid=source_oid, binary_in=binary)[0]
                    if isinstance(ours, str):
                        assert isinstance(theirs, str) or ours == "42804", (logical, source, text, theirs, ours)
                    else:
                        assert theirs == ours, (logical, source, text)
                    seen.add((logical, source_oid, type(ours)))
    assert all((logical, codec_for(logical).type_oid, bytes) in seen for logical in LogicalType)
    assert (LogicalType.INT4, oids.NUMERIC, str) in seen


def test_what_is_not_accepted_the_server_takes_otherwise(server: ServerValues) -> None:
    """text into anything but text is refused by the server too, so that refusing it loses nothing."""
    for logical in LogicalType:
        assert accepts_source(logical, 0)
        assert accepts_source(logical, oids.UNKNOWN)
        if logical in (LogicalType.TEXT, LogicalType.VARCHAR):
            continue
        assert not accepts_source(logical, oids.TEXT)
        assert server.stored(str(logical), b"1", source_oid=oids.TEXT) == "42804", logical


def test_a_parameter_declared_unknown_takes_the_columns_type(server: ServerValues) -> None:
    one = (1).to_bytes(4, "big")
    assert server.stored("int4", one, source_oid=oids.UNKNOWN, binary_in=True) == b"1"
    assert ours_text("int4", one, DEFAULT_SETTINGS, source_oid=oids.UNKNOWN, binary_in=True)[0] == b"1"


ARRAYS = (
    *("{}", " { } ", "{a}", '{"a b",c}', "{NULL,null,Null}", '{"NULL"}', '{""}', "{a b , c }", '{"a\\"b","\\\\"}'),
    *("{a\\,b}", "{a\\ }", "[1:2]={a,b}", " [0:1] = {a,b}", "[2]={a,b}", "[1:3]={a,b}", "{a,}", "{,a}", "{a,,b}"),
    *("{", "}", "", "a", "{a", "a}", "{a}}", "{a}b", '{"a}', '{"a"b}', '{a"b"}', "{a}{b}", "{ a\\\\ ,b}", "{\u00e9}"),
    *("[1:2]{a,b}", "[2:1]={}", "[1:1]={}", "{\\NULL}", "{a\tb}", "{a\n,b}", '{ "a" , "b" }', "{\\}", "{a\\}"),
)


def test_text_arrays(server: ServerValues) -> None:
    random = Random("arrays")
    drawn = ("".join(random.choice('{},"\\ aN[]1:=') for _ in range(random.randint(2, 9))) for _ in range(600))
    for text in (
        *ARRAYS,
        *drawn,
        *("{" + "".join(random.choice('a ,"\\N') for _ in range(5)) + "}" for _ in range(600)),
    ):
        theirs = server.answer("SELECT $1::text[]", [text.encode()], [0], binary_out=True)
        try:
            items = parse_text_array(text.encode())
        except ValueRejected as error:
            several = isinstance(theirs, bytes) and theirs[:4] != b"\0\0\0\1"  # dimensions; or none, with bounds
            assert theirs == error.sqlstate or several or isinstance(theirs, str), text
            continue
        assert isinstance(theirs, bytes), text
        assert parse_binary_array(theirs) == (oids.TEXT, items), text


def test_built_arrays(server: ServerValues) -> None:
    random = Random("built")
    pieces = ("", "a", "NULL", "null", " ", "a b", '"', "\\", ",", "{", "}", "é", "\n", "\x0b", None)
    for _ in range(100):
        items = [p if p is None else p.encode() for p in random.choices(pieces, k=random.randint(0, 5))]
        built = build_binary_array(oids.TEXT, items)
        written = server.answer("SELECT $1::text[]", [built], [oids.ARRAYS[oids.TEXT]], binary_in=True)
        assert isinstance(written, bytes)
        assert build_text_array(items) == written
        assert server.answer("SELECT $1::text[]", [written], [0], binary_out=True) == built
        assert parse_text_array(written) == items


def test_an_older_server_reads_and_writes_the_same(tls_database: Database) -> None:
    """PostgreSQL 15.  It does not read integers and numerics as 0x1F or 1_000, nor `+infinity`."""
    with ServerValues(tls_database) as older:
        assert older.version < 160_000
        for settings in SETTINGS[:4]:
            older.set(settings)
            for logical, texts in value_cases.TEXTS.items():
                column = "varchar(5)" if logical is LogicalType.VARCHAR else str(logical)
                for text in texts:
                    if logical in NEWER_SPELLINGS or text in value_cases.SINCE_16:
                        continue
                    theirs, ours = older.stored(column, text.encode()), ours_text(column, text.encode(), settings)[0]
                    assert same(logical, theirs, ours), (column, text[:60], theirs, ours)


NEWER_SPELLINGS = (LogicalType.INT2, LogicalType.INT4, LogicalType.INT8, LogicalType.NUMERIC)
