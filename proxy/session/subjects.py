"""Where a conversation waits for data subjects' secrets (docs/query-path.md, Secrets of data subjects).

On the way to the server a message that seals for subjects is begun anew once their secrets are at hand.  On the way
back rows stay where they are, in the bytes that the server has sent: secrets that the first rows lack are asked for at
once, and those of all the others together, when the last row has come or as many as we keep.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from keys.subjects import SubjectName
from proxy.errors import CellUnreadable
from proxy.rows.client_values import ClientValues
from proxy.rows.subjects import sealed_for
from proxy.sql.plan import StatementPlan
from proxy.wire.framing import Span

from .commands import LoadSecrets
from .replies import Reply
from .state import KeysNeeded, SessionState

ATTEMPTS = 16  # for some 8 MB of rows, or the rest of a result, unless secrets go as fast as they come
KEPT = 8 * 1024 * 1024  # bytes of rows that wait for secrets, before these are asked for


def draw_for(state: SessionState, plans: Sequence[StatementPlan], clients: Sequence[ClientValues]) -> list[list[bytes]]:
    """The keys for one execution of each plan, with the secrets that it needs.  Raises KeysNeeded."""
    drawn = state.draw(tuple(plans))
    names: set[SubjectName] = set()
    for plan, client, keys in zip(plans, clients, drawn, strict=True):
        if plan.seals_subjects:
            names.update(sealed_for(plan, state.filler(), replace(client, drawn=keys)))
    if state.absent_secrets(names):
        state.put_back(plans, drawn)
        raise KeysNeeded({}, names)
    return drawn


def waits_for_rest(head: Reply, spans: Sequence[Span], first: int, last: int) -> bool:
    """Whether more of these rows are waited for, so that secrets are asked for once for all of them."""
    whole = last < len(spans) or spans[last - 1][2] - spans[first][1] >= KEPT
    return head.secrets_asked > 0 and not whole


def rows_passed(head: Reply) -> None:
    """The next rows of this result are waited for together, and have all their attempts before them."""
    head.secrets_asked = min(head.secrets_asked, 1)


def have_secrets(state: SessionState, head: Reply, names: Collection[SubjectName]) -> bool:
    """Whether the secrets that rows need are at hand; else they are asked for.  Raises CellUnreadable."""
    if not state.missing_secrets(names):
        return True
    if head.secrets_asked >= ATTEMPTS:
        raise CellUnreadable("the data subjects' secrets for this result do not stay in memory long enough")
    head.secrets_asked += 1
    state.secrets_awaited = True
    state.commands.append(LoadSecrets(frozenset(names)))
    return False
