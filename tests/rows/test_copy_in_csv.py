"""The quick way through a row of csv beside the exact one, which is compared with the server elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.errors import ValueRejected
from proxy.rows.copy_in_csv import _exact, csv_columns_taker, csv_row_taker
from proxy.wire.copying.options import CopyFormat, CopyOptions
from proxy.wire.copying.text_fields import decode, in_columns

CSV = CopyFormat.CSV
OPTIONS = [
    CopyOptions(CSV, b",", b"", default=b"D"),
    CopyOptions(CSV, b"\t", b"\\N"),
    CopyOptions(CSV, b"]", b"^", quote=b"-", escape=b"-"),
    CopyOptions(CSV, b"\\", b"x", quote=b"n", escape=b"n"),
]
PIECES = [b",", b'"', b'""', b"\t", b"\n", b"\\", b"\\N", b"D", b"]", b"-", b"^", b"n", b"x", b"a", b" "]
ROWS = st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@given(row=ROWS)
def test_both_ways_lead_to_the_same_fields(options: CopyOptions, row: bytes) -> None:
    found = []
    for take in (csv_row_taker(options), _exact(options)):
        try:
            found.append(take(row))
        except ValueRejected as error:
            found.append([error.sqlstate.encode()])
    assert found[0] == found[1]


FIELDS = st.sampled_from(
    [b"", b"a", b'"b"', b'""', b'"a,b"', b'"]"', b"-a]b-", b"D", b'"D"', b"^", b"\\N", b"\0", b'x"y"', b"q\tr"]
)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@given(rows=st.lists(st.lists(FIELDS, min_size=1, max_size=3) | ROWS.map(lambda row: [row]), min_size=1, max_size=6))
@example(rows=[[b'"'], [b'"']])
def test_many_rows_have_the_fields_that_each_of_them_has(options: CopyOptions, rows: list[list[bytes]]) -> None:
    data, take = [options.delimiter.join(row) for row in rows], csv_row_taker(options)
    for width in range(1, 4):
        found: list[object] = []
        for taken in (
            lambda w=width: csv_columns_taker(options, w)(data),
            lambda w=width: in_columns(map(take, data), w),
        ):
            try:
                columns = taken()
                found.append(None if columns is None else [list(column) for column in columns])
            except ValueRejected as error:
                found.append(error.sqlstate)
        assert found[0] == found[1]


def test_a_value_that_text_would_take_for_something_else_is_written_so_that_it_does_not() -> None:
    take = csv_row_taker(CopyOptions(CSV, b",", b"null", default=b"D"))
    fields = take(b'\\N,"null",null,D,"D",\\.,a\tb')
    assert fields == [b"\\\\N", b"null", b"\\N", b"\\D", b"D", b"\\\\.", b"a\\tb"]
    assert [decode(f) for f in (fields[0], fields[5], fields[6])] == [b"\\N", b"\\.", b"a\tb"]
