"""A server's error about a field that has just changed its form is a serialization failure for the client."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.session.commands import RefreshCatalog

from .talk import SELECT_EMAIL, Talk, error_of, execute, failed, hex_cell, parse, query, ready, tags

GUARD = b"COALESCE types bytea and text cannot be matched"
SYNC = b"S\x00\x00\x00\x04"


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    made = Talk(split=request.param)
    made.planner.plans["moving"] = replace(SELECT_EMAIL, unsettled=True)
    return made


def test_the_guards_error_is_40001_and_the_catalog_is_read_again(talk: Talk) -> None:
    talk.client(query("moving"))
    told = talk.server(failed(b"42804", GUARD, P=b"30"), ready(b"E"))
    assert tags(told) == "EZ"
    error = error_of(told[0])
    assert error[b"C"] == b"40001" and b"sealed or unsealed" in error[b"M"]
    assert b"P" not in error and GUARD not in b"".join(error.values())
    assert sum(isinstance(each, RefreshCatalog) for each in talk.commands) == 1


def test_the_same_in_the_extended_protocol(talk: Talk) -> None:
    talk.client(parse("moving"), SYNC)
    assert error_of(talk.server(failed(b"42846", GUARD), ready())[0])[b"C"] == b"40001"


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [("select email", b"42804", GUARD), ("moving", b"42804", b"CASE types text and integer cannot be matched")],
    ids=["nothing moves", "another error"],
)
def test_other_errors_stay_what_they_are(talk: Talk, asked: str, code: bytes, message: bytes) -> None:
    talk.client(query(asked))
    told = talk.server(failed(code, message), ready())
    assert error_of(told[0])[b"C"] == code
    assert not any(isinstance(each, RefreshCatalog) for each in talk.commands)


def test_a_cell_that_a_plain_column_refuses_is_not_shown(talk: Talk) -> None:
    """What COPY FROM that came too late is told: the server quotes the row that it could not read."""
    talk.client(query("moving"))
    shown = b'invalid input syntax for type date: "' + hex_cell(b"1999-01-01") + b'"'
    error = error_of(talk.server(failed(b"22007", shown), ready())[0])
    assert error[b"C"] == b"40001" and b"f96701" not in b"".join(error.values())


@pytest.mark.parametrize("asked", ["moving", "select email"])
def test_behind_the_fence_of_a_rewritten_table_the_catalog_is_read_again(talk: Talk, asked: str) -> None:
    talk.client(query(asked))
    error = error_of(talk.server(failed(b"40001", b"could not serialize access"), ready())[0])
    assert error[b"C"] == b"40001"
    assert any(isinstance(each, RefreshCatalog) for each in talk.commands) == (asked == "moving")


def test_nothing_else_is_executed(talk: Talk) -> None:
    talk.client(parse("moving"), execute(), SYNC)
    assert tags(talk.server(failed(b"42804", GUARD), ready())) == "EZ"
