"""LIKE, ILIKE and ^@ over opened values, beside the server's own; and what their tokens can be made of."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.tokens import MATCH, PREFIX, inputs_of
from policies.fields import DataMap, Field, LogicalType, ProtectedTable, Sealing
from proxy.errors import SqlState, ValueRejected
from proxy.lowering_loader import load_lowering
from proxy.rows.patterns import lowered, make_test, token_inputs
from proxy.sql.plan import Comparing, Lowering
from tests.support.servers import Database

FIELD = Field("public", "t", "x", "pd", Sealing("0" * 32, LogicalType.TEXT, tokens=(MATCH,)))
SEARCHED = DataMap("shop", "shop", {("public", "t"): ProtectedTable("public", "t", {"x": FIELD})})
LETTERS = "abAB%_\\\n %%éÉИиıİΣςσ\u0301ßẞǅ\u0378"
TEXTS = st.text(st.sampled_from(LETTERS), max_size=8)
ASCII = Lowering({ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})


@pytest.mark.integration
@pytest.mark.parametrize("server", ["database", "tls_database"])
async def test_the_same_as_the_server(server: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue(server)
    connection = await database.connect_async()
    lowering = await load_lowering(connection, SEARCHED, None)
    assert lowering is not None and lowered("ÉИ", lowering) == "éи"
    assert await load_lowering(connection, DataMap("shop", "shop"), None) is None
    await connection.close()
    with database.connect() as asked:

        @settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=15)
        @given(st.lists(st.tuples(TEXTS, TEXTS), min_size=20, max_size=40))
        def same(pairs: list[tuple[str, str]]) -> None:
            pairs = [(value, pattern) for value, pattern in pairs if not _ends_escaping(pattern)]
            query = (
                "SELECT v LIKE p, v ILIKE p, starts_with(v, p)"
                " FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS x (v, p, n) ORDER BY n"
            )
            told = asked.execute(query, [[value for value, _ in pairs], [pattern for _, pattern in pairs]]).fetchall()
            for (value, pattern), answers in zip(pairs, told, strict=True):
                for comparing, answer in zip(Comparing, answers, strict=True):
                    assert make_test(comparing, pattern, lowering)(value) is answer, (comparing, value, pattern)

        same()


def _ends_escaping(pattern: str) -> bool:
    return (len(pattern) - len(pattern.rstrip("\\"))) % 2 == 1


@given(TEXTS, TEXTS)
def test_what_matches_has_the_tokens(value: str, pattern: str) -> None:
    for comparing in Comparing:
        for mode in (MATCH, PREFIX):
            try:
                matches = make_test(comparing, pattern, ASCII)(value)
                sought = token_inputs(comparing, pattern, (mode,), "t.x")
            except ValueRejected:
                continue
            held = inputs_of([mode])(value.encode())
            assert held is None or not matches or held.issuperset(sought)


def test_a_final_sigma() -> None:
    full = Lowering({ord(each): each.lower() for each in "ΟΔΥΣΕ"}, sigma=True)
    assert lowered("ΟΔΥΣΣΕΥΣ ΟΔΥΣ ς", full) == "οδυσσευς οδυς ς"
    assert not make_test(Comparing.ILIKE, "%ΔΥΣ%", full)("ΟΔΥΣΣΕΥΣ")
    assert make_test(Comparing.ILIKE, "%ΔΥΣΣΕ%", full)("ΟΔΥΣΣΕΥΣ")


def test_long_patterns_take_no_time() -> None:
    assert not make_test(Comparing.LIKE, "%a" * 2000 + "%b", None)("a" * 100_000)


@pytest.mark.parametrize(
    ("pattern", "modes", "count"),
    [("%abc%", (MATCH,), 1), ("ab%", (MATCH,), 1), ("%ab", (MATCH,), 1), ("%ab%", (MATCH,), 0), ("", (MATCH,), 0),
     ("a_bc%", (PREFIX,), 0), ("ab_c%", (PREFIX,), 1), ("%abcdef", (PREFIX,), 0), ("a%", (MATCH, PREFIX), 0),
     ("abc%", (MATCH, PREFIX), 3), ("%" + "abcdefghij" * 9, (MATCH,), 11), ("%a\\%b%", (MATCH,), 1)],
)  # fmt: skip
def test_what_is_looked_for(pattern: str, modes: tuple[str, ...], count: int) -> None:
    if count:
        assert len(token_inputs(Comparing.LIKE, pattern, modes, "t.x")) == count
        return
    with pytest.raises(ValueRejected, match="too little") as refused:
        token_inputs(Comparing.LIKE, pattern, modes, "t.x")
    assert refused.value.hint


def test_a_pattern_that_ends_by_escaping_nothing() -> None:
    with pytest.raises(ValueRejected) as refused:
        make_test(Comparing.LIKE, "abc\\", None)
    assert refused.value.sqlstate is SqlState.INVALID_ESCAPE_SEQUENCE
