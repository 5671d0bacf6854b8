"""Whatever the peers send: our own error or a clean end, never another exception (the fuzz contract)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.session.commands import CloseBoth
from proxy.wire import backend, frontend
from proxy.wire.framing import message

from .talk import (
    BOUND,
    BOUND_EMAIL,
    CLOSED,
    CUSTOMERS_OID,
    EMAIL_COLUMNS,
    FLUSH,
    NO_DATA,
    PARSED,
    PLANS,
    SUSPENDED,
    SYNC,
    Talk,
    bind,
    cell,
    close,
    columns,
    describe,
    done,
    execute,
    failed,
    hex_cell,
    parse,
    query,
    ready,
    row,
)

TEXTS = st.sampled_from([*PLANS, "select bound", "select 1", "", "insert; select email", "select 1; copy t from stdin"])
NAMES = st.sampled_from([b"", b"s", b"t"])
CLIENT = st.one_of(
    st.builds(query, TEXTS),
    st.builds(lambda t, n: parse(t, n), TEXTS, NAMES),
    st.builds(lambda n: bind(name=n), NAMES),
    st.builds(lambda n: bind(b"ivan", b"5", name=n), NAMES),
    st.builds(lambda k, n: describe(k, n), st.sampled_from([b"S", b"P"]), NAMES),
    st.builds(lambda n: execute(n), NAMES),
    st.builds(lambda k, n: close(k, n), st.sampled_from([b"S", b"P"]), NAMES),
    st.sampled_from([SYNC, FLUSH, frontend.build_copy_data(b"1\n"), frontend.COPY_DONE]),
    st.sampled_from([frontend.build_copy_fail(b"no"), frontend.build_function_call(1, (), (), 0)]),
    st.binary(max_size=30),
    st.builds(message, st.sampled_from([bytes([c]) for c in b"QPBDECHSFdcf"]), st.binary(max_size=30)),
)
BOUND_COLUMNS = columns(("email", 17, CUSTOMERS_OID, 2), ("id", 20, CUSTOMERS_OID, 1))
SERVER = st.one_of(
    st.sampled_from(
        [PARSED, BOUND, CLOSED, NO_DATA, SUSPENDED, EMAIL_COLUMNS, done(), ready(), ready(b"T"), ready(b"E")]
    ),
    st.sampled_from(
        [row(b"7", cell(b"a")), row(b"7", hex_cell(b"a")), row(), row(b"\xf9g\x01"), failed(), failed(b"26000")]
    ),
    st.sampled_from([columns(), columns(("email", 17, CUSTOMERS_OID, 2)), BOUND_COLUMNS, NO_DATA]),
    st.sampled_from(
        [row(cell(b"a"), b"no number"), row(cell(b"a"), b"7"), row(b"7", cell(b"a"), b"x"), row(None, None)]
    ),
    st.sampled_from([backend.build_parameter_description(()), backend.build_parameter_description((17, 20, 25))]),
    st.sampled_from([backend.build_copy_response(b"G", 0, ()), backend.build_copy_response(b"H", 0, ())]),
    st.sampled_from([backend.build_parameter_status(b"search_path", b'"'), failed(b"57P01", b"", V=b"FATAL")]),
    st.sampled_from([backend.build_parameter_status(b"TimeZone", b"Nowhere"), backend.build_error_response({})]),
    st.binary(max_size=30),
    st.builds(message, st.sampled_from([bytes([c]) for c in b"TDdENAtRKSZ123CGHIWcnsvV"]), st.binary(max_size=30)),
)
STEPS = st.lists(st.one_of(st.tuples(st.just("client"), CLIENT), st.tuples(st.just("server"), SERVER)), max_size=25)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.booleans())
def test_any_order_of_any_bytes(steps: list[tuple[str, bytes]], split: bool) -> None:
    talk = Talk(split=split)
    talk.planner.plans["select bound"] = BOUND_EMAIL
    for side, data in steps:
        give = talk.conversation.client_bytes if side == "client" else talk.conversation.server_bytes
        for piece in [data[i : i + 1] for i in range(len(data))] if split else [data]:
            give(piece)
        talk._perform()
        to_client = talk.conversation.take_to_client()
        assert b"\xf9g\x01\x01k" not in to_client
    ended = [c for c in talk.commands if isinstance(c, CloseBoth)]
    assert len(ended) <= 1


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_from_the_client(data: bytes) -> None:
    Talk().conversation.client_bytes(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_from_the_server(data: bytes) -> None:
    talk = Talk()
    talk.client(query("select email"))
    talk.conversation.server_bytes(data)
