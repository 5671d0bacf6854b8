"""What PostgreSQL's own catalogs say of protected tables, and what they are to say: data, made by `catalog_structure`.

Only structure is told here, never a row of a protected table, so it is the same for every role.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Hidden:
    """Rows that are not shown: those whose `columns` have one of `keys`."""

    columns: tuple[str, ...]
    keys: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One catalog.  `columns`: all of them, with their types as a cast names them.

    `rows`: values of the columns in `key`, then of those in `changed` (None: as it is), in PostgreSQL's text form.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    hidden: tuple[Hidden, ...] = ()


Respelling = tuple[str, str]  # a regular expression for our name, and the name that stands in its place


@dataclass(frozen=True, slots=True)
class System:
    """What a version of the server is made of: columns of its catalogs with their types, definitions of its views."""

    columns: dict[str, tuple[tuple[str, str], ...]]
    views: dict[tuple[str, str], str] = field(default_factory=dict)  # by schema and name


@dataclass(frozen=True, slots=True)
class Structure:
    """`catalogs` by their names in pg_catalog.

    `definitions`: for functions that print an object's definition, by OID of the object, the names in it.
    """

    catalogs: dict[str, Shown]
    system: System
    definitions: dict[str, dict[int, tuple[Respelling, ...]]] = field(default_factory=dict)
    # Views with everything in their definitions replaced, worked out when one is first named.
    expanded: dict[tuple[str, str], str] = field(init=False, repr=False, compare=False, default_factory=dict)

    @property
    def views(self) -> dict[tuple[str, str], str]:
        return self.system.views
