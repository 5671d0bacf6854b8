"""Rows of PostgreSQL's catalogs -> the planner's Catalog: what is protected, what shows it, whose reach is unknown.

Pure.  A relation *reaches* a protected table when a view or rule of it reads that table, when it is a parent of it
(reading a parent reads its children), or when it is its TOAST table; all of that transitively.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from policies.fields import DataMap, ProtectedTable
from proxy.sql.catalog import Catalog, Column, Relation
from proxy.sql.doors import Act, RelationDoor

from .catalog_doors import Objects, Surveyor
from .catalog_functions import Functions, Row, known_at_first, learn


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Rows of rules (what a relation's rules read) and of inheritance."""

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
            found[row["relation"]].add(row["target"])
        for row in self.inherits:
            found[row["parent"]].add(row["child"])
        return found


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was read, under one snapshot."""

    relations: Sequence[Row]
    columns: Sequence[Row]
    unique: Sequence[Row]
    types: dict[int, str]
    functions: Sequence[Row]
    objects: Objects
    dependencies: Dependencies
    checks: Sequence[Row] = ()  # CHECKs that say which field a column is


def assemble(
    data_map: DataMap, version: int, server_version: int, found: Found, before: Catalog | None = None
) -> Catalog:
    """`before`: what was known last, so that a protected table stays protected when it is renamed or moved.

    SQL functions are analysed under the catalog that is known so far; each that is harmless makes others so."""
    known = known_at_first(found.functions, data_map.harmless)
    protected = _protected(_named(data_map, found, before), found.relations, found.dependencies.parents())
    while True:
        catalog = _assemble(data_map, version, server_version, found, known, protected)
        more = learn(known, catalog, found.objects.parts)
        if more is None:
            return catalog
        known = more


def _assemble(
    data_map: DataMap,
    version: int,
    server_version: int,
    found: Found,
    functions: Functions,
    protected: Mapping[int, ProtectedTable],
) -> Catalog:
    reads = _reads(found)
    shown = {row["oid"]: _closure(row["oid"], reads) for row in found.relations}
    surveyor = Surveyor(found.objects, functions)
    doors = _doors(data_map, found, surveyor, shown, protected)
    by_table, keys, indexed = _columns(found.columns), _primary_keys(found.unique), _unique(found.unique, protected)
    made = {}
    for row in found.relations:
        oid = row["oid"]
        made[oid] = Relation(
            oid,
            row["schema"],
            row["name"],
            row["kind"],
            by_table.get(oid, ()),
            keys.get(oid, ()),
            protected.get(oid),
            row["definition"],
            frozenset(shown[oid] & protected.keys()) - {oid} if oid not in protected else frozenset(),
            row["has_triggers"],
            row["has_rules"],
            opaque=any(each.acts & Act.READ for each in doors.get(oid, ())),
            unique=indexed.get(oid, frozenset()),
            doors=doors.get(oid, ()),
        )
    return Catalog(
        version,
        data_map.database,
        server_version,
        made,
        {(relation.schema, relation.name): relation for relation in made.values()},
        functions.by_name(),
        found.types,
        surveyor.ambiguous_operators(),
        surveyor.named(),
        opened=data_map.harmless.of_postgres,
    )


def _reads(found: Found) -> dict[int, set[int]]:
    reads = found.dependencies.reads()
    for row in found.relations:
        if row["toast_of"] is not None:
            reads[row["oid"]].add(row["toast_of"])
    return reads


def _doors(
    data_map: DataMap,
    found: Found,
    surveyor: Surveyor,
    shown: Mapping[int, set[int]],
    protected: Mapping[int, ProtectedTable],
) -> dict[int, tuple[RelationDoor, ...]]:
    """Each relation's own, and those of everything that is read or written through it."""
    names = {row["oid"]: f"{row['schema']}.{row['name']}" for row in found.relations}
    reaching = {oid: names[oid] for oid in names if oid in protected or shown[oid] & protected.keys()}
    own = surveyor.of_relations(found.relations, found.columns, reaching, data_map.harmless.foreign_tables)
    own = surveyor.cascades(own)
    every = {oid: [own.get(each, ()) for each in (oid, *sorted(shown[oid]))] for oid in names}
    return {oid: tuple(dict.fromkeys(chain.from_iterable(each))) for oid, each in every.items() if any(each)}


def _named(data_map: DataMap, found: Found, before: Catalog | None) -> dict[int, ProtectedTable]:
    """By name; and what the data map named before it got another name, or holds cells of one of its fields."""
    ids = {f.sealing.field_id: t for t in data_map.tables.values() for f in t.fields.values() if f.sealing is not None}
    named = {}
    for row in found.checks:
        table = ids.get(row["name"].split("_")[1])
        if table is not None:
            named[row["oid"]] = table
    for row in found.relations:
        old = before.relations.get(row["oid"]) if before is not None else None
        was = data_map.tables.get((old.protected.schema, old.protected.table)) if old and old.protected else None
        table = data_map.tables.get((row["schema"], row["name"])) or was
        if table is not None:
            named[row["oid"]] = table
    return named


def _protected(
    named: Mapping[int, ProtectedTable], relations: Sequence[Row], parents: Mapping[int, list[int]]
) -> dict[int, ProtectedTable]:
    """Partitions and children of a protected table are that table."""
    found = dict(named)
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
