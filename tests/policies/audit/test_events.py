"""The record's form is closed, so that no value can get into the audit."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.audit.events import MAX_BYTES, AuditRecordInvalid, Template, decode, encode

from .records import record

SECRET = "ivanov@example.com' OR 1=1"


def test_a_record_is_one_line_and_comes_back_the_same() -> None:
    line = encode(record(7, person="Иванова", case="2026/12"))
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert decode(line) == record(7, person="Иванова", case="2026/12")


def test_a_template_writes_the_same_lines() -> None:
    constant = {key: value for key, value in record(person="Иванова").items() if key not in ("at", "id")}
    template = Template(constant)
    for number in (0, 7, 2**64 - 1):
        made = record(number, person="Иванова", at=f"2026-11-22T05:31:0{number % 10}.5+00:00")
        assert template.line(str(made["at"]), str(made["id"])) == encode(made)


@pytest.mark.parametrize("key", sorted(set(record()) - {"at", "id"}))
def test_a_template_is_checked_as_a_record_is(key: str) -> None:
    constant = {name: value for name, value in record().items() if name not in ("at", "id", key)}
    with pytest.raises(AuditRecordInvalid, match=f"at {key}$"):
        Template(constant)
    with pytest.raises(AuditRecordInvalid):
        Template({**constant, key: object()})


@pytest.mark.parametrize(("at", "identity"), [("now", "00000000"), ("2026-11-22T05:31:00Z", '0","x":"')])
def test_a_template_adds_nothing_but_a_time_and_an_id(at: str, identity: str) -> None:
    template = Template({name: value for name, value in record().items() if name not in ("at", "id")})
    with pytest.raises(AuditRecordInvalid):
        template.line(at, identity)


def test_a_newline_in_a_name_begins_no_second_record() -> None:
    assert encode(record(person='x\n{"at":1}')).count(b"\n") == 1


@pytest.mark.parametrize("key", ["value", "parameters", "sql", "row"])
def test_an_unknown_key_is_refused_without_its_content(key: str) -> None:
    with pytest.raises(AuditRecordInvalid) as found:
        encode(record(**{key: SECRET}))
    assert SECRET not in str(found.value)


@pytest.mark.parametrize("key", sorted(record()))
def test_a_missing_key_is_refused(key: str) -> None:
    made = record()
    del made[key]
    with pytest.raises(AuditRecordInvalid, match=f"at {key}$"):
        encode(made)


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("at", "yesterday"),
        ("at", "2026-11-22T05:31:00+03:00"),
        ("id", SECRET),
        ("person", ""),
        ("person", "x" * 257),
        ("login", None),
        ("subject", ""),
        ("subject", 7),
        ("subject", "x" * 257),
        ("roles", "support"),
        ("roles", [1]),
        ("case", 12),
        ("decision", "maybe"),
        ("error", SECRET),
        ("fields", {"public.customers.email": [SECRET]}),
        ("fields", {"public.customers.email": "read"}),
        ("fields", ["public.customers.email"]),
        ("rules", [SECRET]),
        ("rules", ["policy.csv:1 allow D1 = 'x'"]),
        ("parts", {"public.orders": {"rows": SECRET, "by": ["status"]}}),
        ("parts", {"public.orders": {"rows": True, "by": ["status"]}}),
        ("parts", {"public.orders": {"rows": 5, "by": SECRET}}),
        ("parts", {"public.orders": {"rows": 5}}),
        ("parts", ["public.orders"]),
        ("kind", f"select {SECRET}"),
        ("kind", "SELECT"),
        ("fingerprint", f"SELECT '{SECRET}'"),
        ("revision", ""),
        ("session", SECRET),
        ("session", "a\n"),
    ],
)
def test_anything_of_another_form_is_refused_without_its_content(key: str, wrong: object) -> None:
    with pytest.raises(AuditRecordInvalid) as found:
        encode(record(**{key: wrong}))
    assert found.value.key == key
    assert SECRET not in str(found.value)


def test_a_record_has_a_largest_size() -> None:
    fields = {f"public.t.c{number:05}{'x' * 200}": ["read"] for number in range(2000)}
    with pytest.raises(AuditRecordInvalid, match="length"):
        encode(record(fields=fields))
    assert MAX_BYTES <= 1 << 20


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"\xff", b"null"])
def test_what_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(AuditRecordInvalid):
        decode(line)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(key=st.sampled_from(sorted(record())), value=_JSON)
def test_any_content_is_taken_as_one_line_or_refused(key: str, value: object) -> None:
    made = record(**{key: value})
    try:
        line = encode(made)
    except AuditRecordInvalid:
        return
    assert line.count(b"\n") == 1
    assert json.loads(line) == made
