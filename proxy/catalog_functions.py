"""Of which functions it is known that they depend on their arguments only.  Pure.

Three ways to be known: the data map says so ([harmless]); the function is C code of an extension that was read (below);
or it is SQL whose text is analysed here and touches nothing protected and calls nothing unknown.  Everything else has
unknown reach, because it may be SECURITY DEFINER or run with a caller's rights over rows that are not the caller's.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policies.fields import Harmless
from proxy.errors import FieldgateError
from proxy.sql import functions
from proxy.sql.catalog import Catalog, Function
from proxy.sql.extensions import HARMLESS_EXTENSIONS
from proxy.sql.touch import look
from proxy.sql.tree import Node, RawStatement, nodes, parse_script, strings

Row = Mapping[str, Any]

_COMPILED = ("c", "internal")
# Made by `fieldgate seal` and `unseal`, by rotations (the write fence), and by deploy/catalog_events.sql.
_OWN = re.compile(
    r"fieldgate\.catalog_changed\(\)|[^.]+\.fg_(?:(?:new|open|fence|fence_row)_[0-9a-f]{32}|fence_[0-9a-f]{32}_key)\(\)"
)
_WRITES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "LockingClause"})


@dataclass(frozen=True, slots=True)
class Functions:
    """Every function outside pg_catalog and information_schema, and which of them are known."""

    rows: Mapping[int, Row]
    known: frozenset[int]
    volatile: frozenset[int]

    def unknown(self, oid: int) -> str | None:
        """The function's signature, when its reach is unknown."""
        row = self.rows.get(oid)
        return str(row["signature"]) if row is not None and oid not in self.known else None

    def by_name(self) -> dict[str, tuple[Function, ...]]:
        found: dict[str, set[Function]] = defaultdict(set)
        for oid, row in self.rows.items():
            aggregate = row["kind"] in ("a", "w")
            function = Function(row["schema"], row["name"], oid in self.known, oid in self.volatile, aggregate)
            found[row["name"]].add(function)
        order = sorted(found.items())
        return {name: tuple(sorted(each, key=lambda f: (f.schema, f.allowed, f.volatile))) for name, each in order}


def known_at_first(rows: Sequence[Row], harmless: Harmless) -> Functions:
    """By the data map and by extension."""
    by_oid = {row["oid"]: row for row in rows}
    known = {row["oid"] for row in rows if _declared(row, harmless) or _read(row)}
    volatile = {row["oid"] for row in rows if row["volatility"] == "v"}
    return Functions(by_oid, frozenset(known), frozenset(volatile))


def _declared(row: Row, harmless: Harmless) -> bool:
    if row["extension"] is not None and row["extension"] in harmless.extensions:
        return True
    if row["made_with_type"]:  # by PostgreSQL itself: the constructors of a range type
        return True
    return row["signature"] in harmless.functions or _OWN.fullmatch(row["signature"]) is not None


def _read(row: Row) -> bool:
    return row["extension"] in HARMLESS_EXTENSIONS and row["language"] in _COMPILED and not row["definer"]


def learn(found: Functions, catalog: Catalog, parts: Iterable[Row]) -> Functions | None:
    """One round more: SQL that calls what is known by now, and aggregates made of it.  None: nothing was learnt."""
    unknown = [row for oid, row in found.rows.items() if oid not in found.known]
    written = [_Body(row, catalog) for row in unknown if row["language"] == "sql" and row["kind"] == "f"]
    clean = [body for body in written if body.clean]
    learnt = {body.row["oid"] for body in clean} | _aggregates(found, parts)
    if learnt <= found.known:
        return None
    constant = {body.row["oid"] for body in clean if not body.volatile}
    return Functions(found.rows, found.known | learnt, found.volatile - constant)


def _aggregates(found: Functions, parts: Iterable[Row]) -> set[int]:
    """Those whose every part is known; `name` is set for a part of pg_catalog."""
    by_aggregate: dict[int, bool] = {}
    for part in parts:
        own = part["part"] in found.rows
        fine = part["part"] in found.known if own else not functions.reaches_beyond(part["name"])
        by_aggregate[part["oid"]] = by_aggregate.get(part["oid"], True) and fine
    return {oid for oid, fine in by_aggregate.items() if fine}


class _Body:
    """The text of one SQL function, with its signature and the defaults of its arguments."""

    def __init__(self, row: Row, catalog: Catalog) -> None:
        self.row = row
        self._catalog = catalog
        self.volatile = False
        try:
            self.clean = not row["settings"] and all(self._harmless(each) for each in self._statements())
        except FieldgateError:
            self.clean = False

    def _statements(self) -> list[RawStatement]:
        """The CREATE FUNCTION, for types, defaults and a body that is parsed already; and a body that is text."""
        [definition] = parse_script(self.row["definition"].encode())
        text = [] if "sql_body" in definition.body else parse_script(self.row["source"].encode())
        if any(statement.kind != "SelectStmt" for statement in text):
            raise FieldgateError("more than queries")
        return [definition, *text]

    def _harmless(self, statement: RawStatement) -> bool:
        defined = "funcname" in statement.body  # as PostgreSQL prints it under an empty search_path
        found = look(self._catalog, "", statement.body, () if defined else None)
        flat = nodes({statement.kind: statement.body})
        if found.refusal is not None or found.touches or found.sets:
            return False
        if any(kind in _WRITES or "intoClause" in body for kind, body in flat):
            return False
        return all(self._callable(body) for kind, body in flat if kind == "FuncCall")

    def _callable(self, call: Node) -> bool:
        names = strings(call["funcname"])
        others = self._catalog.functions.get(names[-1], ())
        self.volatile |= names[-1] in functions.VOLATILE or any(other.volatile for other in others)
        return functions.known(names[-1]) or bool(others)  # `look` has found all of `others` to be allowed
