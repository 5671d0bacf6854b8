"""What an audit record says of plans.  It is the same for each execution, so it is made once and kept with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from proxy.sql.plan import StatementPlan


@dataclass(frozen=True, slots=True)
class Account:
    """Holds no value: names of fields, verbs and rules, kinds and fingerprints of statements."""

    plans: tuple[StatementPlan, ...]
    fields: dict[str, list[str]]
    rules: list[str]
    kind: str
    fingerprint: str

    @staticmethod
    def of(plans: Sequence[StatementPlan]) -> Account:
        fields: dict[str, list[str]] = {}
        for name, verb in sorted({(use.field, (use.verb.name or "").lower()) for plan in plans for use in plan.uses}):
            fields.setdefault(name, []).append(verb)
        return Account(
            tuple(plans),
            fields,
            sorted({rule for plan in plans for rule in plan.rules}),
            ",".join(dict.fromkeys(str(plan.kind) for plan in plans)),
            ",".join(dict.fromkeys(plan.fingerprint for plan in plans)),
        )
