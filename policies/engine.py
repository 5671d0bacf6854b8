"""The decision: which verbs a role set has over each field of a table.  Compiled once per revision; default deny.

`CompiledDecisions` works out the closures of roles, tags and purposes by itself and takes the denied verbs away last.
It must decide exactly as Casbin's `enforce` would on the same rules: `policies.oracle` compares them, on every publish
and in the tests.  Pure: no I/O, no Casbin.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from .closure import closure
from .fields import ProtectedTable
from .model import NO_VERBS, FieldRights, Parts, Principal, RowFilter, TableRights, Verb
from .parts import is_grouped_only, parts_of
from .policy_set import ANY_PURPOSE, Effect, PolicySet, Rule, Tag

_NOTHING = FieldRights(NO_VERBS)
_NO_TABLE = TableRights()
_GROUP_VERBS = Verb.GROUP | Verb.AGGREGATE
_MAX_COMPILED = 256


class DecisionTable(Protocol):
    """One published, immutable revision."""

    @property
    def revision(self) -> str: ...

    def table_rights(self, principal: Principal, schema: str, table: str) -> TableRights:
        """Rights over every field of the data map's table; a field without rights has FieldRights(NO_VERBS)."""
        ...

    def rights_key(self, principal: Principal) -> object:
        """Hashable: principals with equal keys have equal rights for every table, so they share plans."""
        ...


@dataclass(frozen=True, slots=True)
class _Key:
    """What rights depend on.  `active` False: nothing is allowed (unknown purpose, other controller, no case)."""

    active: bool
    roles: frozenset[str] = frozenset()
    purpose: str = ""


_Rights = dict[tuple[str, str], TableRights]


class CompiledDecisions:
    """The decision table of one policy set; rights of a role set for a purpose are compiled when first asked for."""

    def __init__(self, policy: PolicySet, *, max_compiled: int = _MAX_COMPILED) -> None:
        self._policy = policy
        self._max_compiled = max_compiled
        self._compiled: OrderedDict[_Key, _Rights] = OrderedDict()
        self._roles = {role.name: role.inherits for role in policy.roles.values()}
        self._purposes = {p.name: (p.within,) if p.within else () for p in policy.purposes.values()}
        self._reach = {
            tag: _Reach(_above(tag, policy.tags, False), _above(tag, policy.tags, True)) for tag in policy.tags
        }

    @property
    def revision(self) -> str:
        return self._policy.revision

    def rights_key(self, principal: Principal) -> Hashable:
        return self._key(principal)

    def table_rights(self, principal: Principal, schema: str, table: str) -> TableRights:
        return self._rights(self._key(principal)).get((schema, table), _NO_TABLE)

    def ever_allows(self, role: str, schema: str, table: str) -> bool:
        """Has the role any right over the table for any purpose?"""
        keys = (_Key(True, frozenset([role]), purpose) for purpose in self._policy.purposes)
        return any(
            rights.verbs for key in keys for rights in self._compile(key)[schema, table].fields.values()
        )  # fmt: skip

    def _key(self, principal: Principal) -> _Key:
        purpose = self._policy.purposes.get(principal.purpose)
        if purpose is None or principal.controller != self._policy.controller:
            return _Key(False)
        if purpose.case_required and not principal.case:
            return _Key(False)
        return _Key(True, principal.roles, purpose.name)

    def _rights(self, key: _Key) -> _Rights:
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = self._compile(key)
            if len(self._compiled) > self._max_compiled:
                self._compiled.popitem(last=False)
        self._compiled.move_to_end(key)
        return found

    def parts(self, schema: str, table: str) -> Parts:
        """Of what figures over a table of the data map are made, where someone may see it in groups only."""
        return self._parts[schema, table]

    @cached_property
    def _parts(self) -> dict[tuple[str, str], Parts]:
        tables, grouping = self._policy.data_map.tables, {rule.role for rule in self._policy.rules if rule.min_group}
        roles = [role for role in self._roles if not grouping.isdisjoint(closure([role], self._roles))]
        by_tags = [
            self._by_tag(closure([role], self._roles), purpose) for role in roles for purpose in self._policy.purposes
        ]
        return {name: parts_of(table, [_fields(table, by_tag) for by_tag in by_tags]) for name, table in tables.items()}

    def _compile(self, key: _Key) -> _Rights:
        roles = closure(key.roles, self._roles) if key.active else frozenset()
        by_tag = self._by_tag(roles, key.purpose)
        return {name: self._table(name, roles, by_tag) for name in self._policy.data_map.tables}

    def _by_tag(self, roles: frozenset[str], purpose: str) -> Mapping[str, FieldRights]:
        purposes = closure([purpose], self._purposes) | {ANY_PURPOSE}
        rules = [r for r in self._policy.rules if r.role in roles and not purposes.isdisjoint(r.purposes)]
        return {tag: _field_rights(rules, reach) for tag, reach in self._reach.items()} if rules else {}

    def _table(self, name: tuple[str, str], roles: frozenset[str], by_tag: Mapping[str, FieldRights]) -> TableRights:
        table = self._policy.data_map.tables[name]
        filters = {
            f.filter for f in self._policy.filters if f.role in roles and (f.filter.schema, f.filter.table) == name
        }
        if len(filters) > 1:  # two filters that do not agree: no rows would be the answer, so nothing is allowed
            return TableRights(dict.fromkeys(table.fields, _NOTHING))
        fields = _fields(table, by_tag)
        least = max((r.min_group for r in fields.values()), default=0)
        hidden = least and any(is_grouped_only(rights) for rights in fields.values())
        return TableRights(fields, _only(filters), least, self.parts(*name) if hidden else None)


def _fields(table: ProtectedTable, by_tag: Mapping[str, FieldRights]) -> dict[str, FieldRights]:
    return {column: by_tag.get(field.tag, _NOTHING) for column, field in table.fields.items()}


@dataclass(frozen=True, slots=True)
class _Reach:
    """The tags whose rules reach a tag.  A deny reaches further: named_only does not stop it."""

    allow: frozenset[str]
    deny: frozenset[str]


def _above(tag: str, tags: Mapping[str, Tag], past_named_only: bool) -> frozenset[str]:
    parents = {t.name: t.parents if past_named_only or not t.named_only else () for t in tags.values()}
    return closure([tag], parents)


def _field_rights(rules: Iterable[Rule], reach: _Reach) -> FieldRights:
    allowed = denied = NO_VERBS
    min_group = 0
    labels = []
    for rule in rules:
        if rule.tag not in (reach.allow if rule.effect is Effect.ALLOW else reach.deny):
            continue
        labels.append(rule.label)
        if rule.effect is Effect.DENY:
            denied |= rule.verbs
        else:
            allowed |= rule.verbs
            min_group = max(min_group, rule.min_group)
    verbs = allowed & ~denied
    return FieldRights(
        verbs,
        mask_null=Verb.MASK in verbs,
        rules=tuple(labels),
        min_group=min_group if verbs & _GROUP_VERBS else 0,
    )


def _only(filters: set[RowFilter]) -> RowFilter | None:
    return next(iter(filters), None)
