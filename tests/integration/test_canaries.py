"""The search itself: each form of a canary is found wherever it is put, and nothing is found where nothing is."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.servers import Database

from .canaries import Canaries, Searcher, forms


@given(before=st.binary(max_size=7), plain=st.binary(min_size=8, max_size=20), after=st.binary(max_size=7))
def test_base64_is_found_at_every_alignment(before: bytes, plain: bytes, after: bytes) -> None:
    encoded = base64.b64encode(before + plain + after)
    assert any(pattern in encoded for name, pattern in forms(plain).items() if name.startswith("base64"))


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("INSERT INTO t (a) VALUES ('{text}')", "marker raw"),
        ("INSERT INTO t (a) SELECT encode('{text}', 'hex')", "marker hex"),
        ("INSERT INTO t (a) SELECT encode('\\x00'::bytea || '{text}', 'base64')", "marker base64"),
        ("INSERT INTO t (b) SELECT '{address}'", "address as PostgreSQL stores it"),
        ("INSERT INTO t (c) VALUES ('{amount}')", "amount as PostgreSQL stores it"),
        ("INSERT INTO t (d) SELECT '{document}'", "marker raw"),
    ],
)
def test_what_reached_the_server_in_the_clear_is_found(database: Database, statement: str, what: str) -> None:
    canaries = Canaries()
    database.run("CREATE TABLE t (a text, b inet, c numeric(12,2), d jsonb)")
    home = database.server.home
    searcher = Searcher(canaries.patterns())
    assert searcher.search(home / "postgres", home / "postgres.log") == []
    filled = statement.replace("{text}", canaries.text()).replace("{address}", canaries.address())
    database.run(filled.replace("{amount}", canaries.amount()).replace("{document}", canaries.document()), "CHECKPOINT")
    finds = searcher.search(home / "postgres")
    assert any(what in find and "/base/" in find for find in finds), finds
    assert any(what in find and "/pg_wal/" in find for find in finds), finds


def test_a_statement_in_the_log_is_found(database: Database) -> None:
    canaries = Canaries()
    database.run("SET log_statement = 'all'", f"SELECT '{canaries.text()}'")
    log = database.server.log_file
    assert Searcher(canaries.patterns()).search(log) == [f"{log}: marker raw"]


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    canaries, file = Canaries(), tmp_path / "file"
    searcher = Searcher(canaries.patterns())
    file.write_bytes(b"nothing here")
    assert searcher.search(tmp_path) == []
    file.write_bytes(canaries.marker.encode("utf-16-le"))
    assert searcher.search(tmp_path) == [f"{file}: marker in UTF-16LE"]
    assert searcher.search(tmp_path) == [f"{file}: marker in UTF-16LE"]
