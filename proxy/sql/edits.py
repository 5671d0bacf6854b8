"""A text with splices: replacements at token boundaries, kept apart from the text until it is rendered.

Contract: edits never overlap (that would be two rewrites of one place: Unsupported), and what is put in can neither
join with its neighbours to another token nor reach beyond its own place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from proxy.errors import Refused, Unsupported

from .lexer import Token, TokenKind, Tokens, Unlexable
from .plan import Slot

STANDIN = b"$1"
_WORDLIKE = re.compile(rb"[A-Za-z0-9_$\"'\x80-\xff]")
_OPERATOR = re.compile(rb"[~!@#^&|`?+\-*/%<>=:]")


@dataclass(frozen=True, slots=True)
class Edit:
    start: int
    end: int
    pieces: tuple[str | Slot | SqlText, ...]
    weak: bool = False  # gives way to an edit of the whole that it is a part of


@dataclass(slots=True)
class SqlText:
    """One text under analysis: a client's statement, or the definition of a view that is expanded in its place."""

    source: bytes
    from_client: bool = True
    edits: list[Edit] = field(default_factory=list)
    _tokens: Tokens | None = None

    @property
    def tokens(self) -> Tokens:
        if self._tokens is None:
            try:
                self._tokens = Tokens(self.source)
            except Unlexable:
                raise Unsupported("the statement holds a character sequence that Fieldgate does not know") from None
        return self._tokens

    def token_at(self, location: int, *kinds: TokenKind) -> int:
        """The index of the token that libpg_query says begins at `location`; anything else there is refused."""
        index = self.tokens.index_at(location)
        if index is None or (kinds and self.tokens[index].kind not in kinds):
            raise Unsupported("a part of the statement that would have to be rewritten can not be located exactly")
        return index

    def position(self, location: int) -> int | None:
        """For errors: 1-based, in characters; None where the client did not write this text."""
        if not self.from_client or not 0 <= location <= len(self.source):
            return None
        return len(self.source[:location].decode(errors="replace")) + 1

    def replace(self, first: int, last: int, *pieces: str | Slot | SqlText) -> None:
        """Tokens `first` to `last` (indexes, inclusive) become `pieces`."""
        self._add(self.tokens[first].start, self.tokens[last].end, pieces)

    def insert_before(self, index: int, *pieces: str | Slot | SqlText) -> None:
        start = self.tokens[index].start if index < len(self.tokens) else self._end()
        self._add(start, start, pieces)

    def insert_after(self, index: int, *pieces: str | Slot | SqlText) -> None:
        end = self.tokens[index].end
        self._add(end, end, pieces)

    def remove(self, first: int, last: int) -> None:
        self.replace(first, last)

    def replace_weakly(self, first: int, last: int, text: str) -> None:
        """Tokens `first` to `last` become `text`, unless something else takes their place."""
        self.edits.append(Edit(self.tokens[first].start, self.tokens[last].end, (text,), weak=True))

    def _end(self) -> int:
        return self.tokens[len(self.tokens) - 1].end if len(self.tokens) else 0

    def _add(self, start: int, end: int, pieces: tuple[str | Slot | SqlText, ...]) -> None:
        self.edits.append(Edit(start, end, pieces))

    def _ordered(self) -> list[Edit]:
        """By place; the same edit asked for twice is one edit."""
        ordered: list[Edit] = []
        for edit in sorted(self.edits, key=lambda e: (e.start, e.end)):
            last = ordered[-1] if ordered else None
            if last is not None and last.weak and edit.start <= last.start and last.end <= edit.end:
                ordered.pop()
            elif last is not None and (edit == last or (edit.weak and edit.end <= last.end)):
                continue
            elif last is not None and edit.start < last.end:
                raise Unsupported("two rewrites of the same place of the statement are needed; write it more simply")
            ordered.append(edit)
        return ordered

    def render(self) -> Rendered:
        """The text with its edits; neighbours are kept apart by a space where they would join."""
        out = Rendered()
        position = 0
        for edit in [*self._ordered(), Edit(len(self.source), len(self.source), ())]:
            out.keep(self.source[position : edit.start], position)
            out.put_pieces(edit.pieces)
            position = edit.end
        return out


@dataclass(slots=True)
class Rendered:
    """`segments` as in plan.py, with the slots themselves in place of their numbers.

    `kept`: (where it was, where it is, length) of each run of the original text, where every slot counts as the two
    bytes of `standin`.
    """

    segments: list[bytes | Slot] = field(default_factory=list)
    kept: list[tuple[int, int, int]] = field(default_factory=list)
    _size: int = 0
    _edge: bytes = b""

    def keep(self, text: bytes, was: int) -> None:
        if text:
            self.put(text)
            self.kept.append((was, self._size - len(text), len(text)))

    def put(self, text: bytes) -> None:
        if not text:
            return
        if _would_join(self._edge, text[:1]):
            text = b" " + text
        if self.segments and isinstance(self.segments[-1], bytes):
            self.segments[-1] += text
        else:
            self.segments.append(text)
        self._edge = text[-1:]
        self._size += len(text)

    def put_slot(self, slot: Slot) -> None:
        if _would_join(self._edge, b"$"):
            self.put(b" ")
        self.segments.append(slot)
        self._edge = b"$"
        self._size += len(STANDIN)

    def put_pieces(self, pieces: tuple[str | Slot | SqlText, ...]) -> None:
        for piece in pieces:
            match piece:
                case str():
                    self.put(piece.encode())
                case Slot():
                    self.put_slot(piece)
                case SqlText():
                    self.put_nested(piece.render())

    def put_nested(self, inner: Rendered) -> None:
        for segment in inner.segments:
            if isinstance(segment, bytes):
                self.put(segment)
            else:
                self.put_slot(segment)

    def standin(self) -> bytes:
        """The text with one and the same parameter for all slots, to be parsed again."""
        return b"".join(segment if isinstance(segment, bytes) else STANDIN for segment in self.segments)


def _would_join(left: bytes, right: bytes) -> bool:
    both_words = _WORDLIKE.match(left) and _WORDLIKE.match(right)
    return bool(both_words or (_OPERATOR.match(left) and _OPERATOR.match(right)))


def word_index(text: SqlText, start: int, *words: str) -> int | None:
    """The first of `words` at the bracket depth of token `start`, before that bracket closes; None: there is none.

    `AS word` and `.word` are names, DISTINCT FROM and WITHIN GROUP are operators: none of these is the keyword.
    """
    tokens, depth = text.tokens, 0
    for index in range(start, len(tokens)):
        token = tokens[index]
        if token.text in (b"(", b"["):
            depth += 1
        elif token.text in (b")", b"]"):
            depth -= 1
            if depth < 0:
                return None
        elif depth == 0 and token.word in words and not _is_no_keyword(tokens, index):
            return index
    return None


def _is_no_keyword(tokens: Tokens, index: int) -> bool:
    before = tokens.word(index - 1)
    pair = (before, tokens.word(index))
    return before == "as" or tokens.text(index - 1) == b"." or pair in (("distinct", "from"), ("within", "group"))


def end_index(text: SqlText, start: int) -> int:
    """The last token before the bracket around token `start` closes, or before the end of the statement."""
    tokens, depth = text.tokens, 0
    for index in range(start, len(tokens)):
        token = tokens[index]
        if token.text in (b"(", b"["):
            depth += 1
        elif token.text in (b")", b"]"):
            depth -= 1
            if depth < 0:
                return index - 1
        elif depth == 0 and token.text == b";":
            return index - 1
    return len(tokens) - 1


def closing_index(text: SqlText, opening: int) -> int:
    """The bracket that closes the one at token `opening`."""
    last = end_index(text, opening + 1)
    if text.tokens.text(last + 1) not in (b")", b"]"):
        raise Refused("the statement's brackets do not match")
    return last + 1


def token_slice(text: SqlText, first: int, last: int) -> list[Token]:
    return text.tokens.items[first : last + 1]
