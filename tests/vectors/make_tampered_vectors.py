"""Writes envelope-tampered.json: cells that must not open, each made from a vector by one change.

python tests/vectors/make_tampered_vectors.py > tests/vectors/envelope-tampered.json

After the manner of Project Wycheproof's AEAD tests: each case says what was done to it (`comment`), the class of the
fault (`flag`), and what opening it must say: `invalid`, or `unknown key`.  Nothing of Fieldgate's own code is used.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

if __package__:
    from .make_envelope_vectors import gcm_seal, label, vectors
else:
    from make_envelope_vectors import gcm_seal, label, vectors

Case = dict[str, object]
HEADER_PARTS = ((0, 2, "magic"), (2, 1, "version"), (3, 1, "scheme"), (4, 8, "key id"))


def tampered() -> list[Case]:
    cases: list[Case] = []
    for vector in (each for each in vectors() if each["name"] != "long"):  # it would be half of the file
        for number, (comment, flag, changed) in enumerate(changes(vector)):
            envelope = str(changed.get("envelope", vector["envelope"]))
            unknown = flag == "key id" and envelope.startswith("f967")
            cases.append(
                {
                    "id": f"{vector['name']}: {number}",
                    "of": vector["name"],
                    "comment": comment,
                    "flag": flag,
                    "changed": changed,
                    "result": "unknown key" if unknown else "invalid",
                }
            )
    return cases


def changes(vector: Case) -> Iterator[tuple[str, str, dict[str, object]]]:
    """What was done, its class, and the members of the vector that are other than they were."""
    cell = bytes.fromhex(str(vector["envelope"]))
    start = len(cell) - 16 - 12 - inside_size(vector)
    yield from header_changes(cell, start)
    yield from body_changes(cell, start)
    yield from context_changes(vector)
    yield from forged_padding(vector, start)


def inside_size(vector: Case) -> int:
    size, bucket = len(bytes.fromhex(str(vector["plaintext"]))), int(str(vector["pad_to"]))
    size = size if not bucket else -(-(size + 4) // bucket) * bucket
    return size + (16 if vector["subject_secret"] else 0)


def flipped(cell: bytes, at: int, mask: int = 1) -> str:
    return (cell[:at] + bytes((cell[at] ^ mask,)) + cell[at + 1 :]).hex()


def header_changes(cell: bytes, start: int) -> Iterator[tuple[str, str, dict[str, object]]]:
    for at, size, name in HEADER_PARTS:
        for place in (at, at + size - 1) if size > 1 else (at,):
            yield f"a bit of the {name} flipped", name, {"envelope": flipped(cell, place)}
    for bit in range(8):
        yield f"bit {bit} of the scheme flipped", "scheme", {"envelope": flipped(cell, 3, 1 << bit)}
    for at in range(12, start):
        yield "a bit behind the head flipped", "header", {"envelope": flipped(cell, at, 0x80)}
    if start >= 28:
        yield "the term zeroed", "header", {"envelope": (cell[:12] + bytes(16) + cell[28:]).hex()}
        yield "the term cut out", "length", {"envelope": (cell[:12] + cell[28:]).hex()}
    yield "a term put in", "length", {"envelope": (cell[:12] + bytes(16) + cell[12:]).hex()}


def body_changes(cell: bytes, start: int) -> Iterator[tuple[str, str, dict[str, object]]]:
    for at, name in ((start, "nonce"), (start + 11, "nonce"), (len(cell) - 16, "tag"), (len(cell) - 1, "tag")):
        yield f"a bit of the {name} flipped", name, {"envelope": flipped(cell, at)}
    if start + 12 < len(cell) - 16:
        yield "a bit of the ciphertext flipped", "ciphertext", {"envelope": flipped(cell, start + 12)}
    yield "the nonce zeroed", "nonce", {"envelope": (cell[:start] + bytes(12) + cell[start + 12 :]).hex()}
    yield "the tag zeroed", "tag", {"envelope": (cell[:-16] + bytes(16)).hex()}
    yield "the tag's bits all flipped", "tag", {"envelope": (cell[:-16] + bytes(b ^ 255 for b in cell[-16:])).hex()}
    for size in (1, 4, 12, 16):
        yield f"the last {size} bytes cut off", "length", {"envelope": cell[:-size].hex()}
        yield f"{size} zeros behind it", "length", {"envelope": (cell + bytes(size)).hex()}
    for size in (0, 1, 3, 11, 12, 27, start, start + 12):
        yield f"the first {size} bytes alone", "length", {"envelope": cell[:size].hex()}
    yield "written twice", "length", {"envelope": (cell + cell).hex()}


def context_changes(vector: Case) -> Iterator[tuple[str, str, dict[str, object]]]:
    yield "opened as another field's", "context", {"field_id": label("another field", 16).hex()}
    yield "opened as another controller's", "context", {"controller": f"{vector['controller']}2"}
    if vector["row_key"] is not None:
        yield "opened in another row", "context", {"row_key": b"another".hex()}
        yield "opened in the row of the same key with a zero behind", "context", {"row_key": f"{vector['row_key']}00"}
        yield "opened as if it were not bound", "context", {"row_key": None}
    else:
        yield "opened as if it were bound to a row", "context", {"row_key": b"1".hex()}
    if vector["subject_secret"]:
        another = label("another secret", 32).hex()
        yield "opened with another secret of the subject", "key", {"subject_secret": another}
    yield "opened with another data key under the same id", "key", {"data_key": label("another data key", 32).hex()}


def forged_padding(vector: Case, start: int) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Padding that is authentic and wrong: whoever holds the key could have made it, and it is refused all the same."""
    if not vector["pad_to"]:
        return
    cell = bytes.fromhex(str(vector["envelope"]))
    key, associated = bytes.fromhex(str(vector["data_key"])), bytes.fromhex(str(vector["associated_data"]))
    nonce = cell[start : start + 12]
    for comment, inside in (
        ("a length past its end", (1 << 20).to_bytes(4, "big") + bytes(28)),
        ("the largest length", b"\xff" * 4 + bytes(28)),
        ("a padding of ones", (1).to_bytes(4, "big") + b"x" + b"\1" * 27),
        ("no length", b"\0\0\0"),
        ("nothing inside", b""),
    ):
        if vector["subject_secret"]:
            inside = gcm_seal(bytes.fromhex(str(vector["subject_secret"])), nonce, inside, associated)
        sealed = gcm_seal(key, nonce, inside, associated)
        yield f"padded with {comment}, and authentic", "padding", {"envelope": (cell[: start + 12] + sealed).hex()}


if __name__ == "__main__":
    json.dump(tampered(), sys.stdout, indent=0, ensure_ascii=True, separators=(",", ":"))
    sys.stdout.write("\n")
