"""Rows of PostgreSQL's catalogs -> side doors: what calls a function of unknown reach unseen, and by which act.  Pure.

A door belongs to a relation, or to a name (operator, type, operator class), or to the whole database.  A relation also
has the doors of what is read or written through it: of its partitions and children, of what its view shows, and, where
a foreign key cascades, of the tables that refer to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from proxy.sql.doors import EVERYTHING, WRITES, Act, CastDoor, Door, Doors, NamedDoor, RelationDoor

from .catalog_functions import Functions, Row

_CASCADED = {"c": Act.DELETE, "n": Act.UPDATE, "d": Act.UPDATE | Act.DEFAULT}


@dataclass(frozen=True, slots=True)
class Objects:
    """Rows of catalog_queries, by what they are about."""

    parts: Sequence[Row] = ()
    operators: Sequence[Row] = ()
    types: Sequence[Row] = ()
    type_calls: Sequence[Row] = ()
    casts: Sequence[Row] = ()
    classes: Sequence[Row] = ()
    relation_calls: Sequence[Row] = ()
    cascades: Sequence[Row] = ()
    events: Sequence[Row] = ()


@dataclass(slots=True)
class Surveyor:
    """`functions` says what is unknown; the rest follows."""

    objects: Objects
    functions: Functions
    _operators: dict[int, Row] = field(init=False)
    _classes: dict[int, list[Row]] = field(init=False)
    _used: dict[int, Door] = field(init=False)  # type -> door that any value of it opens
    _converted: dict[int, Door] = field(init=False)  # type -> door that becoming one of it opens

    def __post_init__(self) -> None:
        self._operators = {row["oid"]: row for row in self.objects.operators}
        self._classes = defaultdict(list)
        for row in self.objects.classes:
            self._classes[row["oid"]].append(row)
        self._used, self._converted = {}, {}
        self._types()

    def _calls(self, kind: str, target: int) -> str | None:
        """What a reference to an object calls, when that is unknown."""
        match kind:
            case "pg_proc":
                return self.functions.unknown(target)
            case "pg_operator":
                row = self._operators.get(target)
                return self.functions.unknown(row["function"]) if row is not None else None
            case "pg_opclass":
                found = (self.functions.unknown(row["function"]) for row in self._classes.get(target, ()))
                return next(filter(None, found), None)
        return None

    def _door(self, what: str, kind: str, target: int) -> Door | None:
        """An object that uses a type converts values to it."""
        if kind == "pg_type":
            return self._used.get(target) or self._converted.get(target)
        calls = self._calls(kind, target)
        return Door(what, f"the function {calls}") if calls is not None else None

    def _types(self) -> None:
        names = {row["oid"]: f'the type "{row["schema"]}.{row["name"]}"' for row in self.objects.types}
        for row in self.objects.type_calls:
            kinds = self._converted if row["converts"] else self._used
            door = self._door(f"{row['what']} of {names.get(row['type'], 'a type')}", row["kind"], row["target"])
            if door is not None:
                kinds.setdefault(row["type"], door)
        for operator in self.objects.operators:
            calls = self.functions.unknown(operator["function"]) if operator["own_name"] else None
            for oid in operator["types"] if calls is not None else ():
                what = f'the operator "{operator["name"]}" of {names.get(oid, "a type")}'
                self._used.setdefault(oid, Door(what, f"the function {calls}"))
        self._spread()

    def _spread(self) -> None:
        """To the types that are made of others, however deep."""
        changed = True
        while changed:
            changed = False
            for row in self.objects.types:
                for doors in (self._used, self._converted):
                    found = next((doors[part] for part in row["parts"] if part in doors), None)
                    if found is not None and row["oid"] not in doors:
                        doors[row["oid"]] = found
                        changed = True

    def named(self) -> Doors:
        """Those that a statement opens by a name."""
        types: dict[str, list[NamedDoor]] = defaultdict(list)
        oids = {**self._converted, **self._used}
        for row in self.objects.types:
            if row["oid"] in oids:
                types[row["name"]].append(NamedDoor(row["schema"], oids[row["oid"]]))
        return Doors(
            self._named_operators(),
            {name: tuple(each) for name, each in types.items()},
            oids,
            self._named_classes(),
            self._casts(),
            self._events(),
        )

    def _named_operators(self) -> dict[str, tuple[NamedDoor, ...]]:
        """Those over types of the database's own with a name of PostgreSQL's count where such a type is."""
        found: dict[str, list[NamedDoor]] = defaultdict(list)
        for row in self.objects.operators:
            door = self._door(f'the operator "{row["schema"]}.{row["name"]}"', "pg_operator", row["oid"])
            if door is not None and not (row["own_name"] and row["types"]):
                found[row["name"]].append(NamedDoor(row["schema"], door))
        return {name: tuple(each) for name, each in found.items()}

    def _named_classes(self) -> dict[str, tuple[NamedDoor, ...]]:
        found: dict[str, list[NamedDoor]] = defaultdict(list)
        for oid, rows in self._classes.items():
            row = rows[0]
            door = self._door(f'the operator class "{row["schema"]}.{row["name"]}"', "pg_opclass", oid)
            if door is not None:
                found[row["name"]].append(NamedDoor(row["schema"], door))
        return {name: tuple(each) for name, each in found.items()}

    def _casts(self) -> tuple[CastDoor, ...]:
        found = []
        for row in self.objects.casts:
            door = self._door(f"the cast from {row['source_name']} to {row['target_name']}", "pg_proc", row["function"])
            if door is not None:
                names = frozenset({row["internal_name"], row["target_name"]})
                found.append(CastDoor(row["target"], names, row["context"], door))
        return tuple(found)

    def _events(self) -> Door | None:
        doors = (self._door(f'the event trigger "{e["name"]}"', "pg_proc", e["function"]) for e in self.objects.events)
        return next(filter(None, doors), None)

    def ambiguous_operators(self) -> dict[str, tuple[str, ...]]:
        """Names that may not mean PostgreSQL's own operator where protected data is compared, with their schemas."""
        found: dict[str, set[str]] = defaultdict(set)
        for row in self.objects.operators:
            unknown = self.functions.unknown(row["function"]) is not None
            if not row["types"] and (unknown or row["function"] in self.functions.volatile):
                found[row["name"]].add(row["schema"])
        return {name: tuple(sorted(schemas)) for name, schemas in sorted(found.items())}

    def of_relations(
        self, relations: Sequence[Row], columns: Iterable[Row], protected: Mapping[int, str], foreign: frozenset[str]
    ) -> dict[int, tuple[RelationDoor, ...]]:
        """Relation -> its own doors.  `protected`: names by OID; `foreign`: those that the data map allows."""
        found: dict[int, list[RelationDoor]] = defaultdict(list)
        names = {row["oid"]: f'"{row["schema"]}.{row["name"]}"' for row in relations}
        for row in self.objects.relation_calls:
            door = self._relation_door(row, names.get(row["relation"], "a table"), protected)
            if door is not None:
                found[row["relation"]].append(RelationDoor(_acts(row["acts"]), door))
        for column in columns:
            found[column["oid"]] += self._of_column(column)
        for row in relations:
            name = f"{row['schema']}.{row['name']}"
            if row["kind"] == "f" and name not in foreign:
                found[row["oid"]].append(
                    RelationDoor(EVERYTHING, Door(f'the foreign table "{name}"', "another source"))
                )
        return {oid: tuple(dict.fromkeys(each)) for oid, each in found.items() if each}

    def _relation_door(self, row: Row, name: str, protected: Mapping[int, str]) -> Door | None:
        what = f"{row['what']} {name}" if row["what"] == "the view" else f"{row['what']} of {name}"
        if row["kind"] == "pg_class":
            shown = protected.get(row["target"])
            return Door(what, f'the table "{shown}"') if shown is not None else None
        return self._door(what, row["kind"], row["target"])

    def _of_column(self, column: Row) -> list[RelationDoor]:
        found = []
        for acts, doors in ((EVERYTHING, self._used), (WRITES, self._converted)):
            door = doors.get(column["type_oid"])
            if door is not None:
                found.append(RelationDoor(acts, door))
        return found

    def cascades(self, own: Mapping[int, tuple[RelationDoor, ...]]) -> dict[int, tuple[RelationDoor, ...]]:
        """`own`, with what foreign keys do to the tables that refer to a table."""
        found = {oid: set(each) for oid, each in own.items()}
        changed = bool(self.objects.cascades)
        while changed:
            changed = False
            for row in self.objects.cascades:
                for acts, then in ((Act.DELETE, row["on_delete"]), (Act.UPDATE, row["on_update"])):
                    child = Act.UPDATE if then == "c" and acts is Act.UPDATE else _CASCADED.get(then, Act(0))
                    for each in tuple(found.get(row["child"], ())):
                        door = RelationDoor(acts, each.door)
                        if each.acts & child and door not in found.setdefault(row["parent"], set()):
                            found[row["parent"]].add(door)
                            changed = True
        return {oid: tuple(sorted(each, key=_order)) for oid, each in found.items()}


def _acts(words: str) -> Act:
    acts = Act(0)
    for word in words.split(","):
        acts |= Act[word]
    return acts


def _order(door: RelationDoor) -> tuple[int, str, str]:
    return door.acts.value, door.door.what, door.door.calls
