"""Writes envelope-v1.json from docs/envelope.md alone, without Fieldgate's code.  See README.md for the provenance.

python tests/vectors/make_envelope_vectors.py > tests/vectors/envelope-v1.json
"""

from __future__ import annotations

import hashlib
import json
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

REDUCTION = 0xE1 << 120


def aes_block(key: bytes, block: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 (one block: GCM is built from it below)
    return encryptor.update(block) + encryptor.finalize()


def multiply(x: int, y: int) -> int:
    """The product in GF(2^128), SP 800-38D section 6.3."""
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= y
        y = y >> 1 ^ REDUCTION if y & 1 else y >> 1
    return product


def ghash(h: int, data: bytes) -> int:
    state = 0
    for start in range(0, len(data), 16):
        state = multiply(state ^ int.from_bytes(data[start : start + 16], "big"), h)
    return state


def to_blocks(data: bytes) -> bytes:
    return data + bytes(-len(data) % 16)


def gcm_seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Ciphertext and tag, SP 800-38D section 7.1 for a 96-bit nonce."""
    h = int.from_bytes(aes_block(key, bytes(16)), "big")
    stream = b"".join(aes_block(key, nonce + (2 + i).to_bytes(4, "big")) for i in range((len(plaintext) + 15) // 16))
    ciphertext = bytes(a ^ b for a, b in zip(plaintext, stream, strict=False))
    lengths = (8 * len(associated)).to_bytes(8, "big") + (8 * len(ciphertext)).to_bytes(8, "big")
    mac = ghash(h, to_blocks(associated) + to_blocks(ciphertext) + lengths)
    mask = int.from_bytes(aes_block(key, nonce + (1).to_bytes(4, "big")), "big")
    return ciphertext + (mac ^ mask).to_bytes(16, "big")


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104 for keys of at most 64 bytes."""
    block = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).digest()


def check_against_published_values() -> None:
    zero = bytes(32)
    assert gcm_seal(zero, bytes(12), b"", b"").hex() == "530f8afbc74536b9a963b4f1c4cb738b"
    assert gcm_seal(zero, bytes(12), bytes(16), b"").hex() == (
        "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
    )
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    nonce = bytes.fromhex("cafebabefacedbaddecaf888")
    text = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
    )
    sealed = (
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
    )
    assert gcm_seal(key, nonce, text, b"").hex() == sealed + "b094dac5d93471bdec1a502270e3cc6c"
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    assert gcm_seal(key, nonce, text[:60], associated).hex() == sealed[:120] + "76fc6ece0f4e1768cddf8853bb2d551b"
    assert hmac_sha256(b"\x0b" * 20, b"Hi There").hex() == (
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    )
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def label(name: str, size: int) -> bytes:
    return hashlib.sha256(f"fieldgate vector {name}".encode()).digest()[:size]


def of_epoch(epoch: int) -> str:
    return "" if epoch == 1 else f" of epoch {epoch}"


def prefixed(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def vector(
    name: str,
    plaintext: bytes,
    *,
    term_scope: str | None = None,
    term_input: bytes | None = None,
    normalisers: str = "",
    normalised: bytes = b"",
    row_key: bytes | None = None,
    pad_to: int = 0,
    modes: str = "",
    token_inputs: tuple[str, ...] | None = None,
    epoch: int = 1,
    rotating: bool = False,
    subject_secret: bytes | None = None,
    controller: str = "shop",
) -> dict[str, object]:
    field_id, key_id = label(f"{name} field", 16), label(f"{name} key id", 8)
    data_key, nonce = label(f"{name} data key", 32), label(f"{name} nonce", 12)
    scheme = (1 if term_scope else 0) | (2 if row_key is not None else 0) | (4 if pad_to else 0) | (8 if modes else 0)
    scheme |= (16 if rotating else 0) | (32 if epoch % 2 == 0 else 0) | (64 if subject_secret is not None else 0)
    header = bytes.fromhex("f96701") + bytes((scheme,)) + key_id
    term_key = label(f"{term_scope} term key{of_epoch(epoch)}", 32) if term_scope else None
    next_term_key = label(f"{term_scope} term key{of_epoch(epoch + 1)}", 32) if term_scope and rotating else None
    message = b""
    if term_scope and term_key:
        term_input = plaintext if term_input is None else term_input
        parts = [b"fieldgate term v1", controller.encode(), term_scope.encode(), term_input]
        if normalisers:
            parts = [b"fieldgate normalised term v1", *parts[1:3], normalisers.encode(), normalised]
        message = b"".join(map(prefixed, parts))
        header += hmac_sha256(term_key, message)[:16]
    token_key = label(f"{name} token key", 32) if modes else None
    next_token_key = label(f"{name} next token key", 32) if modes and rotating else None
    if token_key:
        where = [b"fieldgate token v1", controller.encode(), f"field:{field_id.hex()}".encode()]
        messages = [b"".join(map(prefixed, [*where, each.encode()])) for each in token_inputs or ()]
        both = [key for key in (token_key, next_token_key) if key]
        tokens = sorted({hmac_sha256(key, each)[:4] for each in messages for key in both})
        tokens = [bytes(4)] if token_inputs is None else tokens
        header += len(tokens).to_bytes(2, "big") + b"".join(tokens)
    if next_term_key:
        header += hmac_sha256(next_term_key, message)[:16]
    associated = header + prefixed(controller.encode()) + field_id
    if row_key is not None:
        associated += prefixed(row_key)
    inside = plaintext
    if pad_to:
        inside = prefixed(plaintext)
        inside += bytes(-len(inside) % pad_to)
    if subject_secret is not None:
        inside = gcm_seal(subject_secret, nonce, inside, associated)
    return {
        "name": name,
        "controller": controller,
        "field_id": field_id.hex(),
        "key_id": key_id.hex(),
        "data_key": data_key.hex(),
        "term_scope": term_scope,
        "term_key": term_key.hex() if term_key else None,
        "term_input": term_input.hex() if term_input is not None else None,
        "normalisers": normalisers,
        "modes": modes,
        "token_key": token_key.hex() if token_key else None,
        "epoch": epoch,
        "next_term_key": next_term_key.hex() if next_term_key else None,
        "next_token_key": next_token_key.hex() if next_token_key else None,
        "row_key": row_key.hex() if row_key is not None else None,
        "subject_secret": subject_secret.hex() if subject_secret is not None else None,
        "pad_to": pad_to,
        "nonce": nonce.hex(),
        "plaintext": plaintext.hex(),
        "associated_data": associated.hex(),
        "envelope": (header + nonce + gcm_seal(data_key, nonce, inside, associated)).hex(),
    }


def vectors() -> list[dict[str, object]]:
    email = b"anna.kowalska@example.org"
    return [
        vector("empty text", b""),
        vector("one byte", b"x"),
        vector("a whole block", b"0123456789abcdef"),
        vector("cyrillic text", "Ковальчук".encode()),
        vector("looks like an envelope", bytes.fromhex("f9670101") + bytes(40)),
        vector("long", bytes(range(256)) * 5),
        vector("equality", email, term_scope="field:" + label("equality field", 16).hex()),
        vector("equality of the empty text", b"", term_scope="group:person-name"),
        vector("join group, first field", email, term_scope="group:email"),
        vector("join group, second field", email, term_scope="group:email"),
        vector("numeric with a canonical term", b"1.50", term_scope="group:amount", term_input=b"1.5"),
        vector(
            "equality without case",
            "\u2003Straße ".encode(),
            term_scope="field:" + label("normalised field", 16).hex(),
            normalisers="trim.1 casefold.1",
            normalised=b"strasse",
        ),
        vector(
            "equality of telephone numbers",
            b"(030) 123-45 67",
            term_scope="group:phone",
            normalisers="e164.1:DE",
            normalised=b"+49301234567",
        ),
        vector("row-bound", "диагноз".encode(), row_key=b"42"),
        vector("row-bound to an empty key", b"note", row_key=b""),
        vector("padded", b"Anna", pad_to=32),
        vector("padded, exactly full", b"x" * 28, pad_to=32),
        vector("padded, one over", b"x" * 29, pad_to=32),
        vector("padded and empty", b"", pad_to=16),
        vector(
            "found by groups of characters",
            "Ёж É".encode(),
            modes="match.1",
            token_inputs=tuple(f"match.1\0{each}" for each in ("\x02еж", "еж ", "ж e", " e\x03")),
        ),
        vector(
            "found by its beginning",
            b"ABC",
            modes="prefix.1",
            token_inputs=("prefix.1\0ab", "prefix.1\0abc"),
        ),
        vector("found by every search", "a\u0378b".encode(), modes="match.1"),
        vector(
            "a date, found by its spans",  # 1990-06-15: 3487 days before, so step -109
            (-3487).to_bytes(4, "big", signed=True),
            modes="range-date.1",
            token_inputs=tuple(
                f"range-date.1\0{each}" for each in ("0:-109", "1:-28", "2:-7", "3:-2", "4:-1", "5:-1", "6:-1")
            ),
        ),
        vector(
            "a moment, found by its spans",  # 2000-01-08 00:00: 604800000000 microseconds, so step 1
            (604_800_000_000).to_bytes(8, "big", signed=True),
            modes="range-time.1",
            token_inputs=tuple(
                f"range-time.1\0{each}" for each in ("0:1", "1:0", "2:0", "3:0", "4:0", "5:0", "6:0", "7:0")
            ),
        ),
        vector(
            "a number, found by its spans",  # decade 4, and 15 of the twenty are at most 52: 255
            b"52400.00",
            modes="range-numeric.1",
            token_inputs=tuple(f"range-numeric.1\0{each}" for each in ("0:255", "1:63", "2:15", "3:3", "4:0", "5:0")),
        ),
        vector(
            "a whole number below zero, found by its spans",  # -7: decade 0, 17 of the twenty are at most 70
            (-7).to_bytes(4, "big", signed=True),
            modes="range-integer.1",
            token_inputs=tuple(
                f"range-integer.1\0{each}" for each in ("0:-177", "1:-45", "2:-12", "3:-3", "4:-1", "5:-1")
            ),
        ),
        vector(
            "a number beyond all spans",
            b"NaN",
            modes="range-numeric.1",
            token_inputs=("range-numeric.1\0above",),
        ),
        vector("nothing to be found by", b"", modes="match.1", token_inputs=()),
        vector(
            "a term, tokens, a row and padding",
            b"Anna",
            term_scope="group:name",
            modes="match.1 prefix.1",
            token_inputs=(
                *(f"match.1\0{each}" for each in ("\x02an", "ann", "nna", "na\x03")),
                *(f"prefix.1\0{each}" for each in ("an", "ann", "anna")),
            ),
            row_key=b"7",
            pad_to=16,
        ),
        vector("equality under an even epoch", email, term_scope="group:email", epoch=2),
        vector("equality under two epochs", email, term_scope="group:email", rotating=True),
        vector("equality under two epochs, the first even", email, term_scope="group:email", epoch=2, rotating=True),
        vector(
            "tokens under two epochs",
            b"ABC",
            modes="prefix.1",
            token_inputs=("prefix.1\0ab", "prefix.1\0abc"),
            rotating=True,
        ),
        vector(
            "terms and tokens under two epochs, a row and padding",
            b"Anna",
            term_scope="group:name",
            modes="prefix.1",
            token_inputs=tuple(f"prefix.1\0{each}" for each in ("an", "ann", "anna")),
            epoch=2,
            rotating=True,
            row_key=b"7",
            pad_to=16,
        ),
        vector("under a subject's secret", b"Anna", row_key=b"42", subject_secret=label("secret", 32)),
        vector(
            "under a subject's secret, with a term, padded",
            email,
            term_scope="group:email",
            row_key=b"42",
            pad_to=32,
            subject_secret=label("secret", 32),
        ),
        vector("everything", email, term_scope="group:email", row_key=b"7f000001", pad_to=64, controller="Магазин"),
    ]


if __name__ == "__main__":
    check_against_published_values()
    json.dump(vectors(), sys.stdout, indent=1, ensure_ascii=True)
    sys.stdout.write("\n")
