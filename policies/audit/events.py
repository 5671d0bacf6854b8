"""One audit record: a closed list of keys, each of a closed form, as one line of JSON.

A record says who decided what about which fields.  It never holds a value of a row, a constant or a parameter, and the
forms below leave no place for one: names, verbs of the closed list, rule labels, a statement's kind and fingerprint, an
SQLSTATE.  A record with an unknown or missing key, or with anything of another form, is refused, not trimmed.

There are two such forms: decisions over data, and what people did with keys (`key_events`), which says `event`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import NewType

from policies.model import VERBS_BY_NAME

Line = NewType("Line", bytes)  # one record, checked and written, with its newline

MAX_BYTES = 256 << 10

_NAME_LENGTH = 256
DECISIONS = ("allow", "deny", "observe")  # observe: it passed, and the policy would refuse or narrow it
_write = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class AuditRecordInvalid(Exception):
    """A record is not of the form above: a mistake of ours.  Names the key, never what stood there."""

    def __init__(self, key: str) -> None:
        super().__init__(f"an audit record is malformed at {key}")
        self.key = key


def encode(record: Mapping[str, object]) -> Line:
    """Raises AuditRecordInvalid."""
    check(record)
    return _line(_write(record).encode("utf-8", "replace"))


def _line(written: bytes) -> Line:
    if len(written) >= MAX_BYTES:
        raise AuditRecordInvalid("length")
    return Line(written + b"\n")


class Template:
    """What stays the same of many records, checked and written once; each of them adds its time and its id."""

    __slots__ = ("_rest",)

    def __init__(self, constant: Mapping[str, object]) -> None:
        """`constant`: everything but `at` and `id`.  Raises AuditRecordInvalid."""
        whole = encode({"at": _SOME_TIME, "id": _SOME_ID, **constant})
        self._rest = whole.removeprefix(_opening(_SOME_TIME, _SOME_ID))

    def line(self, at: str, identity: str) -> Line:
        """Raises AuditRecordInvalid."""
        if not _is_time(at):
            raise AuditRecordInvalid("at")
        if not _is_id(identity):
            raise AuditRecordInvalid("id")
        return Line(_opening(at, identity) + self._rest)


OPENING = b'{"at":"'  # every line begins like this


def _opening(at: str, identity: str) -> bytes:
    return f'{{"at":"{at}","id":"{identity}"'.encode()


def decode(line: bytes) -> dict[str, object]:
    """Raises AuditRecordInvalid."""
    try:
        record = json.loads(line)
    except ValueError:
        raise AuditRecordInvalid("json") from None
    if not isinstance(record, dict):
        raise AuditRecordInvalid("json")
    check(record)
    return record


def check(record: Mapping[str, object]) -> None:
    """Raises AuditRecordInvalid unless every key is there, none is unknown, and each has its form."""
    forms = _KEY_FORMS if is_about_keys(record) else _FORMS
    for key, fits in forms.items():
        if key not in record or not fits(record[key]):
            raise AuditRecordInvalid(key)
    if len(record) != len(forms):
        raise AuditRecordInvalid(next(f"key {n}" for n, key in enumerate(record) if key not in forms))


def is_about_keys(record: Mapping[str, object]) -> bool:
    """Is it one of `key_events`, and no decision?"""
    return "event" in record


def _matches(pattern: str) -> Callable[[object], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _NAME_LENGTH


def _is_name_or_empty(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _NAME_LENGTH


def _is_name_or_none(value: object) -> bool:
    return value is None or _is_name(value)


def _are_names(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_name, value))


def _are_fields(value: object) -> bool:
    """`schema.table.column` -> the verbs that were asked for."""
    return isinstance(value, dict) and all(
        _is_name(name) and isinstance(verbs, list | tuple) and all(verb in VERBS_BY_NAME for verb in verbs)
        for name, verbs in value.items()
    )


def _are_parts(value: object) -> bool:
    """`schema.table` -> the least number of rows of its parts, and the columns that these are made of."""
    return isinstance(value, dict) and all(
        _is_name(name)
        and isinstance(parts, dict)
        and parts.keys() == {"rows", "by"}
        and type(parts["rows"]) is int
        and _are_names(parts["by"])
        for name, parts in value.items()
    )


def _are_rules(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_rule, value))


_is_rule = _matches(r"[\w .:|,()/*-]{1,256}")
_is_sqlstate = _matches(r"[0-9A-Z]{5}")

# No quote and no backslash, so no string constant, and a number never stands by itself.
_is_outline = _matches(r"(?!.*(?<![\w$])[0-9])[ -&(-\[\]-~]{1,1100}")
_is_sentence = _matches(r"[ -&(-\[\]-~]{1,1100}")

_is_time = _matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)")
_is_id = _matches(r"[0-9a-f]{8,64}")
_SOME_TIME, _SOME_ID = "2026-01-01T00:00:00.000000+00:00", "0" * 64  # as long as any

_FORMS: dict[str, Callable[[object], bool]] = {
    "at": _is_time,
    "id": _is_id,
    "person": _is_name,
    "login": _is_name,
    "subject": _is_name_or_none,  # the data subject that the principal is, or speaks for
    "roles": _are_names,
    "controller": _is_name_or_empty,
    "purpose": _is_name_or_empty,
    "case": _is_name_or_none,
    "decision": lambda value: value in DECISIONS,
    "error": lambda value: value is None or _is_sqlstate(value),
    "fields": _are_fields,
    "rules": _are_rules,
    "parts": _are_parts,
    "kind": _matches(r"[a-z_]{1,32}(,[a-z_]{1,32})*"),
    "fingerprint": _matches(r"[0-9a-f]{0,64}(,[0-9a-f]{0,64})*"),
    "statement": lambda value: value is None or _is_outline(value),
    "reason": lambda value: value is None or _is_sentence(value),
    "revision": _matches(r"[\w.-]{1,64}"),
    "session": _matches(r"[\w.:-]{1,64}"),
}

_is_uuid = _matches(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_is_key_id = _matches(r"[0-9a-f]{16}")
_is_word = _matches(r"[a-z][a-z-]{0,63}")


def _is_word_or_none(value: object) -> bool:
    return value is None or _is_word(value)


_KEY_FORMS: dict[str, Callable[[object], bool]] = {
    "at": _is_time,
    "id": _is_id,
    "event": _is_word,
    "person": _is_name,
    "via": _matches(r"[\w.:@-]{1,128}"),
    "roles": _are_names,
    "outcome": _is_word,
    "operation": lambda value: value is None or _is_uuid(value),
    "kind": _is_word_or_none,
    "database": _is_name_or_none,
    "field": _is_name_or_none,
    "keys": lambda value: isinstance(value, list | tuple) and all(map(_is_key_id, value)),
    "subject": _is_name_or_none,
    "state": _is_word_or_none,
    "error": _is_word_or_none,
    "reason": lambda value: value is None or _is_sentence(value),
}
