"""Columns of runs of rows, whether the rows are alike or not, and whatever a bad server sends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ProtocolViolation
from proxy.rows.apart import column_values, taken_apart
from proxy.wire.backend import build_data_row, parse_data_row
from proxy.wire.framing import BACKEND_LIMITS, scan

ALIKE = st.lists(st.tuples(*[st.binary(min_size=size, max_size=size) for size in (2, 0, 5)]).map(list), max_size=4)
ROWS = ALIKE | st.lists(st.lists(st.none() | st.binary(max_size=5), min_size=3, max_size=3), max_size=4)
BODIES = st.binary(max_size=12) | st.binary(max_size=24).map(lambda body: b"\0\3" + body)


@given(ROWS, st.integers(0, 2), BODIES)
def test_a_column_is_what_its_rows_have_there(rows: list[list[bytes | None]], wanted: int, body: bytes) -> None:
    data = b"".join(map(build_data_row, rows))
    spans, _ = scan(data, 0, BACKEND_LIMITS)
    assert column_values(data, spans, 3, wanted) == [row[wanted] for row in rows]
    longer = data + b"D" + (len(body) + 4).to_bytes(4, "big") + body
    try:
        last = parse_data_row(body)
    except ProtocolViolation:
        last = []
    found = column_values(longer, [*spans, (0x44, len(data), len(longer))], 3, wanted)
    assert found == ([*(row[wanted] for row in rows), last[wanted]] if len(last) == 3 else None)


@given(ROWS.filter(len), st.lists(st.booleans(), min_size=1, max_size=3))
def test_the_parts_are_the_rows(rows: list[list[bytes | None]], wanted: list[bool]) -> None:
    data = b"".join(map(build_data_row, rows))
    spans, _ = scan(data, 0, BACKEND_LIMITS)
    found = taken_apart(data, spans, 3, wanted)
    assert found is not None
    gaps, values, tails = found
    assert values == [[row[index] for row in rows] for index, each in enumerate(wanted) if each]
    for number, row in enumerate(rows):
        pieces = [(gap[number], value[number]) for gap, value in zip(gaps, values, strict=True)]
        whole = b"".join(gap + build_data_row([value])[7:] for gap, value in pieces) + tails[number]
        assert whole == build_data_row(row[: len(wanted)])[7:]
