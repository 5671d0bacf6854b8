"""All state of one analysed conversation, as data; the modules beside it are functions over it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from keys.subjects import SubjectCache, SubjectName
from policies.model import Principal
from proxy.errors import FieldgateError, Refused
from proxy.rows.params import SlotFiller, Spend
from proxy.sql.plan import StatementPlan
from proxy.sql.planner import PlanContext

from .account import Account, Tickets
from .commands import Command
from .names import AnswersNeeded, Names, changed
from .replies import Reply, ReplyQueue, Round
from .services import Revision, SessionServices
from .settings import SessionSettings
from .statements import Stamp
from .value_changes import ValueChanges

_PRINCIPAL = "principal"


class KeysNeeded(Exception):
    """The message at hand cannot be sent before keys have been drawn, or secrets of data subjects loaded.

    Nothing has been changed yet.
    """

    def __init__(self, counts: dict[str, int], subjects: Iterable[SubjectName] = ()) -> None:
        super().__init__("keys are drawn first")
        self.counts = counts
        self.subjects = frozenset(subjects)


def enforced_since() -> FieldgateError:
    return Refused("tables of this database are now protected; please connect again")


@dataclass(slots=True)
class SessionState:
    services: SessionServices
    login: Principal  # as the session began
    settings: SessionSettings
    session_id: str
    queue: ReplyQueue = field(default_factory=ReplyQueue)
    names: Names = field(init=False)
    values: ValueChanges = field(default_factory=ValueChanges)
    to_server: list[bytes] = field(default_factory=list)
    to_client: list[bytes] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    round: Round | None = None  # under way, with nothing else in the queue
    skipping: bool = False  # the server drops everything until Sync, and so do we
    stepping: int = 0  # the entry of the newest Execute in steps (steps.py)
    query_from: int = 0  # the first entry of messages that stand for a Query, while the Sync that ends it is to come
    copy: Reply | None = None  # the newest Query or Execute, if it takes CopyData
    executed: bool = False  # something was carried out since the last ReadyForQuery
    batch: bool = False  # an Execute has been sent since the last Sync
    leaving: bool = False  # the client has said goodbye; what came before is still answered
    closing: bool = False
    told_more: bool = False  # `to_client` holds more than what comes before a result
    tickets: Tickets = field(default_factory=Tickets)
    record_prefix: str = field(default_factory=lambda: secrets.token_hex(8))  # of the ids of audit records
    _filler: SlotFiller | None = None
    _spender: tuple[Principal, Spend] | None = None
    accounts: dict[int, Account] = field(default_factory=dict)  # by id(plan), which `Account` keeps alive
    identity: dict[str, Principal] = field(default_factory=dict)
    _known: Revision | None = None
    secrets_awaited: bool = False  # the server's rows wait until secrets are loaded
    _kept_keys: dict[str, list[bytes]] = field(default_factory=dict)  # drawn, and not used yet
    loose: bool = False  # it began while everything was observed only, and may have done what was not analysed
    outcast: FieldgateError | None = None  # why the policy in force does not know this session's principal

    def __post_init__(self) -> None:
        self.names = Names(self.queue)
        self.identity[_PRINCIPAL] = self.login
        self._known = self.services.current()

    @property
    def principal(self) -> Principal:
        return self.identity[_PRINCIPAL]

    def set_principal(self, entry: Reply, new: Principal, index: int = 0) -> None:
        entry.note(changed(self.identity, _PRINCIPAL, new, index))

    def open_copy(self) -> Reply | None:
        """Whose data the client's CopyData is."""
        entry = self.copy
        return entry if entry is not None and entry.takes_data and self.queue.owes(entry.number) else None

    def steps_on(self) -> bool:
        """Whether the client's next message waits, because more of our own may have to come before it."""
        return self.stepping > 0 and self.queue.owes(self.stepping)

    @property
    def aborted(self) -> bool:
        """The transaction has failed, whatever is sent.

        While something is under way that may be otherwise by then; and what was carried out since has ended it.
        """
        return self.settings.transaction == b"E" and not self.executed and not len(self.queue)

    def revision(self) -> Revision:
        current = self.services.current()
        if current is not self._known:
            self._meet(current)
        return current

    def _meet(self, current: Revision) -> None:
        """A new revision may give this login other roles, or none: it is asked again who the session may be."""
        loosely = self._known is not None and self._known.catalog.lenient
        self.loose = (self.loose or loosely) and not current.catalog.lenient
        self._known, self.outcast = current, enforced_since() if self.loose else None
        if self.loose:
            return
        try:
            self.login = self.services.identify(self.login)
            now = self.services.identify(self.principal)
        except FieldgateError as error:
            self.outcast = error
            return
        if now != self.principal:
            self.identity[_PRINCIPAL] = now

    def context(self) -> PlanContext:
        now, path = self.revision(), self.settings.search_path
        return PlanContext(now.catalog, now.decisions, self.principal, path, now.observed)

    def settle_path(self) -> None:
        """Raises AnswersNeeded while search_path may turn out otherwise and the next message be carried out anyway.

        A change in the same batch is different: if it fails, the next message is skipped.
        """
        since = self.settings.path.open_since
        if since and self.queue.owes_ready(since):
            raise AnswersNeeded

    def stamp(self) -> Stamp:
        """What a plan depends on: planned again when it differs at Bind (I5)."""
        return (self.revision(), self.principal, self.settings.search_path)

    def filler(self) -> SlotFiller:
        ciphers, values, made = self.revision().ciphers, self.settings.values, self._filler
        if (
            made is None
            or made.ciphers is not ciphers
            or made.principal is not self.principal
            or made.settings is not values
        ):
            made = self._filler = SlotFiller(ciphers, self.principal, values, self._spend())
        return made

    def _spend(self) -> Spend:
        if self._spender is None or self._spender[0] is not self.principal:
            self._spender = (self.principal, self.services.searches(self.principal))
        return self._spender[1]

    def draw(self, plans: tuple[StatementPlan, ...]) -> list[list[bytes]]:
        """Keys for one execution of each plan.  Raises KeysNeeded when they are not at hand."""
        counts = Counter(sequence for plan in plans for sequence in plan.draws)
        if not counts:
            return [[] for _ in plans]
        pools: dict[str, list[bytes]] = {}
        for sequence, count in counts.items():
            kept = self._kept_keys.get(sequence, [])
            if (values := self.services.draw(sequence, max(0, count - len(kept)))) is None:
                raise KeysNeeded(dict(counts))
            pools[sequence] = [*kept, *values]
        drawn = [[pools[sequence].pop() for sequence in plan.draws] for plan in plans]
        self._kept_keys |= pools
        return drawn

    def put_back(self, plans: Sequence[StatementPlan], drawn: Sequence[Sequence[bytes]]) -> None:
        """Keys that were drawn and could not be used: they are drawn again first, in the same order."""
        taken = [(sequence, key) for plan, keys in zip(plans, drawn, strict=True)
                 for sequence, key in zip(plan.draws, keys, strict=True)]  # fmt: skip
        for sequence, key in reversed(taken):
            self._kept_keys.setdefault(sequence, []).append(key)

    def absent_secrets(self, names: Collection[SubjectName]) -> set[SubjectName]:
        """Of which one must be made, or loaded, before anything is sealed for these subjects."""
        return self._secrets().absent(names) if names else set()

    def missing_secrets(self, names: Collection[SubjectName]) -> set[SubjectName]:
        """Which must be loaded before cells of these subjects are opened."""
        return self._secrets().missing(names) if names else set()

    def _secrets(self) -> SubjectCache:
        if self.services.secrets is None:
            raise RuntimeError("a plan needs data subjects' secrets where there are none")
        return self.services.secrets
