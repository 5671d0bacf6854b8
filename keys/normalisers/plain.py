"""`trim.1` and `email.1`: fixed lists of characters, so no table can change under them.  Pure."""

from __future__ import annotations

# White_Space of Unicode; written out, for str.strip() goes by Python's tables and takes U+001C to U+001F as well.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000"
)

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SMALL_LETTERS = str.maketrans(_UPPER, _UPPER.lower())


def trim(text: str) -> str:
    """Without white space at both ends; what is inside stays."""
    return text.strip(WHITE_SPACE)


def email(text: str) -> str:
    """The domain, behind the last @, with A to Z in small letters; without an @ the text as it is.

    Just what the standards say is one mailbox: domains know no case (RFC 1035), names before the @ do (RFC 5321, 2.4).
    """
    name, at, domain = text.rpartition("@")
    return name + at + domain.translate(_SMALL_LETTERS) if at else text
