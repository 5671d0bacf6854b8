"""What the database says about roles and privileges, as data.  Made by `proxy.grants.live`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .privileges import ObjectKind, Privilege, Target


@dataclass(frozen=True, slots=True)
class Role:
    """`member_of` are all roles that it can act as or become, by any number of steps, whether inherited or by SET."""

    name: str
    superuser: bool = False
    bypass_rls: bool = False
    create_role: bool = False
    replication: bool = False
    member_of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """One entry of an access control list.  `privilege.role` is PUBLIC's empty name for everybody."""

    privilege: Privilege
    grantable: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A protected table, or something that holds or shows its rows.

    `protects` is the data map's table that it is, is part of (partitions, inheritance) or reads (views).
    """

    schema: str
    name: str
    kind: str  # pg_class.relkind
    owner: str
    protects: tuple[str, str]
    columns: tuple[str, ...]
    held: tuple[Held, ...] = ()

    @property
    def target(self) -> Target:
        return Target(ObjectKind.TABLE, self.schema, self.name)

    @property
    def is_root(self) -> bool:
        return (self.schema, self.name) == self.protects


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence that fills a column of a protected table."""

    schema: str
    name: str
    owner: str
    table: tuple[str, str]
    column: str
    held: tuple[Held, ...] = ()

    @property
    def target(self) -> Target:
        return Target(ObjectKind.SEQUENCE, self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Schema:
    name: str
    owner: str
    held: tuple[Held, ...] = ()

    @property
    def target(self) -> Target:
        return Target(ObjectKind.SCHEMA, self.name)


@dataclass(frozen=True, slots=True)
class Snapshot:
    database: str
    database_owner: str
    roles: Mapping[str, Role] = field(default_factory=dict)
    relations: Mapping[tuple[str, str], Relation] = field(default_factory=dict)
    sequences: tuple[Sequence, ...] = ()
    schemas: Mapping[str, Schema] = field(default_factory=dict)

    def held_on_protected(self) -> Iterator[Held]:
        """Every privilege on what holds, shows or numbers protected rows."""
        for relation in self.relations.values():
            yield from relation.held
        for sequence in self.sequences:
            yield from sequence.held
