"""A field with `own_key` shares its keys with no other field, also not with one of another database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.fields import DataMap, Field
from proxy.errors import ConfigError
from proxy.sealing.needs import check_own_keys, key_needs

from .making import data_map, field_of

OWN = field_of("note", 1, own_key=True, equality=True)
OTHER = field_of("c", 3, own_key=True, equality=True)


def copied(made: DataMap, database: str, controller: str = "shop") -> DataMap:
    return replace(made, database=database, controller=controller)


def test_no_two_fields_have_a_key_in_common_unless_a_join_group_says_so() -> None:
    fields = (field_of("a", 1, equality=True), field_of("b", 2, equality=True), OTHER)
    slots = [slot for need in key_needs(data_map(*fields)) for slot in need.slots]
    assert len(set(slots)) == len(slots) == 6


@pytest.mark.parametrize("other", [OWN, field_of("copy", 1)])
def test_a_second_database_with_the_same_id_is_refused(other: Field) -> None:
    first, second = data_map(OWN), copied(data_map(other), "branch")
    for maps in ((first, second), (second, first)):
        with pytest.raises(ConfigError, match="one id, so they share their keys"):
            check_own_keys(maps)


def test_what_shares_no_key_is_taken() -> None:
    check_own_keys([data_map(OWN), copied(data_map(field_of("copy", 2)), "branch")])
    check_own_keys([data_map(OWN), copied(data_map(OWN), "branch", controller="another")])
    check_own_keys([data_map(field_of("a", 1)), copied(data_map(field_of("a", 1)), "branch")])
