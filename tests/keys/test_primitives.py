"""Published vectors for the primitives, so that a wrong binding or a swapped argument shows."""

from __future__ import annotations

import pytest

from keys import primitives


def test_aes_256_gcm() -> None:
    """McGrew and Viega, The Galois/Counter Mode of Operation, appendix B, test case 16."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
    sealed = primitives.aead(key).encrypt(
        bytes.fromhex("cafebabefacedbaddecaf888"),
        bytes.fromhex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        ),
        bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    )
    assert sealed[-16:].hex() == "76fc6ece0f4e1768cddf8853bb2d551b"


def test_hmac_sha256() -> None:
    """Against hmac of the standard library, another implementation of RFC 2104."""
    import hmac

    key = bytes(range(32))
    for message in (b"", b"x", b"y" * 200):
        assert primitives.hmac_sha256(key, message) == hmac.digest(key, message, "sha256")
        assert primitives.keyed_hash(key, b"prefix")(message) == hmac.digest(key, b"prefix" + message, "sha256")


def test_a_keyed_hash_can_be_used_again() -> None:
    digest = primitives.keyed_hash(bytes(32), b"p")
    assert digest(b"a") == digest(b"a") != digest(b"b")


def test_hkdf_is_extract_and_expand_of_rfc_5869() -> None:
    import hmac

    secret, label = bytes(range(32)), b"fieldgate test"
    extracted = hmac.digest(bytes(32), secret, "sha256")
    first = hmac.digest(extracted, label + b"\x01", "sha256")
    second = hmac.digest(extracted, first + label + b"\x02", "sha256")
    assert primitives.derive(secret, label=label) == first
    assert primitives.derive(secret, label=label, length=64) == first + second


def test_argon2id() -> None:
    """The reference implementation's own test (phc-winner-argon2, src/test.c): version 0x13, t=2, m=2^16, p=1."""
    derived = primitives.argon2id(b"password", b"somesalt", passes=2, memory_kib=65536, lanes=1)
    assert derived.hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"


def test_keys_of_the_wrong_length_are_refused() -> None:
    for length in (0, 16, 31, 33):
        with pytest.raises(ValueError, match="32 bytes"):
            primitives.hmac_sha256(bytes(length), b"")
        with pytest.raises(ValueError, match="32 bytes"):
            primitives.aead(bytes(length))
        with pytest.raises(ValueError, match="32 bytes"):
            primitives.derive(bytes(length), label=b"x")


def test_equal_compares_whole_values() -> None:
    assert primitives.equal(b"same", b"same")
    assert not primitives.equal(b"same", b"samf")
    assert not primitives.equal(b"same", b"sam")
