"""Who may do what at the admin port: Casbin over a policy that comes with the package (policies/admin).  Default deny.

Things are `keys`, `operations`, `escrow` and the kinds of operations; acts are `read`, `export`, `import`, and for a
kind `request`, `approve`, `steer`.  Roles inherit (`g` lines).  Who approves is never who asked, whatever the policy
says: that is the service's and the database's own rule.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from .errors import PolicyError
from .oracle import plain_enforcer

FOLDER = Path(__file__).parent / "admin"
ROLES = frozenset({"key-admin", "security-admin", "auditor", "dpo"})
ONLY_READS = frozenset({"auditor"})  # a person with this role has no other


class AdminRights:
    """Asked for each request: a dozen rules cost a tenth of a millisecond."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Raises PolicyError."""
        rules, links = _rows(folder / "policy.csv")
        self._enforcer = plain_enforcer(folder / "model.conf", rules, links)

    def allows(self, roles: Iterable[str], thing: str, act: str) -> bool:
        """Does one of the roles allow it?  A role that is not known allows nothing."""
        return any(role in ROLES and self._enforcer.enforce(role, thing, act) for role in roles)


def _rows(path: Path) -> tuple[list[list[str]], list[list[str]]]:
    rules: list[list[str]] = []
    links: list[list[str]] = []
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.reader(file, skipinitialspace=True), 1):
            if not row or row[0].startswith("#"):
                continue
            kind, *rest = (cell.strip() for cell in row)
            if (kind, len(rest)) == ("p", 3):
                rules.append(rest)
            elif (kind, len(rest)) == ("g", 2):
                links.append(rest)
            else:
                raise PolicyError("is neither p, role, thing, act nor g, role, role", file=path.name, line=number)
    return rules, links
