"""What is done to many rows or values at once gives what one by one gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.copying.binary_rows import build_row, build_rows
from proxy.wire.copying.csv_fields import csv_column_encoder, csv_encoder
from proxy.wire.copying.lines import LineReader
from proxy.wire.copying.options import CopyFormat, CopyOptions
from proxy.wire.copying.text_fields import in_columns, text_column_encoder, text_columns, text_encoder, text_splitter

CSV = CopyOptions(CopyFormat.CSV, b",", b"", dot_ends=False)
PIECES = st.lists(st.sampled_from([b"a", b"\\", b"\t", b"|", b",", b'"', b"\n", b"\r", b"\\.", b"."]), max_size=6)
VALUES = st.lists(PIECES.map(b"".join), max_size=5)


@pytest.mark.parametrize("delimiter", [b"\t", b"|", b"a"])
@given(values=VALUES, width=st.integers(1, 3))
def test_text(delimiter: bytes, values: list[bytes], width: int) -> None:
    assert list(text_column_encoder(delimiter)(values)) == list(map(text_encoder(delimiter), values))
    split = in_columns(map(text_splitter(delimiter), values), width)
    assert text_columns(delimiter, width)(values) == split


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("always", [True, False])
@pytest.mark.parametrize("null", [b"", b"a"])
@given(values=VALUES)
def test_csv(single: bool, always: bool, null: bytes, values: list[bytes]) -> None:
    options = CopyOptions(CopyFormat.CSV, b",", null)
    encode = csv_encoder(options, single=single, always=always)
    assert list(csv_column_encoder(options, single=single, always=always)(values)) == list(map(encode, values))


@given(PIECES.map(b"".join) | VALUES.map(b"\n".join), st.integers(0, 30))
def test_lines_with_quotes(data: bytes, cut: int) -> None:
    found = []
    for merge in (LineReader._merge, LineReader._merge_lines):
        reader = LineReader(CSV)
        reader._merge = merge.__get__(reader)  # type: ignore[method-assign]
        rows = [*reader.feed(b"first\n"), *reader.feed(data[:cut]), *reader.feed(data[cut:]), *reader.finish()]
        found.append((rows, reader.failure and reader.failure.sqlstate))
    assert found[0] == found[1]


@given(st.lists(st.lists(st.none() | st.binary(max_size=5), min_size=3, max_size=3), min_size=1, max_size=5))
def test_binary(rows: list[list[bytes | None]]) -> None:
    assert build_rows(list(zip(*rows, strict=True))) == list(map(build_row, rows))
