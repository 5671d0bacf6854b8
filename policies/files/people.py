"""logins.toml and rowfilters.toml: who logs in, and which rows a role sees."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from policies.closure import closure
from policies.fields import DataMap
from policies.model import RowFilter
from policies.policy_set import LONGEST_SAID, Login, LoginKind, Role, RoleFilter, is_sayable

from .datamap import split_table
from .registers import cited, known_texts, one_of
from .toml import Section

ATTRIBUTES = ("subject",)


def read_logins(
    root: Section, roles: Mapping[str, Role], purposes: Collection[str], controller: str
) -> dict[str, Login]:
    root.only("login")
    logins = {}
    for name, section in root.sections("login"):
        section.only(
            "kind", "roles", "purpose", "controller", "subject", "upstream_role", "names_person"
        )  # fmt: skip
        if not name or "\0" in name or len(name.encode()) > 63:
            raise section.error("is no name for a login")
        logins[name] = _login(name, section, roles, purposes, controller)
    return logins


def _login(name: str, section: Section, roles: Mapping[str, Role], purposes: Collection[str], controller: str) -> Login:
    kind = one_of(section, "kind", LoginKind)
    mine = known_texts(section, "roles", roles, "role")
    subject = section.optional_text("subject")
    if subject is not None and not is_sayable(subject):
        raise section.error(f"must be at most {LONGEST_SAID} printable characters", "subject")
    inherits = {role.name: role.inherits for role in roles.values()}
    if kind is LoginKind.PERSON and subject is None and any(roles[r].own_rows for r in closure(mine, inherits)):
        raise section.error("is missing: a role of this login sees only its own rows", "subject")
    if section.text("controller", controller) != controller:
        raise section.error(f'must be the data map\'s ("{controller}")', "controller")
    names_person = section.flag("names_person")
    if names_person and kind is LoginKind.PERSON:
        raise section.error("is for services", "names_person")
    return Login(
        name,
        kind,
        frozenset(mine),
        _purpose(section, [roles[r] for r in mine], purposes),
        controller,
        section.text("upstream_role", name),
        subject,
        names_person,
    )


def _purpose(section: Section, roles: list[Role], purposes: Collection[str]) -> str:
    own = section.optional_text("purpose")
    if own is not None:
        if own not in purposes:
            raise section.error(f'unknown purpose "{own}"', "purpose")
        return own
    of_roles = {role.purpose for role in roles}
    if len(of_roles) != 1:
        raise section.error("is missing: its roles do not agree on one", "purpose")
    return of_roles.pop()


def read_filters(
    root: Section, roles: Mapping[str, Role], data_map: DataMap, clauses: Collection[str]
) -> tuple[RoleFilter, ...]:
    root.only("filter")
    filters: dict[tuple[str, str, str], RoleFilter] = {}
    for section in root.array("filter"):
        section.only("role", "table", "column", "attribute", "clauses")
        role = section.text("role")
        if role not in roles or not roles[role].own_rows:
            raise section.error("must be a role with own_rows = true", "role")
        made = RoleFilter(role, _filter(section, data_map), cited(section, clauses))
        key = (role, made.filter.schema, made.filter.table)
        if filters.setdefault(key, made) is not made:
            raise section.error("this role has a filter for this table already", "table")
    return tuple(filters.values())


def _filter(section: Section, data_map: DataMap) -> RowFilter:
    schema, name = split_table(section.text("table"))
    table = data_map.tables.get((schema, name))
    if table is None:
        raise section.error("is not in the data map", "table")
    column = section.text("column")
    if column not in table.fields or table.fields[column].sealing is not None:
        raise section.error("must be a column of the table that is stored plain", "column")
    attribute = section.text("attribute", "subject")
    if attribute not in ATTRIBUTES:
        raise section.error(f"must be one of: {', '.join(ATTRIBUTES)}", "attribute")
    return RowFilter(schema, name, column, attribute)
