"""The folding of search tokens: coarser than each lower-casing, here and on the server."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.normalisers.repertoire import UNASSIGNED, assigned
from keys.tokens.folding import fold, folded_runs
from tests.support.servers import Database

TEXTS = st.text(st.sampled_from("aAiIıİßẞΣσςéÉЁё\u0301\u0307\u0378 'ЪÌǅ") | st.characters(exclude_categories=("Cs",)))


def known(text: str) -> str:
    return "".join(fold(each) or "" for each in text)


def test_what_it_makes_of_letters() -> None:
    assert fold("ЁЖИК Straße ÉCOLE ΟΔΟΣ İstanbul DIYARBAKIR Diyarbakır") == (
        "ежик strasse ecole οδοσ istanbul diyarbakir diyarbakir"
    )
    assert fold("e\u0301") == fold("\u00e9") == "e"
    assert fold("a\u0378b") is None
    assert folded_runs("A\u0378bC") == ["a", "bc"]


def test_it_is_coarser_than_lowering_by_python() -> None:
    for character in assigned():
        assert fold(character.lower()) == fold(character), hex(ord(character))


@given(TEXTS, TEXTS)
def test_it_works_character_by_character(left: str, right: str) -> None:
    whole = fold(left + right)
    assert (whole is None) == (fold(left) is None or fold(right) is None)
    assert whole is None or whole == (fold(left) or "") + (fold(right) or "")


@given(TEXTS)
def test_folding_again_changes_nothing(text: str) -> None:
    folded = fold(text)
    assert folded is None or fold(folded) == folded


@given(TEXTS)
def test_composed_and_apart_are_the_same(text: str) -> None:
    if fold(text) is not None and not UNASSIGNED.search(unicodedata.normalize("NFD", text)):
        assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFC", fold(text) or text))


@pytest.mark.integration
@pytest.mark.parametrize("server", ["database", "tls_database"])
def test_it_is_coarser_than_every_collation_of_the_server(server: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue(server)
    points = [ord(each) for each in assigned()[1:]]
    with database.connect() as connection:
        found = connection.execute(
            "SELECT quote_ident(collname) FROM pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace"
            " AND collencoding IN (-1, 6) AND (collprovider <> 'i' OR"
            " collname IN ('und-x-icu', 'tr-x-icu', 'lt-x-icu', 'el-x-icu', 'az-x-icu', 'de-x-icu', 'ru-x-icu'))"
        )
        for (collation,) in found.fetchall():
            lowered = connection.execute(
                f"SELECT chr(p), lower(chr(p) COLLATE {collation}) FROM unnest(%s::int4[]) p"
                f' WHERE lower(chr(p) COLLATE {collation}) COLLATE "C" <> chr(p)',
                (points,),
            )
            for character, small in lowered.fetchall():
                assert UNASSIGNED.search(small) or fold(small) == fold(character), (collation, character)
