"""COPY is carried out column by column where it can be: what the client and the server get is what row by row gives."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import FieldgateError
from proxy.rows import copy_in as copy_in_lines
from proxy.rows import copy_in_binary
from proxy.rows.copy_in import copy_in
from proxy.rows.copy_out import copy_out
from proxy.wire import frontend
from proxy.wire.copying.binary_rows import HEADER, TRAILER, build_row
from proxy.wire.copying.options import CopyOptions
from proxy.wire.framing import BACKEND_LIMITS, FRONTEND_LIMITS, scan
from proxy.wire.values.settings import DEFAULT_SETTINGS
from tests.session.copy_plans import BINARY, CSV, TEXT, copy_in_plan, copy_out_plan
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
    with mock.patch.object(copy_in_lines, "TOGETHER", 3):
        assert outcome(together, act) == outcome(apart, act)


@given(
    rows=st.lists(st.lists(FIELDS | st.none(), min_size=2, max_size=2), max_size=8),
    cut=st.integers(0, 40),
    rest=st.sampled_from([TRAILER, b"", b"\0", b"\0\2\0\0\0\1a", b"\0\1", b"\0\2\xff\xff\xff\xfe", TRAILER + b"x"]),
)
def test_in_binary(rows: list[list[bytes | None]], cut: int, rest: bytes) -> None:
    data = HEADER + b"".join(map(build_row, rows)) + rest
    plan = copy_in_plan(BINARY).copy

    def act(made: Any, out: list[bytes]) -> None:
        made.data(data[:cut], out)
        made.data(data[cut:], out)
        made.end(out)

    together, apart = (copy_in(plan, PlainCiphers(), DEFAULT_SETTINGS) for _ in range(2))  # type: ignore[arg-type]
    assert together._together  # type: ignore[attr-defined]
    apart._together = None  # type: ignore[attr-defined]
    with mock.patch.object(copy_in_binary, "TOGETHER", 3):
        one, other = outcome(together, act), outcome(apart, act)
    assert (_payload(one[0]), one[1:]) == (_payload(other[0]), other[1:])


def _payload(messages: bytes) -> bytes:
    """However it is cut into messages."""
    return b"".join(messages[start + 5 : end] for _, start, end in scan(messages, 0, FRONTEND_LIMITS)[0])


@given(
    rows=st.lists(st.tuples(FIELDS | st.none(), FIELDS | st.none(), st.booleans()), max_size=8),
    ending=st.sampled_from([[], [TRAILER]]),
    joined=st.booleans(),
)
def test_out_binary(rows: list[tuple[bytes | None, bytes | None, bool]], ending: list[bytes], joined: bool) -> None:
    sealed = PlainCiphers().cipher("")
    bodies = [build_row([one, two if bad or two is None else sealed.seal(two)]) for one, two, bad in rows] + ending
    first = [HEADER + b"".join(bodies[:1]), *bodies[1:]] if joined else [HEADER, *bodies]
    plan = copy_out_plan(BINARY).copy

    def act(made: Any, out: list[bytes]) -> None:
        for part in (first[:1], first[1:]):
            data = b"".join(map(frontend.build_copy_data, part))
            made.messages(data, scan(data, 0, BACKEND_LIMITS)[0], out)

    together, apart = (copy_out(plan, PlainCiphers(), DEFAULT_SETTINGS) for _ in range(2))  # type: ignore[arg-type]
    apart._all_rows = lambda *_: False  # type: ignore[attr-defined]
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
