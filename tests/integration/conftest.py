"""`stage`: the whole thing, once for a run.  After every test that used it the search for plaintext (canaries.py)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .canaries import Canaries, Searcher
from .stage import Stage, raised


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    with raised() as made:
        yield made


@pytest.fixture(scope="session")
def planted() -> Canaries:
    return Canaries()


@pytest.fixture(scope="session")
def searcher(planted: Canaries) -> Searcher:
    return Searcher(planted.patterns())


@pytest.fixture(autouse=True)
def _no_plaintext_anywhere(request: pytest.FixtureRequest) -> Iterator[None]:
    """For every test that used the stage, whether it planted anything or not."""
    if "stage" not in request.fixturenames:
        yield
        return
    stage: Stage = request.getfixturevalue("stage")
    planted: Canaries = request.getfixturevalue("planted")
    searcher: Searcher = request.getfixturevalue("searcher")
    yield
    assert raw_finds(stage, planted) == []
    assert searcher.search(*stage.places) == []


@pytest.fixture
def canaries(stage: Stage, planted: Canaries) -> Canaries:
    """Values to put into sealed fields."""
    return planted


def raw_finds(stage: Stage, planted: Canaries) -> list[str]:
    """What a raw connection sees of the canaries, in any column of any table; also writes all of it to disk."""
    hexadecimal = planted.marker.encode().hex()
    with stage.raw.connect() as connection:
        connection.execute("SET log_statement = 'none'")  # else this very search would be found in the log
        connection.execute("SET log_min_duration_statement = -1")
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        finds = []
        for (table,) in tables.fetchall():
            question = (
                f"SELECT count(*) FROM {table} t WHERE position(%s in t::text) > 0 OR position(%s in t::text) > 0"
            )
            row = connection.execute(question.encode(), (planted.marker, hexadecimal)).fetchone()
            assert row is not None
            if row[0]:
                finds.append(f"{table}: {row[0]} rows")
        connection.execute("CHECKPOINT")
    return finds
