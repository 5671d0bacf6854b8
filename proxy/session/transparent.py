"""A conversation in a database where nothing is protected: bytes pass as they are.

Only the headers of the server's messages are looked at, to know when the session is at rest and may be shut down.
"""

from __future__ import annotations

from struct import unpack_from

_READY = ord("Z")


class Transparent:
    def __init__(self) -> None:
        self._rest = b""  # a header, or a ReadyForQuery, that is not complete yet
        self._skip = 0  # so many bytes of the current message are still to come
        self._quiet = True  # the last whole message was ReadyForQuery with no transaction open

    @property
    def idle(self) -> bool:
        return self._quiet and not self._rest and not self._skip

    @property
    def between_messages(self) -> bool:
        """The client has got whole messages only: something of ours may be said without becoming part of one."""
        whole = len(self._rest) == 5 and unpack_from("!I", self._rest, 1) == (4,)  # held back only to see a sixth byte
        return not self._skip and (whole or not self._rest)

    def client_bytes(self) -> None:
        self._quiet = False

    def server_bytes(self, data: bytes) -> None:
        """Walk the headers; a malformed length makes the session never idle, which is all that it can do."""
        position = self._skip
        size = len(data)
        if position > size:
            self._skip -= size
            return
        if self._rest:
            data = self._rest + data[position:] if position else self._rest + data
            position, size, self._rest = 0, len(data), b""
        self._skip = 0
        while position < size:
            if size - position < 6:
                self._rest = data[position:]
                return
            (length,) = unpack_from("!I", data, position + 1)
            self._quiet = data[position] == _READY and data[position + 5] == 0x49
            position += 1 + max(length, 4)
        self._skip = position - size
