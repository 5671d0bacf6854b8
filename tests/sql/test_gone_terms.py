"""A server's error about a term column that a rotation has replaced is told from every other."""

from __future__ import annotations

import pytest

from policies.fields import Field, LogicalType, ProtectedTable, Sealing
from proxy.sql.catalog import Catalog, Relation
from proxy.sql.gone_terms import is_gone


def _named(number: str, **more: object) -> Sealing:
    return Sealing(number * 32, LogicalType.TEXT, **more)  # type: ignore[arg-type]


def catalog(*, epoch: int = 1, protected: bool = True) -> Catalog:
    fields = (
        Field("public", "people", "email", "pd", Sealing("a" * 32, LogicalType.TEXT, equality=True), term_epoch=epoch),
        Field("public", "people", "Full Name", "pd", _named("b", equality=True, tokens=("match.1",))),
        Field("public", "people", "note", "pd", Sealing("c" * 32, LogicalType.TEXT)),
        Field("public", "people", "city", "pd"),
    )
    table = ProtectedTable("public", "people", {field.column: field for field in fields})
    relation = Relation(1, "public", "people", "r", (), (), table if protected else None)
    return Catalog(1, "shop", 180000, {1: relation}, {("public", "people"): relation})


def error(message: str, code: bytes = b"42703") -> dict[bytes, bytes]:
    return {b"C": code, b"M": message.encode()}


@pytest.mark.parametrize("epoch", [1, 2, 12])
@pytest.mark.parametrize(
    "message",
    [
        'column "fg_email_eq" does not exist',
        "column people.fg_email_eq does not exist",
        "column p.fg_email_eq_2 does not exist",
        'column "fg_Full Name_eq" does not exist',
        'column "fg_Full Name_tk_3" does not exist',
        "столбец p.fg_email_eq не существует",
    ],
)
def test_of_whatever_epoch_by_the_catalog_of_whenever(message: str, epoch: int) -> None:
    assert is_gone(error(message), catalog(epoch=epoch))


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("column people.fg_email_eq does not exist", b"42P01"),
        ("column people.email does not exist", b"42703"),
        ("column people.fg_note_eq does not exist", b"42703"),
        ("column people.fg_email_eq_x does not exist", b"42703"),
        ("column people.my_fg_email_eq does not exist", b"42703"),
        ("column people.fg_email_equal does not exist", b"42703"),
        ("column people.fg_email_tk does not exist", b"42703"),
        ("column people.fg_city_eq does not exist", b"42703"),
    ],
)
def test_other_errors_stay_what_they_are(message: str, code: bytes) -> None:
    assert not is_gone(error(message, code), catalog())


def test_where_nothing_is_protected_nothing_is_ours() -> None:
    assert not is_gone(error("column people.fg_email_eq does not exist"), catalog(protected=False))
    assert not is_gone({}, catalog())
