"""What the planner knows about the database: an immutable snapshot, made by `proxy.catalog_loader`.

Keyed by OID and by name; `version` changes whenever anything in it does, and is part of every plan's cache key.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from policies.fields import Field, ProtectedTable

from .computation import Casing
from .doors import Doors, RelationDoor
from .plan import Lowering
from .structure import Structure


@dataclass(frozen=True, slots=True)
class Column:
    """`type_oid` and `typmod` are physical; a sealed column is bytea (17) here.  `position` is attnum."""

    name: str
    position: int
    type_oid: int
    typmod: int
    not_null: bool
    has_default: bool
    generated: bool
    identity_always: bool = False
    default_sequence: str | None = None  # qualified and quoted, when the default is nextval of it


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, partitioned table, view, materialized view, foreign table or sequence.

    `kind` is pg_class.relkind.  `protected` is the data map's entry (for a partition or an inheritance child of a
    protected table, its root's).  `definition` is pg_get_viewdef under an empty search_path, views only.
    `reaches` holds the OIDs of protected relations that a view, materialized view or rule reads, transitively.
    """

    oid: int
    schema: str
    name: str
    kind: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    protected: ProtectedTable | None = None
    definition: str | None = None
    reaches: frozenset[int] = frozenset()
    has_triggers: bool = False
    has_rules: bool = False
    opaque: bool = False  # reading it opens a side door: a view or a policy that calls functions of unknown reach
    unique: frozenset[str] = frozenset()  # columns that take part in some unique constraint or index
    doors: tuple[RelationDoor, ...] = ()

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    def field_of(self, column: str) -> Field | None:
        """The data map's field for a column; None when the column is untagged (denied) or not protected."""
        return self.protected.fields.get(column) if self.protected else None


@dataclass(frozen=True, slots=True)
class Function:
    """A function outside pg_catalog and information_schema.

    `allowed`: it is known to depend on its arguments only, or the data map says that it is harmless.
    `volatile`: it may give another answer at each call.  `aggregate`: it takes rows (aggregates, window functions).
    """

    schema: str
    name: str
    allowed: bool = False
    volatile: bool = False
    aggregate: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    version: int
    database: str
    server_version: int  # server_version_num, e.g. 180006
    relations: dict[int, Relation] = field(default_factory=dict)
    by_name: dict[tuple[str, str], Relation] = field(default_factory=dict)
    functions: dict[str, tuple[Function, ...]] = field(default_factory=dict)  # by bare name
    type_names: dict[int, str] = field(default_factory=dict)  # oid -> format_type name, for casts we write
    operators: dict[str, tuple[str, ...]] = field(default_factory=dict)  # bare names of unknown ones -> their schemas
    doors: Doors = field(default_factory=Doors)
    lowering: Lowering | None = None  # of the database's own collation; None: not known, or not needed
    casing: Casing | None = None  # what the database's own collation makes of letters; None: not known
    byte_order: bool = False  # the database's own collation orders texts by their bytes
    structure: Structure | None = None  # how PostgreSQL's own catalogs are shown; None: as they are
    opened: frozenset[str] = frozenset()  # PostgreSQL's own functions that the data map allows beyond the usual ones
    enums: frozenset[int] = frozenset()  # OIDs of the types that are enumerations
    observing: bool = False  # some tables are observed only; they are not protected here
    names: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())
    _schemas: dict[str, frozenset[str]] = field(init=False, repr=False, compare=False, default_factory=dict)
    _sensitive: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())

    def __post_init__(self) -> None:
        relations = self.relations.values()
        protected = any(r.protected is not None for r in relations)
        names = frozenset(r.name for r in relations if r.protected is not None or r.reaches or (protected and r.opaque))
        object.__setattr__(self, "_sensitive", names)
        columns = (column.name for relation in relations for column in relation.columns)
        own = (name for (schema, relation) in self.by_name for name in (schema, relation))
        object.__setattr__(self, "names", frozenset((*own, *columns, *self.functions)))
        for schema, name in self.by_name:
            self._schemas[name] = self._schemas.get(name, frozenset()) | {schema}

    @property
    def has_protected(self) -> bool:
        """False: no table here is protected, so nothing needs analysis and every statement is forwarded as it is."""
        return bool(self._sensitive) or self.observing

    @property
    def lenient(self) -> bool:
        """Everything is observed only: nothing needs to be refused, and what cannot be analysed may pass."""
        return self.observing and not self._sensitive

    @property
    def sensitive_names(self) -> frozenset[str]:
        """Bare names that a protected relation, or one that shows something protected, has in some schema."""
        return self._sensitive

    def schemas_of(self, name: str) -> frozenset[str]:
        """The schemas that have a relation of this name."""
        return self._schemas.get(name, frozenset())

    def resolve(self, schema: str | None, name: str, search_path: tuple[str, ...]) -> Relation | None:
        """The relation that PostgreSQL would find; pg_catalog is implicitly first when it is not listed."""
        if schema is not None:
            return self.by_name.get((schema, name))
        path = search_path if "pg_catalog" in search_path else ("pg_catalog", *search_path)
        return next((r for s in path if (r := self.by_name.get((s, name)))), None)
