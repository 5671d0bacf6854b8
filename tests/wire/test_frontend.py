"""Messages of the client."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ProtocolViolation
from proxy.wire import frontend
from proxy.wire.framing import HEADER_SIZE

strings = st.binary(max_size=12).filter(lambda raw: 0 not in raw)
values = st.none() | st.binary(max_size=12)

PARSERS: list[Callable[[bytes], Any]] = [
    frontend.parse_query,
    frontend.parse_parse,
    frontend.parse_bind,
    frontend.parse_describe,
    frontend.parse_close,
    frontend.parse_execute,
    frontend.parse_function_call,
    frontend.parse_copy_fail,
    frontend.parse_password,
    frontend.parse_sasl_initial_response,
    frontend.bind_portal_name,
    frontend.bind_statement_name,
    frontend.execute_portal_name,
    lambda body: frontend.parse_empty(body, "Sync"),
]


def body_of(message: bytes, tag: bytes) -> bytes:
    assert message[:1] == tag
    assert struct.unpack("!i", message[1:5]) == (len(message) - 1,)
    return message[HEADER_SIZE:]


@given(strings, strings, st.lists(st.integers(0, 2**32 - 1), max_size=5))
def test_parse(name: bytes, query: bytes, types: list[int]) -> None:
    body = body_of(frontend.build_parse(name, query, types), b"P")
    assert frontend.parse_parse(body) == frontend.Parse(name, query, tuple(types))


@st.composite
def binds(draw: st.DrawFn) -> frontend.Bind:
    items = tuple(draw(st.lists(values, max_size=6)))
    counts = st.sampled_from([0, 1, len(items)])
    formats = tuple(draw(st.lists(st.integers(0, 1), min_size=(n := draw(counts)), max_size=n)))
    results = tuple(draw(st.lists(st.integers(0, 1), max_size=6)))
    return frontend.Bind(draw(strings), draw(strings), formats, items, results)


@given(binds())
def test_bind(bind: frontend.Bind) -> None:
    message = frontend.build_bind(bind.portal, bind.statement, bind.parameter_formats, bind.values, bind.result_formats)
    body = body_of(message, b"B")
    assert frontend.parse_bind(body) == bind
    assert frontend.bind_portal_name(body) == frontend.bind_portal_name(message, HEADER_SIZE) == bind.portal
    assert frontend.bind_statement_name(body) == frontend.bind_statement_name(message, HEADER_SIZE) == bind.statement


@given(binds(), st.data())
def test_a_cut_or_lengthened_bind_is_a_violation(bind: frontend.Bind, data: st.DataObject) -> None:
    body = frontend.build_bind(bind.portal, bind.statement, bind.parameter_formats, bind.values, bind.result_formats)[
        HEADER_SIZE:
    ]
    cut = data.draw(st.integers(0, len(body) - 1))
    for wrong in (body[:cut], body + b"\0"):
        with pytest.raises(ProtocolViolation):
            frontend.parse_bind(wrong)


@pytest.mark.parametrize(
    ("formats", "count", "expected"),
    [((), 3, [0, 0, 0]), ((1,), 3, [1, 1, 1]), ((0, 1, 0), 3, [0, 1, 0]), ((1,), 0, [])],
)
def test_none_one_or_a_format_for_each(formats: tuple[int, ...], count: int, expected: list[int]) -> None:
    frontend.check_formats(formats, count)
    assert [frontend.format_of(formats, index) for index in range(count)] == expected


@pytest.mark.parametrize(("formats", "count"), [((0, 0), 3), ((0, 0), 1), ((0, 0), 0), ((2,), 1), ((-1,), 1)])
def test_formats_that_do_not_fit(formats: tuple[int, ...], count: int) -> None:
    with pytest.raises(ProtocolViolation):
        frontend.build_bind(b"", b"", formats, (None,) * count)


def test_bind_with_65535_parameters() -> None:
    many = (None,) * 65_535
    assert frontend.parse_bind(frontend.build_bind(b"", b"", (), many)[HEADER_SIZE:]).values == many
    with pytest.raises(ProtocolViolation):
        frontend.build_bind(b"", b"", (), (None,) * 65_536)


def test_a_count_beyond_the_body_costs_nothing() -> None:
    with pytest.raises(ProtocolViolation):
        frontend.parse_bind(b"\0\0" + b"\xff\xff")
    with pytest.raises(ProtocolViolation):
        frontend.parse_bind(b"\0\0\0\0\0\1\x7f\xff\xff\xff")


@pytest.mark.parametrize("length", [-2, -(2**31), 5])
def test_a_value_of_an_impossible_length(length: int) -> None:
    with pytest.raises(ProtocolViolation):
        frontend.parse_bind(b"\0\0" + b"\0\0" + b"\0\1" + struct.pack("!i", length) + b"ab" + b"\0\0")


@given(st.sampled_from([b"S", b"P"]), strings)
def test_describe_and_close(kind: frontend.Kind, name: bytes) -> None:
    assert frontend.parse_describe(body_of(frontend.build_describe(kind, name), b"D")) == frontend.Describe(kind, name)
    assert frontend.parse_close(body_of(frontend.build_close(kind, name), b"C")) == frontend.Close(kind, name)


@given(strings, st.integers(-(2**31), 2**31 - 1))
def test_execute(portal: bytes, rows: int) -> None:
    message = frontend.build_execute(portal, rows)
    assert frontend.parse_execute(body_of(message, b"E")) == frontend.Execute(portal, rows)
    assert frontend.execute_portal_name(message, HEADER_SIZE) == portal


@given(st.integers(0, 2**32 - 1), st.lists(values, max_size=4), st.integers(0, 1))
def test_function_call(function: int, arguments: list[bytes | None], result: int) -> None:
    body = body_of(frontend.build_function_call(function, (1,), arguments, result), b"F")
    assert frontend.parse_function_call(body) == frontend.FunctionCall(function, (1,), tuple(arguments), result)


def test_plain_messages() -> None:
    assert frontend.parse_query(body_of(frontend.build_query(b"select 1"), b"Q")) == b"select 1"
    assert body_of(frontend.build_copy_data(b"a\0b"), b"d") == b"a\0b"
    assert frontend.parse_copy_fail(body_of(frontend.build_copy_fail(b"no"), b"f")) == b"no"
    assert frontend.parse_password(body_of(frontend.build_password(b"pw"), b"p")) == b"pw"
    assert body_of(frontend.build_sasl_response(b"c=biws"), b"p") == b"c=biws"
    for data in (None, b"", b"n,,n=,r=abc"):
        body = body_of(frontend.build_sasl_initial_response(b"SCRAM-SHA-256", data), b"p")
        assert frontend.parse_sasl_initial_response(body) == frontend.SaslInitialResponse(b"SCRAM-SHA-256", data)
    assert (frontend.SYNC, frontend.FLUSH, frontend.TERMINATE, frontend.COPY_DONE) == (
        b"S\0\0\0\4",
        b"H\0\0\0\4",
        b"X\0\0\0\4",
        b"c\0\0\0\4",
    )


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_accepted_or_a_violation(body: bytes) -> None:
    for parser in PARSERS:
        for variant in (body, b"\0\0" + body, b"S" + body, b"\0\0\0\0\0\1" + body):
            try:
                parser(variant)
            except ProtocolViolation:
                pass


@pytest.mark.parametrize(
    ("parser", "body"),
    [
        (frontend.parse_query, b"select 1"),
        (frontend.parse_query, b"select 1\0select 2\0"),
        (frontend.parse_describe, b"X\0"),
        (frontend.parse_close, b""),
        (frontend.parse_password, b""),
        (frontend.parse_execute, b"\0\0\0\0"),
        (frontend.execute_portal_name, b"\0\0\0\0"),
        (lambda body: frontend.parse_empty(body, "Sync"), b"x"),
        (frontend.parse_function_call, struct.pack("!iHHH", 1, 0, 0, 2)),
    ],
)
def test_malformed(parser: Callable[[bytes], Any], body: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        parser(body)


def test_strings_with_nul_are_not_built() -> None:
    with pytest.raises(ProtocolViolation):
        frontend.build_query(b"select 1\0; drop table t")
    with pytest.raises(ProtocolViolation):
        frontend.build_parse(b"a\0", b"")


def test_a_value_that_would_wrap_is_not_built() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 2**32 + 1

    with pytest.raises(ProtocolViolation):
        frontend.build_bind(b"", b"", (), (Huge(),))


def test_values_are_not_in_the_repr() -> None:
    assert "secret" not in repr(frontend.Bind(b"", b"", (), (b"secret",)))
    assert "secret" not in repr(frontend.Parse(b"", b"select 'secret'"))
    assert "secret" not in repr(frontend.SaslInitialResponse(b"SCRAM-SHA-256", b"secret"))
