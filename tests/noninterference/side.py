"""One session through Fieldgate's core in this process: a socket to the server below, bytes of a client above.

The conversation is the one that `fieldgate serve` holds; what its shell does besides (TLS, logins, the audit's file) is
left out: every record counts as durable at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from policies.errors import PrincipalRefused
from policies.model import Principal
from proxy.demo.server import Server
from proxy.errors import FieldgateError, SqlState
from proxy.session.commands import CloseBoth, DrawKeys, RecordAudit
from proxy.session.conversation import Conversation
from proxy.session.search_path import parse_search_path
from proxy.session.searches import unlimited
from proxy.session.services import Revision, SessionServices
from proxy.sql.planner import Planner
from proxy.wire import backend
from proxy.wire.framing import BACKEND_LIMITS, HEADER_SIZE, scan
from tests.adversity.line import Heard, Line

from .place import GATE, PASSWORD
from .seats import Seat, policy, principal

DRAWN = 500_000  # row keys that are drawn beforehand begin here


def upstream_line(server: Server, database: str, role: str = GATE) -> tuple[Line, dict[str, str]]:
    """Logged in straight to the server, and what it reported of its settings."""
    line = Line(server.host, server.port, timeout=30)
    heard = line.log_in(role, database, PASSWORD, options="-c search_path=public -c statement_timeout=20s")
    assert heard[-1][0] == "Z", heard
    reported = [backend.parse_parameter_status(body) for tag, body in heard if tag == "S"]
    return line, {name.decode(): value.decode() for name, value in reported}


class Side:
    """A session of one seat over one database.  Ended once `closed` is not empty: it says why."""

    def __init__(
        self,
        server: Server,
        database: str,
        seat: Seat,
        revision: Callable[[], Revision],
        planner: Planner,
        role: str = GATE,
    ) -> None:
        """`role`: that of the session upstream."""
        self.line, settings = upstream_line(server, database, role)
        self.line.socket.settimeout(None)
        keys = itertools.count(DRAWN)
        services = SessionServices(
            planner,
            revision,
            audit_available=lambda: True,
            draw=lambda _sequence, count: [str(next(keys)).encode() for _ in range(count)],
            identify=identified,
            searches=lambda _who: unlimited,
        )
        path = parse_search_path(settings.get("search_path", ""))
        self._conversation = Conversation(services, principal(seat), settings, path, "session")
        self._heard = bytearray()
        self.closed = ""

    def fileno(self) -> int:
        return self.line.socket.fileno()

    def say(self, data: bytes) -> None:
        """From the client."""
        self._conversation.client_bytes(data)
        self._perform()

    def receive(self) -> None:
        """What the server has sent.  Blocks when nothing is here."""
        data = self.line.socket.recv(1 << 18)
        if not data:
            self.closed = self.closed or "the server closed"
            return
        self._conversation.server_bytes(data)
        self._perform()

    def heard(self) -> list[Heard]:
        """Whole messages that the client has got since it was asked last."""
        spans, _ = scan(self._heard, 0, BACKEND_LIMITS)
        found = [(chr(tag), bytes(self._heard[start + HEADER_SIZE : end])) for tag, start, end in spans]
        if spans:
            del self._heard[: spans[-1][2]]
        return found

    def close(self) -> None:
        self.line.close()

    def _perform(self) -> None:
        conversation, more = self._conversation, True
        while more:
            more = False
            if data := conversation.take_to_server():
                self.line.socket.sendall(data)
            self._heard += conversation.take_to_client()
            for command in conversation.take_commands():
                match command:
                    case RecordAudit():
                        conversation.audit_durable(command.ticket)
                        more = True
                    case DrawKeys():
                        conversation.keys_drawn()
                        more = True
                    case CloseBoth():
                        self.closed = command.reason
        self._heard += conversation.take_to_client()


def identified(asked: Principal) -> Principal:
    """As the shell does it: the rules of a login.  Raises FieldgateError."""
    try:
        return policy().principal(
            asked.login,
            person=asked.person if asked.person != asked.login else None,
            purpose=asked.purpose,
            case=asked.case,
            subject=asked.subject,
        )
    except PrincipalRefused as refused:
        raise FieldgateError(str(refused), sqlstate=SqlState.INVALID_AUTHORIZATION) from None
