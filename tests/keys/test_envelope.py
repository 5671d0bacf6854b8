"""The layout: parse and build are inverse, and nothing but EnvelopeInvalid comes out of wrong bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import envelope
from keys.envelope import Scheme
from keys.errors import EnvelopeInvalid

schemes = st.builds(Scheme, st.integers(0, 7))
key_ids = st.binary(min_size=8, max_size=8)


@given(schemes, key_ids, st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=200))
def test_parse_finds_what_was_put_together(scheme: Scheme, key_id: bytes, term: bytes, rest: bytes) -> None:
    header = envelope.build_head(scheme, key_id) + (term if scheme & Scheme.TERM else b"")
    parts = envelope.parse(header + rest)
    assert (parts.scheme, parts.key_id, parts.header) == (scheme, key_id, header)
    assert parts.nonce + parts.sealed == rest


@given(st.binary(max_size=100))
def test_any_bytes_parse_or_are_invalid(value: bytes) -> None:
    try:
        parts = envelope.parse(value)
    except EnvelopeInvalid:
        return
    assert parts.header + parts.nonce + parts.sealed == value


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xf9\x67",
        bytes.fromhex("f9670100") + bytes(35),
        bytes.fromhex("f9670101") + bytes(51),
        bytes.fromhex("f9670104") + bytes(39),
        bytes.fromhex("f9680100") + bytes(60),
        bytes.fromhex("f9670000") + bytes(60),
        bytes.fromhex("f9670200") + bytes(60),
        bytes.fromhex("f9670108") + bytes(8) + bytes.fromhex("ffff") + bytes(60),
        bytes.fromhex("f9670110") + bytes(60),
        bytes.fromhex("f9670120") + bytes(60),
        bytes.fromhex("f9670111") + bytes(67),
        bytes.fromhex("f9670119") + bytes(8 + 16) + bytes.fromhex("0001") + bytes(4 + 16 + 27),
        bytes.fromhex("f9670140") + bytes(60),
        bytes.fromhex("f9670180") + bytes(60),
    ],
    ids=[
        "empty",
        "magic only",
        "short",
        "short with term",
        "short padded",
        "magic",
        "v0",
        "v2",
        "tokens",
        "second term of none",
        "even term of none",
        "short with two terms",
        "short with two terms and tokens",
        "a subject's, not bound",
        "bit 7",
    ],
)
def test_wrong_bytes_are_refused(value: bytes) -> None:
    with pytest.raises(EnvelopeInvalid):
        envelope.parse(value)


def test_the_shortest_envelopes_are_accepted() -> None:
    for scheme in map(Scheme, range(8)):
        head = envelope.build_head(scheme, bytes(8))
        assert envelope.parse(head + bytes(envelope.minimum_size(scheme) - len(head))).scheme == scheme


@given(st.binary(max_size=300), st.integers(1, 64))
def test_padding_is_whole_buckets_and_comes_off(plaintext: bytes, bucket: int) -> None:
    padded = envelope.pad(plaintext, bucket)
    assert len(padded) % bucket == 0
    assert len(padded) - len(plaintext) < 4 + bucket
    assert envelope.unpad(padded) == plaintext


@pytest.mark.parametrize("padded", [b"", b"\0\0\0", b"\0\0\0\1", b"\xff\xff\xff\xff1234", b"\0\0\0\1a\1"])
def test_impossible_padding_is_refused(padded: bytes) -> None:
    with pytest.raises(EnvelopeInvalid):
        envelope.unpad(padded)


@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_prefixed_parts_never_run_into_each_other(left: list[bytes], right: list[bytes]) -> None:
    def joined(parts: list[bytes]) -> bytes:
        return b"".join(map(envelope.prefixed, parts))

    assert (joined(left) == joined(right)) == (left == right)


@pytest.mark.parametrize("field_id", ["", "a" * 31, "a" * 33, "A" * 32, "g" * 32, "a" * 30 + " a", "0x" + "a" * 30])
def test_a_field_id_has_one_spelling(field_id: str) -> None:
    with pytest.raises(ValueError, match="32 lower-case hex digits"):
        envelope.context("shop", field_id)
