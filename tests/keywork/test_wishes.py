"""All sealed fields of a table are rotated in one operation, which holds the keys of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from keys.records import KeySnapshot
from proxy.keywork.fields import FieldIndex
from proxy.keywork.operation import OperationKind, Target
from proxy.keywork.refusals import Refusal
from proxy.keywork.wishes import check_wish, names_of
from tests.rotation.making import MAP, SEALED
from tests.sealing.making import id_of
from tests.support.keywork import INDEX

KEYS = KeySnapshot(1, None, (), datetime.now(UTC))


def check(field: str, kind: OperationKind = OperationKind.ROTATE_DATA_KEY) -> tuple[str, ...]:
    return check_wish(kind, Target("shop", field), FieldIndex([MAP]), KEYS, timedelta(0)).locks


def test_a_table_is_the_fields_that_are_sealed() -> None:
    assert check("public.people.*") == tuple(sorted(f"keys shop/field:{id_of(field)}" for field in SEALED))


@pytest.mark.parametrize("field", ["public.nothing.*", "people.*", "public.people.city", "*"])
def test_what_is_no_table_is_refused(field: str) -> None:
    with pytest.raises(Refusal):
        check(field)


def test_only_rotation_goes_by_tables() -> None:
    with pytest.raises(Refusal):
        check("public.people.*", OperationKind.VERIFY)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (Target("shop", subject="customer:42"), Target("shop", subject="customer:42")),
        (Target("shop", subject="ivanov:42"), Target("shop")),
        (Target("ivanov", subject="customer:42"), Target()),
        (Target("shop", "public.customers.ivanov", key_id="00" * 8), Target("shop", key_id="00" * 8)),
    ],
)
def test_records_of_requests_hold_what_is_known_by_name(asked: Target, kept: Target) -> None:
    assert names_of(asked, INDEX) == kept


def test_a_shred_shares_the_forms_of_its_fields_and_a_change_of_form_has_one_alone() -> None:
    fields = INDEX.of_subjects("shop", "customer")
    assert fields and {place.field.rpartition(".")[0] for place in fields} == {"public.customers"}
    shred = check_wish(
        OperationKind.SHRED_SUBJECT, Target("shop", subject="customer:42"), INDEX, KEYS, timedelta(0)
    ).locks
    assert shred == ("subject shop/customer:42", *(f"shared form shop/{place.field}" for place in fields))
    for kind in (OperationKind.SEAL_FIELD, OperationKind.UNSEAL_FIELD):
        for place in fields:
            assert (
                f"form shop/{place.field}"
                in check_wish(kind, Target("shop", place.field), INDEX, KEYS, timedelta(0)).locks
            )
