"""All state of one analysed conversation, as data; the modules beside it are functions over it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from policies.model import Principal
from proxy.errors import AuditUnavailable, FieldgateError
from proxy.rows.params import SlotFiller
from proxy.sql.plan import StatementPlan
from proxy.sql.planner import PlanContext

from .account import Account
from .commands import Command, RecordAudit
from .replies import Portal, ReplyQueue, Statement
from .services import Revision, SessionServices
from .settings import SessionSettings

_ACCOUNTS_KEPT = 256


class KeysNeeded(Exception):
    """The message at hand cannot be sent before keys have been drawn; nothing has been changed yet."""

    def __init__(self, counts: dict[str, int]) -> None:
        super().__init__("keys are drawn first")
        self.counts = counts


@dataclass(slots=True)
class SessionState:
    services: SessionServices
    principal: Principal
    settings: SessionSettings
    session_id: str
    queue: ReplyQueue = field(default_factory=ReplyQueue)
    statements: dict[bytes, Statement] = field(default_factory=dict)
    portals: dict[bytes, Portal] = field(default_factory=dict)
    to_server: list[bytes] = field(default_factory=list)
    to_client: list[bytes] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    skipping: bool = False  # the server drops everything until Sync, and so do we
    copy_open: bool = False  # a COPY was sent, and the client has not ended its data
    copy_in: bool = False  # ... and the server has said that it takes the data
    closing: bool = False
    waiting: set[int] = field(default_factory=set)  # audit tickets that are not durable yet
    last_ticket: int = 0
    record_prefix: str = field(default_factory=lambda: secrets.token_hex(8))  # of the ids of audit records
    _filler: SlotFiller | None = None
    _described: tuple[Principal, dict[str, object]] | None = None
    accounts: dict[int, Account] = field(default_factory=dict)  # by id(plan), which `Account` keeps alive

    def revision(self) -> Revision:
        return self.services.current()

    def context(self) -> PlanContext:
        revision = self.revision()
        return PlanContext(revision.catalog, revision.decisions, self.principal, self.settings.search_path)

    def stamp(self) -> object:
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
        if not plan.touches_protected:
            return None
        if blocked := self.settings.blocking():
            return blocked
        if not self.services.audit_available():
            return AuditUnavailable(
                "no audit record can be written, so protected fields are not available",
                hint="Ask the operator to look at the audit sink.",
            )
        return None

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

    def account(self, plans: tuple[StatementPlan, ...], refusals: tuple[FieldgateError | None, ...]) -> int:
        """Ask for one durable record of these decisions; 0 when none of them concerns protected fields."""
        decided = [
            (plan, refusal)
            for plan, refusal in zip(plans, refusals, strict=True)
            if plan.uses or plan.touches_protected or plan.refusal is not None
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
