"""A statement that was planned by a term column which is gone: 40001, and the catalog is read again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.session.commands import RefreshCatalog

from .talk import SELECT_EMAIL, Talk, bind, error_of, execute, failed, parse, query, ready, tags

GONE = b"column customers.fg_email_eq does not exist"
SYNC, PARSED = b"S\x00\x00\x00\x04", b"1\x00\x00\x00\x04"


@pytest.fixture(params=[False, True], ids=["whole", "byte by byte"])
def talk(request: pytest.FixtureRequest) -> Talk:
    made = Talk(split=request.param)
    made.planner.plans["search"] = replace(SELECT_EMAIL, edited=True)
    made.planner.plans["own text"] = replace(SELECT_EMAIL, segments=(b"own text",), outputs=None)
    return made


def refreshed(talk: Talk) -> int:
    return sum(isinstance(each, RefreshCatalog) for each in talk.commands)


def test_it_is_a_serialization_failure_and_names_no_column(talk: Talk) -> None:
    talk.client(query("search"))
    told = talk.server(failed(b"42703", GONE, P=b"30"), ready(b"E"))
    assert tags(told) == "EZ"
    error = error_of(told[0])
    assert error[b"C"] == b"40001" and b"rotated" in error[b"M"]
    assert b"P" not in error and b"fg_" not in b"".join(error.values())
    assert refreshed(talk) == 1


def test_at_the_bind_of_a_statement_that_was_prepared_before(talk: Talk) -> None:
    """The server analyses it again only then; the name stays, and the next Bind of it succeeds."""
    talk.client(parse("search", b"s"), SYNC)
    talk.server(PARSED, ready())
    talk.client(bind(name=b"s"), execute(), SYNC)
    told = talk.server(failed(b"42703", GONE), ready())
    assert error_of(told[0])[b"C"] == b"40001" and refreshed(talk) == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [("own text", GONE), ("search", b"column customers.nickname does not exist")],
    ids=["not rewritten", "another column"],
)
def test_other_errors_stay_what_they_are(talk: Talk, asked: str, message: bytes) -> None:
    talk.client(query(asked))
    told = talk.server(failed(b"42703", message), ready())
    assert error_of(told[0])[b"C"] == b"42703" and refreshed(talk) == 0


def test_a_name_that_the_client_has_written_beside_a_statement_of_ours_is_its_own(talk: Talk) -> None:
    talk.client(query("own text; search"))
    told = talk.server(failed(b"42703", GONE), ready())
    assert error_of(told[0])[b"C"] == b"42703" and refreshed(talk) == 0
