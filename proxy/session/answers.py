"""The server's side of an analysed conversation: each message meets the entry that is owed it (I6).

`answer` handles one run of whole messages.  Messages that nobody needs to see are forwarded as one slice; the others
are checked against the plan, transformed, swapped for a refusal, or dropped when they answer a message of our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from keys.field import FieldCiphers
from proxy.errors import CellUnreadable, FieldgateError, ProtocolViolation
from proxy.rows.describe import client_fields, expand_formats, upstream_formats
from proxy.rows.envelopes import may_hold_envelope, row_holds_envelope, value_holds_envelope
from proxy.rows.results import RowTransformer
from proxy.sql.plan import SlotKind, StatementKind, StatementPlan
from proxy.wire import backend
from proxy.wire.framing import HEADER_SIZE, Span
from proxy.wire.values.settings import ValueSettings

from .commands import CloseBoth
from .refusals import is_stand_in_failure
from .replies import Owed, Reply, Result, Statement, remember
from .rounds import end_round
from .scrub import scrub
from .state import SessionState

_ROW, _READY, _ERROR = ord("D"), ord("Z"), ord("E")
_SIMPLE_TAGS = {ord("1"): Owed.PARSE, ord("2"): Owed.BIND, ord("3"): Owed.CLOSE}
_ENDS = frozenset(b"CIs")
_COPY = frozenset(b"GHWdc")
_ANYTIME = frozenset(b"NSA")
_PREFACE = frozenset(b"123tTn")  # what comes before a result, and is of no use without it
_FATAL = (b"FATAL", b"PANIC")
_LONG_TAG = 64  # bytes; no command's tag is as long, with the rows that it counts
_ENVELOPE_FOUND = "a sealed cell stands where the analysis expects none"


class Answers:
    """Holds the state and the run of bytes that is being forwarded."""

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._data: bytes = b""
        self._run = -1  # where the run of bytes to forward begins, -1: none

    def answer(self, data: bytes, spans: Sequence[Span]) -> int:
        """Handle messages until one must wait for the audit; returns how many were handled.

        Raises ProtocolViolation; what came before that message has then been passed on.
        """
        self._data = data
        self._run = -1
        index, count, start, end = 0, len(spans), 0, 0
        if self._state.round is not None and count:
            index = end_round(self._state, data, spans)
        try:
            while index < count and not self._state.closing:
                tag, start, end = spans[index]
                if self._state.waiting and tag not in _ANYTIME and self._must_wait():
                    self._flush(start)
                    return index
                if tag not in _PREFACE:
                    self._state.told_more = True
                if tag == _ROW:
                    index = self._rows(spans, index)
                    end = spans[index - 1][2]
                    continue
                if not self._one(tag, start, end):
                    self._flush(start)
                elif self._run < 0:
                    self._run = start
                index += 1
        except ProtocolViolation:
            self._flush(start)
            raise
        self._flush(end)
        return index

    def _must_wait(self) -> bool:
        head = self._state.queue.head
        return head is not None and self._state.must_wait(head)

    def _flush(self, end: int) -> None:
        if self._run >= 0:
            self._state.to_client.append(self._data[self._run : end])
            self._run = -1

    def _put(self, start: int, message: bytes) -> bool:
        """Something of ours in place of the message that begins at `start`."""
        self._flush(start)
        self._state.to_client.append(message)
        return False

    def _one(self, tag: int, start: int, end: int) -> bool:
        """True: forward the message as it is."""
        if tag in _ANYTIME:
            return self._anytime(tag, start, end)
        head = self._state.queue.head
        if head is None:
            return self._unasked(tag, start, end)
        if (owed := _SIMPLE_TAGS.get(tag)) is not None:
            return self._expect(head, owed)
        if tag in _ENDS:
            return self._complete(head, tag, start, end)
        if tag == _READY:
            return self._ready(head, start, end)
        if tag == _ERROR:
            return self._error(head, start, end)
        if tag in _COPY:
            return self._copy(head, tag, start, end)
        match tag:
            case 0x74:  # 't'
                return self._parameters(head, start, end)
            case 0x54:  # 'T'
                return self._description(head, start, end)
            case 0x6E:  # 'n'
                return self._no_data(head)
            case 0x56:  # 'V'
                self._refuse_envelope(start, end)
                return not self._expected(head, Owed.FUNCTION).skip
        raise ProtocolViolation(f"the server sent an unexpected message of type 0x{tag:02x}")

    def _unasked(self, tag: int, start: int, end: int) -> bool:
        if tag == _ERROR:  # FATAL on an idle connection: a shutdown, a timeout
            fields = backend.parse_error_response(self._data[start + HEADER_SIZE : end])
            if fields.get(b"V", fields.get(b"S")) in _FATAL:
                return self._put(start, backend.build_error_response(scrub(fields, rewritten=True)))
        raise ProtocolViolation("the server sent a message that nobody asked for")

    def _expected(self, head: Reply, owed: Owed) -> Reply:
        if head.owed is not owed:
            raise _misplaced()
        return head

    def _expect(self, head: Reply, owed: Owed) -> bool:
        if head.owed is not owed:
            raise _misplaced()
        self._state.queue.pop()
        return not head.skip

    # -- messages that come at any time --

    def _anytime(self, tag: int, start: int, end: int) -> bool:
        if tag == ord("S"):
            return self._parameter_status(start, end)
        if tag == ord("N"):
            head = self._state.queue.head
            if head is not None and _protected(head):
                notice = backend.parse_error_response(self._data[start + HEADER_SIZE : end])
                return self._put(start, backend.build_notice_response(scrub(notice, rewritten=True)))
        return not self._holds_envelope(start, end)  # a dropped notice loses nothing that was asked for

    def _parameter_status(self, start: int, end: int) -> bool:
        status = backend.parse_parameter_status(self._data[start + HEADER_SIZE : end])
        settings = self._state.settings
        behind = islice(self._state.queue, 1, None)  # the oldest entry is answered but for its ReadyForQuery
        name, value = (part.decode("utf-8", "replace") for part in status)
        settings.report(name, value, path_in_flight=settings.path_in_flight(behind))
        return not self._holds_envelope(start, end)

    # -- results --

    def _rows(self, spans: Sequence[Span], first: int) -> int:
        """All DataRow messages in a row from `first`; returns the index behind them."""
        head = self._state.queue.head
        if head is None or head.owed not in (Owed.EXECUTE, Owed.QUERY):
            raise ProtocolViolation("the server sent a row that nobody asked for")
        last = first
        while last < len(spans) and spans[last][0] == _ROW:
            last += 1
        start, end = spans[first][1], spans[last - 1][2]
        if head.muted:
            self._flush(start)
            return last
        try:
            self._pass_or_transform(head, spans[first:last], start, end)
        except CellUnreadable as error:
            self._flush(start)
            self._fail_result(head, error)
        return last

    def _pass_or_transform(self, head: Reply, rows: Sequence[Span], start: int, end: int) -> None:
        """One look for the whole run where nothing is to be opened, one walk where something is."""
        if head.transformer is None and head.plan is not None and _retyped(head.plan):
            head.transformer = self._transformer(head)
        if head.transformer is not None:
            self._flush(start)
            head.transformer.rows(self._data, rows, self._state.to_client)
            return
        if may_hold_envelope(self._data, start, end):
            for _, at, behind in rows:
                if row_holds_envelope(self._data, at + HEADER_SIZE, behind):
                    raise CellUnreadable(_ENVELOPE_FOUND)
        if self._run < 0:
            self._run = start

    def _transformer(self, head: Reply) -> RowTransformer:
        """Made once for all executions that ask for the same formats, until keys or settings are others."""
        portal, statement = head.portal, head.statement
        if portal is None or statement is None:
            raise CellUnreadable("the server has not described this result")
        ciphers, values = self._state.revision().ciphers, self._state.settings.values
        found = statement.results.get(portal.formats)
        if found is None or not found.serves(ciphers, values):
            found = Result(_make_transformer(statement, portal.formats, ciphers, values), ciphers, values)
            remember(statement.results, portal.formats, found)
        return found.transformer

    def _fail_result(self, head: Reply, error: FieldgateError) -> None:
        """A cell cannot be opened.  Where nothing was written and no transaction is open the statement alone fails."""
        soft = self._may_fail_softly(head)
        severity = "ERROR" if soft else "FATAL"
        self._state.to_client.append(backend.error_response(error, severity=severity))
        head.muted = True
        if not soft:
            self._state.commands.append(CloseBoth("a sealed cell could not be opened"))
            self._state.closing = True

    def _may_fail_softly(self, head: Reply) -> bool:
        plan = head.plan
        if plan is None or self._state.settings.transaction != b"I" or plan.kind is not StatementKind.SELECT:
            return False
        if self._state.executed:  # that would stay, though PostgreSQL would have rolled it back
            return False
        if any(use.verb.name in ("INSERT", "UPDATE", "DELETE") for use in plan.uses):
            return False
        if head.owed is Owed.QUERY:
            return len(head.statements) == 1
        following = self._state.queue.second
        return following is not None and following.owed is Owed.SYNC

    def _description(self, head: Reply, start: int, end: int) -> bool:
        if head.owed is Owed.QUERY:
            return self._query_description(head, start, end)
        if head.owed not in (Owed.DESCRIBE_STATEMENT, Owed.DESCRIBE_PORTAL):
            raise ProtocolViolation("the server sent a description that nobody asked for")
        self._state.queue.pop()
        statement = head.statement
        if statement is None or not _retyped(statement.plan):
            return not head.skip
        fields = backend.parse_row_description(self._data[start + HEADER_SIZE : end])
        if head.owed is Owed.DESCRIBE_STATEMENT or statement.fields is None:
            statement.described(fields)
        if head.skip:
            return False
        formats = None
        if head.owed is Owed.DESCRIBE_PORTAL and head.portal is not None:
            formats = expand_formats(head.portal.formats, len(statement.plan.outputs or ()))
        return self._put(start, backend.build_row_description(client_fields(statement.plan, fields, formats)))

    def _query_description(self, head: Reply, start: int, end: int) -> bool:
        plan = head.plan
        head.transformer = None
        if plan is None or not _retyped(plan):
            return True
        fields = backend.parse_row_description(self._data[start + HEADER_SIZE : end])
        ciphers, values = self._state.revision().ciphers, self._state.settings.values
        try:
            head.transformer = RowTransformer(plan, fields, None, None, ciphers, values)
        except CellUnreadable as error:
            self._flush(start)
            self._fail_result(head, error)
            return False
        return self._put(start, backend.build_row_description(client_fields(plan, fields, None)))

    def _no_data(self, head: Reply) -> bool:
        if head.owed not in (Owed.DESCRIBE_STATEMENT, Owed.DESCRIBE_PORTAL):
            raise ProtocolViolation("the server sent NoData that nobody asked for")
        self._state.queue.pop()
        return not head.skip

    def _parameters(self, head: Reply, start: int, end: int) -> bool:
        self._expected(head, Owed.DESCRIBE_STATEMENT)
        if head.skip:
            return False
        statement = head.statement
        if statement is None or not statement.plan.slots:
            return True
        upstream = backend.parse_parameter_description(self._data[start + HEADER_SIZE : end])
        told = _client_parameter_types(statement, upstream)
        return self._put(start, backend.build_parameter_description(told))

    def _complete(self, head: Reply, tag: int, start: int, end: int) -> bool:
        if end - start > _LONG_TAG:
            self._refuse_envelope(start, end)
        if not _only_reads(head):
            self._state.executed = True
        for change in head.changes:
            if head.owed is Owed.EXECUTE or change.index == head.index:
                self._state.settings.completed(change)
        if head.owed is Owed.EXECUTE:
            self._state.queue.pop()
            return not (head.skip or head.muted)
        self._expected(head, Owed.QUERY)
        if tag == ord("C"):
            head.index += 1
        forward = not head.muted
        head.transformer = None
        return forward

    def _copy(self, head: Reply, tag: int, start: int, end: int) -> bool:
        if head.owed not in (Owed.EXECUTE, Owed.QUERY):
            raise ProtocolViolation("the server began a COPY that nobody asked for")
        if tag == ord("W"):
            raise ProtocolViolation("the server began replication that nobody asked for")
        if tag == ord("G"):
            if head.copy_begins >= head.copies:
                raise ProtocolViolation("the server began a COPY that nobody asked for")
            self._state.queue.data_begins()
        plan = head.plan
        if plan is not None and plan.touches_protected:
            raise ProtocolViolation("the server began a COPY of a protected table")
        if tag == ord("d") and self._holds_envelope(start, end):
            self._flush(start)
            self._fail_result(head, CellUnreadable(_ENVELOPE_FOUND))
            return False
        return True

    def _refuse_envelope(self, start: int, end: int) -> None:
        """In a message where no honest server puts one."""
        if self._holds_envelope(start, end):
            raise ProtocolViolation("the server sent a sealed cell where none can be")

    def _holds_envelope(self, start: int, end: int) -> bool:
        if not may_hold_envelope(self._data, start, end):
            return False
        return value_holds_envelope(self._data[start + HEADER_SIZE : end])

    # -- ends --

    def _error(self, head: Reply, start: int, end: int) -> bool:
        fields = backend.parse_error_response(self._data[start + HEADER_SIZE : end])
        state = self._state
        refusal = head.current_refusal
        muted = head.muted
        protected, unchanged = _protected(head), head.unchanged
        state.settings.failed()
        if head.owed in (Owed.QUERY, Owed.FUNCTION):
            state.queue.fail_query()
        elif head.owed is not Owed.SYNC:  # an error while committing comes with Sync, and its Z follows
            state.skipping = not state.queue.drop_to_sync()
        if muted:
            return False
        if is_stand_in_failure(fields, refusal) and refusal is not None:
            return self._put(start, backend.error_response(refusal))
        if protected or self._holds_envelope(start, end):
            return self._put(start, backend.build_error_response(scrub(fields, rewritten=not unchanged)))
        if not unchanged:
            fields.pop(b"P", None)
            return self._put(start, backend.build_error_response(fields))
        return True

    def _ready(self, head: Reply, start: int, end: int) -> bool:
        if head.owed not in (Owed.SYNC, Owed.QUERY, Owed.FUNCTION):
            raise ProtocolViolation("the server is ready before it has answered")
        state = self._state
        state.queue.pop()
        state.settings.ready(backend.parse_ready_for_query(self._data[start + HEADER_SIZE : end]), state.queue)
        state.executed = False
        if not len(state.queue):
            state.unsettled.clear()
            if state.settings.transaction == b"I":
                state.portals.clear()
        return True


def _make_transformer(
    statement: Statement, formats: tuple[int, ...], ciphers: FieldCiphers, values: ValueSettings
) -> RowTransformer:
    plan, fields = statement.plan, statement.fields
    if fields is None or plan.outputs is None:
        raise CellUnreadable("the server has not described this result")
    asked = upstream_formats(plan, formats)
    return RowTransformer(plan, fields, expand_formats(formats, len(plan.outputs)), asked, ciphers, values)


def _misplaced() -> ProtocolViolation:
    return ProtocolViolation("the server's reply does not belong to the oldest request")


def _protected(head: Reply) -> bool:
    plan = head.plan
    if plan is not None and plan.touches_protected:
        return True
    return any(p.touches_protected for p in head.statements)


def _only_reads(head: Reply) -> bool:
    """An analysed SELECT calls no function of unknown reach."""
    plan = head.plan
    return plan is not None and plan.kind is StatementKind.SELECT and plan.touches_protected


def _retyped(plan: StatementPlan) -> bool:
    return plan.opens or plan.hidden_outputs > 0


def _client_parameter_types(statement: Statement, upstream: Sequence[int]) -> list[int]:
    """In the client's own numbering: what it declared, what the server inferred, or the field's logical type."""
    plan = statement.plan
    types = [0] * plan.client_parameters
    for position, slot in enumerate(plan.slots):
        number = slot.source.parameter if slot.source is not None else None
        if slot.kind is SlotKind.PLAIN and number and position < len(upstream) and not types[number - 1]:
            types[number - 1] = upstream[position]
    for number, oid in plan.parameter_types:
        types[number - 1] = oid
    for index, oid in enumerate(statement.declared[: len(types)]):
        if oid:
            types[index] = oid
    return types
