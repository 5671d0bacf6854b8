"""The whole policy as one table that a person can review: role, field, verbs, purposes.

`python -m policies.matrix [FOLDER]` prints it as CSV.  A role that has nothing over a field has one line with `-`.
Cases are taken as given, so that rights which need a case are shown too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from .engine import CompiledDecisions
from .loader import SHOP, load_policy
from .model import FieldRights, Principal, Verb
from .policy_set import ANY_PURPOSE, PolicySet, Role

HEADER = ("role", "field", "verbs", "min_group", "purposes")
NOTHING = "-"

Row = tuple[str, str, str, str, str]


def matrix(policy: PolicySet) -> Iterator[Row]:
    """Purposes with the same rights share a line."""
    decisions = CompiledDecisions(policy)
    for role in policy.roles.values():
        for field in policy.all_fields():
            by_rights: dict[tuple[str, str], list[str]] = {}
            for purpose in policy.purposes:
                principal = Principal("", "", frozenset([role.name]), policy.controller, purpose, case="any")
                rights = decisions.table_rights(principal, field.schema, field.table).fields[field.column]
                if rights.verbs:
                    by_rights.setdefault((verb_names(rights.verbs), _group(rights)), []).append(purpose)
            yield from _rows(policy, role, field.name, by_rights)


def _rows(policy: PolicySet, role: Role, field: str, by_rights: dict[tuple[str, str], list[str]]) -> Iterator[Row]:
    if not by_rights:
        yield role.name, field, NOTHING, "", ""
    for (verbs, group), purposes in by_rights.items():
        everywhere = len(purposes) == len(policy.purposes)
        yield role.name, field, verbs, group, ANY_PURPOSE if everywhere else "|".join(purposes)


def verb_names(verbs: Verb) -> str:
    return "|".join((verb.name or "").lower() for verb in verbs)


def _group(rights: FieldRights) -> str:
    return str(rights.min_group) if rights.min_group else ""


def text(policy: PolicySet) -> str:
    """As CSV; no cell needs quotes, since all are names."""
    return "".join(",".join(row) + "\n" for row in (HEADER, *matrix(policy)))


if __name__ == "__main__":
    sys.stdout.write(text(load_policy(Path(sys.argv[1]) if len(sys.argv) > 1 else SHOP)))
