"""Where the cells of a key stand: the fields of data maps, and the tables of a database that hold their rows.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from policies.fields import DataMap, Field, ProtectedTable
from proxy.sealing.ddl import qualified, sealing_of

from .errors import RotationRefused

Key = tuple[Any, ...]  # of a row: the values of its primary key


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


def wanted_places(places: Iterable[Place], database: str | None, name: str) -> list[tuple[Place, ...]]:
    """The places of each field that is named: `schema.table.column`, or `schema.table.*` for all of a table.

    With each come all that share its keys, the named one first.  Raises RotationRefused.
    """
    places = tuple(places)
    here = [place for place in places if database in (None, place.database)]
    table, star = name.removesuffix(".*"), name.endswith(".*")
    named = [p for p in here if p.field.name == name or (star and f"{p.field.schema}.{p.field.table}" == table)]
    if not named:
        raise RotationRefused(name, [f"it is not a sealed field of {database or 'any database'}"])
    if len({place.database for place in named}) > 1:
        raise RotationRefused(name, ["it is a field of several databases: say of which"])
    return [(first, *(p for p in places if _shares_keys(p, first) and p is not first)) for first in named]


def _shares_keys(one: Place, other: Place) -> bool:
    return (one.controller, one.scope) == (other.controller, other.scope)
