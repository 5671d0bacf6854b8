"""What a conversation asks of its shell besides sending bytes.

The shell's loop: give bytes to `Conversation.client_bytes` or `.server_bytes`, then send `take_to_server()` and
`take_to_client()`, one write each, then perform `take_commands()`.
"""

from __future__ import annotations

from dataclasses import dataclass

from keys.subjects import SubjectName
from policies.audit.events import Line


@dataclass(frozen=True, slots=True)
class RecordAudit:
    """Make `line` durable, then call `Conversation.audit_durable(ticket)`; on failure `audit_failed(ticket)`."""

    ticket: int
    line: Line
    refused: str = ""  # the SQLSTATE, for counting; empty: allowed
    observed: str = ""  # the same for what passed only because its tables are observed


@dataclass(frozen=True, slots=True)
class RefreshCatalog:
    """A statement may have changed the catalog: load it again, soon, for every session of this database."""


@dataclass(frozen=True, slots=True)
class SuspectKeys:
    """The server has refused a cell for its head: the keys here may be old ones.  Load them again, soon (I7)."""


@dataclass(frozen=True, slots=True)
class DrawKeys:
    """Have at least these many values of each sequence at hand for `SessionServices.draw`, and a secret of each of
    these data subjects (one is made for who has none), then call `Conversation.keys_drawn()`; if they cannot be had,
    `keys_unavailable()`.  The client is not read meanwhile."""

    counts: dict[str, int]
    subjects: frozenset[SubjectName] = frozenset()


@dataclass(frozen=True, slots=True)
class LoadSecrets:
    """Have the secrets of these data subjects at hand, as far as there are any, then call
    `Conversation.secrets_loaded()`; if that cannot be known, `secrets_unavailable()`."""

    subjects: frozenset[SubjectName]


@dataclass(frozen=True, slots=True)
class CloseBoth:
    """End both connections, after what is to be sent has been sent.  `reason` is for the log and holds no value."""

    reason: str


Command = RecordAudit | RefreshCatalog | SuspectKeys | DrawKeys | LoadSecrets | CloseBoth
