"""`casefold.1` and `nfc.1`: Unicode's own case folding and composition, as of Unicode 14.0 whatever Python runs.  Pure.

A term is compared with terms that another Python made, years before or after.  Unicode promises that folding and
composing never change for characters that are assigned, so characters of 14.0 (the oldest Python's) are treated by
the tables at hand, and all others are left alone, as 14.0 itself would.  `require_pinned_tables` proves the promise for
the Python that runs: it compares with a digest over all that the tables say about 14.0.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from keys.errors import NormaliserUnusable

from .repertoire import UNASSIGNED, UNICODE_VERSION, UNSAFE, assigned

_TABLES = "4fe83a28966aa27726e39223bf60e21ca3abd8b1cae105a5b688984be4a87b29"


def casefold(text: str) -> str:
    """toCasefold of the Unicode Standard (3.13, R4): full, each character by itself, no Turkic exceptions."""
    return _each_known_run(str.casefold, text)


def nfc(text: str) -> str:
    """Normalization Form C (UAX #15).  More than 30 combining characters in a row: the text stays as it is.

    Putting marks into order takes quadratic time, and no writing has so many.
    """
    if text.isascii() or UNSAFE.search(text):
        return text
    return _each_known_run(_compose, text)


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _each_known_run(function: Callable[[str], str], text: str) -> str:
    """An unassigned code point neither folds, combines nor composes, so what stands on its two sides is separate."""
    if text.isascii():
        return function(text)
    runs = UNASSIGNED.split(text)
    runs[::2] = map(function, runs[::2])
    return "".join(runs)


@lru_cache(maxsize=1)
def require_pinned_tables() -> None:
    """Raises NormaliserUnusable when this Python folds or composes characters of Unicode 14.0 otherwise."""
    if tables_digest() != _TABLES:
        raise NormaliserUnusable(
            f"the Unicode tables of this Python ({unicodedata.unidata_version}) treat characters of Unicode"
            f" {UNICODE_VERSION} otherwise than that version did, so terms would not be found"
        )


def tables_digest() -> str:
    """Of every character's folding, decomposition, composition and combining class."""
    characters = assigned()
    lines = "\n".join(characters)
    apart = unicodedata.normalize("NFD", lines)
    digest = hashlib.sha256()
    for form in (lines.casefold(), apart, unicodedata.normalize("NFC", lines), unicodedata.normalize("NFC", apart)):
        digest.update(form.encode())
    digest.update(bytes(map(unicodedata.combining, characters)))
    return digest.hexdigest()
