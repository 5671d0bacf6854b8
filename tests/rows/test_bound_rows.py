"""Cells that are bound to their row's key: many rows column by column give what they give one by one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.field import FieldKeyCipher
from keys.primitives import random_bytes
from keys.subjects import SubjectCache, SubjectFieldCipher, SubjectName
from policies.fields import Field, LogicalType, Sealing
from proxy.errors import CellUnreadable
from proxy.rows.results import RowTransformer
from proxy.sql.plan import OutputAction, OutputColumn, StatementKind, StatementPlan
from proxy.wire.backend import FieldDescription, build_data_row
from proxy.wire.framing import BACKEND_LIMITS, scan
from proxy.wire.values.settings import ValueSettings
from tests.keys.making import CountedLeases, data_key

BOUND, SUBJECTS = "a" * 32, "b" * 32
CACHE = SubjectCache()
for _number in range(8):
    CACHE.put(SubjectName("customer", b"%d" % _number), random_bytes(32) if _number != 3 else b"")


class Ciphers:
    def __init__(self) -> None:
        parts = {"controller": "shop", "leases": CountedLeases()}
        self.bound = FieldKeyCipher(field_id=BOUND, primary=data_key(), row_bound=True, **parts)  # type: ignore[arg-type]
        writing = SubjectCache()
        for number in range(8):
            known = CACHE.of_kind("customer").known[b"%d" % number]
            writing.put(SubjectName("customer", b"%d" % number), known or bytes(32))
        key = data_key()
        made = [
            SubjectFieldCipher(secrets=each.of_kind("customer"), field_id=SUBJECTS, primary=key, **parts)
            for each in (CACHE, writing)
        ]
        self.subjects, self.writer = made

    def cipher(self, field_id: str) -> FieldKeyCipher:
        return self.bound if field_id == BOUND else self.subjects


CIPHERS = Ciphers()
FIELDS = (
    FieldDescription(b"note", 1, 2, 17, -1, -1, 0),
    FieldDescription(b"owner", 1, 3, 17, -1, -1, 0),
    FieldDescription(b"id", 1, 1, 20, 8, -1, 0),
)


def opened(name: str, field_id: str, attnum: int, kind: str | None) -> OutputColumn:
    sealing = Sealing(field_id, LogicalType.TEXT, row_bound=True, subject_kind=kind)
    field = Field("public", "t", name, "x", sealing)
    return OutputColumn(name, OutputAction.OPEN, field, 1, attnum, 25, row_key_output=2)


PLAN = StatementPlan(
    StatementKind.SELECT, (b"select",),
    outputs=(opened("note", BOUND, 2, None), opened("owner", SUBJECTS, 3, "customer")),
    hidden_outputs=1, returns_rows=True, touches_protected=True,
)  # fmt: skip


def transform(rows: Sequence[bytes], *, together: bool) -> list[bytes]:
    transformer = RowTransformer(PLAN, FIELDS, None, None, CIPHERS, ValueSettings())
    out: list[bytes] = []
    for some in [b"".join(rows)] if together else rows:
        transformer.rows(some, scan(some, 0, BACKEND_LIMITS)[0], out)
    whole = b"".join(out)
    return [whole[start:end] for _, start, end in scan(whole, 0, BACKEND_LIMITS)[0]]


def row(number: int, note: bytes | None, owner: bytes | None) -> bytes:
    key = b"%d" % number
    cells = [
        None if value is None else b"\\x" + cipher.seal(value, row_key=key).hex().encode()
        for value, cipher in ((note, CIPHERS.bound), (owner, CIPHERS.writer))
    ]
    return build_data_row([*cells, key])


VALUES = st.none() | st.binary(max_size=12)


@given(st.lists(st.tuples(st.integers(0, 7), VALUES, VALUES), max_size=12))
def test_rows_together_are_as_one_by_one(rows: list[tuple[int, bytes | None, bytes | None]]) -> None:
    made = [row(*each) for each in rows]
    shown = transform(made, together=True)
    assert shown == transform(made, together=False)
    assert shown == [build_data_row([note, None if number == 3 else owner]) for number, note, owner in rows]


@pytest.mark.parametrize("bad", range(6))
def test_the_rows_before_a_bad_one_are_given(bad: int) -> None:
    made = [row(number % 3, b"note", b"owner") for number in range(6)]
    made[bad] = made[bad].replace(b"\\xf967", b"\\xf966", 1)
    transformer = RowTransformer(PLAN, FIELDS, None, None, CIPHERS, ValueSettings())
    out: list[bytes] = []
    data = b"".join(made)
    with pytest.raises(CellUnreadable):
        transformer.rows(data, scan(data, 0, BACKEND_LIMITS)[0], out)
    assert b"".join(out) == build_data_row([b"note", b"owner"]) * bad


def test_cells_in_another_row_do_not_open() -> None:
    made = [row(number, b"note", None) for number in (1, 2, 4, 5)]
    swapped = b"".join(made).replace(b"\x00\x00\x00\x011", b"\x00\x00\x00\x017")
    transformer = RowTransformer(PLAN, FIELDS, None, None, CIPHERS, ValueSettings())
    with pytest.raises(CellUnreadable):
        transformer.rows(swapped, scan(swapped, 0, BACKEND_LIMITS)[0], [])
