"""min, max and counts of opened values are those of the server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy.demo.server import Server
from tests.support.servers import TlsServer

from .nasty import TEXTS, rows
from .twins import ALL, Answer, Twins, Verb, twins, without

pytestmark = pytest.mark.integration

QUERIES = (
    *(f"SELECT min({name}), max({name}) FROM things" for name in ("t", "v", "i", "n", "l", "da", "ts", "tz", "ip")),
    "SELECT min(t) FROM things WHERE p IS NULL", "SELECT max(d) FROM things WHERE k > 0",
    "SELECT count(DISTINCT t), count(*), count(o), max(da) AS latest FROM things",
    *(f"SELECT count(DISTINCT {name}) FROM things" for name in ("o", "d", "b", "u", "y", "ip", "tz")),
    "SELECT count(*), min(da) FROM things WHERE id < 0", "SELECT max(s.n) FROM (SELECT n FROM things) s",
    "WITH x AS (SELECT t, l FROM things) SELECT max(l), min(t) FROM x",
    "SELECT pg_catalog.max(n), count(n) FROM things",
)  # fmt: skip


@pytest.fixture(scope="module")
def modern(postgres: Server) -> Iterator[Twins]:
    with twins(postgres) as made:
        made.fill(rows(5, 80))
        yield made


@pytest.fixture(scope="module")
def older(postgres_tls: TlsServer) -> Iterator[Twins]:
    with twins(postgres_tls.server, postgres_tls.authority.certificate) as made:
        made.fill(rows(6, 80))
        yield made


@pytest.mark.parametrize("query", QUERIES)
def test_as_the_server(query: str, modern: Twins, older: Twins) -> None:
    for pair in (modern, older):
        for binary in (False, True):
            assert pair.given(query, binary=binary) == pair.expected(query, binary=binary)


def test_over_the_edges(modern: Twins) -> None:
    modern.fill([{"d": each} for each in ("NaN", "Infinity", "-Infinity", "1.5")] + [{"t": text} for text in TEXTS])
    for query in ("SELECT min(d), max(d) FROM things", "SELECT min(t), max(t), count(DISTINCT t) FROM things"):
        assert modern.given(query) == modern.expected(query)
    modern.fill(rows(5, 80))


def test_what_is_left_to_the_server_or_refused(modern: Twins) -> None:
    for query in (
        "SELECT max(b) FROM things", "SELECT max(u) FROM things", "SELECT max(t), p FROM things GROUP BY p",
        "SELECT max(t), max(p) FROM things", "SELECT max(t) FROM things LIMIT 1", "SELECT max(t || 'x') FROM things",
        "SELECT sum(n) FROM things", "SELECT max(t) FILTER (WHERE id > 1) FROM things",
        "SELECT max(t) OVER () FROM things",
        "SELECT x FROM (SELECT max(t) AS x FROM things) s", "SELECT max(t) FROM things HAVING count(*) > 1",
        "SELECT DISTINCT max(t) FROM things", "SELECT max(t) FROM things UNION SELECT 'x'",
    ):  # fmt: skip
        assert modern.given(query) == "0A000", query
    assert isinstance(modern.given("SELECT count(t), count(*) FROM things"), Answer)


def test_rights(modern: Twins) -> None:
    for query in ("SELECT min(t) FROM things", "SELECT count(DISTINCT t) FROM things"):
        for rights in (without("t"), without(verbs=ALL & ~Verb.AGGREGATE)):
            refusal = modern.plan(query, rights=rights).refusal
            assert refusal is not None and refusal.sqlstate == "42501", query
    read = modern.plan("SELECT max(t) FROM things", rights=without(verbs=ALL & ~Verb.READ)).refusal
    assert read is not None and read.sqlstate == "42501"
