"""The difference between what the roles hold and what they should hold, as statements with reasons.  Pure.

Taking comes before giving: PostgreSQL takes a role's column privileges away together with the same privilege on the
table, so these are given again.  What no GRANT or REVOKE can repair (attributes, memberships, owners) stays a finding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .privileges import PUBLIC, Change, ObjectKind, Privilege, Target, grant, revoke, revoke_option
from .snapshot import Held, Snapshot
from .verify import Finding, verify
from .wanted import Wanted

_WITH_COLUMNS = ("SELECT", "INSERT", "UPDATE", "REFERENCES")

_Group = tuple[str, Target, str]  # role, target, privilege


@dataclass(frozen=True, slots=True)
class GrantPlan:
    """`changes` in the order in which they are executed; `findings` are left over when they have been."""

    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]

    @property
    def is_done(self) -> bool:
        return not self.changes and not self.findings


def plan(snapshot: Snapshot, wanted: Wanted, roles: Iterable[str]) -> GrantPlan:
    """Only `roles` and PUBLIC are changed; what other roles hold is their owner's business."""
    ours = {role for role in roles if role in snapshot.roles}
    held = [h for h in snapshot.held_on_protected() if h.privilege.role in ours or h.privilege.role == PUBLIC]
    excess = [h for h in held if h.privilege not in wanted]
    emptied = {_group(h.privilege) for h in excess if h.privilege.column is None}
    kept = {h.privilege for h in held if h.privilege in wanted and not _is_emptied(h.privilege, emptied)}
    kept |= {h.privilege for schema in snapshot.schemas.values() for h in schema.held}
    missing = {privilege: wanted[privilege] for privilege in wanted if privilege not in kept and privilege.role in ours}
    changes = [*_revokes(excess), *_revoked_options(held, wanted, emptied), *_grants(missing)]
    repaired = {"fieldgate grants apply"}
    findings = [f for f in verify(snapshot, wanted, roles) if f.repair not in repaired]
    return GrantPlan(tuple(changes), tuple(findings))


def _group(privilege: Privilege) -> _Group:
    return privilege.role, privilege.target, privilege.name


def _is_emptied(privilege: Privilege, emptied: set[_Group]) -> bool:
    return privilege.name in _WITH_COLUMNS and _group(privilege) in emptied


def _revokes(excess: list[Held]) -> list[Change]:
    """A whole table's privilege first; the columns' own vanish with it and need no line."""
    whole = {_group(h.privilege) for h in excess if h.privilege.column is None}
    columns: dict[_Group, list[str]] = {}
    for held in excess:
        if held.privilege.column is not None and _group(held.privilege) not in whole:
            columns.setdefault(_group(held.privilege), []).append(held.privilege.column)
    changes = [revoke(*group, (), _why_not(group)) for group in sorted(whole, key=_place)]
    return changes + [revoke(*group, sorted(columns[group]), _why_not(group)) for group in sorted(columns, key=_place)]


def _why_not(group: _Group) -> str:
    role, target, _ = group
    who = "everybody" if role == PUBLIC else role
    return f"no rule of the policy gives {who} this on {target.label}"


def _revoked_options(held: list[Held], wanted: Wanted, emptied: set[_Group]) -> list[Change]:
    groups: dict[_Group, list[str | None]] = {}
    for each in held:
        if each.grantable and each.privilege in wanted and not _is_emptied(each.privilege, emptied):
            groups.setdefault(_group(each.privilege), []).append(each.privilege.column)
    return [
        revoke_option(*group, groups[group], "privileges are given by the policy, not passed on")
        for group in sorted(groups, key=_place)
    ]


def _place(group: _Group) -> tuple[str, int, Target, str]:
    """By role; within a role from the schema to its tables to their sequences."""
    role, target, name = group
    return role, list(ObjectKind).index(target.kind), target, name


def _grants(missing: Wanted) -> list[Change]:
    groups: dict[_Group, list[Privilege]] = {}
    for privilege in missing:
        groups.setdefault(_group(privilege), []).append(privilege)
    changes = []
    for group in sorted(groups, key=_place):
        reasons = sorted(set().union(*(missing[privilege] for privilege in groups[group])))
        changes.append(grant(*group, [privilege.column for privilege in groups[group]], "; ".join(reasons)))
    return changes
