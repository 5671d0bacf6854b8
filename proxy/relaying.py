"""What a relay works with: the conversation, the audit sink, what a worker's sessions share, and the legs' owners."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field
from typing import Protocol

from keys.subjects import SubjectName
from policies.audit.events import Line
from proxy.errors import FieldgateError
from proxy.session.commands import Command

from .logs import Logger
from .metrics import WorkerStats
from .upstream import Connector


class ConversationLike(Protocol):
    """What `proxy.session.conversation.Conversation` offers."""

    def client_bytes(self, data: bytes) -> None: ...
    def server_bytes(self, data: bytes) -> None: ...
    def take_to_server(self) -> bytes: ...
    def take_to_client(self) -> bytes: ...
    def take_commands(self) -> list[Command]: ...
    def audit_durable(self, ticket: int) -> None: ...
    def audit_failed(self, ticket: int) -> None: ...
    def keys_drawn(self) -> None: ...
    def keys_unavailable(self) -> None: ...
    def secrets_loaded(self) -> None: ...
    def secrets_unavailable(self) -> None: ...
    def shut_down(self, error: FieldgateError) -> None: ...
    def server_closed(self) -> None: ...
    @property
    def leaving(self) -> bool: ...
    @property
    def settling(self) -> bool: ...
    @property
    def server_paused(self) -> bool: ...
    @property
    def client_paused(self) -> bool: ...
    @property
    def idle(self) -> bool: ...


class AuditSink(Protocol):
    """Group commit: `done(True)` once the record is durable, `done(False)` if it can not be made so."""

    def submit(self, line: Line, done: Callable[[bool], None]) -> None: ...


class RunningSession(Protocol):
    """What the listener does with a session.  `congested_since`: its client takes nothing since then."""

    congested_since: float | None

    def shut_down_if_idle(self) -> None: ...
    def shut_down(self) -> None: ...
    def write_timed_out(self) -> None: ...
    def abort(self) -> None: ...


@dataclass(slots=True)
class RelayServices:
    """What sessions of one worker share."""

    stats: WorkerStats
    logger: Logger
    connector: Connector
    audit: AuditSink | None
    refresh_catalog: Callable[[str], None]  # for one database, soon
    suspect_keys: Callable[[], None]  # load them again, soon
    have_keys: Callable[[str, dict[str, int]], Coroutine[object, object, bool]]  # values of a database's sequences
    # ... the secrets of these data subjects; and True: make one for who has none
    have_secrets: Callable[[str, Collection[SubjectName], bool], Coroutine[object, object, bool]]
    clock: Callable[[], float]
    client_linger: float  # seconds for a client to take our last words
    ended: Callable[[RunningSession], None]  # the session is over; what was said last may still be on its way
    gone: Callable[[RunningSession], None]  # and now both sockets are closed
    draining: bool = False
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """In the background; the loop itself holds tasks only weakly."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Side:
    """The owner of one leg of a session: its news go to the relay, with nothing in between for bytes."""

    __slots__ = ("_lost", "congested", "ended", "received")

    def __init__(
        self,
        received: Callable[[bytes], None],
        ended: Callable[[], None],
        lost: Callable[[], None],
        congested: Callable[[bool], None],
    ) -> None:
        self.received = received
        self.ended = ended
        self.congested = congested
        self._lost = lost

    def lost(self, error: Exception | None) -> None:
        del error
        self._lost()

    def tls_ready(self) -> None:
        """TLS was ready before the session began."""
