"""A folder of policy files -> one validated, frozen PolicySet, or a PolicyError with file, line and key.

Contract: all eight files must be there and no other `.toml` or `.csv` may be (a misspelt file name is a mistake, not a
rule that silently does not count).  Nothing is guessed and nothing is skipped.
"""

from __future__ import annotations

from pathlib import Path

from .engine import CompiledDecisions
from .errors import PolicyError
from .files.datamap import read_datamap, table_section
from .files.people import read_filters, read_logins
from .files.registers import read_clauses, read_purposes, read_roles, read_tags
from .files.rules import Registers, read_rules
from .files.toml import Section, parse
from .policy_set import PolicySet

SHOP = Path(__file__).parent / "shop"
"""The sample policy that comes with the package."""

FILES = (
    "clauses.toml", "tags.toml", "purposes.toml", "roles.toml", "datamap.toml", "policy.csv", "rowfilters.toml",
    "logins.toml",
)  # fmt: skip
_MAX_BYTES = 8 << 20


def load_policy(folder: Path) -> PolicySet:
    """Raises PolicyError."""
    _check_folder(folder)
    clauses = read_clauses(_toml(folder, "clauses.toml"))
    tags = read_tags(_toml(folder, "tags.toml"))
    purposes = read_purposes(_toml(folder, "purposes.toml"), clauses)
    roles = read_roles(_toml(folder, "roles.toml"), purposes)
    map_file = _toml(folder, "datamap.toml")
    data_map = read_datamap(map_file, tags)
    rules = read_rules("policy.csv", _text(folder, "policy.csv"), Registers(tags, roles, purposes, clauses))
    filters = read_filters(_toml(folder, "rowfilters.toml"), roles, data_map, clauses)
    logins = read_logins(_toml(folder, "logins.toml"), roles, purposes, data_map.controller)
    made = PolicySet(data_map, tags, roles, purposes, clauses, rules, filters, logins)
    _check_own_rows(made)
    _check_parts(made, map_file)
    return made


def _check_own_rows(policy: PolicySet) -> None:
    """A role that sees only its own rows must have a filter wherever it has any right: none is no filter at all."""
    decisions = CompiledDecisions(policy)
    for role in policy.roles.values():
        if not role.own_rows:
            continue
        filtered = {(f.filter.schema, f.filter.table) for f in policy.filters if f.role == role.name}
        for schema, table in policy.data_map.tables:
            if (schema, table) not in filtered and decisions.ever_allows(role.name, schema, table):
                raise PolicyError(
                    f"role {role.name} has own_rows and rights in {schema}.{table}, but no filter says which rows",
                    file="rowfilters.toml",
                    line=1,
                )


def _check_parts(policy: PolicySet, map_file: Section) -> None:
    """The order is of columns by which somebody may group: one more would part rows that nobody can tell apart."""
    decisions = CompiledDecisions(policy)
    for name, table in policy.data_map.tables.items():
        known = decisions.parts(*name).columns
        for column in table.parts:
            if column not in known:
                raise table_section(map_file, name).error(
                    f'nobody who may see this table in groups only may group by "{column}"', "parts"
                )


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise PolicyError("is no folder", file=str(folder))
    found = {path.name for path in folder.iterdir() if path.suffix in (".toml", ".csv")}
    for name in FILES:
        if name not in found:
            raise PolicyError("is missing", file=name)
    for name in sorted(found - set(FILES)):
        raise PolicyError(f"is no file of a policy (known: {', '.join(FILES)})", file=name)


def _toml(folder: Path, name: str) -> Section:
    return parse(name, _text(folder, name))


def _text(folder: Path, name: str) -> str:
    try:
        with (folder / name).open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise PolicyError(f"cannot be read: {error.strerror}", file=name) from None
    if len(raw) > _MAX_BYTES:
        raise PolicyError(f"is larger than {_MAX_BYTES} bytes", file=name)
    try:
        return raw.decode("utf-8-sig")  # spreadsheets put a mark in front
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise PolicyError("is not UTF-8 here", file=name, line=line) from None
