"""Rows are put in the order in which the server would have put them, and counted as it counts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal

import pytest

from proxy.demo.server import Server
from proxy.errors import CellUnreadable
from proxy.rows.finishing.arranging import Arranger, Counts, FinishBounds
from proxy.sql.arrangement import Arrangement, SortKey
from proxy.wire.backend import FieldDescription, build_data_row
from proxy.wire.values.settings import ValueSettings
from tests.support.servers import TlsServer

from .nasty import TEXTS, rows
from .twins import ALL, Answer, Twins, Verb, own_rows, twins, without

INTEGRATION = pytest.mark.integration
KEYS = (
    "t", "o", "v", "i", "n", "l", "d", "b", "da", "ts", "tz", "u", "y", "ip", "k", "lower(t)", 't COLLATE "C"',
    "length(t)", "t || o", "extract(year FROM ts)", "n::text", "coalesce(d, 0)", "upper(v COLLATE \"C\")", "left(t, 1)",
)  # fmt: skip
DIRECTIONS = (
    "",
    " ASC",
    " DESC",
    " NULLS FIRST",
    " NULLS LAST",
    " DESC NULLS LAST",
    " DESC NULLS FIRST",
    " ASC NULLS FIRST",
)


@pytest.fixture(scope="module")
def modern(postgres: Server) -> Iterator[Twins]:
    with twins(postgres) as made:
        made.fill(rows(3, 150))
        yield made


@pytest.fixture(scope="module")
def older(postgres_tls: TlsServer) -> Iterator[Twins]:
    with twins(postgres_tls.server, postgres_tls.authority.certificate) as made:
        made.fill(rows(4, 150))
        yield made


def same(pair: Twins, query: str, values: tuple[str | None, ...] = ()) -> bool:
    """Whether it was answered."""
    for binary in (False, True):
        given = pair.given(query, values, binary=binary)
        if given == "0A000":
            return False
        assert given == pair.expected(query, values, binary=binary), query
    return True


@INTEGRATION
@pytest.mark.parametrize("key", KEYS)
def test_by_each_type(key: str, modern: Twins, older: Twins) -> None:
    for direction in DIRECTIONS:
        for pair in (modern, older):
            assert (
                same(pair, f"SELECT id, {key.split(' ')[0]} FROM things ORDER BY {key}{direction}, t, id") or key == "k"
            )


@INTEGRATION
def test_at_random(modern: Twins, older: Twins) -> None:
    chance = random.Random(5)
    answered = 0
    for number in range(150):
        keys = chance.sample((*KEYS, "p", "k"), chance.randrange(1, 4))
        clause = ", ".join(key + chance.choice(DIRECTIONS) for key in keys) + f", id{chance.choice(DIRECTIONS)}"
        query = f"SELECT {chance.choice(('id', '*', 't, da, id, p', 'lower(o) AS x, d'))} FROM things ORDER BY {clause}"
        values: tuple[str | None, ...] = ()
        if chance.random() < 0.6:
            query += f" LIMIT {chance.choice(('0', '1', '7', '1000', 'ALL'))} OFFSET {chance.choice((0, 3, 500))}"
        elif chance.random() < 0.5:
            query, values = query + " LIMIT $1::bigint", (chance.choice(("5", None)),)
        answered += same((modern, older)[number % 2], query, values)
    assert answered > 120


@INTEGRATION
def test_a_limit_among_ties_is_one_of_the_right_answers(modern: Twins) -> None:
    for key in ("b", "i", "left(t, 1)"):
        query = f"SELECT {key} AS key FROM things ORDER BY key DESC LIMIT 40"
        assert same(modern, query)
        told = modern.given(f"SELECT id, {key} FROM things ORDER BY {key} LIMIT 40")
        assert isinstance(told, Answer)
        assert len({row[0] for row in told.rows}) == 40


@INTEGRATION
def test_by_output_names_and_numbers(modern: Twins) -> None:
    for query in (
        "SELECT t AS x, id FROM things ORDER BY x, 2",
        "SELECT id AS t, o FROM things ORDER BY t, o",
        "SELECT o AS t, id FROM things ORDER BY t DESC, id",
        "SELECT lower(t) AS low, id FROM things ORDER BY 1 DESC NULLS LAST, 2 DESC",
        "SELECT things.id, things.t FROM things ORDER BY things.t, things.id LIMIT 3",
        "SELECT s.id FROM (SELECT id, t FROM things) s ORDER BY s.t, s.id OFFSET 2 FETCH FIRST 4 ROWS ONLY",
    ):
        assert same(modern, query), query


@INTEGRATION
def test_collations_that_only_the_server_knows(postgres_tls: TlsServer) -> None:
    certificate = postgres_tls.authority.certificate
    with twins(postgres_tls.server, certificate, "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'") as pair:
        pair.fill([{"t": text, "da": "2000-01-01"} for text in TEXTS])
        refusal = pair.plan("SELECT id FROM things ORDER BY t").refusal
        assert refusal is not None and refusal.sqlstate == "0A000"
        assert "public.things.t" in refusal.message and 'COLLATE "C"' in (refusal.hint or "")
        assert same(pair, 'SELECT id, t FROM things ORDER BY t COLLATE "C", id')
        assert same(pair, "SELECT id FROM things ORDER BY length(t), da, id")


@INTEGRATION
@pytest.mark.parametrize("options", ["LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST' LOCALE 'C'",
                                     "LOCALE_PROVIDER libc LOCALE 'C'"])  # fmt: skip
def test_collations_by_bytes(options: str, postgres: Server) -> None:
    with twins(postgres, options=options) as pair:
        pair.fill([{"t": text} for text in TEXTS])
        assert same(pair, "SELECT id, t FROM things ORDER BY t, id")


@INTEGRATION
def test_rights_are_never_widened(modern: Twins) -> None:
    for query in ("SELECT id FROM things ORDER BY t", "SELECT id, length(t) FROM things ORDER BY 2, o"):
        for rights in (without("t"), without(verbs=ALL & ~Verb.ORDER)):
            refusal = modern.plan(query, rights=rights).refusal
            assert refusal is not None and refusal.sqlstate == "42501"
    assert modern.plan("SELECT id FROM things ORDER BY t", rights=without("d")).refusal is None
    filtered = modern.plan("SELECT id FROM things ORDER BY t, id", rights=own_rows())
    assert b"OFFSET 0" in b"".join(s for s in filtered.segments if isinstance(s, bytes))


# -- DISTINCT --

DISTINCT = (
    "t", "o", "v", "i", "n", "l", "b", "da", "ts", "tz", "u", "y", "b, i", "t, b", "lower(t)", "left(t, 1), b",
    "length(t)", "extract(year FROM da)", "date_part('month', ts)",
    "p, b", "k, i", "left(t, 1), 'x'", "ip", "coalesce(v, 'x')",
    "y, p, k",
)  # fmt: skip


@INTEGRATION
@pytest.mark.parametrize("columns", DISTINCT)
def test_distinct(columns: str, modern: Twins, older: Twins) -> None:
    for pair in (modern, older):
        query = f"SELECT DISTINCT {columns} FROM things"
        given, expected = pair.given(query), pair.expected(query)
        assert isinstance(given, Answer) and isinstance(expected, Answer)
        assert (given.columns, sorted(map(repr, given.rows))) == (expected.columns, sorted(map(repr, expected.rows)))
        numbers = ", ".join(str(n) for n in range(1, len(given.columns) + 1) if columns != "left(t, 1), 'x'" or n == 1)
        assert same(pair, f"{query} ORDER BY {numbers} LIMIT 7 OFFSET 2")


@INTEGRATION
def test_numbers_that_are_equal_are_one(modern: Twins) -> None:
    given, expected = modern.given("SELECT DISTINCT d FROM things"), modern.expected("SELECT DISTINCT d FROM things")
    assert isinstance(given, Answer) and isinstance(expected, Answer)

    def meant(answer: Answer) -> list[str]:
        return sorted(str(row[0] and Decimal(row[0].decode()).normalize()) for row in answer.rows)

    assert meant(given) == meant(expected)


@INTEGRATION
def test_distinct_needs_the_right_to_group(modern: Twins) -> None:
    for query in ("SELECT DISTINCT t FROM things", "SELECT DISTINCT length(t), b FROM things"):
        refusal = modern.plan(query, rights=without(verbs=ALL & ~Verb.GROUP)).refusal
        assert refusal is not None and refusal.sqlstate == "42501"


# -- bounds --

FIELDS = [FieldDescription("place", 0, 0, 20, 8, -1, 0)]


def arranger(counts: Counts | None = None, most: int = 0, **bounds: int) -> Arranger:
    arrangement = Arrangement((SortKey(descending=False, nulls_first=False, rank=0),))
    limits = FinishBounds(**bounds)
    return Arranger(arrangement, counts or Counts(), FIELDS, None, None, ValueSettings(), {}, limits, most=most)  # type: ignore[arg-type]


def take(using: Arranger, places: list[int]) -> None:
    for place in places:
        message = build_data_row([b"%d" % place])
        using.take(message, [(ord("D"), 0, len(message))])


def places(using: Arranger) -> list[int]:
    data, spans = using.finish()
    return [int(data[start + 11 : end]) for _, start, end in spans]


def test_what_distinct_has_seen_counts_where_limit_has_cut_its_rows() -> None:
    key = SortKey(descending=False, nulls_first=False, rank=0)
    using = Arranger(
        Arrangement((key,), apart=(key,)), Counts(limit=1), FIELDS, None, None, ValueSettings(), {},  # type: ignore[arg-type]
        FinishBounds(bytes=100_000),
    )  # fmt: skip
    with pytest.raises(CellUnreadable) as refused:
        take(using, list(range(10_000)))
    assert refused.value.sqlstate == "54000" and "limits.finish_bytes" in (refused.value.hint or "")


def test_more_than_may_be_kept_is_an_error_that_names_the_key() -> None:
    one = arranger(rows=5)
    take(one, [3, 1, 2, 5, 4])
    with pytest.raises(CellUnreadable) as refused:
        take(one, [6])
    assert refused.value.sqlstate == "54000" and "limits.finish_rows" in (refused.value.hint or "")
    two = arranger(bytes=30)
    with pytest.raises(CellUnreadable) as refused:
        take(two, [1, 2, 3, 4])
    assert "limits.finish_bytes" in (refused.value.hint or "")


def test_with_a_limit_no_more_is_kept_than_is_wanted() -> None:
    chance = random.Random(1)
    numbers = list(range(20_000))
    chance.shuffle(numbers)
    one = arranger(Counts(limit=3, offset=2), rows=5000)
    take(one, numbers)
    assert places(one) == [2, 3, 4]
    small = arranger(Counts(limit=3), rows=4)
    take(small, numbers[:500])
    assert places(small) == sorted(numbers[:500])[:3]


def test_an_execute_counts_what_is_in_order() -> None:
    one = arranger(Counts(offset=1), most=2)
    take(one, [4, 3, 2, 1])
    assert (places(one), one.passed, one.suspended) == ([2, 3], 2, True)
    two = arranger(most=5)
    take(two, [4, 3])
    assert (places(two), two.suspended) == ([3, 4], False)
    assert places(arranger()) == []


def test_a_column_that_is_no_place_is_not_ordered_by() -> None:
    arrangement = Arrangement((SortKey(descending=False, nulls_first=False, rank=1),))
    with pytest.raises(CellUnreadable):
        Arranger(arrangement, Counts(), FIELDS, None, None, ValueSettings(), {}, FinishBounds())  # type: ignore[arg-type]
