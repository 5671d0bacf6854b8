"""json and jsonb, with Python's json as the oracle of what a text means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import ValueRejected
from proxy.wire.values import DEFAULT_SETTINGS
from proxy.wire.values.json_ import JsonbCodec, JsonCodec, canonical

texts = st.text(max_size=6).filter(lambda text: "\0" not in text and text.isprintable())
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


@given(values, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_canonical_text_means_the_same(value: Any, ascii_only: bool, indent: int | str | None) -> None:
    written = canonical(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode())
    assert json.loads(written) == value
    assert canonical(written) == written
    assert written == canonical(json.dumps(value, sort_keys=True).encode())


@given(values)
def test_json_is_kept_as_it_is(value: Any) -> None:
    raw = b" " + json.dumps(value).encode()
    assert JsonCodec().from_text(raw, -1, DEFAULT_SETTINGS) == raw
    assert JsonCodec().from_binary(raw, -1) == raw


@given(values)
def test_binary_has_a_version(value: Any) -> None:
    codec, raw = JsonbCodec(), json.dumps(value).encode()
    cell = codec.from_text(raw, -1, DEFAULT_SETTINGS)
    assert codec.to_binary(cell) == b"\1" + cell
    assert codec.from_binary(b"\1" + raw, -1) == cell


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ('{"a":1.0,"b":[2e1]}', '{"b":[20],"a":1}', True),
        ("0", "-0.00", True),
        ("100", "1e2", True),
        ("1", '"1"', False),
        ("1", "[1]", False),
        ("null", '"null"', False),
        ('"1.0"', '"1"', False),  # a string is not a number
        ('{"1.0":1}', '{"1":1}', False),
    ],
)
def test_terms(left: str, right: str, equal: bool) -> None:
    codec = JsonbCodec()
    terms = [codec.term_input(canonical(text.encode())) for text in (left, right)]
    assert (terms[0] == terms[1]) is equal


@pytest.mark.parametrize(
    "text",
    ["", " ", "NaN", "-Infinity", "01", "1.", "'a'", "[1,]", '{"a":1,}', "{1:2}", '"\t"', '"\\x"', "1 2", "\ufeff1"],
)
def test_no_json(text: str) -> None:
    for codec in (JsonCodec(), JsonbCodec()):
        with pytest.raises(ValueRejected) as caught:
            codec.from_text(text.encode(), -1, DEFAULT_SETTINGS)
        assert caught.value.sqlstate == "22P02"


def test_depth_has_an_end_and_a_sqlstate() -> None:
    for codec in (JsonCodec(), JsonbCodec()):
        assert codec.from_text(b"[" * 400 + b"]" * 400, -1, DEFAULT_SETTINGS)
        with pytest.raises(ValueRejected) as caught:
            codec.from_text(b'{"a":' * 50_000 + b"1" + b"}" * 50_000, -1, DEFAULT_SETTINGS)
        assert caught.value.sqlstate == "54000"
