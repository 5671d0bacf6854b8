"""Who may log in at the admin port: a file of people, each with one name, their roles, and what they log in with.

    [people.olga]
    roles = ["key-admin"]
    certificates = ["olga.admins.example"]      # DNS names, or the common name of a certificate that has none
    oidc = ["f3b1c2..."]                        # the value of [admin.oidc] person_claim

However somebody logs in they are this one name, so that nobody approves what they themselves asked for by another
login.  The file is read again when it changes; a wrong one is refused and the one before stays.
"""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import field
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from policies.admin_rights import ONLY_READS, ROLES
from proxy.config import validation_problems
from proxy.errors import ConfigError, FieldgateError
from proxy.logs import Logger, describe

_STRICT = ConfigDict(extra="forbid", str_min_length=1)
_MOST_BYTES = 1 << 20
RESERVED = "fieldgate"

PersonName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]{0,63}$")]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Person:
    roles: frozenset[str]
    certificates: frozenset[str] = frozenset()
    oidc: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        unknown = sorted(self.roles - ROLES)
        if unknown or not self.roles:
            raise ValueError(f"roles are {', '.join(sorted(ROLES))}")
        if self.roles & ONLY_READS and len(self.roles) > 1:
            raise ValueError(f"who is {' or '.join(sorted(ONLY_READS))} only reads, and has no other role")


@dataclass(frozen=True, slots=True, config=_STRICT)
class People:
    people: dict[PersonName, Person] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if RESERVED in self.people:
            raise ValueError(f"{RESERVED} is the proxy itself, in whose name keys rotate by age")
        for kind in ("certificates", "oidc"):
            seen: dict[str, str] = {}
            for name, person in self.people.items():
                for value in getattr(person, kind):
                    if seen.setdefault(value, name) != name:
                        raise ValueError(f"{seen[value]} and {name} have the same entry in {kind}")

    def by_certificate(self, names: frozenset[str]) -> str | None:
        """The one person whom the certificate names; None when it is nobody, or more than one."""
        return self._one({name for name, person in self.people.items() if person.certificates & names})

    def by_oidc(self, value: str) -> str | None:
        return self._one({name for name, person in self.people.items() if value in person.oidc})

    def _one(self, found: set[str]) -> str | None:
        return next(iter(found)) if len(found) == 1 else None


def load_people(path: Path) -> People:
    """Raises ConfigError with file, line and key."""
    text = _read(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
    try:
        return TypeAdapter(People).validate_python(data)
    except ValidationError as error:
        raise ConfigError("\n".join(validation_problems(error, path, data, text))) from None


def _read(path: Path) -> str:
    try:
        found = path.stat()
        if stat.S_IMODE(found.st_mode) & 0o022 or found.st_uid not in (0, os.geteuid()):
            raise ConfigError(f"{path}: must be ours or root's, and writable by its owner alone")
        if found.st_size > _MOST_BYTES:
            raise ConfigError(f"{path}: is larger than {_MOST_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


class PeopleFile:
    """The people as the file has them now."""

    def __init__(self, path: Path, logger: Logger) -> None:
        """Raises ConfigError."""
        self._path, self._logger = path, logger
        self._mark = mark_of(path)
        self._people = load_people(path)

    def now(self) -> People:
        mark = mark_of(self._path)
        if mark != self._mark:
            self._mark = mark
            try:
                self._people = load_people(self._path)
                self._logger.info("admin_people_loaded", people=len(self._people.people))
            except FieldgateError as error:
                self._logger.error("admin_people_refused", **describe(error))
        return self._people


def mark_of(path: Path) -> tuple[int, ...]:
    """Another one when the file is another, or was changed."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode, found.st_uid)
