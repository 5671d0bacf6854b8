"""A statement without its values, for audit records, and a reason that repeats nothing of the client's.

Contract: every word of an outline is a word of SQL, or a name that the catalog knows; constants, comments and all other
names are left out.  A reason is one of our own sentences, in which whatever stands in the client's text, and is neither
of these, is left out.
"""

from __future__ import annotations

import re
from functools import cache

from sqlglot.dialects.postgres import Postgres

from . import functions
from .catalog import Catalog
from .lexer import Token, TokenKind, Tokens, Unlexable

LONGEST = 1000  # characters
_VALUE, _NAME, _CUT = "?", "_", " ..."
_WORD = re.compile(r"[\w$]+")
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_$]*")
_SHOWN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_LISTS = re.compile(r"\?(?: , \?)+")
_MOST_TOKENS = 600
_SQL = """
by off offset only fetch first next rows row ties share nowait skip locked of no key action restrict cascade
do nothing conflict constraint excluded returning recursive materialized lateral ordinality within filter over partition
range groups preceding following unbounded current exclude others window asc desc nulls last distinct on using cross
inner left right full outer natural union intersect except all any some exists in is not null true false unknown
between symmetric asymmetric like ilike similar escape case when then else end cast collate at time zone array
values default insert into update set delete merge matched source target truncate copy from to stdin stdout program
csv header format binary delimiter quote force encoding freeze explain analyze verbose costs buffers prepare execute
deallocate declare cursor scroll hold move close absolute relative forward backward prior call vacuum refresh view
listen notify unlisten lock mode exclusive access begin start transaction commit rollback savepoint release
reset discard show session local role authorization create alter drop table index function procedure trigger rule
policy type domain schema sequence temporary temp unlogged if add column rename grant revoke comment public
isolation level read write committed repeatable serializable deferrable"""
_FORBIDDEN = re.compile(r"[^ -~]|['\\\\]")


def outline(source: bytes, catalog: Catalog) -> str:
    """Empty for what cannot be cut into tokens."""
    try:
        tokens = Tokens(source).items
    except Unlexable:
        return ""
    words = " ".join(_shown(token, catalog) for token in tokens[:_MOST_TOKENS])
    text = _LISTS.sub("?, ...", words)
    cut = len(tokens) > _MOST_TOKENS or len(text) > LONGEST
    return _FORBIDDEN.sub(_NAME, text[:LONGEST]) + (_CUT if cut else "")


def _shown(token: Token, catalog: Catalog) -> str:
    match token.kind:
        case TokenKind.STRING | TokenKind.BITS | TokenKind.NUMBER:
            return _VALUE
        case TokenKind.WORD:
            return _name(token.word, catalog)
        case TokenKind.QUOTED:
            inner = token.text[1:-1].decode(errors="replace").replace('""', '"')
            return _quoted(inner) if inner in catalog.names else _NAME
        case _:
            return token.text.decode(errors="replace")


def _name(word: str, catalog: Catalog) -> str:
    return word if word in _words() or word in catalog.names else _NAME


def _quoted(name: str) -> str:
    if not _SHOWN_NAME.fullmatch(name):
        return _NAME
    return name if _PLAIN_NAME.fullmatch(name) else f'"{name}"'


@cache
def _words() -> frozenset[str]:
    """SQL's own: they say nothing about anybody."""
    keywords = (word.lower() for phrase in Postgres.Tokenizer.KEYWORDS for word in _WORD.findall(phrase))
    builtin = functions.SCALARS | functions.AGGREGATES | functions.WINDOWS | frozenset(functions.SETS)
    return frozenset(keywords) | builtin | frozenset(_SQL.split())


def reason(message: str, source: bytes, catalog: Catalog) -> str | None:
    """None where the text could name something in a way that these rules do not see (escapes)."""
    text = source.decode(errors="replace")
    if "\\" in text or "U&" in text.upper():
        return None
    clients = {word.lower() for word in _WORD.findall(text)}
    shown = _WORD.sub(lambda found: _said(found[0], clients, catalog), message)
    return _FORBIDDEN.sub(_NAME, shown)[:LONGEST] or None


def _said(word: str, clients: set[str], catalog: Catalog) -> str:
    own = word.lower() not in clients
    return word if own or word.lower() in _words() or word in catalog.names else _NAME
