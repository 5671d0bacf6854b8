"""How a data subject is named in an operation: `kind:key`, as in `customer:42`.  Pure."""

from __future__ import annotations

import re

from keys.subjects import SubjectName

from .refusals import Code, Refusal

_NAME = re.compile(r"([a-z][a-z0-9_]{0,39}):(.{1,200})", re.DOTALL)


def parse_subject(text: str) -> SubjectName:
    """Raises Refusal, which says the form and not what was given."""
    found = _NAME.fullmatch(text)
    if found is None or not found[2].isprintable():
        raise Refusal(Code.UNKNOWN_FIELD, "a data subject is named as kind:key, such as customer:42")
    return SubjectName(found[1], found[2].encode())
