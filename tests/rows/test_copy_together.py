"""COPY is carried out column by column where it can be: what the client and the server get is what row by row gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import FieldgateError
from proxy.rows.copy_in import copy_in
from proxy.rows.copy_out import copy_out
from proxy.wire import frontend
from proxy.wire.copying.options import CopyOptions
from proxy.wire.framing import BACKEND_LIMITS, scan
from proxy.wire.values.settings import DEFAULT_SETTINGS
from tests.session.copy_plans import CSV, TEXT, copy_in_plan, copy_out_plan
from tests.session.talk import PlainCiphers, hex_cell

FIELDS = st.sampled_from(
    [b"7", b"", b"\\N", b"ann", b"\xc3\x9f", b"\xff", b"a\\tb", b'"q"', b"x\\", b"\\x41", b"caf\xc3"]
)
ROWS = st.lists(st.lists(FIELDS, min_size=1, max_size=3), max_size=8)
OPTIONS = pytest.mark.parametrize("options", [TEXT, CSV], ids=["text", "csv"])


def outcome(made: Any, act: Any) -> tuple[bytes, str | None, str | None, str | None]:
    out: list[bytes] = []
    error: FieldgateError | None = None
    try:
        act(made, out)
        error = getattr(made, "failure", None)
    except FieldgateError as raised:
        error = raised
    return (b"".join(out), *((str(error.sqlstate), error.message, error.context) if error else (None, None, None)))


@OPTIONS
@given(rows=ROWS)
def test_in(options: CopyOptions, rows: list[list[bytes]]) -> None:
    data = b"1" + options.delimiter + b"first\n" + b"".join(options.delimiter.join(row) + b"\n" for row in rows)
    plan = copy_in_plan(options).copy

    def act(made: Any, out: list[bytes]) -> None:
        made.data(data[:5], out)
        made.data(data[5:], out)
        made.end(out)

    together, apart = (copy_in(plan, PlainCiphers(), DEFAULT_SETTINGS) for _ in range(2))  # type: ignore[arg-type]
    assert together._together  # type: ignore[attr-defined]
    apart._together = None  # type: ignore[attr-defined]
    assert outcome(together, act) == outcome(apart, act)


@OPTIONS
@given(rows=st.lists(st.tuples(FIELDS, st.sampled_from([b"\\N", b"bad", b"", None])), max_size=8))
def test_out(options: CopyOptions, rows: list[tuple[bytes, bytes | None]]) -> None:
    mark = b"" if options is CSV else b"\\"
    values = [(given, mark + hex_cell(given) if cell is None else cell) for given, cell in rows]
    data = b"".join(frontend.build_copy_data(options.delimiter.join(row) + b"\n") for row in values)
    spans, _ = scan(data, 0, BACKEND_LIMITS)
    plan = copy_out_plan(options).copy
    together, apart = (copy_out(plan, PlainCiphers(), DEFAULT_SETTINGS) for _ in range(2))  # type: ignore[arg-type]
    assert together._together  # type: ignore[attr-defined]
    apart._together = None  # type: ignore[attr-defined]
    assert outcome(together, lambda made, out: made.messages(data, spans, out)) == outcome(
        apart, lambda made, out: made.messages(data, spans, out)
    )
