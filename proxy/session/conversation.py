"""One client's conversation after login: bytes in from both sides, bytes and commands out.  No I/O, no waiting.

`Conversation` routes whole messages: the client's to `simple`, `extended` and `bulk`, the server's to `answers`.
Any exception that is not ours is a defect; the shell then closes both sides (a proxy that goes on after an unknown
state could hand one request the answer of another).
"""

from __future__ import annotations

from policies.model import Principal
from proxy.errors import AuditUnavailable, FieldgateError, ProtocolViolation, UpstreamUnavailable
from proxy.wire import backend, frontend
from proxy.wire.framing import BACKEND_LIMITS, FRONTEND_LIMITS, Span

from . import extended, preparing, simple
from .answers import Answers
from .bulk import copy_data, copy_end, go_on
from .commands import CloseBoth, Command, DrawKeys
from .inbox import Inbox
from .names import AnswersNeeded
from .rounds import begin_round, unfold
from .services import SessionServices
from .settings import SessionSettings
from .state import KeysNeeded, SessionState
from .transparent import Transparent

_TERMINATE = ord("X")
_SYNC = ord("S")
_BIND = ord("B")
_FLUSH = ord("H")
_COPY_DATA = ord("d")
_COPY_ENDS = frozenset(b"cf")
_MANY_BYTES = 64 * 1024
_HANDLERS = {
    ord("Q"): simple.query,
    ord("F"): simple.function_call,
    ord("P"): preparing.parse,
    ord("B"): extended.bind,
    ord("D"): extended.describe,
    ord("E"): extended.execute,
    ord("C"): extended.close,
    _SYNC: extended.sync,
}


class Conversation:
    """`settings`: the ParameterStatus values seen at login; `search_path`: as the server has it (None: unknown)."""

    def __init__(
        self,
        services: SessionServices,
        principal: Principal,
        settings: dict[str, str],
        search_path: tuple[str, ...] | None,
        session_id: str,
    ) -> None:
        self._state = SessionState(services, principal, SessionSettings(settings, search_path), session_id)
        self._answers = Answers(self._state)
        self._transparent = None if services.current().catalog.has_protected else Transparent()
        self._revision = services.current()
        self._drawing = False  # the client's next message waits for keys
        self._held = False  # the client's next message waits for answers to earlier ones
        self._server_gone = False
        self._from_client = Inbox(FRONTEND_LIMITS)
        self._from_server = Inbox(BACKEND_LIMITS)

    # -- bytes in --

    def client_bytes(self, data: bytes) -> None:
        if self._ended() or self._state.leaving:
            return
        if self._transparent is not None:
            self._pass_client(data, self._transparent)
            return
        self._from_client.add(data)
        self._client_messages()

    def _client_messages(self) -> None:
        """All whole messages, until one must wait for keys or answers; that one stays, and is begun anew later."""
        if self._drawing or self._held:
            return
        done = 0
        try:
            data, spans = self._from_client.messages()
            if spans and self._as_round(data, spans):
                done = len(data)
                spans = []
            index, count = 0, len(spans)
            while index < count and not (self._ended() or self._state.leaving):
                if self._state.steps_on():
                    raise AnswersNeeded
                if self._state.copy is not None:
                    go_on(self._state)
                tag, start, end = spans[index]
                if tag == _COPY_DATA:
                    index = copy_data(self._state, data, spans, index)
                else:
                    self._client_message(tag, data[start:end])
                    index += 1
                done = spans[index - 1][2]
            if self._state.copy is not None and not self._ended():
                go_on(self._state)
        except KeysNeeded as needed:
            self._drawing = True
            self._state.commands.append(DrawKeys(needed.counts, needed.subjects))
        except AnswersNeeded:
            self._held = True
        except ProtocolViolation as error:
            self._fail(error)
        if done:
            self._from_client.keep_from(done)
        self._close_if_done()

    def _as_round(self, data: bytes, spans: list[Span]) -> bool:
        """Whether these messages are one usual round, which is then sent; one that is under way is unfolded."""
        if self._state.round is not None:
            unfold(self._state)
            self._answer()  # its answer may be here already, and wait for the audit
        elif spans[0][0] == _BIND and 3 <= len(spans) <= 4 and spans[-1][2] == len(data):
            return begin_round(self._state, data, spans)
        return False

    def keys_drawn(self) -> None:
        self._drawing = False
        if not self._ended():
            self._client_messages()

    def keys_unavailable(self) -> None:
        """Without its key a row's cells cannot be bound to it; the statement was not sent, and the session ends."""
        self._fail(UpstreamUnavailable("the keys that this row needs could not be had, so the session ends"))

    def secrets_loaded(self) -> None:
        self._state.secrets_awaited = False
        self._answer()
        self._close_if_done()

    def secrets_unavailable(self) -> None:
        """The rows are here and cannot be opened, nor can it be told whether they ever can."""
        self._fail(UpstreamUnavailable("the data subjects' secrets could not be loaded, so the session ends"))

    def server_bytes(self, data: bytes) -> None:
        if self._ended():
            return
        if self._transparent is not None:
            self._transparent.server_bytes(data)
            self._state.to_client.append(data)
            return
        self._from_server.add(data)
        self._answer()

    def server_closed(self) -> None:
        """Nothing more comes from the server, and the client has said goodbye."""
        self._server_gone = True
        self._close_if_done()

    @property
    def leaving(self) -> bool:
        """The client has said goodbye: its bytes count no more, and the server will close after its last answer."""
        return self._state.leaving

    @property
    def settling(self) -> bool:
        """Replies that are here wait for the audit."""
        return bool(self._from_server) and self._replies_wait

    def _ended(self) -> bool:
        return self._state.closing

    def _close_if_done(self) -> None:
        """After Terminate, like PostgreSQL: once everything that came before it is answered."""
        state = self._state
        if not state.leaving or state.closing:
            return
        owed = len(state.queue) or state.round is not None
        if not owed or (self._server_gone and not self.settling):
            state.commands.append(CloseBoth("the client said goodbye"))
            state.closing = True

    def audit_durable(self, ticket: int) -> None:
        self._state.tickets.durable(ticket)
        self._answer()
        self._close_if_done()

    def audit_failed(self, ticket: int) -> None:
        """The server may have done it already, and nobody could account for it: no data, and the session ends."""
        del ticket
        self._fail(AuditUnavailable("the decision could not be recorded, so the session ends"))

    # -- bytes and commands out --

    def take_to_server(self) -> bytes:
        pieces = self._state.to_server
        if not pieces:
            return b""
        self._state.to_server = []
        return b"".join(pieces)

    def take_to_client(self) -> bytes:
        """What comes before a result that waits for the audit goes with it: one write and one wake-up, not two."""
        state = self._state
        if not state.to_client:
            state.told_more = False
            return b""
        if not state.told_more and not state.closing and self._replies_wait:
            return b""
        taken = b"".join(state.to_client)
        state.told_more, state.to_client = False, []
        return taken

    def take_commands(self) -> list[Command]:
        taken, self._state.commands = self._state.commands, []
        return taken

    @property
    def server_paused(self) -> bool:
        """Replies wait for the audit, and many are here: more may pile up in the server's own socket meanwhile.

        A few bytes are not worth it: to stop and start reading costs more than to keep them for some milliseconds.
        """
        return len(self._from_server) >= _MANY_BYTES and self._replies_wait

    @property
    def _replies_wait(self) -> bool:
        if self._state.secrets_awaited:
            return True
        if self._state.round is not None:
            return self._state.tickets.holds(self._state.round.ticket)
        head = self._state.queue.head
        return head is not None and self._state.tickets.holds(head.ticket)

    @property
    def client_paused(self) -> bool:
        """A message waits for keys or answers: the client's bytes may pile up in its own socket meanwhile."""
        return self._drawing or self._held

    @property
    def idle(self) -> bool:
        if self._transparent is not None:
            return self._transparent.idle
        at_rest = (
            not len(self._state.queue) and self._state.round is None and not self._from_client and not self._from_server
        )
        return at_rest and self._state.settings.transaction == b"I"

    def shut_down(self, error: FieldgateError) -> None:
        self._fail(error)

    # -- inside --

    def _pass_client(self, data: bytes, transparent: Transparent) -> None:
        current = self._state.services.current()
        if current is not self._revision:
            self._revision = current
            if current.catalog.has_protected:
                self._fail(FieldgateError("tables of this database are now protected; please connect again"))
                return
        transparent.client_bytes()
        self._state.to_server.append(data)

    def _client_message(self, tag: int, raw: bytes) -> None:
        state = self._state
        if tag == _TERMINATE:
            state.to_server.append(raw)
            state.leaving = True
        elif tag in _COPY_ENDS:
            copy_end(state, tag, raw)
        elif tag == _FLUSH:
            if not state.skipping:
                state.to_server.append(raw)
        elif state.skipping and tag != _SYNC:
            return  # as the server would; what is not analysed is not sent (I1)
        else:
            _HANDLERS[tag](state, raw)

    def _answer(self) -> None:
        if self._ended() or not self._from_server or self._round_waits():
            return
        try:
            data, spans = self._from_server.messages()
            handled = self._answers.answer(data, spans)
        except ProtocolViolation as error:
            self._fail(error)
            return
        if handled:
            self._from_server.keep_from(spans[handled - 1][2])
        if self._held and handled and not self._ended():
            self._held = False
            self._client_messages()
        self._close_if_done()

    def _round_waits(self) -> bool:
        """The answer to a round has begun as usual, and its record is not durable: nothing of it may be told yet."""
        pending = self._state.round
        if pending is None or not self._state.tickets.holds(pending.ticket):
            return False
        return self._from_server.begins_with(backend.BIND_COMPLETE)

    def _fail(self, error: FieldgateError) -> None:
        """Say why, then end both sides at this message boundary; in mid-message nothing can be said."""
        state = self._state
        if state.closing:
            return
        if self._transparent is None or self._transparent.between_messages:
            state.to_client.append(backend.error_response(error, severity="FATAL"))
        state.to_server.append(frontend.TERMINATE)
        state.commands.append(CloseBoth(error.message))
        state.closing = True
