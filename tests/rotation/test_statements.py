"""The text of the statements: names are quoted, functions qualified, values are parameters."""

from __future__ import annotations

import pytest

from policies.fields import Field
from proxy.rotation.fence import lower_fence, raise_fence
from proxy.rotation.places import KeyColumn, Member
from proxy.rotation.statements import Batches, count_under, is_old, literal
from proxy.sealing.fences import FENCE_MESSAGE, fence_head
from tests.rotation.making import EMAIL, NAME, NOTE
from tests.sealing.making import id_of

HEAD = bytes.fromhex("f96701010011223344556677")
ID = KeyColumn("id", "bigint", True)
ODD = KeyColumn('od"d', "public.mood")


def batches(*fields: Field, keys: tuple[KeyColumn, ...] = (ID,)) -> Batches:
    return Batches(Member("public", "people", keys, "id", 20), tuple((field, HEAD) for field in fields))


def test_a_head_is_twelve_bytes() -> None:
    assert literal(HEAD) == r"E'\\xf96701010011223344556677'::pg_catalog.bytea"
    with pytest.raises(ValueError, match="12"):
        literal(HEAD + b"'")


def test_null_is_not_old() -> None:
    assert is_old("t", EMAIL, HEAD) == f'pg_catalog.substr(t."email", 1, 12) <> {literal(HEAD)}'


def test_select_walks_by_key() -> None:
    text = batches(EMAIL).select(after=True, until=True)
    assert '(t."id") > ($2::bigint) AND (t."id") <= ($3::bigint)' in text
    assert text.endswith('ORDER BY t."id" LIMIT $1')
    assert "FROM ONLY" in text
    assert batches(EMAIL).select(after=False, until=False, lock=True).endswith("FOR NO KEY UPDATE OF t SKIP LOCKED")


def test_keys_of_other_types_go_as_text() -> None:
    text = batches(EMAIL, keys=(ID, ODD)).select(after=True, until=False)
    assert """pg_catalog.format('%s', t."od""d")""" in text
    assert '(t."id", t."od""d") > ($2::bigint, $3::pg_catalog.text::public.mood)' in text
    assert "unnest($2::pg_catalog.text[])" in batches(EMAIL, keys=(ID, ODD)).replace()


def test_each_cell_is_compared_by_itself() -> None:
    text = batches(EMAIL, NAME).replace()
    assert '"email" = CASE WHEN t."email" = s.o1 THEN s.n1 ELSE t."email" END' in text
    assert 'AND (t."email" = s.o1 OR t."Full Name" = s.o2)' in text


def test_a_bound_cell_needs_its_row_key_to_stand() -> None:
    assert "= s.bound" in batches(NOTE).replace()
    assert "= s.bound" not in batches(EMAIL).replace()


def test_the_fence_says_nothing_of_the_row() -> None:
    text = "\n".join(raise_fence(EMAIL, HEAD, [Member("public", "people", (ID,))]))
    assert f"RAISE EXCEPTION '{FENCE_MESSAGE}' USING ERRCODE = '40001'" in text
    assert "OLD." in text
    assert "ENABLE ALWAYS" in text
    assert f"fg_fence_{id_of(EMAIL)}_key" in text


def test_a_partitioned_table_hands_its_fence_on() -> None:
    parts = [Member("public", name, (ID,), partition=True) for name in ("people_1", "people_2")]
    raised = "\n".join(raise_fence(EMAIL, HEAD, parts))
    assert raised.count("CREATE TRIGGER") == 2
    assert raised.count("ENABLE ALWAYS") == 6
    assert "people_1" not in "\n".join(lower_fence(EMAIL, parts))


def test_a_fence_is_read_back_from_its_definition_only() -> None:
    assert fence_head(r"... WHEN ((substr(new.email, 1, 12) <> '\xf96701010011223344556677'::bytea)) ...") == HEAD
    assert fence_head("CREATE TRIGGER something") is None


def test_counting_under_a_key_looks_past_the_scheme() -> None:
    assert 'pg_catalog.substr(t."email", 5, 8) = $1' in count_under("people", EMAIL, bytes(8))
