"""Rows of PostgreSQL's catalogs -> the planner's Catalog: what is protected, what shows it, whose reach is unknown.

Pure.  A relation *reaches* a protected table when a view or rule of it reads that table, when it is a parent of it
(reading a parent reads its children), or when it is its TOAST table; all of that transitively.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policies.fields import DataMap, ProtectedTable
from proxy.sql.catalog import Catalog, Column, Function, Relation

Row = Mapping[str, Any]

# Extensions whose functions depend on their arguments only.  (Not tablefunc, dblink, file_fdw, lo, pg_stat_statements.)
HARMLESS_EXTENSIONS = frozenset(
    {
        "btree_gin",
        "btree_gist",
        "citext",
        "cube",
        "dict_int",
        "dict_xsyn",
        "earthdistance",
        "fuzzystrmatch",
        "hstore",
        "intarray",
        "isn",
        "ltree",
        "pg_trgm",
        "pgcrypto",
        "seg",
        "tcn",
        "unaccent",
        "uuid-ossp",
        "vector",
    }
)


@dataclass(frozen=True, slots=True)
class Extensions:
    """Functions and operators outside pg_catalog, with the extension that each belongs to."""

    functions: Sequence[Row]
    operators: Sequence[Row]

    def unknown_functions(self) -> set[int]:
        return {row["oid"] for row in self.functions if row["extension"] not in HARMLESS_EXTENSIONS}

    def unknown_operators(self) -> set[int]:
        return {row["oid"] for row in self.operators if row["extension"] not in HARMLESS_EXTENSIONS}

    def by_name(self) -> dict[str, tuple[Function, ...]]:
        found: dict[str, set[Function]] = defaultdict(set)
        for row in self.functions:
            allowed = row["extension"] in HARMLESS_EXTENSIONS
            found[row["name"]].add(Function(row["schema"], row["name"], allowed))
        return {name: tuple(sorted(each, key=lambda f: (f.schema, f.allowed))) for name, each in sorted(found.items())}

    def ambiguous_operators(self) -> frozenset[str]:
        unknown = self.unknown_operators()
        return frozenset(row["name"] for row in self.operators if row["oid"] in unknown and row["over_own_types"])


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Rows of rules (what a relation's rules read and call) and of inheritance."""

    rules: Sequence[Row]
    inherits: Sequence[Row]

    def parents(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for row in self.inherits:
            found[row["child"]].append(row["parent"])
        return found

    def reads(self) -> dict[int, set[int]]:
        """Relation -> the relations whose rows it shows."""
        found: dict[int, set[int]] = defaultdict(set)
        for row in self.rules:
            if row["kind"] == "pg_class":
                found[row["relation"]].add(row["target"])
        for row in self.inherits:
            found[row["parent"]].add(row["child"])
        return found

    def callers(self, functions: set[int], operators: set[int]) -> set[int]:
        """Relations whose rules call functions of unknown reach."""
        unknown = {"pg_proc": functions, "pg_operator": operators}
        return {row["relation"] for row in self.rules if row["target"] in unknown.get(row["kind"], ())}


def assemble(
    data_map: DataMap,
    version: int,
    server_version: int,
    *,
    relations: Sequence[Row],
    columns: Iterable[Row],
    unique: Iterable[Row],
    types: dict[int, str],
    extensions: Extensions,
    dependencies: Dependencies,
) -> Catalog:
    protected = _protected(data_map, relations, dependencies.parents())
    reads = dependencies.reads()
    for row in relations:
        if row["toast_of"] is not None:
            reads[row["oid"]].add(row["toast_of"])
    unknown = dependencies.callers(extensions.unknown_functions(), extensions.unknown_operators())
    by_table, keys, indexed = _columns(columns), _primary_keys(unique), _unique(unique, protected)
    made = {}
    for row in relations:
        oid = row["oid"]
        shown = _closure(oid, reads)
        made[oid] = Relation(
            oid,
            row["schema"],
            row["name"],
            row["kind"],
            by_table.get(oid, ()),
            keys.get(oid, ()),
            protected.get(oid),
            row["definition"],
            frozenset(shown & protected.keys()) - {oid} if oid not in protected else frozenset(),
            row["has_triggers"],
            row["has_rules"],
            opaque=not unknown.isdisjoint({oid, *shown}),
            unique=indexed.get(oid, frozenset()),
        )
    return Catalog(
        version,
        data_map.database,
        server_version,
        made,
        {(relation.schema, relation.name): relation for relation in made.values()},
        extensions.by_name(),
        types,
        extensions.ambiguous_operators(),
    )


def _protected(
    data_map: DataMap, relations: Sequence[Row], parents: Mapping[int, list[int]]
) -> dict[int, ProtectedTable]:
    """Partitions and children of a protected table are that table."""
    named = {row["oid"]: data_map.tables.get((row["schema"], row["name"])) for row in relations}
    found = {oid: table for oid, table in named.items() if table is not None}
    for row in relations:
        for above in _closure(row["oid"], {child: set(each) for child, each in parents.items()}):
            table = named.get(above)
            if table is not None:
                found.setdefault(row["oid"], table)
    return found


def _closure(start: int, edges: Mapping[int, set[int]]) -> set[int]:
    seen: set[int] = set()
    pending = [*edges.get(start, ())]
    while pending:
        oid = pending.pop()
        if oid not in seen:
            seen.add(oid)
            pending.extend(edges.get(oid, ()))
    return seen


def _columns(rows: Iterable[Row]) -> dict[int, tuple[Column, ...]]:
    found: dict[int, list[Column]] = defaultdict(list)
    for row in rows:
        found[row["oid"]].append(
            Column(
                row["name"],
                row["position"],
                row["type_oid"],
                row["typmod"],
                row["not_null"],
                row["has_default"],
                row["generated"],
                row["identity_always"],
                row["default_sequence"],
            )
        )
    return {oid: tuple(each) for oid, each in found.items()}


def _primary_keys(rows: Iterable[Row]) -> dict[int, tuple[str, ...]]:
    return {row["oid"]: tuple(row["columns"]) for row in rows if row["is_primary"]}


def _unique(rows: Iterable[Row], protected: Mapping[int, ProtectedTable]) -> dict[int, frozenset[str]]:
    """Columns in unique indexes; a term column stands for the field that it is the term of."""
    found: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        table = protected.get(row["oid"])
        terms = {f.term_column: f.column for f in table.fields.values() if f.term_column} if table is not None else {}
        found[row["oid"]].update(terms.get(name, name) for name in row["columns"])
    return {oid: frozenset(names) for oid, names in found.items()}
