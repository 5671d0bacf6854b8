"""Lossy normalisers: what a declared field's search terms are made of instead of the value itself.  Pure.

Each is a total function from text to text with a name and a version, `casefold.1`; what a version does never changes,
because terms that were made with it are compared with terms made by it.  A field's normalisers are applied in the order
in which they are declared.  The sealed cell keeps the value as it was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial, reduce

from keys.errors import NormaliserUnusable

from .numbering import PLANS
from .phone import e164
from .plain import email, trim
from .unicode import casefold, nfc, require_pinned_tables

Step = Callable[[str], str]
Normaliser = Callable[[bytes], bytes]

_PLAIN: dict[str, Step] = {"trim.1": trim, "email.1": email}
_BY_TABLES: dict[str, Step] = {"casefold.1": casefold, "nfc.1": nfc}
_PHONE = "e164.1"

NORMALISERS = (*_PLAIN, *_BY_TABLES, f"{_PHONE}:REGION")


def normaliser_of(names: Sequence[str]) -> Normaliser:
    """From UTF-8 to UTF-8; other bytes stay as they are.  Raises NormaliserUnusable here, and never later."""
    steps = tuple(map(_step, names))

    def normalise(value: bytes) -> bytes:
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            return value
        return reduce(lambda done, step: step(done), steps, text).encode("utf-8")

    return normalise


def fingerprint(names: Sequence[str]) -> str:
    """16 hex digits that stand for these normalisers in this order; empty for none."""
    return hashlib.sha256(" ".join(names).encode()).hexdigest()[:16] if names else ""


def _step(name: str) -> Step:
    if name in _PLAIN:
        return _PLAIN[name]
    if name in _BY_TABLES:
        require_pinned_tables()
        return _BY_TABLES[name]
    kind, _, region = name.partition(":")
    if kind != _PHONE:
        raise NormaliserUnusable(f"no such normaliser exists (known: {', '.join(NORMALISERS)})")
    if region not in PLANS:
        raise NormaliserUnusable(f"{_PHONE} needs a region that it knows: {_PHONE}:DE and the like")
    return partial(e164, plan=PLANS[region])
