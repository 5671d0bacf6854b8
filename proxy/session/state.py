"""All state of one analysed conversation, as data; the modules beside it are functions over it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from policies.model import Principal
from proxy.errors import AuditUnavailable, FieldgateError, Refused, Unsupported
from proxy.rows.params import SlotFiller
from proxy.sql.plan import SessionEffect, StatementKind, StatementPlan
from proxy.sql.planner import PlanContext

from .account import Account
from .commands import Command, RecordAudit
from .replies import BookChange, Owed, Portal, Reply, ReplyQueue, Round, Stamp, Statement
from .services import Revision, SessionServices
from .settings import SessionSettings

_ACCOUNTS_KEPT = 256
_PRINCIPAL = "principal"
_RUNNERS = frozenset({SessionEffect.RUNS_STATEMENT, SessionEffect.RUNS_PORTAL})
_RUNNABLE = frozenset(
    {StatementKind.SELECT, StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE, StatementKind.MERGE}
)


class AnswersNeeded(Exception):
    """What a name stands for depends on answers that are under way; the message waits, and nothing has been changed."""


class KeysNeeded(Exception):
    """The message at hand cannot be sent before keys have been drawn; nothing has been changed yet."""

    def __init__(self, counts: dict[str, int]) -> None:
        super().__init__("keys are drawn first")
        self.counts = counts


@dataclass(slots=True)
class SessionState:
    services: SessionServices
    login: Principal  # as the session began
    settings: SessionSettings
    session_id: str
    queue: ReplyQueue = field(default_factory=ReplyQueue)
    statements: dict[bytes, Statement] = field(default_factory=dict)
    portals: dict[bytes, Portal] = field(default_factory=dict)
    to_server: list[bytes] = field(default_factory=list)
    to_client: list[bytes] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    round: Round | None = None  # under way, with nothing else in the queue
    skipping: bool = False  # the server drops everything until Sync, and so do we
    copy: Reply | None = None  # the newest Query or Execute, if it takes CopyData
    executed: bool = False  # something was carried out since the last ReadyForQuery
    closing: bool = False
    told_more: bool = False  # `to_client` holds more than what comes before a result
    waiting: set[int] = field(default_factory=set)  # audit tickets that are not durable yet
    last_ticket: int = 0
    record_prefix: str = field(default_factory=lambda: secrets.token_hex(8))  # of the ids of audit records
    _filler: SlotFiller | None = None
    _described: tuple[Principal, dict[str, object]] | None = None
    accounts: dict[int, Account] = field(default_factory=dict)  # by id(plan), which `Account` keeps alive
    # Names that stood for something else before: the newest entry that changes each, and whether it can fail alone.
    unsettled: dict[tuple[bool, bytes], tuple[int, bool]] = field(default_factory=dict)
    identity: dict[str, Principal] = field(default_factory=dict)
    _known: Revision | None = None
    _outcast: FieldgateError | None = None  # why the policy in force does not know this session's principal

    def __post_init__(self) -> None:
        self.identity[_PRINCIPAL] = self.login
        self._known = self.services.current()

    @property
    def principal(self) -> Principal:
        return self.identity[_PRINCIPAL]

    # -- our books: what sending a message changes is noted in its entry, and taken back if the server never gets to it

    def set_statement(self, entry: Reply, name: bytes, new: Statement | None, index: int = 0) -> None:
        self._unsettle(False, name, self.statements, entry)
        entry.note(_changed(self.statements, name, new, index))

    def set_portal(self, entry: Reply, name: bytes, new: Portal | None, index: int = 0) -> None:
        self._unsettle(True, name, self.portals, entry)
        entry.note(_changed(self.portals, name, new, index))

    def set_principal(self, entry: Reply, new: Principal, index: int = 0) -> None:
        entry.note(_changed(self.identity, _PRINCIPAL, new, index))

    def _unsettle(self, is_portal: bool, name: bytes, book: dict[bytes, Any], entry: Reply) -> None:
        mark = (is_portal, name)
        if name in book or mark in self.unsettled:
            self.unsettled[mark] = (self.queue.pushed + 1, entry.owed is Owed.QUERY)

    def settle_statement(self, name: bytes) -> None:
        self._settle((False, name))

    def settle_portal(self, name: bytes) -> None:
        self._settle((True, name))

    def _settle(self, mark: tuple[bool, bytes]) -> None:
        """Raises AnswersNeeded while the server may still have something else under this name than our book.

        That is so when a message before the last Sync, or a Query, gives the name another meaning: it may fail, and
        what comes next is carried out all the same.
        """
        found = self.unsettled.get(mark)
        if found is None:
            return
        number, may_fail_alone = found
        if not self.queue.owes(number):
            del self.unsettled[mark]
        elif number <= self.queue.last_sync or may_fail_alone:
            raise AnswersNeeded

    def open_copy(self) -> Reply | None:
        """Whose data the client's CopyData is."""
        entry = self.copy
        return entry if entry is not None and entry.takes_data and self.queue.owes(entry.number) else None

    # -- planning

    def revision(self) -> Revision:
        current = self.services.current()
        if current is not self._known:
            self._meet(current)
        return current

    def _meet(self, current: Revision) -> None:
        """A new revision may give this login other roles, or none: it is asked again who the session may be."""
        self._known, self._outcast = current, None
        try:
            self.login = self.services.identify(self.login)
            now = self.services.identify(self.principal)
        except FieldgateError as error:
            self._outcast = error
            return
        if now != self.principal:
            self.identity[_PRINCIPAL] = now

    def context(self) -> PlanContext:
        revision = self.revision()
        return PlanContext(revision.catalog, revision.decisions, self.principal, self.settings.search_path)

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
            made = self._filler = SlotFiller(ciphers, self.principal, values)
        return made

    def refusal_of(self, plan: StatementPlan) -> FieldgateError | None:
        """Why this plan may not run now: its own refusal, a setting that makes analysis unsound, no audit sink."""
        if plan.refusal is not None:
            return plan.refusal
        if (blocked := self.settings.blocking()) and (plan.touches_protected or _read_differently(plan)):
            return blocked
        if plan.effect in _RUNNERS:
            return self._refusal_to_run(plan)
        if not plan.touches_protected:
            return None
        if self._outcast is not None:
            return self._outcast
        if not self.services.audit_available():
            return AuditUnavailable(
                "no audit record can be written, so protected fields are not available",
                hint="Ask the operator to look at the audit sink.",
            )
        return None

    def _refusal_to_run(self, plan: StatementPlan) -> FieldgateError | None:
        """EXECUTE and FETCH may name what Parse and Bind made; there its values and its rows would go past us."""
        name = (plan.effect_value or "").encode()
        if plan.effect is SessionEffect.RUNS_STATEMENT:
            self.settle_statement(name)
            statement = self.statements.get(name)
        else:
            self.settle_portal(name)
            portal = self.portals.get(name)
            statement = portal.statement if portal is not None else None
        if statement is None:
            return None
        if statement.by_sql:
            return self.refusal_now(statement)
        inside = statement.plan
        if inside.touches_protected or inside.kind not in _RUNNABLE:
            return Unsupported(
                "EXECUTE and FETCH of what the extended protocol has prepared are not supported here",
                hint="Use Bind and Execute: the driver's own prepared statements and cursors.",
            )
        return None

    def refusal_now(self, statement: Statement) -> FieldgateError | None:
        """Why what was analysed before may not run any more; only rights and catalog count, names are long resolved."""
        revision, principal, path = statement.stamp
        if revision is not self.revision() or principal != self.principal:
            context = replace(self.context(), search_path=path)
            plan = self.services.planner.plan_statement(statement.text, statement.declared, context)
            if plan.refusal is not None:
                return plan.refusal
            if plan != statement.plan:
                return Refused("what this session may see has changed since this was bound", hint="Bind it again.")
            statement.stamp = (self.revision(), self.principal, path)
        return None if statement.by_sql else self.refusal_of(statement.plan)

    def draw(self, plans: tuple[StatementPlan, ...]) -> list[list[bytes]]:
        """Keys for one execution of each plan.  Raises KeysNeeded when they are not at hand."""
        counts = Counter(sequence for plan in plans for sequence in plan.draws)
        if not counts:
            return [[] for _ in plans]
        pools: dict[str, list[bytes]] = {}
        for sequence, count in counts.items():
            if (values := self.services.draw(sequence, count)) is None:
                raise KeysNeeded(dict(counts))
            pools[sequence] = values
        return [[pools[sequence].pop() for sequence in plan.draws] for plan in plans]

    def must_wait(self, entry: Reply) -> bool:
        """A record of this entry's is not durable yet."""
        return bool(entry.ticket and self.waiting) and min(self.waiting) <= entry.ticket

    def account(self, plans: tuple[StatementPlan, ...], refusals: tuple[FieldgateError | None, ...]) -> int:
        """Ask for one durable record of these decisions; 0 when none of them concerns protected fields."""
        decided = [
            (plan, refusal)
            for plan, refusal in zip(plans, refusals, strict=True)
            if plan.uses or plan.touches_protected or refusal is not None
        ]
        if not decided or not self.services.audit_available():
            return 0
        self.last_ticket += 1
        self.waiting.add(self.last_ticket)
        self.commands.append(RecordAudit(self.last_ticket, self._record(decided)))
        return self.last_ticket

    def _record(self, decided: list[tuple[StatementPlan, FieldgateError | None]]) -> dict[str, object]:
        refused = next((r for _, r in decided if r is not None), None)
        account = self._account([plan for plan, _ in decided])
        return {
            "at": datetime.now(UTC).isoformat(),
            "id": f"{self.record_prefix}{self.last_ticket:08x}",
            **self._who(),
            "decision": "deny" if refused is not None else "allow",
            "error": str(refused.sqlstate) if refused is not None else None,
            "fields": account.fields,
            "rules": account.rules,
            "kind": account.kind,
            "fingerprint": account.fingerprint,
            "revision": self.revision().decisions.revision,
            "session": self.session_id,
        }

    def _who(self) -> dict[str, object]:
        """The principal's part of an audit record; made anew when the principal is another."""
        who = self.principal
        if self._described is None or self._described[0] is not who:
            told = {"person": who.person, "login": who.login, "roles": sorted(who.roles)}
            own = {"controller": who.controller, "purpose": who.purpose, "case": who.case}
            self._described = (who, {**told, **own})
        return self._described[1]

    def _account(self, plans: list[StatementPlan]) -> Account:
        if len(plans) > 1:
            return Account.of(plans)
        (plan,) = plans
        found = self.accounts.get(id(plan))
        if found is None:
            if len(self.accounts) >= _ACCOUNTS_KEPT:
                self.accounts.clear()
            found = self.accounts[id(plan)] = Account.of(plans)
        return found

    def declared_upstream(self, plan: StatementPlan, declared: tuple[int, ...]) -> tuple[int, ...]:
        """Type OIDs for the physical parameters of a rewritten Parse; trailing zeros are left out."""
        oids: list[int] = []
        for slot in plan.slots:
            number = slot.source.parameter if slot.source is not None else None
            plain = slot.kind == "plain" and number is not None and number <= len(declared)
            oids.append(declared[number - 1] if plain and number is not None else 0)
        while oids and oids[-1] == 0:
            oids.pop()
        return tuple(oids)


def _read_differently(plan: StatementPlan) -> bool:
    """With other string literals or another encoding the server may see another statement than we have analysed."""
    text = b"".join(part for part in plan.segments if isinstance(part, bytes))
    return b"\\" in text or not text.isascii()


def _changed(book: dict[Any, Any], key: object, new: object, index: int) -> BookChange:
    change = BookChange(book, key, book.get(key), new, index)
    if new is None:
        book.pop(key, None)
    else:
        book[key] = new
    return change


def upstream_text(plan: StatementPlan, literals: Mapping[int, bytes] | None = None) -> bytes:
    """The statement's upstream text: slots as `$k`, or as the given literals."""
    parts = []
    for segment in plan.segments:
        if isinstance(segment, bytes):
            parts.append(segment)
        elif literals is None:
            parts.append(b"$%d" % (segment + 1))
        else:
            parts.append(literals[segment])
    return b"".join(parts)
