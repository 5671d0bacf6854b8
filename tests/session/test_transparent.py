"""A conversation in which nothing is protected."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.wire import frontend

from .talk import SYNC, Talk, catalog, columns, done, error_of, parse, query, ready, row


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_client_bytes_pass_whatever_they_are(pieces: list[bytes]) -> None:
    talk = Talk(protected=False)
    for piece in pieces:
        talk.conversation.client_bytes(piece)
    assert talk.conversation.take_to_server() == b"".join(pieces)


@given(st.data())
def test_rest_is_known_however_the_bytes_are_cut(data: st.DataObject) -> None:
    talk = Talk(protected=False)
    answer = b"".join([columns(("a", 25, 0, 0)), row(b"Z\0\0\0\x05I"), done(), ready()])
    talk.conversation.client_bytes(query("select 1"))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=6)))
    for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True):
        if start != end:
            assert not talk.conversation.idle
            talk.conversation.server_bytes(answer[start:end])
    assert talk.conversation.idle
    assert talk.conversation.take_to_client() == answer


def test_an_open_transaction_is_not_rest() -> None:
    talk = Talk(protected=False)
    talk.conversation.client_bytes(query("begin"))
    talk.conversation.server_bytes(done("BEGIN") + ready(b"T"))
    assert not talk.conversation.idle


def test_function_calls_pass() -> None:
    talk = Talk(protected=False)
    call = frontend.build_function_call(2200, (), (b"x",), 0)
    talk.conversation.client_bytes(call)
    assert talk.conversation.take_to_server() == call


def test_when_protection_comes_the_session_ends() -> None:
    talk = Talk(protected=False)
    talk.revision = type(talk.revision)(catalog(version=2), talk.revision.decisions, talk.revision.ciphers)
    talk.conversation.client_bytes(parse("select secret") + SYNC)
    assert b"select secret" not in talk.conversation.take_to_server()
    (told,) = talk.told()
    assert error_of(told)[b"S"] == b"FATAL"
