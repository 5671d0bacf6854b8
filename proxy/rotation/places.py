"""Where the cells of a key stand: the fields of data maps, and the tables of a database that hold their rows.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from policies.fields import DataMap, Field, ProtectedTable
from proxy.errors import ConfigError
from proxy.sealing.ddl import qualified, sealing_of


@dataclass(frozen=True, slots=True)
class Place:
    """One sealed field in one database."""

    database: str
    controller: str
    table: ProtectedTable
    field: Field

    @property
    def field_id(self) -> str:
        return sealing_of(self.field).field_id

    @property
    def scope(self) -> str:
        """Of the data keys of the field (keys/keyring.py)."""
        return f"field:{self.field_id}"


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column of a primary key.  `direct`: goes over the wire in binary; the others go as text, and are cast."""

    name: str
    type_name: str  # as format_type prints it, for a cast
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One table that holds rows: the table itself, a partition, or a child by inheritance."""

    schema: str
    name: str
    primary_key: tuple[KeyColumn, ...]
    row_key: str | None = None  # the column that row-bound cells are bound to
    row_key_oid: int | None = None
    partition: bool = False

    @property
    def sql(self) -> str:
        return f"ONLY {qualified(self.schema, self.name)}"


def places_of(data_maps: Mapping[str, DataMap]) -> tuple[Place, ...]:
    """Every sealed field of every registered database."""
    return tuple(
        Place(name, data_map.controller, table, field)
        for name, data_map in data_maps.items()
        for table in data_map.tables.values()
        for field in table.fields.values()
        if field.sealing is not None
    )


def find_places(places: Iterable[Place], database: str | None, name: str) -> tuple[Place, ...]:
    """The field named `schema.table.column` (or `table.column`), and all others that share its keys, it first.

    Raises ConfigError when it is no sealed field, or of several databases without saying of which.
    """
    places = tuple(places)
    full = name if name.count(".") == 2 else f"public.{name}"
    named = [p for p in places if p.field.name == full and database in (None, p.database)]
    if not named:
        raise ConfigError(f"{name} is not a sealed field of {database or 'any database'}")
    if len({(p.controller, p.scope) for p in named}) > 1:
        raise ConfigError(f"{name} is a field of several databases: say of which")
    first = named[0]
    shared = [p for p in places if (p.controller, p.scope) == (first.controller, first.scope) and p is not first]
    return (first, *shared)
