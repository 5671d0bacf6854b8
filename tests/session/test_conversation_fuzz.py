"""Whatever the peers send: our own error or a clean end, never another exception (the fuzz contract)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.session.commands import CloseBoth

from .talk import (
    BOUND,
    CLOSED,
    EMAIL_COLUMNS,
    FLUSH,
    NO_DATA,
    PARSED,
    SUSPENDED,
    SYNC,
    Talk,
    bind,
    cell,
    close,
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

TEXTS = st.sampled_from(["select email", "find email", "insert", "refused", "select 1", "", "begin", "set path"])
NAMES = st.sampled_from([b"", b"s", b"t"])
CLIENT = st.one_of(
    st.builds(query, TEXTS),
    st.builds(lambda t, n: parse(t, n), TEXTS, NAMES),
    st.builds(lambda n: bind(name=n), NAMES),
    st.builds(lambda n: bind(b"ivan", b"5", name=n), NAMES),
    st.builds(lambda k, n: describe(k, n), st.sampled_from([b"S", b"P"]), NAMES),
    st.builds(lambda n: execute(n), NAMES),
    st.builds(lambda k, n: close(k, n), st.sampled_from([b"S", b"P"]), NAMES),
    st.sampled_from([SYNC, FLUSH]),
    st.binary(max_size=30),
)
SERVER = st.one_of(
    st.sampled_from(
        [PARSED, BOUND, CLOSED, NO_DATA, SUSPENDED, EMAIL_COLUMNS, done(), ready(), ready(b"T"), ready(b"E")]
    ),
    st.sampled_from(
        [row(b"7", cell(b"a")), row(b"7", hex_cell(b"a")), row(), row(b"\xf9g\x01"), failed(), failed(b"26000")]
    ),
    st.binary(max_size=30),
)
STEPS = st.lists(st.one_of(st.tuples(st.just("client"), CLIENT), st.tuples(st.just("server"), SERVER)), max_size=25)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.booleans())
def test_any_order_of_any_bytes(steps: list[tuple[str, bytes]], split: bool) -> None:
    talk = Talk(split=split)
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
