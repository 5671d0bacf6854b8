"""trim.1 and email.1 are what they say in SQL."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.normalisers.plain import WHITE_SPACE, email, trim
from tests.support.servers import Database


def test_white_space_is_unicodes() -> None:
    """And not U+001C to U+001F, which str.strip() takes too."""
    assert len(WHITE_SPACE) == len(set(WHITE_SPACE)) == 25
    spaces = {c for c in map(chr, range(0x110000)) if c.isspace()} - set("\x1c\x1d\x1e\x1f")
    assert set(WHITE_SPACE) == spaces
    assert all(unicodedata.category(c) in ("Zs", "Zl", "Zp", "Cc") for c in WHITE_SPACE)


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("", ""), (" \t\n", ""), ("  Anna Maria ", "Anna Maria"), ("\u00a0Анна\u3000", "Анна"), ("\x1fx", "\x1fx"),
        ("\u200bx", "\u200bx"), ("\ufeffx", "\ufeffx"),
    ],
)  # fmt: skip
def test_trim(written: str, normalised: str) -> None:
    assert trim(written) == normalised


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("Anna@Example.ORG", "Anna@example.org"),
        ('"a@B"@X.Y', '"a@B"@x.y'),
        ("a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]"),
        ("a@ÄÖ.De", "a@ÄÖ.de"),
        ("a@\u212a.de", "a@\u212a.de"),
        ("No Address", "No Address"),
        ("@", "@"),
        ("", ""),
    ],
)
def test_email(written: str, normalised: str) -> None:
    assert email(written) == normalised


@given(st.text())
def test_both_are_idempotent(text: str) -> None:
    assert trim(trim(text)) == trim(text)
    assert email(email(text)) == email(text)


@pytest.mark.integration
def test_they_are_postgresqls_functions(database: Database) -> None:
    parts = ["", "a", "A", " ", "@", "É", "K", "@B.C", "\u3000", "\x1f", "\n", "x@Y@Z", "ß"]
    texts = [one + other + third for one in parts for other in parts for third in parts]
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT btrim(t, %s), CASE WHEN strpos(t, '@') = 0 THEN t"
            " ELSE regexp_replace(t, '[^@]*$', '') || lower(substring(t FROM '[^@]*$') COLLATE \"C\") END"
            " FROM unnest(%s::text[]) WITH ORDINALITY u(t, n) ORDER BY n",
            [WHITE_SPACE, texts],
        ).fetchall()
    assert rows == [(trim(text), email(text)) for text in texts]
