"""Runs of rows: what is opened, copied and stripped, whatever the values, and whatever a bad server sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import EnvelopeInvalid
from proxy.errors import ProtocolViolation
from proxy.rows.run import ColumnUnreadable, Opener, transform, transform_all
from proxy.wire.backend import build_data_row, parse_data_row
from proxy.wire.framing import BACKEND_LIMITS, scan

VALUES = st.none() | st.binary(max_size=40) | st.binary(min_size=1020, max_size=1030)


def reverse(value: bytes) -> bytes:
    return value[::-1] + b"!"


def refuse(value: bytes) -> bytes:
    raise EnvelopeInvalid("no")


def run(rows: list[list[bytes | None]], openers: list[Opener | None], columns: int | None = None) -> list[bytes]:
    data = b"".join(build_data_row(row) for row in rows)
    spans, _ = scan(data, 0, BACKEND_LIMITS)
    out: list[bytes] = [b"before"]
    transform(data, spans, len(rows[0]) if columns is None else columns, openers, out)
    assert out[0] == b"before"
    return out[1:]


@given(st.data(), st.integers(1, 6))
def test_every_row_becomes_what_its_columns_say(data: st.DataObject, width: int) -> None:
    rows = data.draw(st.lists(st.lists(VALUES, min_size=width, max_size=width), min_size=1, max_size=5))
    visible = data.draw(st.integers(1, width))
    openers = data.draw(st.lists(st.sampled_from([None, reverse]), min_size=visible, max_size=visible))
    expected = b"".join(
        build_data_row([o(v) if o and v is not None else v for o, v in zip(openers, row, strict=False)]) for row in rows
    )
    assert b"".join(run(rows, openers)) == expected


@given(st.data(), st.integers(1, 5))
def test_together_gives_what_row_by_row_gives(data: st.DataObject, width: int) -> None:
    """Rows of other widths and bodies of anything among them: then nothing was done."""
    rows = data.draw(
        st.lists(st.lists(VALUES, min_size=width, max_size=width).map(build_data_row), min_size=1, max_size=5)
    )
    body = data.draw(
        st.none() | st.binary(max_size=24) | st.binary(max_size=20).map(lambda b: width.to_bytes(2, "big") + b)
    )
    if body is not None:
        rows.insert(data.draw(st.integers(0, len(rows))), b"D" + (len(body) + 4).to_bytes(4, "big") + body)
    openers = data.draw(st.lists(st.sampled_from([None, reverse]), min_size=width - 1, max_size=width))
    whole = b"".join(rows) + data.draw(st.sampled_from([b"", b"Z\0\0\0\x05I"]))
    spans = scan(whole, 0, BACKEND_LIMITS)[0][: len(rows)]
    apart: list[bytes] = []
    together: list[bytes] = []
    all_openers = [None if opener is None else lambda values: list(map(reverse, values)) for opener in openers]
    copied = transform_all(whole, spans, width, all_openers, together)
    try:
        transform(whole, spans, width, openers, apart)
    except ProtocolViolation:
        assert copied is None and together == []
    else:
        assert copied is not None and b"".join(together) == b"".join(apart)
        kept = [] if body is not None else [value for row in rows for value in plain_values(row, openers)]
        assert all(value in copied for value in kept)


@given(st.data(), st.lists(st.integers(0, 5), min_size=1, max_size=4))
def test_rows_that_look_alike_are_alike(data: st.DataObject, lengths: list[int]) -> None:
    """Rows of one size, of which some have other columns inside it."""
    width = len(lengths)
    rows = []
    for _ in range(data.draw(st.integers(1, 6))):
        sizes = data.draw(st.just(lengths) | st.permutations(lengths))
        row: list[bytes | None] = [data.draw(st.binary(min_size=size, max_size=size)) for size in sizes]
        if data.draw(st.integers(0, 9)) == 0:  # a NULL, and its bytes in another column
            row = [None, *row[1:-1], (row[-1] or b"") + (row[0] or b"")] if width > 1 else row
        rows.append(build_data_row(row))
    whole = b"".join(rows)
    spans, _ = scan(whole, 0, BACKEND_LIMITS)
    chosen = spans[data.draw(st.integers(0, len(spans) - 1)) :: data.draw(st.integers(1, 2))]
    openers = data.draw(st.lists(st.sampled_from([None, reverse]), min_size=1, max_size=width))
    apart: list[bytes] = []
    together: list[bytes] = []
    transform(whole, chosen, width, openers, apart)
    all_openers = [None if opener is None else lambda values: list(map(reverse, values)) for opener in openers]
    assert transform_all(whole, chosen, width, all_openers, together) is not None
    assert b"".join(together) == b"".join(apart)


def plain_values(row: bytes, openers: list[Opener | None]) -> list[bytes]:
    return [v for o, v in zip(openers, parse_data_row(row[5:]), strict=False) if o is None and v is not None]


def test_a_cell_that_cannot_be_opened_is_named_and_its_row_leaves_nothing() -> None:
    good, bad = build_data_row([b"1", None, b"x"]), build_data_row([b"2", b"y", b"z"])
    data = good + bad
    spans, _ = scan(data, 0, BACKEND_LIMITS)
    out: list[bytes] = []
    with pytest.raises(ColumnUnreadable) as caught:
        transform(data, spans, 3, [reverse, refuse, reverse], out)
    assert caught.value.column == 1
    assert b"".join(out) == build_data_row([b"1!", None, b"x!"])


@pytest.mark.parametrize("columns", [1, 3])
def test_a_row_of_another_width_is_refused(columns: int) -> None:
    with pytest.raises(ProtocolViolation):
        run([[b"a", b"b"]], [reverse], columns)


@given(st.binary(max_size=30), st.integers(1, 3))
def test_a_body_of_anything_is_a_row_or_refused(body: bytes, columns: int) -> None:
    """Also when more bytes follow: a row never reads into the next message."""
    message = b"D" + (len(body) + 4).to_bytes(4, "big") + body
    data, seen = message + b"Z\0\0\0\x05I", []
    out: list[bytes] = []
    try:
        transform(data, [(0x44, 0, len(message))], columns, [lambda v: seen.append(v) or v] * columns, out)
    except ProtocolViolation:
        assert out == []
    else:
        assert b"".join(out)[:1] == b"D"
        assert all(value in body for value in seen)
