"""Folding and composition are Unicode 14.0's under every Python, and PostgreSQL's own where it has them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import NormaliserUnusable
from keys.normalisers import unicode
from keys.normalisers.repertoire import UNASSIGNED, UNICODE_VERSION, assigned
from keys.normalisers.unicode import casefold, nfc, require_pinned_tables
from tests.support.servers import Database

KNOWN = assigned()
NEWER = "\U00010d50"  # GARAY CAPITAL LETTER A: came with Unicode 16.0, with a small letter of its own

known_texts = st.text(st.sampled_from(KNOWN) | st.sampled_from("aAäÄßẞſİıǅΣςσ\u0301\u0316\u0344\u0345\u1e9b\u0958Åﬁ가"))
texts = st.text() | known_texts


def test_the_repertoire_is_that_of_unicode_14() -> None:
    newer = [c for c in map(chr, range(0x110000)) if UNASSIGNED.fullmatch(c) and unicodedata.category(c) != "Cn"]
    assert all(unicodedata.category(character) != "Cn" for character in KNOWN)
    assert unicodedata.unidata_version != UNICODE_VERSION or newer == []
    assert len(KNOWN) == 144_697 + 65  # as the Unicode Consortium counts 14.0, and control characters


def test_this_python_keeps_the_promise() -> None:
    require_pinned_tables()


@pytest.fixture
def tables_asked_again() -> Iterator[None]:
    require_pinned_tables.cache_clear()
    yield
    require_pinned_tables.cache_clear()


def test_a_python_with_other_tables_is_found_at_once(monkeypatch: pytest.MonkeyPatch, tables_asked_again: None) -> None:
    real = unicodedata.combining
    monkeypatch.setattr(unicode.unicodedata, "combining", lambda c: 230 if c == "\u0316" else real(c))
    with pytest.raises(NormaliserUnusable, match="otherwise than that version"):
        require_pinned_tables()


def test_characters_of_later_versions_are_left_alone_whatever_this_python_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert casefold(f"A{NEWER}B") == f"a{NEWER}b"
    seen: list[str] = []
    monkeypatch.setattr(unicode, "_compose", lambda text: seen.append(text) or text)
    assert nfc(f"a\u0301{NEWER}\u0301b{NEWER}") == f"a\u0301{NEWER}\u0301b{NEWER}"
    assert seen == ["a\u0301", "\u0301b", ""]


@given(texts)
def test_both_are_idempotent(text: str) -> None:
    assert casefold(casefold(text)) == casefold(text)
    assert nfc(nfc(text)) == nfc(text)


@given(known_texts)
def test_on_known_characters_they_are_the_whole_function(text: str) -> None:
    assert casefold(text) == text.casefold()
    assert nfc(text) == unicodedata.normalize("NFC", text)


@given(known_texts)
def test_composing_after_folding_makes_canonically_equal_texts_one(text: str) -> None:
    composed, apart = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    if "\u0345" not in apart:  # ypogegrammeni: folds to a letter, which does not change places with other marks
        assert nfc(casefold(composed)) == nfc(casefold(apart))


def test_more_marks_than_any_writing_has_stay_in_their_order() -> None:
    assert nfc("e" + "\u0301\u0316" * 15) == unicodedata.normalize("NFC", "e" + "\u0301\u0316" * 15)
    for many in ("e\u0301" + "\u0316\u0301" * 15, "e" + "\u0301\u0316" * 500_000):
        assert nfc(many) == many


@pytest.mark.integration
def test_folding_is_postgresqls(database: Database) -> None:
    _compare(database, "casefold(t COLLATE pg_unicode_fast)", casefold)


@pytest.mark.integration
@pytest.mark.parametrize("server", ["database", "tls_database"])
def test_composition_is_postgresqls(request: pytest.FixtureRequest, server: str) -> None:
    _compare(request.getfixturevalue(server), "normalize(t, NFC)", nfc)


def _compare(database: Database, sql: str, function: object) -> None:
    """Every character alone, and before and behind letters and marks."""
    assert callable(function)
    around = ["{}", "a{}\u0301", "\u0316{}\u0301", "{}\u0345\u0301", "\u1100{}\u11a8"]
    given_texts = [form.format(c) for form in around for c in KNOWN if c != "\0"]
    with database.connect() as connection:
        for start in range(0, len(given_texts), 100_000):
            part = given_texts[start : start + 100_000]
            rows = connection.execute(
                f"SELECT {sql} FROM unnest(%s::text[]) WITH ORDINALITY u(t, n) ORDER BY n", [part]
            )
            differing = [text for text, (told,) in zip(part, rows, strict=True) if function(text) != told]
            assert differing == []
