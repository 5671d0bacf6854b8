"""Which fields keys belong to, seen from the data maps."""

from __future__ import annotations

import pytest

from policies.fields import DataMap, Field, LogicalType, ProtectedTable, Sealing
from proxy.keywork.fields import FieldIndex, Place
from proxy.keywork.refusals import Code, Refusal

SEALING = Sealing("a" * 32, LogicalType.TEXT, equality=True, join_group="mail")
FIELDS = {
    "sealed": Field("public", "t", "sealed", "pd", SEALING),
    "plain": Field("public", "t", "plain", "pd"),
    "migrating": Field("public", "t", "migrating", "pd", None, Sealing("b" * 32, LogicalType.TEXT)),
}
TABLE = ProtectedTable("public", "t", FIELDS)
ONE = DataMap("shop", "one", {("public", "t"): TABLE})
TWO = DataMap("shop", "two", {("public", "t"): TABLE})


def test_a_field_has_the_scopes_of_its_keys() -> None:
    found = FieldIndex([ONE]).at(Place("one", "public.t.sealed"))
    assert (found.cell_scope, found.term_scope) == (f"field:{'a' * 32}", "group:mail")
    assert found.scopes == (f"field:{'a' * 32}", "group:mail")


def test_a_field_whose_form_is_changing_has_its_keys_already() -> None:
    """Else nobody could ask for it to be sealed."""
    found = FieldIndex([ONE]).at(Place("one", "public.t.migrating"))
    assert (found.cell_scope, found.term_scope) == (f"field:{'b' * 32}", None)


def test_namesakes_in_two_databases_share_their_keys() -> None:
    index = FieldIndex([ONE, TWO])
    shared = [each.place.database for each in index.sharing("shop", f"field:{'a' * 32}")]
    assert shared == ["one", "two"] and index.sharing("other", f"field:{'a' * 32}") == ()
    assert len(index.places) == 4


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place("one", "public.t.plain"), "is not sealed by the data map"),
        (Place("one", "public.t.none"), "database one: the data map does not name this field"),
        (Place("three", "public.t.sealed"), "there is no data map of this database"),
    ],
)
def test_other_fields_have_no_keys(place: Place, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refused:
        FieldIndex([ONE]).at(place)
    assert refused.value.code is Code.UNKNOWN_FIELD


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (("one", "public.t.sealed"), ("one", "public.t.sealed")),
        (("one", "public.t.plain"), ("one", "public.t.plain")),
        (("one", "public.t.*"), ("one", "public.t.*")),
        (("one", "public.ivanov.*"), ("one", None)),
        (("one", None), ("one", None)),
        (("ivanov", "public.t.sealed"), (None, None)),
        ((None, None), (None, None)),
    ],
)
def test_only_what_a_data_map_names_is_repeated(asked: tuple[str, str], named: tuple[str, str]) -> None:
    assert FieldIndex([ONE]).names(*asked) == named
    with pytest.raises(Refusal) as refused:
        FieldIndex([ONE]).at(Place(asked[0] or "", "public.ivanov.ivanov"))
    assert "ivanov" not in refused.value.message
