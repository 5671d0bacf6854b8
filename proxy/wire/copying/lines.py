"""Text and csv from a client, cut into rows as PostgreSQL cuts them (copyfromparse.c, CopyReadLineText).

The first row's end says how all rows end.  In text a backslash takes the next byte with it, a line end too; in csv line
ends inside quotes are data.  The usual bytes are cut by one split; a pattern walks the others.
"""

from __future__ import annotations

import re

from proxy.errors import ValueRejected

from .chunks import Chunks
from .options import LONGEST_ROW, CopyFormat, CopyOptions, bad_format, too_long

_TEXT_ROW = re.compile(rb"(?:[^\\\r\n]++|\\.)*+", re.DOTALL)
_DOT = re.compile(rb"(?<!\\)(?:\\\\)*\\\.")
_ODD_BACKSLASHES = re.compile(rb"(?<!\\)(?:\\\\)*\\\Z")


class LineReader:
    """Give it data, get whole rows without their ends; `finish` gives the last one, which needs no end.

    `failure`: what is wrong with the data behind the rows that were given last; nothing more is read then.
    """

    def __init__(self, options: CopyOptions) -> None:
        self.failure: ValueRejected | None = None
        self._csv = options.format is CopyFormat.CSV
        self._dot_ends = options.dot_ends
        self._quote, self._escape = options.quote, options.escape
        self._row = _csv_row(options) if self._csv else _TEXT_ROW
        self._chunks = Chunks()
        self._end: bytes | None = None  # what the rows of this data end with, once the first one has
        self._over = False  # `\.` was read; what follows is no data

    def feed(self, data: bytes) -> list[bytes]:
        if self._over or self.failure is not None:
            return []
        buffer = self._chunks.add(data)
        return [] if buffer is None else self._cut(buffer, final=False)

    def finish(self) -> list[bytes]:
        if self._over or self.failure is not None:
            return []
        return self._cut(self._chunks.take(), final=True)

    def _cut(self, buffer: bytes, *, final: bool) -> list[bytes]:
        rows: list[bytes] = []
        last = b""  # needs no end, and is then no end of the data either
        try:
            rest = self._split(buffer, rows)
            if rest is None:
                rest = self._walk(buffer, rows, final=final)
            if final:
                rest, last = b"", rest
            self._chunks.keep(rest)
        except ValueRejected as error:
            self.failure = error
        if len(buffer) > LONGEST_ROW:
            rows = self._before_longest(rows)
        if self._dot_ends and b"\\." in buffer:
            rows = self._before_dot(rows)
        return [*rows, self._unended(last)] if last and not self._over and self.failure is None else rows

    def _unended(self, row: bytes) -> bytes:
        if self._csv:
            return row
        if b"\\." in row and _DOT.search(row):
            self.failure = _misplaced_dot()
        return _ODD_BACKSLASHES.sub(lambda found: found[0][:-1], row)

    def _split(self, buffer: bytes, rows: list[bytes]) -> bytes | None:
        """The quick way, for rows that end with a newline and hold nothing strange.  None: walk them."""
        if self._end != b"\n" or b"\r" in buffer:
            return None
        if not self._csv:
            if b"\\\n" in buffer:
                return None
        elif self._quote in buffer:
            return self._merge(buffer, rows) if self._quote == self._escape else None
        parts = buffer.split(b"\n")
        rest = parts.pop()
        rows.extend(parts)
        return rest

    def _merge(self, buffer: bytes, rows: list[bytes]) -> bytes:
        """Where quotes stand in whole lines, by one split; else line by line."""
        quote, (lines, newline, rest) = self._quote, buffer.rpartition(b"\n")
        parts = lines.split(quote)
        if not newline or len(parts) % 2 == 0 or b"\n" in quote.join(parts[1::2]):
            return self._merge_lines(buffer, rows)
        rows.extend(lines.split(b"\n"))
        return rest

    def _merge_lines(self, buffer: bytes, rows: list[bytes]) -> bytes:
        """Lines with an odd number of quotes begin or end a row of several lines."""
        pending: list[bytes] = []
        quote, lines = self._quote, buffer.split(b"\n")
        rest = lines.pop()
        for line in lines:
            odd = quote in line and line.count(quote) & 1
            if pending:
                pending.append(line)
                if odd:
                    rows.append(b"\n".join(pending))
                    pending = []
            elif odd:
                pending.append(line)
            else:
                rows.append(line)
        return b"\n".join([*pending, rest]) if pending else rest

    def _walk(self, buffer: bytes, rows: list[bytes], *, final: bool) -> bytes:
        position, size = 0, len(buffer)
        while position < size:
            found = self._row.match(buffer, position)
            end = found.end() if found is not None else position
            if end >= size or buffer[end] not in b"\r\n":
                return buffer[position:]  # the row, a quote or a pair goes on in what is still to come
            if buffer[end] == 13 and end + 1 == size and not final and self._end != b"\r":
                return buffer[position:]  # a newline may follow
            following = end + self._line_end(buffer, end)
            rows.append(buffer[position:end])
            position = following
        return b""

    def _line_end(self, buffer: bytes, at: int) -> int:
        """How long the row's end at `at` is.  Raises ValueRejected when the rows before ended otherwise."""
        how = "unquoted" if self._csv else "literal"
        if buffer[at] == 10:
            if self._end not in (None, b"\n"):
                raise bad_format(f"{how} newline found in data")
            self._end = b"\n"
            return 1
        if self._end == b"\n":
            raise bad_format(f"{how} carriage return found in data")
        both = buffer[at + 1 : at + 2] == b"\n"
        if self._end is None:
            self._end = b"\r\n" if both else b"\r"
        elif self._end == b"\r\n" and not both:
            raise bad_format(f"{how} carriage return found in data")
        return len(self._end)

    def _before_longest(self, rows: list[bytes]) -> list[bytes]:
        for index, row in enumerate(rows):
            if len(row) > LONGEST_ROW:
                self.failure = too_long()
                return rows[:index]
        return rows

    def _before_dot(self, rows: list[bytes]) -> list[bytes]:
        """`\\.` alone ends the data; elsewhere in text it is an error."""
        for index, row in enumerate(rows):
            if row == b"\\.":
                self._over, self.failure = True, None
                return rows[:index]
            if not self._csv and b"\\." in row and _DOT.search(row):
                self.failure = _misplaced_dot()
                return rows[:index]
        return rows


def _misplaced_dot() -> ValueRejected:
    return bad_format("end-of-copy marker is not alone on its line")


def _csv_row(options: CopyOptions) -> re.Pattern[bytes]:
    quote, escape = re.escape(options.quote), re.escape(options.escape)
    if options.quote == options.escape:
        quoted = quote + rb"[^" + quote + rb"]*+" + quote
    else:
        quoted = quote + rb"(?:[^" + quote + escape + rb"]++|" + escape + rb".)*+" + quote
    return re.compile(rb"(?:[^\r\n" + quote + rb"]++|" + quoted + rb")*+", re.DOTALL)
