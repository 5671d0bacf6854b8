"""Expressions over opened values are what the server makes of plain ones: values, types and names, in every form."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from proxy.demo.server import Server
from tests.support.servers import TlsServer

from .nasty import TEXTS, rows
from .twins import Twins, own_rows, twins, without

pytestmark = pytest.mark.integration

DAYS = ["year", "month", "day", "quarter", "week", "dow", "isodow", "doy", "isoyear", "decade", "century", "millennium"]
EXPRESSIONS = (
    "lower(t)", "upper(t)", "lower(v)", "upper(v COLLATE \"C\")", "lower(t COLLATE \"POSIX\")", "lower(t || o)",
    "length(t)", "char_length(v)", "character_length(t)", "octet_length(t)", "bit_length(t)", "length(y)",
    "octet_length(y)", "bit_length(y)", "substring(t from 2)", "substring(t from 2 for 3)", "substring(t, 0, 3)",
    "substr(t, -2, 5)", "substr(v, 2147483647, 2147483647)", "substring(t from -2147483648 for 2147483647)",
    "substr(t, 1, 0)", "left(t, 2)", "left(t, -2)", "right(t, 2)", "right(t, -2)", "left(v, 0)", "right(v, 0)",
    "trim(t)", "trim(both 'xa ' from t)", "ltrim(t)", "rtrim(t, 'z')", "btrim(t, '')", "btrim(t, o)",
    "replace(t, 'a', 'bb')", "replace(t, '', 'x')", "replace(t, o, 'x')", "reverse(t)", "strpos(t, 'b')",
    "position('' in t)", "position(o in t)", "t || 'x'", "'x' || v", "t || o", "t || v", "t || n", "d || t", "t || u",
    "t || p", "p || t", "t || k", "concat(t, o)", "concat(t, NULL, n, l, d, u, 5)", "concat(t, p, k)",
    "concat_ws(', ', t, o, v)", "concat_ws(o, t, n)", "concat_ws(NULL, t, o)", "coalesce(t, 'none')",
    "coalesce(t, o, 'none')", "coalesce(v, o)", "coalesce(v, 'x')", "coalesce(v)", "coalesce(n, 0)", "coalesce(l, 0)",
    "coalesce(d, 0)", "coalesce(d, '1.50')", "coalesce(b, false)", "coalesce(da, '1999-01-08')", "coalesce(t, p)",
    "coalesce(u, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')", "coalesce(i, i)", "coalesce(NULL, t)", "coalesce(ts, ts)",
    "i::text", "n::text", "l::varchar", "d::text", "b::text", "da::text", "ts::text", "tz::text", "u::text",
    "CAST(n AS text) || t", "t::varchar || o", "length(n::text)", "upper(left(t, 1)) || lower(substr(t, 2))",
    "coalesce(t, o, v)", "coalesce(v, NULL, t)", "coalesce(v, NULL)", "length(coalesce(t, '') || coalesce(o, ''))",
    "t || ' ' || o || ' ' || v",
    "lower(trim(coalesce(t, p)))", "reverse(lower(concat(t, '-', o)))", "to_char(da, 'YYYY-MM-DD')",
    "to_char(ts, 'DD.MM.YYYY HH24:MI:SS')", "to_char(tz, 'YYYY-MM-DD HH24:MI')", "to_char(ts, 'YYYYMMDD')",
    "to_char(da, 'MM/YYYY')", "to_char(tz, 'YYYY')", "left(to_char(da, 'YYYY-MM'), 4)",
    *(f"extract({unit} FROM {column})" for column in ("da", "ts", "tz") for unit in DAYS),
    *(f"extract({unit} FROM {column})" for column in ("ts", "tz") for unit in ("hour", "minute")),
    *(f"date_part('{unit}', {column})" for column in ("ts", "tz") for unit in ("YEAR", "month", "hour", "century")),
    "date_part('year', da) ", "date_part('week', da)", "extract('Year' FROM da)",
)  # fmt: skip
# A plain column may have a collation of its own; that constant is no int4; and so on.
REFUSED = frozenset(
    {
        "coalesce(v, NULL, t)",
        "coalesce(v, NULL)",
        "lower(trim(coalesce(t, p)))",
        "substring(t from -2147483648 for 2147483647)",
    }
)


@pytest.fixture(scope="module")
def modern(postgres: Server) -> Iterator[Twins]:
    with twins(postgres) as made:
        made.fill(rows(1, 90))
        yield made


@pytest.fixture(scope="module")
def older(postgres_tls: TlsServer) -> Iterator[Twins]:
    with twins(postgres_tls.server, postgres_tls.authority.certificate) as made:
        made.fill(rows(2, 90))
        yield made


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression(expression: str, modern: Twins, older: Twins) -> None:
    for pair in (modern, older):
        answered = compare(pair, f"SELECT {expression} FROM things ORDER BY id")
        assert answered == (expression not in REFUSED)


def test_dates_follow_the_session(modern: Twins, older: Twins) -> None:
    following = [each for each in EXPRESSIONS if any(name in each for name in ("da", "ts", "tz"))]
    for pair in (modern, older):
        for style, zone in (
            ("SQL, DMY", "America/New_York"),
            ("German, DMY", "Asia/Kathmandu"),
            ("Postgres, MDY", "UTC"),
        ):
            pair.set(DateStyle=style, TimeZone=zone)
            for expression in following:
                compare(pair, f"SELECT {expression} FROM things ORDER BY id")
        pair.set(DateStyle="ISO, MDY", TimeZone="UTC")


@pytest.mark.parametrize(
    ("zone", "date"),
    [
        ("America/Sao_Paulo", "2018-11-04"),  # clocks went from midnight to one o'clock
        ("Pacific/Apia", "2011-12-30"),  # this day never was
        ("America/New_York", "1883-11-18"),
        ("Europe/Moscow", "4714-11-24 BC"),  # midnight there is earlier than any timestamp
        ("America/New_York", "294276-12-31"),
    ],
)
def test_a_date_whose_midnight_is_special(zone: str, date: str, postgres: Server) -> None:
    with twins(postgres) as pair:
        pair.fill([{"da": date}])
        pair.set(DateStyle="ISO, MDY", TimeZone=zone)
        for pattern in ("YYYY-MM-DD HH24:MI:SS", "DD.MM"):
            assert compare(pair, f"SELECT to_char(da, '{pattern}') FROM things")


def test_a_date_that_is_no_timestamp_is_the_same_error(modern: Twins) -> None:
    assert modern.given("SELECT date_part('year', da) FROM things") == "22008"
    assert modern.given("SELECT to_char(da, 'YYYY') FROM things") == "22008"


def test_nested_at_random(modern: Twins, older: Twins) -> None:
    chance = random.Random(11)
    answered = 0
    for number in range(250):
        values: list[str | None] = []
        query = f"SELECT {text(chance, 3, values)} AS a, {whole(chance, 2, values)} FROM things ORDER BY id"
        pair = (modern, older)[number % 2]
        answered += compare(pair, query, tuple(values))
    assert answered > 200


def text(chance: random.Random, depth: int, values: list[str | None]) -> str:
    if depth == 0 or chance.random() < 0.15:
        return chance.choice(("t", "o", "v", "t", "things.o", "d::text", "l::text"))
    inner = text(chance, depth - 1, values)
    match chance.randrange(13):
        case 0 | 1:
            return f"{chance.choice(('lower', 'upper', 'reverse', 'trim', 'ltrim', 'rtrim'))}({inner})"
        case 2:
            return f"{inner} || {text(chance, depth - 1, values)}"
        case 3:
            return f"concat({inner}, {chance.choice(('n', 'p', 'NULL', 'k', 'd'))}, 'z')"
        case 4:
            return f"coalesce({inner}, {text(chance, depth - 1, values)}, '-')"
        case 5:
            return f"{chance.choice(('left', 'right'))}({inner}, {chance.randrange(-4, 5)})"
        case 6:
            return f"substring({inner} from {chance.randrange(-3, 4)} for {chance.randrange(0, 5)})"
        case 7:
            sought = chance.choice(("'a'", "''", "o"))
            return f"replace({inner}, {sought}, '_')"
        case 8:
            return f"({inner})::{chance.choice(('text', 'varchar'))}"
        case 9:
            values.append(chance.choice(("äß", "", "x")))
            return f"coalesce({inner}, ${len(values)})"
        case 10:
            values.append(chance.choice(("2", "-1", "0", None)))
            return f"left({inner}, ${len(values)})"
        case 11:
            values.append(chance.choice(("1", "3", None)))
            return f"substr({inner}, ${len(values)}::int)"
    return f"concat_ws({text(chance, depth - 1, values)}, {inner}, v)"


def whole(chance: random.Random, depth: int, values: list[str | None]) -> str:
    function = chance.choice(("length", "octet_length", "bit_length", "char_length"))
    counted = text(chance, depth, values)
    return chance.choice((f"{function}({counted})", f"coalesce({function}({counted}), 0)", f"strpos({counted}, 'a')"))


def compare(pair: Twins, query: str, values: tuple[str | None, ...] = ()) -> bool:
    """Whether it was answered; a refusal is never half a one."""
    answers = []
    for binary in (False, True):
        given = pair.given(query, values, binary=binary)
        answers.append(given != "0A000")
        if given != "0A000":
            assert given == pair.expected(query, values, binary=binary), query
    assert answers[0] == answers[1]
    return answers[0]


PROVIDERS = (
    "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST' LOCALE 'C'",
    "LOCALE_PROVIDER libc LOCALE 'C'",
    "LOCALE_PROVIDER libc LOCALE 'C.utf8'",
)
LETTERS = ("lower(t)", "upper(t)", 'lower(t COLLATE "C")', "upper(v)", "upper(lower(o))")


@pytest.mark.parametrize("options", PROVIDERS)
def test_letters_as_each_collation_makes_them(options: str, postgres: Server) -> None:
    with twins(postgres, options=options) as pair:
        _letters(pair)


def test_letters_as_icu_makes_them(postgres_tls: TlsServer) -> None:
    certificate = postgres_tls.authority.certificate
    with twins(postgres_tls.server, certificate, "LOCALE_PROVIDER icu ICU_LOCALE 'ru-RU' LOCALE 'C'") as pair:
        _letters(pair)
    with twins(postgres_tls.server, certificate, "LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LOCALE 'C'") as pair:
        pair.fill([{"t": "I"}])
        assert [pair.given(f"SELECT {each} FROM things") for each in ("lower(t)", "upper(t)")] == ["0A000"] * 2
        assert compare(pair, 'SELECT upper(t COLLATE "C") FROM things')


def _letters(pair: Twins) -> None:
    """Each text by itself: one that can not be made small is refused, and all others are right."""
    answered = 0
    for value in TEXTS:
        pair.fill([{"t": value, "o": value, "v": value[:40]}])
        answered += sum(compare(pair, f"SELECT {each} FROM things") for each in LETTERS)
    assert answered >= len(TEXTS) * len(LETTERS) - 10


def test_a_negative_length_is_an_error_at_the_bind(modern: Twins) -> None:
    query = "SELECT substr(t, 1, $1::int) FROM things"
    assert modern.given(query, ("-1",)) == modern.expected(query, ("-1",)) == "22011"


def test_rights_are_never_widened(modern: Twins) -> None:
    for query in (
        "SELECT length(t) FROM things",
        "SELECT t || o FROM things",
        "SELECT coalesce(o, t, 'x') FROM things",
    ):
        plan = modern.plan(query, rights=without("t"))
        assert plan.refusal is not None and plan.refusal.sqlstate == "42501"
        assert modern.plan(query, rights=without("da")).refusal is None
    filtered = modern.plan("SELECT length(t) FROM things", rights=own_rows())
    assert b"OFFSET 0" in b"".join(s for s in filtered.segments if isinstance(s, bytes))


def test_no_constant_and_no_parameter_gets_to_the_server(modern: Twins) -> None:
    plan = modern.plan("SELECT coalesce(t, 'a mark'), left(o, 77), t || $1 FROM things WHERE id = 1")
    assert plan.refusal is None
    text = b"".join(s if isinstance(s, bytes) else b"$" for s in plan.segments)
    assert b"mark" not in text and b"77" not in text
    assert [slot.kind.name for slot in plan.slots] == ["COUNT"]
