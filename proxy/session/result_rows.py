"""Rows of results on their way to the client: forwarded, or turned into what the plan says (I2)."""

from __future__ import annotations

from collections.abc import Sequence

from keys.errors import SubjectSecretNeeded
from keys.field import FieldCiphers
from proxy.errors import CellUnreadable, FieldgateError, ProtocolViolation
from proxy.rows.describe import expand_formats, upstream_formats
from proxy.rows.envelopes import may_hold_envelope, row_holds_envelope
from proxy.rows.finishing.arranging import Arranger
from proxy.rows.finishing.folding import Folder, arranger_of
from proxy.rows.results import RowTransformer
from proxy.rows.sifting import Sifter
from proxy.sql.plan import StatementPlan
from proxy.wire import backend
from proxy.wire.framing import HEADER_SIZE, Span
from proxy.wire.values.settings import ValueSettings

from .commands import CloseBoth
from .forwarding import Forwarding
from .replies import Owed, Reply
from .state import SessionState
from .statements import Portal, Result, remember
from .steps import breaks
from .subjects import have_secrets, rows_passed, waits_for_rest

ENVELOPE_FOUND = "a sealed cell stands where the analysis expects none"
_ROW = ord("D")


def pass_rows(forwarding: Forwarding, spans: Sequence[Span], first: int) -> int:
    """All DataRow messages in a row from `first`; returns the index behind them, or `first` if they must wait."""
    head = forwarding.state.queue.head
    if head is None or head.owed not in (Owed.EXECUTE, Owed.QUERY):
        raise ProtocolViolation("the server sent a row that nobody asked for")
    last = first + head.rows_kept  # which were rows before, and still are
    while last < len(spans) and spans[last][0] == _ROW:
        last += 1
    start, end = spans[first][1], spans[last - 1][2]
    head.rows_kept = 0
    if head.muted:
        forwarding.flush(start)
        return last
    opens_subjects = head.plan is not None and bool(head.plan.subject_places)
    if opens_subjects and waits_for_rest(head, spans, first, last):
        head.rows_kept = last - first
        forwarding.flush(start)
        return first
    rows = spans[first:last]
    try:
        if opens_subjects and _taken_in(head) and not _secrets_at_hand(forwarding, head, rows):
            forwarding.flush(start)
            return first
        _pass_or_transform(forwarding, head, rows, start, end)
        rows_passed(head)
    except CellUnreadable as error:
        forwarding.flush(start)
        fail_result(forwarding, head, error)
    except SubjectSecretNeeded:  # nothing has been passed on
        return _rows_wait(forwarding, head, spans, first, last)
    return last


def _taken_in(head: Reply) -> bool:
    """Its rows are looked at or kept as they come, so whether they can be is asked beforehand.

    Of others it shows when they are opened, which costs nothing where all secrets are at hand.
    """
    return head.plan is not None and (head.plan.sift is not None or head.plan.arranged is not None)


def _secrets_at_hand(forwarding: Forwarding, head: Reply, rows: Sequence[Span]) -> bool:
    transformer = _transformer_of(forwarding.state, head)
    if transformer is None:
        return True
    return have_secrets(forwarding.state, head, transformer.subjects(forwarding.data, rows))


def _rows_wait(forwarding: Forwarding, head: Reply, spans: Sequence[Span], first: int, last: int) -> int:
    try:
        at_hand = _secrets_at_hand(forwarding, head, spans[first:last])
        if at_hand:
            raise CellUnreadable("a data subject's secret is needed of which the rows do not tell")
    except CellUnreadable as error:
        fail_result(forwarding, head, error)
        return last
    return first


def _transformer_of(state: SessionState, head: Reply) -> RowTransformer | None:
    """That of a Query is there already.  Raises CellUnreadable."""
    if head.transformer is None and head.plan is not None and retyped(head.plan):
        if head.portal is None:
            raise CellUnreadable("the server has not described this result")
        head.transformer = transformer_for(state, head.portal)
    return head.transformer


def _pass_or_transform(forwarding: Forwarding, head: Reply, rows: Sequence[Span], start: int, end: int) -> None:
    """One look for the whole run where nothing is to be opened, one walk where something is."""
    if _transformer_of(forwarding.state, head) is not None and head.transformer is not None:
        forwarding.flush(start)
        if head.plan is not None and head.plan.sift is not None:
            rows = _sifted(forwarding, head, head.transformer, rows)
        if head.locking is not None and head.portal is not None:
            head.locking.take(head.portal.statement.fields, forwarding.data, rows)
            return
        if head.plan is not None and head.plan.arranged is not None:
            _arranger(forwarding.state, head).take(forwarding.data, rows)
            return
        head.transformer.rows(forwarding.data, rows, forwarding.state.to_client)
        return
    if may_hold_envelope(forwarding.data, start, end):
        for _, at, behind in rows:
            if row_holds_envelope(forwarding.data, at + HEADER_SIZE, behind):
                raise CellUnreadable(ENVELOPE_FOUND)
    if forwarding.run < 0:
        forwarding.run = start


def _sifted(forwarding: Forwarding, head: Reply, transformer: RowTransformer, rows: Sequence[Span]) -> Sequence[Span]:
    """The rows that passed and that the client gets now, behind those that it gets first."""
    sifter, reading = _sifter(head, transformer), head.reading
    if reading is None:  # they are put in order, and counted then
        return sifter.sift(forwarding.data, rows)
    give_kept(forwarding, head)
    passed = [] if reading.over else sifter.sift(forwarding.data, rows)
    given = reading.take(forwarding.data, rows, passed)
    return [] if _moves(head) else given


def _moves(head: Reply) -> bool:
    return head.fetching is not None and head.fetching.fetch.moves


def give_kept(forwarding: Forwarding, head: Reply) -> None:
    """The answer to an Execute begins, with what has passed before and was not asked for then."""
    if head.reading is None or head.begun:
        return
    head.begun = True
    data, spans = head.reading.begin(head.most)
    if not spans or _moves(head):
        return
    if head.transformer is None and head.portal is not None:
        head.transformer = transformer_for(forwarding.state, head.portal)
    if head.transformer is not None:
        head.transformer.rows(data, spans, forwarding.state.to_client)


def give_all_kept(forwarding: Forwarding, head: Reply) -> None:
    """The same where no row has come from the server."""
    try:
        give_kept(forwarding, head)
    except CellUnreadable as error:
        fail_result(forwarding, head, error)
    except SubjectSecretNeeded:
        fail_result(forwarding, head, _forgotten())


def _forgotten() -> CellUnreadable:
    return CellUnreadable(
        "data subjects' secrets were forgotten while rows waited for others", hint="Run the statement again."
    )


def _sifter(head: Reply, transformer: RowTransformer) -> Sifter:
    """Made at the first row of an Execute; that of a Query is there already."""
    if head.sifter is None:
        plan, portal = head.plan, head.portal
        fields = portal.statement.fields if portal is not None else None
        if plan is None or plan.sift is None or portal is None or portal.sought is None or fields is None:
            raise CellUnreadable("it is not known what the rows of this result are looked at for")
        binary = portal.statement.declaration is None  # Execute shows what DECLARE has made as text
        head.sifter = Sifter(plan.sift, portal.sought, fields, transformer.ciphers, binary=binary)
    return head.sifter


def _arranger(state: SessionState, head: Reply) -> Arranger | Folder:
    """As `_sifter`."""
    if head.arranger is None:
        plan, portal = head.plan, head.portal
        fields = portal.statement.fields if portal is not None else None
        if plan is None or plan.arranged is None or portal is None or portal.counts is None or fields is None:
            raise CellUnreadable("it is not known how the rows of this result are put in order")
        head.arranger = arranger_of(
            plan.arranged, portal.counts, fields, upstream_formats(plan, portal.formats), state.revision().ciphers,
            state.settings.values, portal.given or {}, state.services.bounds(), most=head.most,
        )  # fmt: skip
    return head.arranger


def pass_arranged(forwarding: Forwarding, head: Reply) -> None:
    """The last row has come: all of them in order, or folded into one, which there is even of none."""
    plan = head.plan
    if head.arranger is None and (plan is None or plan.arranged is None or not plan.arranged.folds):
        return
    try:
        if head.arranger is None:
            head.arranger = _arranger(forwarding.state, head)
        if head.transformer is None and head.portal is not None:
            head.transformer = transformer_for(forwarding.state, head.portal)
        data, spans = head.arranger.finish()
        if head.transformer is not None and spans:
            head.transformer.rows(data, spans, forwarding.state.to_client)
    except CellUnreadable as error:
        fail_result(forwarding, head, error)
    except SubjectSecretNeeded:
        fail_result(forwarding, head, _forgotten())


def transformer_for(state: SessionState, portal: Portal) -> RowTransformer:
    """Made once for all executions that ask for the same formats, until keys or settings are others.

    Raises CellUnreadable.
    """
    statement = portal.statement
    ciphers, values = state.revision().ciphers, state.settings.values
    if statement.plan.computes_bound:
        return _make_transformer(portal, ciphers, values)
    found = statement.results.get(portal.formats)
    if found is None or not found.serves(ciphers, values):
        found = Result(_make_transformer(portal, ciphers, values), ciphers, values)
        remember(statement.results, portal.formats, found)
    return found.transformer


def fail_result(forwarding: Forwarding, head: Reply, error: FieldgateError) -> None:
    """A cell cannot be opened.  Where nothing was written and no transaction is open the statement alone fails.

    Where the server can still be made to fail, the statement fails as any other.
    """
    if breaks(head, error):
        return
    soft = _may_fail_softly(forwarding, head)
    severity = "ERROR" if soft else "FATAL"
    forwarding.state.to_client.append(backend.error_response(error, severity=severity))
    head.muted = True
    if not soft:
        forwarding.state.commands.append(CloseBoth("a sealed cell could not be opened"))
        forwarding.state.closing = True


def _may_fail_softly(forwarding: Forwarding, head: Reply) -> bool:
    plan = head.plan
    if plan is None or forwarding.state.settings.transaction != b"I" or not plan.shows_rows:
        return False
    if forwarding.state.executed:  # that would stay, though PostgreSQL would have rolled it back
        return False
    if any(use.verb.name in ("INSERT", "UPDATE", "DELETE") for use in plan.uses):
        return False
    if head.owed is Owed.QUERY:
        return len(head.statements) == 1
    following = forwarding.state.queue.second
    return following is not None and following.owed is Owed.SYNC


def _make_transformer(portal: Portal, ciphers: FieldCiphers, values: ValueSettings) -> RowTransformer:
    statement, formats = portal.statement, portal.formats
    plan, fields = statement.plan, statement.fields
    if fields is None or plan.outputs is None:
        raise CellUnreadable("the server has not described this result")
    asked = upstream_formats(plan, formats)
    if statement.declaration is not None:  # Execute shows what DECLARE has made as text, BINARY or not
        asked = [0] * len(fields)
    told = expand_formats(formats, len(plan.outputs))
    return RowTransformer(plan, fields, told, asked, ciphers, values, portal.given)


def retyped(plan: StatementPlan) -> bool:
    return plan.opens or plan.hidden_outputs > 0
