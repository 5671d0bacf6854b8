"""Privileges as data, and the SQL that gives or takes them.  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from proxy.sql.fragments import dotted, quoted

PUBLIC = ""  # as a grantee: everybody


class ObjectKind(StrEnum):
    SCHEMA = "SCHEMA"
    TABLE = "TABLE"
    SEQUENCE = "SEQUENCE"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """What a privilege is on.  A schema has no `name`."""

    kind: ObjectKind
    schema: str
    name: str = ""

    @property
    def sql(self) -> str:
        return quoted(self.schema) if self.kind is ObjectKind.SCHEMA else dotted(self.schema, self.name)

    @property
    def label(self) -> str:
        return f"{self.kind.lower()} {self.schema}{'.' if self.name else ''}{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Privilege:
    """`role` may do `name` (SELECT, USAGE, ...) on `target`; on one column of it when `column` is set."""

    role: str
    target: Target
    name: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One statement of a plan, and why it is there."""

    sql: str
    reason: str


def grant(role: str, target: Target, name: str, columns: Iterable[str | None], reason: str) -> Change:
    return Change(f"GRANT {_what(name, columns)} ON {target.kind} {target.sql} TO {_who(role)}", reason)


def revoke(role: str, target: Target, name: str, columns: Iterable[str | None], reason: str) -> Change:
    """With what the role passed on to others."""
    return Change(f"REVOKE {_what(name, columns)} ON {target.kind} {target.sql} FROM {_who(role)} CASCADE", reason)


def revoke_option(role: str, target: Target, name: str, columns: Iterable[str | None], reason: str) -> Change:
    """Takes only the right to pass the privilege on."""
    what = f"GRANT OPTION FOR {_what(name, columns)}"
    return Change(f"REVOKE {what} ON {target.kind} {target.sql} FROM {_who(role)} CASCADE", reason)


def _what(name: str, columns: Iterable[str | None]) -> str:
    named = [quoted(column) for column in columns if column is not None]
    return f"{name} ({', '.join(named)})" if named else name


def _who(role: str) -> str:
    return quoted(role) if role != PUBLIC else "PUBLIC"
