"""One validated policy: registers, data map, rules, row filters and logins, as frozen data.  Made by `policies.loader`.

A set is for one controller and one database.  Nothing here reads files or decides; `policies.engine` decides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum, StrEnum
from functools import cached_property

from .errors import PrincipalRefused
from .fields import DataMap, Field
from .model import Principal, RowFilter, Verb

ANY_TAG = "any"
ANY_PURPOSE = "*"
LONGEST_SAID = 200


class Effect(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


class LegalBasis(StrEnum):
    CONSENT = "consent"
    CHARTER = "charter"
    CONTRACT = "contract"
    LAW = "law"


class LoginKind(StrEnum):
    PERSON = "person"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Tag:
    """`parents` are the wider tag and the sets that hold it.  `named_only`: an allow for a wider tag stops here."""

    name: str
    title: str
    parents: tuple[str, ...]
    named_only: bool = False
    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    title: str
    purpose: str
    inherits: tuple[str, ...] = ()
    own_rows: bool = False


@dataclass(frozen=True, slots=True)
class Purpose:
    name: str
    title: str
    basis: LegalBasis
    clauses: tuple[str, ...]
    within: str | None = None
    case_required: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the policy.  `origin` is `file:line`; `purposes` holds ANY_PURPOSE for all of the register."""

    role: str
    tag: str
    verbs: Verb
    purposes: tuple[str, ...]
    effect: Effect
    clauses: tuple[str, ...]
    origin: str
    min_group: int = 0
    comment: str = ""

    @property
    def label(self) -> str:
        """How decisions and audit records name the rule."""
        return f"{self.origin} {self.effect} {'|'.join(self.clauses)}"


@dataclass(frozen=True, slots=True)
class RoleFilter:
    role: str
    filter: RowFilter
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Login:
    name: str
    kind: LoginKind
    roles: frozenset[str]
    purpose: str
    controller: str
    upstream_role: str
    subject: str | None = None
    names_person: bool = False


@dataclass(frozen=True)
class PolicySet:
    data_map: DataMap
    tags: Mapping[str, Tag]
    roles: Mapping[str, Role]
    purposes: Mapping[str, Purpose]
    clauses: Mapping[str, str]
    rules: tuple[Rule, ...]
    filters: tuple[RoleFilter, ...]
    logins: Mapping[str, Login]

    @property
    def controller(self) -> str:
        return self.data_map.controller

    def enforced(self) -> PolicySet:
        """Of what is in force: without the tables that are only observed."""
        data_map = self.data_map.enforced()
        return self if data_map is self.data_map else replace(self, data_map=data_map)

    @cached_property
    def revision(self) -> str:
        """SHA-256 of everything above as canonical JSON (sorted keys, no spaces): equal revisions decide equally."""
        parts = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def all_fields(self) -> Iterator[Field]:
        for table in self.data_map.tables.values():
            yield from table.fields.values()

    def principal(
        self,
        login: str,
        *,
        person: str | None = None,
        purpose: str | None = None,
        case: str | None = None,
        subject: str | None = None,
    ) -> Principal:
        """Who acts, once `login` has proved who it is.  A login that the policy does not know has no roles.

        `person` and `subject` are what a *service* says about the human being it acts for; from a person they are
        refused.  Raises PrincipalRefused.
        """
        for said in (person, case, subject):
            if said and not is_sayable(said):
                raise PrincipalRefused(f"person, case and subject are at most {LONGEST_SAID} printable characters")
        known = self.logins.get(login)
        if known is None:
            return self._stranger(login, person, purpose, case, subject)
        if known.kind is LoginKind.PERSON and (person not in (None, login) or subject not in (None, known.subject)):
            raise PrincipalRefused("only a service may act for somebody else")
        if known.names_person and not person:
            raise PrincipalRefused("this service must name the person for whom it acts")
        chosen = purpose or known.purpose
        self._check_purpose(chosen, case)
        who = person or login
        return Principal(login, who, known.roles, known.controller, chosen, subject or known.subject, case or None)

    def _stranger(
        self, login: str, person: str | None, purpose: str | None, case: str | None, subject: str | None
    ) -> Principal:
        if person not in (None, login) or subject is not None:
            raise PrincipalRefused("only a service may act for somebody else")
        if purpose:
            self._check_purpose(purpose, case)
        return Principal(login, login, frozenset(), self.controller, purpose or "", None, case or None)

    def _check_purpose(self, purpose: str, case: str | None) -> None:
        known = self.purposes.get(purpose)
        if known is None:
            raise PrincipalRefused("this purpose is not in the register")
        if known.case_required and not case:
            raise PrincipalRefused(f"purpose {known.name} needs a case")


def is_sayable(text: str) -> bool:
    """Whether a person, case or subject may be called so: it must have room in an audit record, and be read there."""
    return text.isprintable() and len(text) <= LONGEST_SAID


def _plain(value: object) -> object:
    """Dataclasses, enums and mappings as JSON's own types, the same for equal values."""
    if isinstance(value, Verb):
        return sorted(verb.name or "" for verb in value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _key(key: object) -> str:
    return json.dumps(key, ensure_ascii=False) if isinstance(key, tuple) else str(key)
