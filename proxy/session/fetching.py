"""FETCH and MOVE of a cursor whose rows are candidates: FETCHes of our own, until so many rows have passed.

A search with LIMIT in a Query is said in steps, too, as a portal of ours.

Each is a statement and a portal under a name that no client can give: Close, Close, Parse, Bind, Execute and Flush, in
place of the client's Execute.  In place of a Query they are followed by a Sync, which is the end of that Query: it can
hold one number only, and how many candidates make so many rows is known behind the look at them.  The client's next
message waits meanwhile (steps.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proxy.errors import FieldgateError, Unsupported
from proxy.rows.binding import physical_formats
from proxy.rows.client_values import ClientValues
from proxy.rows.describe import upstream_formats
from proxy.rows.reading import Reading
from proxy.rows.sifting import Sought
from proxy.sql.fragments import quoted
from proxy.sql.plan import Fetch, StatementPlan
from proxy.wire import backend, frontend

from .refusals import OWN_NAME
from .replies import Owed, Reply
from .state import SessionState
from .statements import Portal, Statement
from .steps import first_step, reading_of, stand_in
from .upstream_text import upstream_text


@dataclass(frozen=True, slots=True)
class Fetching:
    """`cursor`: what is read; `shown`: as what its rows are shown; `suspends`: Execute asked for no more than FETCH."""

    cursor: bytes
    source: Portal
    shown: Portal
    fetch: Fetch
    suspends: bool = False

    @property
    def formats(self) -> tuple[int, ...]:
        kept = self.source.reading is not None and self.source.reading.waiting
        return self.source.read_as if self.fetch.moves and kept else form_of(self.shown)

    def done(self, reading: Reading) -> bytes:
        if self.suspends and reading.suspended:
            return backend.build_portal_suspended()
        word = b"MOVE" if self.fetch.moves else b"FETCH"
        return backend.build_command_complete(b"%s %d" % (word, reading.passed))


def form_of(portal: Portal) -> tuple[int, ...]:
    """In which formats the server sends a portal's rows."""
    plan = portal.statement.plan
    if portal.statement.declaration is not None:  # Execute shows what DECLARE has made as text
        return (0,) * (len(plan.outputs or ()) + plan.hidden_outputs)
    return tuple(upstream_formats(plan, portal.formats))


def fetches_apart(plan: StatementPlan) -> bool:
    """A FETCH or MOVE that the server is not sent as it is."""
    return plan.sift is not None and plan.fetch is not None


def refusal_of_source(source: Portal, plan: StatementPlan, *, alone: bool) -> FieldgateError | None:
    """Of a FETCH in a Query; `alone`: it is all that stands in it."""
    if not alone:
        return Unsupported(
            "FETCH and MOVE of a search by part or range of a sealed column are not available beside other statements"
            " in one Query",
            hint="Send it as a Query of its own.",
        )
    return refusal_of_form(source, tuple(upstream_formats(plan, (1,) if source.binary else ())), plan)


def refusal_of_form(source: Portal, form: tuple[int, ...], plan: StatementPlan) -> FieldgateError | None:
    """Rows that wait are as the server sent them."""
    reading = source.reading
    if reading is None or not reading.waiting or source.read_as == form or (plan.fetch and plan.fetch.moves):
        return None
    return Unsupported(
        "the rows of a search by part or range of a sealed column are read in other formats than those before",
        hint="Read all rows of a cursor in the same formats, in one way.",
    )


def fetch_in_steps(state: SessionState, entry: Reply, call: bytes, source: Portal, shown: Portal, most: int) -> None:
    """In place of an Execute.  `entry` is its reply; `call`: the cursor's name."""
    fetch = shown.statement.plan.fetch
    assert fetch is not None  # noqa: S101 - fetches_apart has looked
    shown.sought = source.sought
    entry.statement, entry.portal, entry.stepping = shown.statement, shown, OWN_NAME
    entry.reading, entry.most = reading_of(state, source), fetch.count
    entry.fetching = Fetching(call, source, shown, fetch, suspends=0 < most <= fetch.count)
    reading = entry.reading  # what MOVE reads has a form that nobody has asked for, so nothing of it may wait
    asked = reading.ask_first(fetch.count, spares=not fetch.moves) if reading is not None else 0
    _send(state, entry, entry.fetching, asked)


def query_in_steps(state: SessionState, entry: Reply, call: bytes, source: Portal, plan: StatementPlan) -> None:
    """In place of a Query."""
    statement = Statement(plan, "", (), state.settings.values, state.stamp())
    shown = Portal(statement, formats=(1,) if source.binary else ())
    state.query_from = state.queue.pushed + 1
    fetch_in_steps(state, entry, call, source, shown, 0)


def select_in_steps(state: SessionState, plan: StatementPlan, sought: Sought) -> Callable[[int], None]:
    """What to call with the ticket, to say a Query of a search with LIMIT in steps.

    Raises ValueRejected or CellUnreadable.
    """
    statement = Statement(plan, "", (), state.settings.values, state.stamp())
    client = ClientValues(parsed_under=state.settings.values)
    values = state.filler().bind_values(plan, client)

    def begin(ticket: int) -> None:
        entry = Reply(Owed.EXECUTE, ticket=ticket, unchanged=False, statement=statement, stepping=OWN_NAME)
        entry.portal = Portal(statement, sought=sought)
        state.query_from = state.queue.pushed + 1
        clear_own(state)
        _push(state, entry, Owed.PARSE, frontend.build_parse(OWN_NAME, upstream_text(plan)))
        formats, results = physical_formats(plan, ()), upstream_formats(plan, ())
        _push(state, entry, Owed.BIND, frontend.build_bind(OWN_NAME, OWN_NAME, formats, values, results))
        _push(state, entry, Owed.DESCRIBE_PORTAL, frontend.build_describe(b"P", OWN_NAME), skip=False)
        message = first_step(state, entry.portal, entry, OWN_NAME)
        state.queue.push(entry)
        state.to_server.append(message)

    return begin


def _send(state: SessionState, entry: Reply, fetching: Fetching, asked: int) -> None:
    """`asked`: candidates, 0 for all."""
    moved = fetching.fetch.moves
    fetching.source.read_as = fetching.formats
    number = b"%d" % asked if asked else b"ALL"
    text = b"FETCH FORWARD %s FROM %s" % (number, quoted(fetching.cursor.decode()).encode())
    clear_own(state)
    _push(state, entry, Owed.PARSE, frontend.build_parse(OWN_NAME, text))
    _push(state, entry, Owed.BIND, frontend.build_bind(OWN_NAME, OWN_NAME, (), (), fetching.formats))
    statement = fetching.shown.statement
    if statement.fields is None and (moved or not state.queue.owes_description(statement)):  # MOVE's own says nothing
        shown = state.query_from > 0 and not moved
        _push(state, entry, Owed.DESCRIBE_PORTAL, frontend.build_describe(b"P", OWN_NAME), skip=not shown)
    state.queue.push(entry)
    state.stepping = entry.number
    state.to_server += (frontend.build_execute(OWN_NAME), frontend.FLUSH)


def _push(state: SessionState, entry: Reply, owed: Owed, message: bytes, *, skip: bool = True) -> None:
    state.queue.push(Reply(owed, skip=skip, statement=entry.statement, portal=entry.portal, unchanged=False))
    state.to_server.append(message)


def clear_own(state: SessionState) -> None:
    """Nothing of ours stays under its name.  PostgreSQL closes what is not there without a word."""
    for kind in (b"S", b"P"):
        state.queue.push(Reply(Owed.CLOSE, skip=True))
        state.to_server.append(frontend.build_close(kind, OWN_NAME))


def fetches_on(state: SessionState, head: Reply) -> bool:
    """A FETCH of ours is answered: whether another one is sent, so that the client is not told yet."""
    fetching, reading = head.fetching, head.reading
    if fetching is None or reading is None:
        return False
    if head.broken is not None:
        stand_in(state, head)
        return True
    if reading.satisfied or reading.exhausted:
        return False
    state.queue.pop()
    _send(state, head, fetching, reading.ask())
    return True


def fetch_ends(state: SessionState) -> None:
    """The client has been told all.  In place of a Query its end is the server's to tell."""
    clear_own(state)
    end_query(state)


def end_query(state: SessionState) -> None:
    """All that stands for the Query is answered, or the server has failed in it."""
    if state.query_from:
        state.query_from, state.skipping = 0, False
        state.queue.push(Reply(Owed.SYNC))
        state.to_server.append(frontend.SYNC)


def failed_at(state: SessionState, number: int) -> None:
    """The entry of this number has failed.  A Query that the server skips for what came before it owes nothing."""
    if 0 < state.query_from <= number:
        end_query(state)
    elif state.skipping:
        state.query_from = 0
