"""One session: a client's leg, a server's leg, and the conversation between them.

Each read event is one walk: bytes into the conversation, then at most one write to either side, then its commands.
Reading from one side stops while the other does not take what was sent, or while replies wait for the audit, so that
memory stays bounded.  An exception in the conversation closes both sides: a proxy that goes on after an unknown state
could hand one request the answer of another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from proxy.errors import FieldgateError, SqlState
from proxy.session.commands import (
    CloseBoth,
    Command,
    DrawKeys,
    LoadSecrets,
    RecordAudit,
    RefreshCatalog,
    SuspectKeys,
)
from proxy.wire.backend import error_response

from .leg import Leg
from .logs import describe
from .relaying import ConversationLike, RelayServices, Side
from .upstream import Dialled

_TERMINATE = b"X\x00\x00\x00\x04"
_FATAL_MARKS = (b"\0VFATAL\0", b"\0VPANIC\0")
_TAIL = 2048  # a server's last words are at the end of what it sent
_CONVERSATION, _CONGESTED = 1, 2
_SERVER_LINGER = 10.0  # seconds for the server to read what was sent last


class Relay:
    """Owns both legs once both logins are done.  Call `begin`."""

    def __init__(
        self, services: RelayServices, client: Leg, server: Dialled, conversation: ConversationLike, database: str
    ) -> None:
        self.database = database
        self.congested_since: float | None = None  # the client takes nothing since then
        self.on_gone: Callable[[], None] | None = None  # the client's socket is closed
        self._services = services
        self._client = client
        self._server = server.leg
        self._dialled = server
        self._conversation = conversation
        self._ended = False
        self._open_sockets = 2
        self._server_holds = self._client_holds = 0  # reasons not to read from that side now
        self._last_call: asyncio.TimerHandle | None = None
        self._last_from_server = b""
        self._last_from_client = b""

    def begin(self, greeting: bytes, from_client: bytes) -> None:
        """Send the whole greeting in one write, then go on with what either side has already said."""
        self._client.owner = Side(self.from_client, self.client_ended, self.client_lost, self.client_congested)
        self._server.owner = Side(self.from_server, self.server_ended, self.server_lost, self.server_congested)
        self._client.send(greeting)
        if self._dialled.rest:
            self.from_server(self._dialled.rest)
        if from_client:
            self.from_client(from_client)
        if not self._server.alive:
            self.server_ended()
        if not self._client.alive:
            self.client_ended()
        self._server.pause(bool(self._server_holds))
        self._client.pause(bool(self._client_holds))

    # -- bytes --

    def from_client(self, data: bytes) -> None:
        self._services.stats.from_client_bytes += len(data)
        self._last_from_client = data[-len(_TERMINATE) :]
        try:
            self._conversation.client_bytes(data)
            self._pump()
        except Exception as error:  # noqa: BLE001 - a defect ends this session, and only this one
            self._defect(error)

    def from_server(self, data: bytes) -> None:
        self._services.stats.from_server_bytes += len(data)
        self._last_from_server = data[-_TAIL:]
        try:
            self._conversation.server_bytes(data)
            self._pump()
        except Exception as error:  # noqa: BLE001
            self._defect(error)

    def _pump(self) -> None:
        conversation = self._conversation
        if data := conversation.take_to_server():
            self._server.send(data)
        if data := conversation.take_to_client():
            self._client.send(data)
        if commands := conversation.take_commands():
            for command in commands:
                self._perform(command)
        if (waits := conversation.server_paused) is not bool(self._server_holds & _CONVERSATION):
            self._hold_server(_CONVERSATION, waits)
        if (waits := conversation.client_paused) is not bool(self._client_holds & _CONVERSATION):
            self._hold_client(_CONVERSATION, waits)
        if self._services.draining:
            self.shut_down_if_idle()

    # -- commands --

    def _perform(self, command: Command) -> None:
        if isinstance(command, RecordAudit):
            self._record(command)
        elif isinstance(command, RefreshCatalog):
            self._services.refresh_catalog(self.database)
        elif isinstance(command, SuspectKeys):
            self._services.suspect_keys()
        elif isinstance(command, DrawKeys):
            self._services.spawn(self._draw(command))
        elif isinstance(command, LoadSecrets):
            self._services.spawn(self._load_secrets(command))
        elif isinstance(command, CloseBoth):
            self._services.logger.debug("session_ended", reason=command.reason)
            self._finish()

    def _record(self, command: RecordAudit) -> None:
        self._services.stats.audit_records += 1
        if command.refused:
            self._services.stats.refusals[command.refused] += 1
        if command.observed:
            self._services.stats.observed[command.observed] += 1
        sink = self._services.audit
        if sink is None:
            self._recorded(command.ticket, False)
        else:
            sink.submit(command.line, lambda done: self._recorded(command.ticket, done))

    def _recorded(self, ticket: int, durable: bool) -> None:
        if not durable:
            self._services.stats.audit_failures += 1
        conversation = self._conversation
        self._tell(partial(conversation.audit_durable if durable else conversation.audit_failed, ticket))

    async def _draw(self, command: DrawKeys) -> None:
        drawn = await self._services.have_keys(self.database, command.counts)
        if drawn and command.subjects:
            drawn = await self._services.have_secrets(self.database, command.subjects, True)
        conversation = self._conversation
        self._tell(conversation.keys_drawn if drawn else conversation.keys_unavailable)

    async def _load_secrets(self, command: LoadSecrets) -> None:
        loaded = await self._services.have_secrets(self.database, command.subjects, False)
        conversation = self._conversation
        self._tell(conversation.secrets_loaded if loaded else conversation.secrets_unavailable)

    def _tell(self, news: Callable[[], None]) -> None:
        """Something that the conversation waited for has come."""
        if self._ended:
            return
        try:
            news()
            self._pump()
        except Exception as error:  # noqa: BLE001
            self._defect(error)

    # -- backpressure --

    def client_congested(self, full: bool) -> None:
        self.congested_since = self._services.clock() if full else None
        self._hold_server(_CONGESTED, full)

    def server_congested(self, full: bool) -> None:
        self._hold_client(_CONGESTED, full)

    def _hold_server(self, why: int, held: bool) -> None:
        self._server_holds = self._server_holds | why if held else self._server_holds & ~why
        self._server.pause(bool(self._server_holds))

    def _hold_client(self, why: int, held: bool) -> None:
        self._client_holds = self._client_holds | why if held else self._client_holds & ~why
        self._client.pause(bool(self._client_holds))

    # -- ends --

    def shut_down_if_idle(self) -> None:
        if not self._ended and self._conversation.idle:
            self.shut_down()

    def shut_down(self) -> None:
        self._end_with(
            FieldgateError("terminating connection due to administrator command", sqlstate=SqlState.ADMIN_SHUTDOWN)
        )

    def write_timed_out(self) -> None:
        """The client has taken nothing for too long."""
        self._services.stats.client_write_timeouts += 1
        self._services.logger.warning("client_write_timeout")
        self._abandon()

    def client_ended(self) -> None:
        """FIN.  After its Terminate the server answers what was sent before; else nobody waits for answers."""
        if self._ended or self._conversation.leaving:
            return
        if self._said_goodbye():
            self._finish_soon()
        else:
            self._abandon()

    def client_lost(self) -> None:
        """After its Terminate the server still carries out what was sent before."""
        if not self._ended:
            if self._said_goodbye():
                self._hold_server(_CONGESTED, False)
                self._finish_soon()
            else:
                self._abandon()
        if self.on_gone is not None:
            self.on_gone()
            self.on_gone = None
        self._socket_closed()

    def server_lost(self) -> None:
        self.server_ended()
        self._socket_closed()

    def _socket_closed(self) -> None:
        self._open_sockets -= 1
        if self._open_sockets == 0:
            self._services.gone(self)

    def server_ended(self) -> None:
        """The server's own last word was passed on; if it had none, the client hears ours."""
        if self._ended:
            return
        if self._said_goodbye():
            self._tell(self._conversation.server_closed)
            if not self._conversation.settling:
                self._finish()
            return
        self._services.stats.upstream_lost += 1
        self._services.logger.warning("upstream_closed", database=self.database, host=str(self._dialled.host))
        if self._said_fatal():
            self._finish()
            return
        self._end_with(
            FieldgateError("the database server closed the connection", sqlstate=SqlState.CONNECTION_FAILURE)
        )

    def _said_goodbye(self) -> bool:
        return self._conversation.leaving or self._last_from_client == _TERMINATE

    def _said_fatal(self) -> bool:
        return any(mark in self._last_from_server for mark in _FATAL_MARKS)

    def _end_with(self, error: FieldgateError) -> None:
        try:
            self._conversation.shut_down(error)
            self._pump()
        except Exception as defect:  # noqa: BLE001
            self._defect(defect)
        self._finish()

    def _defect(self, error: Exception) -> None:
        """Ours.  The client hears that, and no more."""
        self._services.stats.internal_errors += 1
        self._services.logger.error("internal_error", **describe(error))
        if not self._ended:
            self._client.send(error_response(FieldgateError("internal error of Fieldgate"), severity="FATAL"))
        self._finish()

    def _abandon(self) -> None:
        """Nobody waits for the server's answers any more: stop it working, then close."""
        if self._ended:
            return
        if not self._conversation.idle:
            self._services.spawn(self.cancel_upstream())
        self._finish(abort_client=True)

    def _finish_soon(self) -> None:
        """Nobody may be there to hear the server's answers, and nothing else says when it is done."""
        if self._last_call is None:
            self._last_call = asyncio.get_running_loop().call_later(_SERVER_LINGER, self._finish)

    def _finish(self, *, abort_client: bool = False) -> None:
        if self._ended:
            return
        self._ended = True
        if self._last_call is not None:
            self._last_call.cancel()
        self._services.ended(self)
        self._server.finish(_SERVER_LINGER)
        if abort_client:
            self._client.abort()
        else:
            self._client.finish(self._services.client_linger)

    def abort(self) -> None:
        """Nothing more is waited for."""
        self._server.abort()
        self._client.abort()

    # -- cancel --

    async def cancel_upstream(self) -> None:
        ready = self._dialled.ready
        if ready.process_id is not None:
            await self._services.connector.cancel(self._dialled.host, ready.process_id, ready.cancel_key)
