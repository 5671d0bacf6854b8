"""The SQL of sealed columns."""

from __future__ import annotations

import pytest

from proxy.errors import ConfigError
from proxy.sealing import ddl
from tests.sealing.making import EMAIL, NAME, NOTE, PHONE, PLAIN, field_of

HEAD, OTHER = bytes.fromhex("f9670101" + "0a" * 8), bytes.fromhex("f9670101" + "09" * 8)


def test_a_unique_field() -> None:
    assert ddl.table_elements(EMAIL, [HEAD]) == (
        '"email" pg_catalog.bytea NOT NULL CONSTRAINT "fg_00000000000000000000000000000001" CHECK '
        '("email" IS NULL OR pg_catalog.octet_length("email") >= 56 AND pg_catalog.substr("email", 1, 12) IN '
        "(E'\\\\xf96701010a0a0a0a0a0a0a0a'::pg_catalog.bytea))",
        '"fg_email_eq" pg_catalog.bytea GENERATED ALWAYS AS (pg_catalog.substr("email", 13, 16)) STORED',
        'CONSTRAINT "fg_00000000000000000000000000000001_key" UNIQUE ("fg_email_eq")',
    )
    assert ddl.table_indexes(EMAIL) == ()


def test_a_searchable_field_has_an_index_and_quoted_names() -> None:
    assert len(ddl.table_elements(NAME, [HEAD])) == 2
    assert ddl.table_indexes(NAME) == (
        'CREATE INDEX "fg_00000000000000000000000000000002_idx" ON "public"."people" ("fg_Full Name_eq")',
    )


def test_a_field_without_term_is_one_column() -> None:
    for field in (NOTE, PHONE):
        (element,) = ddl.table_elements(field, [HEAD])
        assert ">= 40 AND" in element
        assert "NOT NULL" not in element
        assert ddl.table_indexes(field) == ()
        with pytest.raises(ConfigError, match="no equality term"):
            ddl.term_column(field)


def test_several_heads_are_sorted() -> None:
    assert ddl.check_expression(NAME, [HEAD, OTHER]) == ddl.check_expression(NAME, {OTHER, HEAD})


def test_quotes_in_names_stay_inside_them() -> None:
    field = field_of('x"; DROP TABLE people; --', 5)
    assert ddl.column_definition(field, [HEAD]).startswith('"x""; DROP TABLE people; --" pg_catalog.bytea')


@pytest.mark.parametrize("heads", [[], [HEAD[:11]], [HEAD, b""]])
def test_a_column_that_admits_nothing_or_too_much_is_refused(heads: list[bytes]) -> None:
    with pytest.raises(ConfigError, match="no head"):
        ddl.check_expression(NAME, heads)


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(ConfigError, match="too long"):
        ddl.term_column(field_of("ы" * 29, 5, equality=True))
    assert len(ddl.term_column(field_of("x" * 57, 5, equality=True))) == 63
    with pytest.raises(ConfigError, match="needs `equality`"):
        ddl.table_elements(field_of("x", 5, unique=True), [HEAD])
    with pytest.raises(ConfigError, match="not a sealed field"):
        ddl.column_definition(PLAIN, [HEAD])
