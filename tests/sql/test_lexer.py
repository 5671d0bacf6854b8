"""Tokens begin and end where PostgreSQL's own scanner says."""

from __future__ import annotations

import pgparse
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import SqlState
from proxy.sql.cache import CachedPlanner
from proxy.sql.lexer import TokenKind, Tokens, Unlexable, nesting_bound
from proxy.sql.tree import nodes

from .shop import context


def _texts(source: str) -> list[str]:
    return [token.text.decode() for token in Tokens(source.encode()).items]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a.b", ["a", ".", "b"]),
        ("'it''s'", ["'it''s'"]),
        ("'a'\n 'b' 'c'", ["'a'\n 'b'", "'c'"]),
        ("'a' -- c\n'b'", ["'a' -- c\n'b'"]),
        (r"E'a\'b' 'c'", [r"E'a\'b'", "'c'"]),
        (r"'a\' 'b'", [r"'a\'", "'b'"]),
        ("U&'x' u&\"y\"", ["U&'x'", 'u&"y"']),
        ("$$a'b$$ $t$ $$ $t$", ["$$a'b$$", "$t$ $$ $t$"]),
        ("a$b$c $1", ["a$b$c", "$1"]),
        ("N'x' b'01' X'1F'", ["N", "'x'", "b'01'", "X'1F'"]),
        ("1.5e3 .5 1..2 0x1F 1_000", ["1.5e3", ".5", "1", "..", "2", "0x1F", "1_000"]),
        ("a=-5 b@-5 c*-d", ["a", "=", "-", "5", "b", "@-", "5", "c", "*", "-", "d"]),
        ("a<>b/*x*/c--y\nd", ["a", "<>", "b", "c", "d"]),
        ("a+/* /* */ */b", ["a", "+", "b"]),
        ("x::text[]", ["x", "::", "text", "[", "]"]),
        ('"a""b"', ['"a""b"']),
        ("ä öß", ["ä", "öß"]),
    ],
)
def test_tokens(source: str, expected: list[str]) -> None:
    assert _texts(source) == expected


@pytest.mark.parametrize("source", ["'open", "/* open", '"open', "$$open", "\x01"])
def test_unknown_text_is_said_to_be_unknown(source: str) -> None:
    with pytest.raises(Unlexable):
        Tokens(source.encode())


_PIECES = st.sampled_from(
    ["SELECT", "a", "b.c", "'x'", "E'\\n'", "$1", "$$q$$", "1", "1.5", "+", "- ", "||", "=", "(", ")", ",", " ", "\n",
     "/* c */", "-- c\n", "::text", "FROM t", "WHERE", "AND", "[1]", '"Q"', "ü", "'ä'", "IN (1)", "U&'\\0061'"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=25))
def test_every_place_that_the_grammar_names_is_a_token(pieces: list[str]) -> None:
    source = " ".join(["SELECT", *pieces])
    try:
        tree = pgparse.parse(source)
    except pgparse.PGQueryError:
        return
    tokens = Tokens(source.encode())
    for key, node in nodes(tree):
        if key in ("ColumnRef", "A_Const", "ParamRef", "RangeVar") and node.get("location", 0) > 0:
            assert tokens.index_at(node["location"]) is not None


@given(st.text(max_size=200))
def test_tokens_never_overlap_and_lose_nothing(text: str) -> None:
    source = text.encode(errors="replace")
    try:
        tokens = Tokens(source).items
    except Unlexable:
        return
    position = 0
    for token in tokens:
        assert token.start >= position
        assert source[token.start : token.end] == token.text
        position = token.end


def test_nesting_is_bounded_from_above() -> None:
    assert nesting_bound(b"((((1))))") >= 4
    assert nesting_bound(b"SELECT " + b"1+" * 500 + b"1") >= 500
    assert nesting_bound(b"INSERT INTO t VALUES " + b",".join([b"(1,-2)"] * 500)) < 20


def test_kinds() -> None:
    kinds = [token.kind for token in Tokens(b"a \"b\" 'c' 1 $1 , + b'1'").items]
    assert kinds == [
        TokenKind.WORD, TokenKind.QUOTED, TokenKind.STRING, TokenKind.NUMBER, TokenKind.PARAM, TokenKind.MARK,
        TokenKind.OPERATOR, TokenKind.BITS,
    ]  # fmt: skip


def test_numbers_that_an_older_server_does_not_know() -> None:
    """They are sealed in the proxy, so the server would not say that they are none."""
    sql = "SELECT id FROM customers WHERE score = 0x5"
    assert CachedPlanner().plan_statement(sql, (), context(server=160000)).refusal is None
    refusal = CachedPlanner().plan_statement(sql, (), context(server=150000)).refusal
    assert refusal is not None and refusal.sqlstate is SqlState.SYNTAX_ERROR
