"""The bytes of a wrapped key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import KeyringLocked
from keys.providers.blob import MAX_BLOB, Blob, Kind, bound, build, parse

NAMES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64)


@given(st.sampled_from(Kind), NAMES, st.binary(min_size=1, max_size=99))
def test_what_is_built_is_parsed(kind: Kind, version: str, payload: bytes) -> None:
    blob = build(kind, version, payload)
    assert parse(blob, kind) == Blob(version, payload)
    for other in Kind:
        if other is not kind:
            with pytest.raises(KeyringLocked, match=f"is of {kind.label}, but this is {other.label}"):
                parse(blob, other)


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda rest: b"fgk\x01\x01" + rest))
def test_anything_is_parsed_or_refused(blob: bytes) -> None:
    try:
        found = parse(blob, Kind.LOCAL)
    except KeyringLocked:
        return
    assert build(Kind.LOCAL, found.version, found.payload) == blob


def test_the_form_is_the_written_one() -> None:
    assert build(Kind.VAULT, "12", b"rest") == b"fgk\x01\x02\x0212rest"
    assert [(kind.value, kind.label) for kind in Kind] == [(1, "local"), (2, "vault"), (3, "pkcs11"), (4, "aws-kms")]


@pytest.mark.parametrize(
    "blob", [b"", b"fgk\x01\x01", b"fgk\x02\x01\x011x", b"fgk\x01\x01\x011", b"fgk\x01\x01\x02 1x"]
)
def test_malformed(blob: bytes) -> None:
    with pytest.raises(KeyringLocked):
        parse(blob, Kind.LOCAL)


def test_an_unknown_kind_and_a_long_blob() -> None:
    with pytest.raises(KeyringLocked, match="unknown provider"):
        parse(b"fgk\x01\x63\x011x", Kind.LOCAL)
    with pytest.raises(KeyringLocked):
        parse(build(Kind.LOCAL, "1", b"x" * MAX_BLOB), Kind.LOCAL)


@pytest.mark.parametrize("version", ["", "x" * 65, "a b", "a\n"])
def test_names_that_cannot_stand_there(version: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        build(Kind.LOCAL, version, b"x")


@given(NAMES, NAMES, st.binary(max_size=20), st.binary(max_size=20))
def test_what_is_bound_has_one_reading(one: str, two: str, left: bytes, right: bytes) -> None:
    same = bound(Kind.LOCAL, one, left) == bound(Kind.LOCAL, two, right)
    assert same == ((one, left) == (two, right))
