"""What a result becomes, decided from the plan and the server's own description."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.fields import Field
from proxy.errors import CellUnreadable
from proxy.rows import results
from proxy.rows.results import RowTransformer
from proxy.sql.plan import StatementPlan
from proxy.wire.backend import FieldDescription, build_data_row
from proxy.wire.framing import BACKEND_LIMITS, scan
from proxy.wire.values.settings import ValueSettings
from tests.session.talk import CUSTOMERS_OID, SELECT_EMAIL, PlainCiphers

SEALED = PlainCiphers().cipher("").seal(b"ivan@example.org", term_input=b"ivan@example.org")
EMAIL = FieldDescription(b"email", CUSTOMERS_OID, 2, 17, -1, -1, 0)


def opened(
    first_type: int, *rows: list[bytes | None], binary: bool = True, plan: StatementPlan = SELECT_EMAIL
) -> bytes:
    """`rows` of SELECT_EMAIL, or a plan like it; its first column, passed on as it is, is of this type."""
    fields = [FieldDescription(b"id", CUSTOMERS_OID, 1, first_type, -1, -1, 0), EMAIL]
    formats = [1, 1] if binary else None
    transformer = RowTransformer(plan, fields, formats, formats, PlainCiphers(), ValueSettings())
    data = b"".join(build_data_row(row) for row in rows)
    out: list[bytes] = []
    transformer.rows(data, scan(data, 0, BACKEND_LIMITS)[0], out)
    return b"".join(out)


@pytest.mark.parametrize("binary", [True, False])
def test_cells_are_opened_and_the_rest_is_copied(binary: bool) -> None:
    cell = SEALED if binary else b"\\x" + SEALED.hex().encode()
    assert opened(20, [b"7", cell], [b"8", None], binary=binary) == build_data_row(
        [b"7", b"ivan@example.org"]
    ) + build_data_row([b"8", None])


@pytest.mark.parametrize("form", [SEALED, b"\\x" + SEALED.hex().encode()])
def test_an_envelope_beside_an_opened_cell_never_passes(form: bytes) -> None:
    with pytest.raises(CellUnreadable, match="stands where the analysis expects none"):
        opened(17, [form, SEALED])


def test_what_only_resembles_an_envelope_passes() -> None:
    assert opened(17, [b"\xf9\x67\x01", SEALED]).endswith(b"ivan@example.org")


def test_a_cell_that_cannot_be_opened_names_the_field_and_shows_nothing() -> None:
    field = SELECT_EMAIL.outputs[1].field if SELECT_EMAIL.outputs else None
    assert isinstance(field, Field)
    with pytest.raises(CellUnreadable, match=field.name) as caught:
        opened(20, [b"7", b"ivan@example.org in plain text, and long enough"])
    assert "ivan" not in str(caught.value) + str(caught.value.detail)


@pytest.mark.parametrize("binary", [True, False])
def test_a_group_key_that_may_not_be_read_is_shown_normalised(binary: bool) -> None:
    """How one of the group's rows writes it is that row's value."""
    cell = PlainCiphers().cipher("").seal(b"IVAN@Example.ORG ", term_input=b"")
    assert SELECT_EMAIL.outputs is not None
    passed, column = SELECT_EMAIL.outputs
    assert column.field is not None and column.field.sealing is not None
    field = replace(column.field, sealing=replace(column.field.sealing, normalisers=("trim.1", "casefold.1")))
    for normalised, shown in ((True, b"ivan@example.org"), (False, b"IVAN@Example.ORG ")):
        plan = replace(SELECT_EMAIL, outputs=(passed, replace(column, field=field, normalised=normalised)))
        sent = cell if binary else b"\\x" + cell.hex().encode()
        assert opened(20, [b"7", sent], binary=binary, plan=plan) == build_data_row([b"7", shown])


FIRST = st.sampled_from([b"7", None, b"", b"\xf9\x67\x01", SEALED, b"\\x" + SEALED.hex().encode(), b"x" * 1100])
SECOND = st.sampled_from([SEALED, SEALED, SEALED, None, b"no envelope, but long enough for one" * 2])


@given(
    rows=st.lists(st.tuples(FIRST, SECOND).map(list), min_size=4, max_size=9),
    first_type=st.sampled_from([17, 20]),
    binary=st.booleans(),
)
def test_many_rows_become_what_each_of_them_becomes(
    rows: list[list[bytes | None]], first_type: int, binary: bool
) -> None:
    if not binary:
        rows = [[one, b"\\x" + two.hex().encode() if two is not None else None] for one, two in rows]

    def outcome(many: int) -> bytes | str:
        with mock.patch.object(results, "_MANY", many):
            try:
                return opened(first_type, *rows, binary=binary)
            except CellUnreadable as error:
                return f"{error} {error.detail}"

    assert outcome(1) == outcome(1000)
