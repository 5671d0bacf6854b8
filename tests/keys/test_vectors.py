"""The committed vectors: computed without our code, opened and reproduced by it (tests/vectors/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import keys.field
import keys.subjects
from keys.envelope import parse
from keys.field import DataKey, FieldKeyCipher, Searching, TermKey, TokenKey
from keys.subjects import SubjectCache, SubjectFieldCipher, SubjectName
from tests.keys.making import CountedLeases
from tests.vectors import make_envelope_vectors

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "envelope-v1.json").read_text(encoding="utf-8")
)
each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])


def optional(digits: str | None) -> bytes | None:
    return None if digits is None else bytes.fromhex(digits)


def term_key_of(vector: dict[str, Any], name: str = "term_key") -> TermKey | None:
    epoch = vector["epoch"] + (name == "next_term_key")
    normalisers = tuple(vector["normalisers"].split())
    return TermKey(vector["term_scope"], bytes.fromhex(vector[name]), normalisers, epoch) if vector[name] else None


def token_key_of(vector: dict[str, Any], name: str = "token_key") -> TokenKey | None:
    epoch = vector["epoch"] + (name == "next_token_key")
    return TokenKey(bytes.fromhex(vector[name]), tuple(vector["modes"].split()), epoch) if vector[name] else None


def cipher_of(vector: dict[str, Any]) -> FieldKeyCipher:
    if vector["subject_secret"] is not None:
        cache = SubjectCache()
        cache.put(SubjectName("customer", bytes.fromhex(vector["row_key"])), bytes.fromhex(vector["subject_secret"]))
        return SubjectFieldCipher(secrets=cache.of_kind("customer"), **parts_of(vector))
    return FieldKeyCipher(row_bound=vector["row_key"] is not None, **parts_of(vector))


def parts_of(vector: dict[str, Any]) -> dict[str, Any]:
    following = Searching(term_key_of(vector, "next_term_key"), token_key_of(vector, "next_token_key"))
    return {
        "controller": vector["controller"],
        "field_id": vector["field_id"],
        "primary": DataKey(bytes.fromhex(vector["key_id"]), bytes.fromhex(vector["data_key"])),
        "leases": CountedLeases(),
        "term_key": term_key_of(vector),
        "token_key": token_key_of(vector),
        "next_searching": following if following != Searching() else None,
        "pad_to": vector["pad_to"],
    }


@each_vector
def test_opens_what_was_computed_elsewhere(vector: dict[str, Any]) -> None:
    opened = cipher_of(vector).open(bytes.fromhex(vector["envelope"]), row_key=optional(vector["row_key"]))
    assert opened == bytes.fromhex(vector["plaintext"])


@each_vector
def test_seals_the_same_bytes_under_the_same_nonce(vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (keys.field, keys.subjects):
        monkeypatch.setattr(module, "random_bytes", lambda count: bytes.fromhex(vector["nonce"])[:count])
    sealed = cipher_of(vector).seal(
        bytes.fromhex(vector["plaintext"]),
        term_input=optional(vector["term_input"]),
        row_key=optional(vector["row_key"]),
    )
    assert sealed.hex() == vector["envelope"]


@each_vector
def test_header_and_term_stand_where_sql_looks_for_them(vector: dict[str, Any]) -> None:
    envelope = bytes.fromhex(vector["envelope"])
    parts = parse(envelope)
    assert vector["associated_data"].startswith(parts.header.hex())
    assert parts.nonce.hex() == vector["nonce"]
    if vector["term_scope"]:
        assert parts.term == envelope[12:28] == cipher_of(vector).term(bytes.fromhex(vector["term_input"]))


def test_fields_of_a_join_group_share_terms() -> None:
    first, second = (v for v in VECTORS if v["name"].startswith("join group"))
    assert first["field_id"] != second["field_id"]
    assert first["envelope"][24:56] == second["envelope"][24:56]


def test_the_committed_file_is_what_the_script_writes() -> None:
    make_envelope_vectors.check_against_published_values()
    assert make_envelope_vectors.vectors() == VECTORS
