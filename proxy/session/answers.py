"""The server's side of an analysed conversation: each message meets the entry that is owed it (I6).

`answer` handles one run of whole messages.  Messages that nobody needs to see are forwarded as one slice; the others
are checked against the plan, transformed, swapped for a refusal, or dropped when they answer a message of our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from proxy.errors import ProtocolViolation
from proxy.rows.envelopes import SHORTEST, may_hold_envelope
from proxy.rows.finishing.arranging import Arranger
from proxy.rows.finishing.folding import Folder
from proxy.rows.reading import Reading
from proxy.wire import backend
from proxy.wire.framing import HEADER_SIZE, Span

from .copies import copy_answer, pass_copy_data
from .descriptions import description, no_data, parameters
from .failures import failure, notice, unasked
from .fetching import fetch_ends, fetches_on
from .forwarding import Forwarding
from .locking import locked
from .refusals import OWN_NAME
from .replies import Owed, Reply, misplaced
from .result_rows import give_all_kept, pass_arranged, pass_rows
from .rounds import MUST_WAIT, end_round
from .state import SessionState
from .steps import goes_on

_ROW, _READY, _ERROR = ord("D"), ord("Z"), ord("E")
_SIMPLE_TAGS = {ord("1"): Owed.PARSE, ord("2"): Owed.BIND, ord("3"): Owed.CLOSE}
_ENDS = frozenset(b"CIs")
_COUNTED = frozenset(b"Cs")
_COPY_DATA = ord("d")
_COPY = frozenset(b"GHWc")
_ANYTIME = frozenset(b"NSA")
_PREFACE = frozenset(b"123tTn")  # what comes before a result, and is of no use without it
_LONGEST_TAG = HEADER_SIZE + SHORTEST - 1  # bytes of a message in which no envelope has room; few tags are longer


class Answers:
    """Holds the state and the run of bytes that is being forwarded."""

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._forwarding = Forwarding(state)

    def answer(self, data: bytes, spans: Sequence[Span]) -> int:
        """Handle messages until one must wait for the audit, or for secrets; returns how many were handled.

        Raises ProtocolViolation; what came before that message has then been passed on.
        """
        state, forwarding = self._state, self._forwarding
        forwarding.begin(data)
        index, count, start, end = 0, len(spans), 0, 0
        if state.round is not None and count:
            index = end_round(state, data, spans)
            if index == MUST_WAIT:
                return 0
        try:
            while index < count and not state.closing:
                tag, start, end = spans[index]
                if state.secrets_awaited and tag not in _ANYTIME:
                    forwarding.flush(start)
                    return index
                if state.tickets.open and tag not in _ANYTIME and self._must_wait():
                    forwarding.flush(start)
                    return index
                if tag not in _PREFACE:
                    state.told_more = True
                if tag == _ROW:
                    first, index = index, pass_rows(forwarding, spans, index)
                    if index == first:
                        return index
                    end = spans[index - 1][2]
                    continue
                if tag == _COPY_DATA:
                    first, index = index, pass_copy_data(forwarding, spans, index)
                    if index == first:
                        return index
                    end = spans[index - 1][2]
                    continue
                if not self._one(tag, start, end):
                    forwarding.flush(start)
                elif forwarding.run < 0:
                    forwarding.run = start
                index += 1
        except ProtocolViolation:
            forwarding.flush(start)
            raise
        forwarding.flush(end)
        return index

    def _must_wait(self) -> bool:
        head = self._state.queue.head
        return head is not None and self._state.tickets.holds(head.ticket)

    def _one(self, tag: int, start: int, end: int) -> bool:
        """True: forward the message as it is."""
        if tag in _ANYTIME:
            return self._anytime(tag, start, end)
        head = self._state.queue.head
        if head is None:
            return unasked(self._forwarding, tag, start, end)
        if (owed := _SIMPLE_TAGS.get(tag)) is not None:
            return self._expect(head, owed)
        if tag in _ENDS:
            return self._complete(head, tag, start, end)
        if tag == _READY:
            return self._ready(head, start, end)
        if tag == _ERROR:
            return failure(self._forwarding, head, start, end)
        if tag in _COPY:
            return copy_answer(self._forwarding, head, tag, start, end)
        match tag:
            case 0x74:  # 't'
                return parameters(self._forwarding, head, start, end)
            case 0x54:  # 'T'
                return description(self._forwarding, head, start, end)
            case 0x6E:  # 'n'
                return no_data(self._forwarding, head)
            case 0x56:  # 'V'
                self._forwarding.refuse_envelope(start, end)
                return not _expected(head, Owed.FUNCTION).skip
        raise ProtocolViolation(f"the server sent an unexpected message of type 0x{tag:02x}")

    def _expect(self, head: Reply, owed: Owed) -> bool:
        if head.owed is not owed:
            raise misplaced()
        self._state.queue.pop()
        return not head.skip

    def _anytime(self, tag: int, start: int, end: int) -> bool:
        if tag == ord("S"):
            return self._parameter_status(start, end)
        if tag == ord("N"):
            return notice(self._forwarding, start, end)
        return not self._forwarding.holds_envelope(start, end)

    def _parameter_status(self, start: int, end: int) -> bool:
        status = backend.parse_parameter_status(self._forwarding.body(start, end))
        settings = self._state.settings
        behind = islice(self._state.queue, 1, None)  # the oldest entry is answered but for its ReadyForQuery
        name, value = (part.decode("utf-8", "replace") for part in status)
        settings.report(name, value, behind)
        return not self._forwarding.holds_envelope(start, end)

    def _complete(self, head: Reply, tag: int, start: int, end: int) -> bool:
        if end - start > _LONGEST_TAG and may_hold_envelope(self._forwarding.data, start, end):
            raise ProtocolViolation("the server sent a sealed cell where none can be")
        if head.reading is not None and not head.muted:
            self._forwarding.flush(start)
            give_all_kept(self._forwarding, head)
        if head.locking is not None:
            locked(self._state, head, tag)
            return False
        if fetches_on(self._state, head) if head.fetching is not None else goes_on(self._state, head, tag):
            return False
        if not _only_reads(head):
            self._state.executed = True
        if head.changes:
            self._changed(head, start, end)
        plan = head.plan
        if plan is not None and plan.arranged is not None and tag == ord("C") and not head.muted:
            self._forwarding.flush(start)
            pass_arranged(self._forwarding, head)
        if head.owed is Owed.EXECUTE:
            self._state.queue.pop()
        elif _expected(head, Owed.QUERY) and tag == ord("C"):
            head.index += 1
        forward = not (head.skip or head.muted)
        if head.fetching is not None and head.reading is not None:
            fetch_ends(self._state)
            return self._forwarding.put(start, head.fetching.done(head.reading))
        if head.stepping == OWN_NAME:
            fetch_ends(self._state)
        counter = head.arranger or head.reading
        head.transformer = head.sifter = head.arranger = head.reading = None
        head.secrets_asked = 0
        if not forward or plan is None or not plan.counted_here or tag not in _COUNTED:
            return forward
        return self._forwarding.put(start, _counted(counter))

    def _changed(self, head: Reply, start: int, end: int) -> None:
        """What this statement was to change has come about."""
        tag = self._forwarding.body(start, end).rstrip(b"\0")
        done = [c for c in head.changes if head.owed is Owed.EXECUTE or c.index == head.index]
        later = [c for c in head.changes if head.owed is Owed.QUERY and c.index > head.index]
        later += [change for entry in islice(self._state.queue, 1, None) for change in entry.changes]
        for change in done:
            self._state.settings.path.completed(change, tag, later)

    def _ready(self, head: Reply, start: int, end: int) -> bool:
        if head.owed not in (Owed.SYNC, Owed.QUERY, Owed.FUNCTION):
            raise ProtocolViolation("the server is ready before it has answered")
        state = self._state
        state.queue.pop()
        status = backend.parse_ready_for_query(self._forwarding.body(start, end))
        state.values.ready(head.number, status)
        state.settings.ready(head.number, status, state.queue)
        state.executed = False
        if not len(state.queue):
            state.names.all_answered(state.settings.transaction)
        return True


def _counted(counter: Reading | Arranger | Folder | None) -> bytes:
    """The server has counted candidates; what counts is what the client was sent."""
    if counter is not None and counter.suspended:
        return backend.build_portal_suspended()
    return backend.build_command_complete(b"SELECT %d" % (counter.passed if counter is not None else 0))


def _expected(head: Reply, owed: Owed) -> Reply:
    if head.owed is not owed:
        raise misplaced()
    return head


def _only_reads(head: Reply) -> bool:
    """An analysed SELECT calls no function of unknown reach."""
    plan = head.plan
    return plan is not None and plan.shows_rows and plan.touches_protected
