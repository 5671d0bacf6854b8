"""Bytes of one peer until they are whole messages.

Chunks of a long message are kept apart until it is complete and then joined once, so that a message of n bytes
costs n bytes of copying, not n squared.  Messages that stay here, because they wait for something, are found once.
"""

from __future__ import annotations

from proxy.wire.framing import HEADER_SIZE, Limits, Span, pending_size, scan


class Inbox:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._chunks: list[bytes] = []
        self._size = 0
        self._needed = HEADER_SIZE  # nothing can be complete before so many bytes are here
        self._found: tuple[bytes, list[Span]] | None = None  # what `messages` last said, if nothing has changed since
        self._spans: list[Span] = []  # the messages up to `_scanned`
        self._scanned = 0

    def __len__(self) -> int:
        return self._size

    def add(self, data: bytes) -> None:
        self._chunks.append(data)
        self._size += len(data)
        self._found = None

    def begins_with(self, message: bytes) -> bool:
        """Whether this is the first of what is here; False as long as it is not whole."""
        return bool(self._chunks) and self._chunks[0].startswith(message)

    def messages(self) -> tuple[bytes, list[Span]]:
        """All bytes that are here, and the whole messages in them.  Raises ProtocolViolation."""
        if self._found is not None:
            return self._found
        if self._size < self._needed:
            return b"", []
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = [data]
        more, self._scanned = scan(data, self._scanned, self._limits)
        self._spans += more
        if not self._spans:
            self._needed = pending_size(data, self._scanned, self._limits) or HEADER_SIZE
        self._found = data, self._spans
        return self._found

    def keep_from(self, position: int) -> None:
        """The bytes that `messages` returned are done with up to `position`."""
        self._found, self._spans, self._scanned = None, [], 0
        data = self._chunks[0] if self._chunks else b""
        rest = data[position:]
        self._chunks = [rest] if rest else []
        self._size = len(rest)
        self._needed = (pending_size(rest, 0, self._limits) or HEADER_SIZE) if rest else HEADER_SIZE
