"""The privileges that each upstream role should hold: those, and no others, that its logins' statements need.  Pure.

An upstream role serves several logins for several purposes, so it gets what any of them may do for any purpose; within
that, the planner decides.  What is written down for each privilege is why: the verbs and the lines of the policy.
"""

from __future__ import annotations

from collections.abc import Iterable

from policies.engine import CompiledDecisions
from policies.fields import ProtectedTable
from policies.model import READ_VERBS, Principal, TableRights, Verb
from policies.physical import selectable
from policies.policy_set import PolicySet

from .privileges import ObjectKind, Privilege, Target
from .snapshot import Sequence, Snapshot

Wanted = dict[Privilege, set[str]]

_ANY_CASE = "any"


def wanted(policy: PolicySet, snapshot: Snapshot, control_role: str | None = None) -> Wanted:
    """`control_role` draws the keys of rows with bound cells, so it needs their sequences."""
    decisions = CompiledDecisions(policy)
    found: Wanted = {}
    acting = {(role, decisions.rights_key(principal)): principal for principal, role in _principals(policy)}
    for (role, _), principal in acting.items():
        for name, table in policy.data_map.tables.items():
            rights = decisions.table_rights(principal, *name)
            if name in snapshot.relations and any(field.verbs for field in rights.fields.values()):
                _table(found, role, table, rights, [s for s in snapshot.sequences if s.table == name])
    if control_role is not None:
        _drawn_keys(found, control_role, policy, snapshot.sequences)
    return found


def upstream_roles(policy: PolicySet) -> frozenset[str]:
    return frozenset(login.upstream_role for login in policy.logins.values())


def _principals(policy: PolicySet) -> Iterable[tuple[Principal, str]]:
    for login in policy.logins.values():
        for purpose in policy.purposes:
            principal = Principal(
                login.name, login.name, login.roles, login.controller, purpose, login.subject, _ANY_CASE
            )
            yield principal, login.upstream_role


def _table(found: Wanted, role: str, table: ProtectedTable, rights: TableRights, sequences: list[Sequence]) -> None:
    target = Target(ObjectKind.TABLE, table.schema, table.table)
    readable = selectable(table, rights)
    for column, verbs in readable.items():
        _add(found, Privilege(role, target, "SELECT", column), verbs, _rules(rights, table, column))
    inserts = False
    for column, field in rights.fields.items():
        for verb in field.verbs & (Verb.INSERT | Verb.UPDATE):
            inserts = inserts or verb is Verb.INSERT
            _add(found, Privilege(role, target, verb.name or "", column), verb, field.rules)
    if rights.deletes_rows:
        rules = {rule for field in rights.fields.values() for rule in field.rules}
        _add(found, Privilege(role, target, "DELETE"), Verb.DELETE, rules)
    if inserts:
        for sequence in sequences:
            found.setdefault(Privilege(role, sequence.target, "USAGE"), set()).add(f"insert into {table.table}")
            if _sees_all(rights, sequence):
                found.setdefault(Privilege(role, sequence.target, "SELECT"), set()).add(f"dump {table.table}")
            _schema(found, role, sequence.schema, table)
    if any(field.verbs & (READ_VERBS | Verb.INSERT | Verb.UPDATE | Verb.DELETE) for field in rights.fields.values()):
        _schema(found, role, table.schema, table)


def _sees_all(rights: TableRights, sequence: Sequence) -> bool:
    """Who draws from a sequence and reads every number that it gave learns nothing from where it stands."""
    field = rights.fields.get(sequence.column)
    return field is not None and Verb.READ in field.verbs and rights.row_filter is None and not rights.min_group


def _schema(found: Wanted, role: str, schema: str, table: ProtectedTable) -> None:
    found.setdefault(Privilege(role, Target(ObjectKind.SCHEMA, schema), "USAGE"), set()).add(f"to reach {table.table}")


def _add(found: Wanted, privilege: Privilege, verbs: Verb, rules: Iterable[str]) -> None:
    reasons = found.setdefault(privilege, set())
    reasons |= {(verb.name or "").lower() for verb in verbs} or {"row key, row filter or parts"}
    reasons |= {rule for rule in rules if " allow " in rule}


def _rules(rights: TableRights, table: ProtectedTable, column: str) -> tuple[str, ...]:
    """Of the field that a physical column belongs to."""
    for field in table.fields.values():
        if column in (field.column, field.term_column, field.token_column):
            return rights.fields[field.column].rules
    return ()


def _drawn_keys(found: Wanted, role: str, policy: PolicySet, sequences: Iterable[Sequence]) -> None:
    for sequence in sequences:
        table = policy.data_map.tables[sequence.table]
        # While a field's form changes, plans for its sealed form are about when it is plain already.
        forms = [field.migrating or field.sealing for field in table.fields.values()]
        bound = any(sealing is not None and sealing.row_bound for sealing in forms)
        if bound and sequence.column == table.row_key:
            reason = {f"to draw row keys of {table.table}"}
            found.setdefault(Privilege(role, sequence.target, "USAGE"), set()).update(reason)
            _schema(found, role, sequence.schema, table)
