"""The run of the server's bytes that is being forwarded as one slice, and what is put to the client in its place."""

from __future__ import annotations

from proxy.errors import ProtocolViolation
from proxy.rows.envelopes import may_hold_envelope, value_holds_envelope
from proxy.wire.framing import HEADER_SIZE

from .state import SessionState


class Forwarding:
    """Holds the bytes at hand; what is in no run and not put is dropped."""

    __slots__ = ("data", "run", "state")

    def __init__(self, state: SessionState) -> None:
        self.state = state
        self.data: bytes = b""
        self.run = -1  # where the run of bytes to forward begins, -1: none

    def begin(self, data: bytes) -> None:
        self.data = data
        self.run = -1

    def flush(self, end: int) -> None:
        if self.run >= 0:
            self.state.to_client.append(self.data[self.run : end])
            self.run = -1

    def put(self, start: int, message: bytes) -> bool:
        """Something of ours in place of the message that begins at `start`."""
        self.flush(start)
        self.state.to_client.append(message)
        return False

    def body(self, start: int, end: int) -> bytes:
        """Of one message, without tag and length."""
        return self.data[start + HEADER_SIZE : end]

    def holds_envelope(self, start: int, end: int) -> bool:
        if not may_hold_envelope(self.data, start, end):
            return False
        return value_holds_envelope(self.data[start + HEADER_SIZE : end])

    def refuse_envelope(self, start: int, end: int) -> None:
        """In a message where no honest server puts one."""
        if self.holds_envelope(start, end):
            raise ProtocolViolation("the server sent a sealed cell where none can be")
