"""Cells that were changed in one way each: none opens, and the reason is the one that is written down."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from keys.errors import CryptoError, EnvelopeInvalid, UnknownKey
from keys.subjects import SubjectFieldCipher
from tests.keys.test_vectors import VECTORS, cipher_of, optional
from tests.vectors import make_tampered_vectors

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "envelope-tampered.json").read_text(encoding="utf-8")
)
BY_NAME = {vector["name"]: vector for vector in VECTORS if vector["name"] != "long"}
EXPECTED: dict[str, type[CryptoError]] = {"invalid": EnvelopeInvalid, "unknown key": UnknownKey}


@pytest.mark.parametrize("name", BY_NAME)
def test_no_changed_cell_opens(name: str) -> None:
    cases = [case for case in CASES if case["of"] == name]
    assert len(cases) > 25
    for case in cases:
        vector = BY_NAME[name] | case["changed"]
        # Whether cells are bound is the cipher's own business; the row's key is the caller's.
        cipher = cipher_of(vector | {"row_key": BY_NAME[name]["row_key"]})
        if isinstance(cipher, SubjectFieldCipher) and vector["row_key"] not in (None, BY_NAME[name]["row_key"]):
            cipher = cipher_of(vector)  # the other subject has the same secret: it is the binding that refuses
        with pytest.raises(EXPECTED[case["result"]]):
            cipher.open(bytes.fromhex(vector["envelope"]), row_key=optional(vector["row_key"]))


@pytest.mark.parametrize("name", BY_NAME)
def test_the_same_cells_open_when_nothing_is_changed(name: str) -> None:
    vector = BY_NAME[name]
    opened = cipher_of(vector).open(bytes.fromhex(vector["envelope"]), row_key=optional(vector["row_key"]))
    assert opened.hex() == vector["plaintext"]


def test_every_kind_of_fault_is_there() -> None:
    kinds = Counter(case["flag"] for case in CASES)
    assert set(kinds) == {
        "magic", "version", "scheme", "key id", "header", "nonce", "ciphertext", "tag", "length", "context", "key",
        "padding",
    }  # fmt: skip


def test_the_committed_file_is_what_the_script_writes() -> None:
    assert make_tampered_vectors.tampered() == CASES
