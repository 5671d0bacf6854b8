"""Candidate rows: which are shown, and how they are counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.field import TokenKey
from keys.primitives import random_bytes
from keys.tokens import MATCH
from policies.fields import Field, LogicalType, Sealing
from proxy.errors import CellUnreadable, ProtocolViolation, ValueRejected
from proxy.rows.client_values import ClientValues
from proxy.rows.sifting import Sifter, Sought, sought_of
from proxy.sql.plan import Comparing, Search, Sift, ValueSource
from proxy.wire.backend import FieldDescription, build_data_row
from proxy.wire.framing import BACKEND_LIMITS, Span, scan
from proxy.wire.values.settings import ValueSettings
from tests.keys.making import FIELD_A, cipher

FIELD = Field("public", "people", "name", "pd", Sealing(FIELD_A, LogicalType.TEXT, tokens=(MATCH,)))
CIPHER = cipher(tokens=TokenKey(random_bytes(32), (MATCH,)))
DESCRIBED = [FieldDescription("id", 7, 1, 20, 8, -1, 1), FieldDescription("name", 7, 2, 17, -1, -1, 1)]
SETTINGS = ValueSettings()


class Ciphers:
    def cipher(self, field_id: str) -> object:
        assert field_id == FIELD_A
        return CIPHER


def sift(**more: ValueSource) -> Sift:
    return Sift((Search(FIELD, 1, Comparing.LIKE, ValueSource(parameter=1), 7, 2),), **more)


def sifter(pattern: bytes | None = b"%an%") -> Sifter:
    sought = sought_of(sift(), ClientValues((pattern,), (False,)), SETTINGS)
    return Sifter(sift(), sought, DESCRIBED, Ciphers(), binary=True)  # type: ignore[arg-type]


def shown(using: Sifter, *names: bytes | None) -> list[int]:
    rows = [build_data_row([b"%d" % n, None if name is None else CIPHER.seal(name)]) for n, name in enumerate(names)]
    data, spans, at = b"".join(rows), [], 0
    for row in rows:
        spans.append((ord("D"), at, at + len(row)))
        at += len(row)
    passed = using.sift(data, spans)
    return [spans.index(span) for span in passed]


def test_false_candidates_are_dropped() -> None:
    assert shown(sifter(), b"Anna", b"Bob", None, b"Joan", b"Hank") == [3, 4]
    assert shown(sifter(None), b"Anna", None) == []


@given(
    st.lists(st.none() | st.sampled_from([b"Anna", b"Bob", b"Joan", b""]), max_size=8), st.sampled_from([None, 3, 5])
)
def test_many_are_looked_at_as_each_of_them(names: list[bytes | None], broken: int | None) -> None:
    rows = [build_data_row([b"%d" % n, None if name is None else CIPHER.seal(name)]) for n, name in enumerate(names)]
    if broken is not None and broken < len(rows):
        rows[broken] = rows[broken][:-1] + bytes((rows[broken][-1] ^ 1,))
    data = b"".join(rows)
    spans, _ = scan(data, 0, BACKEND_LIMITS)

    def outcome(how: Callable[[Sifter], list[Span]]) -> list[Span] | str:
        try:
            return how(sifter())
        except CellUnreadable as error:
            return str(error)

    one_by_one = outcome(lambda using: [span for span in spans for _ in using.sift(data, [span])])
    assert outcome(lambda using: using.sift(data, spans)) == one_by_one
    assert outcome(lambda using: [span for span in spans if using._passes(data, span)]) == one_by_one


def test_what_is_searched_for_is_read_as_the_server_reads_it() -> None:
    counted = sift(limit=ValueSource(parameter=2), offset=ValueSource(constant=b"3"))
    values = (b"%x%", (5).to_bytes(4, "big"))
    sought = sought_of(counted, ClientValues(values, (True, True), (25, 23)), SETTINGS)
    assert (sought.limit, sought.offset) == (5, 3)
    assert sought_of(counted, ClientValues((b"x", None), (False, False)), SETTINGS).limit is None
    with pytest.raises(ValueRejected) as refused:
        sought_of(counted, ClientValues((b"%x%", b"2147483648"), (False, False), (25, 23)), SETTINGS)
    assert refused.value.sqlstate == "22003"
    for raw, binary, declared in (
        (b"-1", False, 0),
        (b"x", False, 0),
        (b"12", True, 20),
        (b"1", False, 1700),
        (b"9" * 20, False, 0),
    ):
        with pytest.raises(ValueRejected):
            sought_of(counted, ClientValues((b"x", raw), (False, binary), (25, declared)), SETTINGS)
    with pytest.raises(ValueRejected):
        sought_of(sift(), ClientValues((b"x",), (False,), (17,)), SETTINGS)


def test_a_column_whose_origin_is_not_proven_is_not_looked_at() -> None:
    for wrong in (FieldDescription("name", 8, 2, 17, -1, -1, 1), FieldDescription("name", 7, 2, 25, -1, -1, 1)):
        with pytest.raises(CellUnreadable, match="not proven"):
            Sifter(sift(), Sought((None,), None, 0), [DESCRIBED[0], wrong], Ciphers(), binary=True)  # type: ignore[arg-type]
    with pytest.raises(CellUnreadable):
        Sifter(sift(), Sought((None,), None, 0), DESCRIBED[:1], Ciphers(), binary=True)  # type: ignore[arg-type]


def test_bytes_that_are_no_row_and_cells_that_are_none() -> None:
    row = build_data_row([b"1"])
    with pytest.raises(ProtocolViolation):
        sifter().sift(row, [(ord("D"), 0, len(row))])
    row = build_data_row([b"1", b"no cell at all"])
    with pytest.raises(CellUnreadable, match=r"public\.people\.name"):
        sifter().sift(row, [(ord("D"), 0, len(row))])
