"""The program that writes the audit file for one worker: `python -m policies.audit.writer PATH MODE DESCRIPTOR`.

It is a process of its own, so that waiting for the disk never takes the interpreter from those who serve clients.

DESCRIPTOR is a stream socket.  The program says one line first, `ready` or what is wrong.  From then on it reads audit
lines and answers with signed 64-bit numbers, big-endian: n when the n-th line (counted from 1) is durable, -n when it
has failed, AVAILABLE and UNAVAILABLE when the sink's state changes.  At the end of its input it writes what is left,
answers, and ends.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from struct import Struct

from policies.errors import AuditSinkFailed

from .events import Line
from .sink import Durability, FileSink, SinkSettings

READY = b"ready\n"
AVAILABLE, UNAVAILABLE = 0, -(2**63)
ANSWER = Struct("!q")
_CHUNK = 256 * 1024


class Writer:
    """Between the socket and a FileSink.  `answer` is called by the sink's thread and by ours."""

    def __init__(self, sock: socket.socket, path: Path, settings: SinkSettings) -> None:
        self._socket = sock
        self._sending = threading.Lock()
        self._answers: list[bytes] = []
        self._count = 0
        self._sink = FileSink(path, settings, self._dispatch, self._changed)

    def run(self) -> int:
        """The exit code."""
        try:
            self._sink.start()
        except AuditSinkFailed as error:
            self._socket.sendall(str(error).replace("\n", " ").encode() + b"\n")
            return 1
        self._socket.sendall(READY)
        rest = b""
        while data := self._receive():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._count += 1
                self._sink.submit(Line(line + b"\n"), self._answered(self._count))
        self._sink.close()
        return 0

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(_CHUNK)
        except ConnectionError:
            return b""

    def _answered(self, number: int) -> Callable[[bool], None]:
        return lambda durable: self._answers.append(ANSWER.pack(number if durable else -number))

    def _changed(self, available: bool) -> None:
        self._send(ANSWER.pack(AVAILABLE if available else UNAVAILABLE))

    def _dispatch(self, work: Callable[[], None]) -> None:
        with self._sending:
            work()
            answers, self._answers = b"".join(self._answers), []
        self._send(answers)

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except ConnectionError:
            pass  # the worker has gone; what it handed over is written all the same


def main(arguments: list[str]) -> int:
    path, mode, descriptor = arguments
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when its worker has ended
    with socket.socket(fileno=int(descriptor)) as sock:
        return Writer(sock, Path(path), SinkSettings(durability=Durability(mode))).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
