"""What an audit record says of plans and of who runs them.  It is the same for each execution, so it is made once.

Tickets number a session's records: a reply waits for its own ticket and all before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from policies.audit.events import Template
from policies.model import Principal
from proxy.errors import FieldgateError
from proxy.sql.plan import StatementPlan

NARROWED = "narrowed"


@dataclass(slots=True)
class Tickets:
    """`oldest` is the smallest ticket whose record is not durable yet; one more than `last` when all are."""

    last: int = 0
    oldest: int = 1
    _early: set[int] = field(default_factory=set)  # durable before an older one

    def next(self) -> int:
        self.last += 1
        return self.last

    def durable(self, ticket: int) -> None:
        self._early.add(ticket)
        while self.oldest in self._early:
            self._early.remove(self.oldest)
            self.oldest += 1

    @property
    def open(self) -> bool:
        return self.oldest <= self.last

    def holds(self, ticket: int) -> bool:
        """Whether a reply with this ticket (0: it has none) must wait."""
        return ticket >= self.oldest


@dataclass(frozen=True, slots=True)
class Account:
    """Holds no value: names of fields, verbs and rules, kinds and fingerprints of statements."""

    plans: tuple[StatementPlan, ...]
    principal: Principal
    revision: str  # of the policy
    template: Template
    observed: str | None = None  # the SQLSTATE that passed, "narrowed", or None: nothing was observed

    def serves(self, principal: Principal, revision: str) -> bool:
        return self.principal is principal and self.revision == revision


def account_of(
    plans: Sequence[StatementPlan], who: Principal, revision: str, session: str, refused: FieldgateError | None = None
) -> Account:
    said = next((plan for plan in plans if plan.refusal is not None or plan.observed is not None), None)
    observed = next((plan.observed for plan in plans if plan.observed is not None), None)
    template = Template(
        {
            "person": who.person,
            "login": who.login,
            "roles": sorted(who.roles),
            "controller": who.controller,
            "purpose": who.purpose,
            "case": who.case,
            "subject": who.subject,
            "decision": "deny" if refused is not None else "observe" if observed is not None else "allow",
            "error": str(refused.sqlstate) if refused is not None else observed.sqlstate if observed else None,
            "fields": _fields(plans),
            "rules": sorted({rule for plan in plans for rule in plan.rules}),
            "parts": {name: {"rows": parts.least, "by": parts.columns} for plan in plans for name, parts in plan.parts},
            "kind": ",".join(dict.fromkeys(str(plan.kind) for plan in plans)),
            "fingerprint": ",".join(dict.fromkeys(plan.fingerprint for plan in plans)),
            "statement": said.outline or None if said is not None else None,
            "reason": said.reason if said is not None else None,
            "revision": revision,
            "session": session,
        }
    )
    passed = None if observed is None or refused is not None else observed.sqlstate or NARROWED
    return Account(tuple(plans), who, revision, template, passed)


def _fields(plans: Sequence[StatementPlan]) -> dict[str, list[str]]:
    """Each field with the verbs that were asked for."""
    fields: dict[str, list[str]] = {}
    for name, verb in sorted({(use.field, (use.verb.name or "").lower()) for plan in plans for use in plan.uses}):
        fields.setdefault(name, []).append(verb)
    return fields
