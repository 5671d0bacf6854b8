"""Which field a key belongs to: the policies' data maps, seen from the keys' side.  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from policies.fields import DataMap, Sealing

from .refusals import Code, Refusal


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A sealed field; `field` is `schema.table.column`."""

    database: str
    field: str


@dataclass(frozen=True, slots=True)
class SealedField:
    place: Place
    controller: str
    cell_scope: str
    term_scope: str | None

    @property
    def scopes(self) -> tuple[str, ...]:
        return (self.cell_scope,) if self.term_scope is None else (self.cell_scope, self.term_scope)


class FieldIndex:
    """Every field of the configured databases that is or will be sealed, by place and by the scope of its keys."""

    def __init__(self, data_maps: Iterable[DataMap]) -> None:
        self._fields: dict[Place, SealedField] = {}
        self._plain: set[Place] = set()
        self._databases: dict[str, str] = {}  # and their controllers
        self._kinds: dict[str, set[str]] = {}  # of data subjects with secrets, by database
        self._of_kind: dict[tuple[str, str], set[Place]] = {}  # under such secrets, by controller and kind
        for data_map in data_maps:
            self._add(data_map)

    def _add(self, data_map: DataMap) -> None:
        self._databases[data_map.database] = data_map.controller
        for table in data_map.tables.values():
            if table.subject_kind is not None:
                self._kinds.setdefault(data_map.database, set()).add(table.subject_kind)
            for field in table.fields.values():
                place = Place(data_map.database, field.name)
                sealing = field.sealing or field.migrating  # one that is plain yet has its keys already
                if sealing is None:
                    self._plain.add(place)
                else:
                    if table.subject_kind is not None:
                        self._of_kind.setdefault((data_map.controller, table.subject_kind), set()).add(place)
                    self._fields[place] = _sealed(place, data_map.controller, sealing)

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(sorted(self._fields))

    def at(self, place: Place) -> SealedField:
        """Raises Refusal, which repeats only names that stand in a data map."""
        found = self._fields.get(place)
        if found is None and place in self._plain:
            raise Refusal(
                Code.UNKNOWN_FIELD, f"{place.field} of database {place.database} is not sealed by the data map"
            )
        if found is None:
            raise Refusal(Code.UNKNOWN_FIELD, self._nowhere(place.database, "the data map does not name this field"))
        return found

    def _nowhere(self, database: str, why: str) -> str:
        return f"database {database}: {why}" if database in self._databases else "there is no data map of this database"

    def of_table(self, database: str, table: str) -> tuple[SealedField, ...]:
        """All sealed fields of `schema.table`.  Raises Refusal when there are none."""
        found = [f for p, f in self._fields.items() if p.database == database and p.field.rpartition(".")[0] == table]
        if not found:
            raise Refusal(Code.UNKNOWN_FIELD, self._nowhere(database, "the data map has no sealed field in this table"))
        return tuple(sorted(found, key=lambda each: each.place))

    def sharing(self, controller: str, scope: str) -> tuple[SealedField, ...]:
        """Everybody whose keys have this scope: one field, its namesakes in other databases, or a join group."""
        found = (each for each in self._fields.values() if each.controller == controller and scope in each.scopes)
        return tuple(sorted(found, key=lambda each: each.place))

    def names(self, database: str | None, field: str | None) -> tuple[str | None, str | None]:
        """The two as far as a data map names them: who knows what else somebody has written there."""
        if database not in self._databases:
            return None, None
        known = {place.field for place in (*self._fields, *self._plain) if place.database == database}
        known |= {f"{name.rpartition('.')[0]}.*" for name in known}
        return database, field if field in known else None

    def subject_kinds(self, database: str) -> frozenset[str]:
        """Of the data subjects whose secrets can be destroyed."""
        return frozenset(self._kinds.get(database, ()))

    def of_subjects(self, database: str, kind: str) -> tuple[Place, ...]:
        """The fields under such subjects' secrets, in all databases of the controller."""
        return tuple(sorted(self._of_kind.get((self._databases.get(database, ""), kind), ())))


def _sealed(place: Place, controller: str, sealing: Sealing) -> SealedField:
    cell = f"field:{sealing.field_id}"
    has_terms = sealing.equality or sealing.tokens
    term = None if not has_terms else f"group:{sealing.join_group}" if sealing.join_group else cell
    return SealedField(place, controller, cell, term)
