"""Where PostgreSQL's tokens begin and end, in bytes of the UTF-8 text.

libpg_query says where a node begins, never where it ends; splices need both.  The rules are those of PostgreSQL's
scan.l with standard_conforming_strings on.  Nothing here decides what a statement means: a token that is not found
where libpg_query says it is makes the statement refused, and every rewritten text is parsed again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

_SPACE = rb"[ \t\n\r\f\v]"
_CONTINUED = rb"(?:(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*"
_DIGITS = rb"[0-9](?:_?[0-9])*"
_START = rb"[A-Za-z_\x80-\xff]"
_PLAIN = rb"'[^']*(?:''[^']*)*'"
_ESCAPED = rb"'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'"

_TOKEN = re.compile(
    rb"(?P<space>" + _SPACE + rb"+|--[^\n\r]*)"
    rb"|(?P<comment>/\*)"
    rb"|(?P<escaped>[eE]" + _ESCAPED + _CONTINUED + _ESCAPED + rb")*)"
    rb"|(?P<bits>[bBxX]'[^']*'" + _CONTINUED + rb"'[^']*')*)"
    rb"|(?P<unicode>[uU]&" + _PLAIN + _CONTINUED + _PLAIN + rb")*)"
    rb'|(?P<quoted>(?:[uU]&)?"(?:[^"]|"")*")'
    rb"|(?P<string>" + _PLAIN + _CONTINUED + _PLAIN + rb")*)"
    rb"|(?P<dollar>\$(?P<tag>(?:" + _START + rb"[A-Za-z0-9_\x80-\xff]*)?)\$.*?\$(?P=tag)\$)"
    rb"|(?P<param>\$[0-9]+)"
    rb"|(?P<number>0[xX](?:_?[0-9A-Fa-f])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
    rb"|(?:" + _DIGITS + rb"(?:\.(?!\.)(?:" + _DIGITS + rb")?)?|\." + _DIGITS + rb")(?:[eE][+-]?" + _DIGITS + rb")?)"
    rb"|(?P<word>" + _START + rb"[A-Za-z0-9_$\x80-\xff]*)"
    rb"|(?P<mark>::|\.\.|:=|=>|[,()\[\].;:])"
    rb"|(?P<operator>[~!@#^&|`?+\-*/%<>=]+)",
    re.DOTALL,
)
_COMMENT_EDGE = re.compile(rb"/\*|\*/")
_KEEPS_SIGN = re.compile(rb"[~!@#^&|`?%]")


class TokenKind(Enum):
    WORD = auto()
    QUOTED = auto()
    STRING = auto()  # every kind of string constant but bit strings
    BITS = auto()
    NUMBER = auto()
    PARAM = auto()
    MARK = auto()
    OPERATOR = auto()


_KINDS = {
    "word": TokenKind.WORD,
    "quoted": TokenKind.QUOTED,
    "string": TokenKind.STRING,
    "escaped": TokenKind.STRING,
    "unicode": TokenKind.STRING,
    "dollar": TokenKind.STRING,
    "bits": TokenKind.BITS,
    "number": TokenKind.NUMBER,
    "param": TokenKind.PARAM,
    "mark": TokenKind.MARK,
    "operator": TokenKind.OPERATOR,
}


class Unlexable(Exception):
    """The text holds something that these rules do not know."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: TokenKind
    start: int
    end: int
    text: bytes

    @property
    def word(self) -> str:
        """The keyword as PostgreSQL folds it (ASCII only); '' for anything that can not be a keyword."""
        return self.text.lower().decode() if self.kind is TokenKind.WORD and self.text.isascii() else ""


class Tokens:
    """The tokens of one text, found by the byte where they begin."""

    __slots__ = ("_by_start", "items")

    def __init__(self, source: bytes) -> None:
        self.items: list[Token] = list(_scan(source))
        self._by_start = {token.start: index for index, token in enumerate(self.items)}

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Token:
        return self.items[index]

    def index_at(self, start: int) -> int | None:
        return self._by_start.get(start)

    def text(self, index: int) -> bytes:
        """The token's text, b'' beyond either end."""
        return self.items[index].text if 0 <= index < len(self.items) else b""

    def word(self, index: int) -> str:
        return self.items[index].word if 0 <= index < len(self.items) else ""


def _scan(source: bytes) -> Iterator[Token]:
    position, size = 0, len(source)
    while position < size:
        match = _TOKEN.match(source, position)
        if match is None:
            raise Unlexable
        name = str(match.lastgroup) if match.lastgroup != "tag" else "dollar"
        end = match.end()
        if name == "comment":
            end = _comment_end(source, position)
        elif name == "operator":
            end = _operator_end(source, position, end)
        if name not in ("comment", "space"):
            yield Token(_KINDS[name], position, end, source[position:end])
        position = end


def _comment_end(source: bytes, start: int) -> int:
    """Comments nest."""
    depth, position = 1, start + 2
    while depth:
        edge = _COMMENT_EDGE.search(source, position)
        if edge is None:
            raise Unlexable
        depth += 1 if edge.group() == b"/*" else -1
        position = edge.end()
    return position


def _operator_end(source: bytes, start: int, end: int) -> int:
    """A comment ends an operator; a trailing + or - belongs to it only beside one of ~!@#^&|`?% (scan.l)."""
    text = source[start:end]
    for mark in (b"/*", b"--"):
        found = text.find(mark)
        if found > 0:
            text = text[:found]
    while len(text) > 1 and text[-1:] in b"+-" and not _KEEPS_SIGN.search(text[:-1]):
        text = text[:-1]
    return start + len(text)


def nesting_bound(source: bytes) -> int:
    """An upper bound of the depth of the parse tree: tokens since the last comma, over all open brackets."""
    deepest, open_counts, count, total = 0, list[int](), 0, 0
    try:
        for token in _scan(source):
            mark = token.text if token.kind is TokenKind.MARK else b""
            if mark in (b"(", b"["):
                open_counts.append(count + 1)
                total, count = total + count + 1, 0
            elif mark in (b")", b"]") and open_counts:
                back = open_counts.pop()
                total, count = total - back, back + 1
            elif mark in (b",", b";"):
                count = 0
            else:
                count += 1
            deepest = max(deepest, total + count)
    except Unlexable:
        return len(source)
    return deepest
