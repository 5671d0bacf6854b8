"""Which upstream roles could do more than the policy gives them (I2).  Pure: a snapshot in, findings out.

A role that is over-privileged in any of these ways is refused at start: what the planner withholds, such a role could
be made to read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from .privileges import PUBLIC, ObjectKind, Privilege, Target
from .snapshot import Held, Role, Snapshot

# Roles of PostgreSQL itself whose members read or write past privileges, or see what others do.
POWERFUL = frozenset(
    {
        "pg_database_owner",
        "pg_execute_server_program",
        "pg_maintain",
        "pg_monitor",
        "pg_signal_backend",
        "pg_stat_scan_tables",
        "pg_create_subscription",
    }
)
_POWERFUL_PREFIXES = ("pg_read_", "pg_write_")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`repair` says who can help: a statement of the plan, or a person."""

    role: str
    what: str
    repair: str = "fieldgate grants apply"


def verify(snapshot: Snapshot, wanted: Collection[Privilege], roles: Iterable[str]) -> tuple[Finding, ...]:
    """Everything wrong, not only the first."""
    found: list[Finding] = []
    for name in sorted(roles):
        role = snapshot.roles.get(name)
        if role is None:
            found.append(Finding(name, "does not exist", f'CREATE ROLE "{name}" LOGIN'))
            continue
        found += _attributes(role)
        found += _memberships(role)
        found += _ownership(role, snapshot)
        found += _excess(role, snapshot, wanted)
    return tuple(found)


def _attributes(role: Role) -> Iterator[Finding]:
    for has, word in (
        (role.superuser, "SUPERUSER"),
        (role.bypass_rls, "BYPASSRLS"),
        (role.create_role, "CREATEROLE"),
        (role.replication, "REPLICATION"),
    ):
        if has:
            yield Finding(role.name, f"has {word}", f'ALTER ROLE "{role.name}" NO{word}')


def _memberships(role: Role) -> Iterator[Finding]:
    for other in sorted(role.member_of):
        if other in POWERFUL or other.startswith(_POWERFUL_PREFIXES):
            yield Finding(role.name, f"is a member of {other}", f'REVOKE "{other}" FROM its members')


def _ownership(role: Role, snapshot: Snapshot) -> Iterator[Finding]:
    owned = [(f"the database {snapshot.database}", snapshot.database_owner)]
    owned += [(r.target.label, r.owner) for r in snapshot.relations.values()]
    owned += [(s.target.label, s.owner) for s in snapshot.sequences]
    owned += [(s.target.label, s.owner) for s in snapshot.schemas.values()]
    for what, owner in owned:
        if owner == role.name:
            yield Finding(role.name, f"owns {what}", "give it to another owner")
        elif owner in role.member_of:
            yield Finding(role.name, f"is a member of {owner}, who owns {what}", f'REVOKE "{owner}" FROM its members')
    superusers = sorted(name for name in role.member_of if name in snapshot.roles and snapshot.roles[name].superuser)
    for name in superusers:
        yield Finding(role.name, f"is a member of {name}, a superuser", f'REVOKE "{name}" FROM its members')


def _excess(role: Role, snapshot: Snapshot, wanted: Collection[Privilege]) -> Iterator[Finding]:
    """Privileges beyond the plan, however they come to the role."""
    beyond: dict[tuple[Target, str, str], list[str]] = {}
    for held in snapshot.held_on_protected():
        through = held.privilege.role
        if through in (role.name, PUBLIC) or through in role.member_of:
            mine = Privilege(role.name, held.privilege.target, held.privilege.name, held.privilege.column)
            if mine not in wanted or (held.grantable and through != PUBLIC):
                key = (mine.target, _name(mine, held, mine in wanted), through)
                beyond.setdefault(key, []).append(mine.column or "")
    for (target, name, through), columns in sorted(beyond.items()):
        yield _finding(role.name, target, name, through, [column for column in columns if column])


def _name(privilege: Privilege, held: Held, is_wanted: bool) -> str:
    return f"{privilege.name} WITH GRANT OPTION" if is_wanted and held.grantable else privilege.name


def _finding(role: str, target: Target, name: str, through: str, columns: list[str]) -> Finding:
    where = f" ({', '.join(sorted(columns))})" if columns else ""
    kind = "" if target.kind is ObjectKind.TABLE else f"{target.kind.lower()} "
    what = f"holds {name}{where} on {kind}{target.schema}.{target.name}, beyond the policy"
    if through == role:
        return Finding(role, what)
    if through == PUBLIC:
        return Finding(role, f"{what}, through PUBLIC")
    return Finding(role, f"{what}, through {through}", f'REVOKE it from "{through}", or that role from its members')
