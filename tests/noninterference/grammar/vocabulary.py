"""Tables, views and columns as statements name them, with the verbs that a seat has."""

from __future__ import annotations

from dataclasses import dataclass, replace

from policies.engine import CompiledDecisions
from policies.fields import Field, LogicalType
from policies.model import TableRights, Verb
from policies.policy_set import PolicySet
from proxy.demo.schema import logical_schema
from tests.noninterference.rows import LINKS
from tests.noninterference.seats import Seat, policy, principal

ALL = Verb.READ | Verb.FILTER_EQ | Verb.FILTER_RANGE | Verb.JOIN | Verb.GROUP | Verb.ORDER | Verb.AGGREGATE
_TYPES = {
    "text": "text", "bigint": "number", "integer": "number", "numeric(12,2)": "number", "timestamptz": "time",
    "date": "date", "inet": "inet", "jsonb": "jsonb", "bytea": "bytea",
}  # fmt: skip
_SEALED = {LogicalType.NUMERIC: "number", LogicalType.JSONB: "jsonb", LogicalType.TEXT: "text"}


@dataclass(frozen=True, slots=True)
class Column:
    """`equality`: it can be compared; `table`: where it comes from, "" for nothing protected."""

    name: str
    type: str
    verbs: Verb
    table: str = ""
    sealed: bool = False
    equality: bool = True
    given: bool = False  # it must be given when a row is inserted
    unique: bool = False
    searched: str = ""  # by "part" or "range", where it is sealed
    key: bool = False  # it tells rows apart

    def may(self, verbs: Verb) -> bool:
        return verbs & ~self.verbs == Verb(0)

    def named(self, name: str) -> Column:
        return replace(self, name=name)


@dataclass(frozen=True, slots=True)
class Relation:
    """`key`: the column that tells rows apart.  `grouped`: of its rows only groups may be seen."""

    name: str
    columns: tuple[Column, ...]
    key: str = "id"
    protected: bool = True
    grouped: bool = False
    some_rows: bool = False
    writable: bool = True
    usable: bool = True

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    relations: tuple[Relation, ...]
    links: tuple[tuple[str, str, str], ...]  # (table, column, the table whose id it is)

    def relation(self, name: str) -> Relation:
        return next(relation for relation in self.relations if relation.name == name)

    @property
    def tables(self) -> tuple[Relation, ...]:
        return tuple(relation for relation in self.relations if relation.protected and relation.writable)


NOTES = Relation(
    "notes",
    tuple(Column(name, kind, ALL | Verb.INSERT | Verb.UPDATE | Verb.DELETE)
          for name, kind in (("id", "number"), ("customer_id", "number"), ("body", "text"), ("weight", "number"),
                             ("at", "time"))),
    protected=False,
)  # fmt: skip
# View -> its columns: (name, table, column).
_VIEWS = {
    "people": (("id", "customers", "id"), ("surname", "customers", "surname"), ("town", "customers", "city"),
               ("status", "customers", "status")),
    "reached": (("id", "customers", "id"), ("email", "customers", "email"), ("surname", "customers", "surname")),
    "placed": (("id", "orders", "id"), ("customer_id", "orders", "customer_id"), ("placed_at", "orders", "placed_at"),
               ("state", "orders", "status")),
    "townsfolk": (("id", "customers", "id"), ("email", "customers", "email")),
    "sales": (("id", "orders", "id"), ("customer_id", "orders", "customer_id"), ("status", "orders", "status"),
              ("total", "orders", "total"), ("remark", "orders", "tech_notes")),
}  # fmt: skip
_WATCHED = {"townsfolk": "city"}  # a column that the view's own condition compares


def vocabulary(seat: Seat) -> Vocabulary:
    rules, decisions, who = policy(), CompiledDecisions(policy()), principal(seat)
    tables = [_table(rules, name, decisions.table_rights(who, schema, name)) for schema, name in rules.data_map.tables]
    by_name = {table.name: table for table in tables}
    views = [_view(name, columns, by_name) for name, columns in _VIEWS.items()]
    return Vocabulary((*tables, *views, NOTES), _links())


def _table(rules: PolicySet, name: str, rights: TableRights) -> Relation:
    declared = _declared()[name]
    columns = tuple(
        _column(field, declared[column], rights)
        for column, field in rules.data_map.tables["public", name].fields.items()
    )
    readable = any(right.allows(Verb.READ) for right in rights.fields.values())
    return Relation(
        name,
        columns,
        grouped=bool(rights.min_group) and not readable,
        some_rows=rights.row_filter is not None,
        usable=rights.countable,
    )


def _column(field: Field, declared: tuple[str, str], rights: TableRights) -> Column:
    kind, constraints = declared
    sealed = field.sealing is not None
    return Column(
        field.column,
        _TYPES[kind],
        rights.fields[field.column].verbs | (Verb.READ if rights.fields[field.column].mask_null else Verb(0)),
        field.table,
        sealed,
        field.sealing is None or field.sealing.equality,
        "NOT NULL" in constraints and "DEFAULT" not in constraints,
        "UNIQUE" in constraints or "PRIMARY" in constraints,
        _searched(field),
        field.column == "id",
    )


def _searched(field: Field) -> str:
    modes = field.sealing.tokens if field.sealing is not None else ()
    return "" if not modes else "part" if any(mode.startswith(("match", "prefix")) for mode in modes) else "range"


def _declared() -> dict[str, dict[str, tuple[str, str]]]:
    """Table -> column -> its type and constraints, as shop.sql has them."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    table = ""
    for line in logical_schema().splitlines():
        if line.startswith("CREATE TABLE"):
            table = line.split()[2]
            found[table] = {}
        elif line.startswith("    ") and table:
            name, kind, *rest = line.strip().rstrip(",").split(" ", 2)
            found[table][name] = (kind, " ".join(rest))
    return found


def _view(name: str, columns: tuple[tuple[str, str, str], ...], tables: dict[str, Relation]) -> Relation:
    """A view's column has the rights of what it shows.  Whoever names a view reads all of its columns that are not used
    otherwise, and asks its condition."""
    base = tables[columns[0][1]]
    watched = _WATCHED.get(name)
    open_to_all = watched is None or base.column(watched).may(Verb.FILTER_EQ)
    shown = tuple(tables[table].column(column).named(shown) for shown, table, column in columns)
    return replace(
        base,
        name=name,
        columns=shown if open_to_all else tuple(replace(column, verbs=Verb(0)) for column in shown),
        writable=False,
        usable=open_to_all and all(column.may(Verb.READ) for column in shown) and not base.grouped,
    )


def _links() -> tuple[tuple[str, str, str], ...]:
    known = [(table, column, parent) for (table, column), parent in LINKS.items()]
    return (*known, ("notes", "customer_id", "customers"), ("sales", "customer_id", "customers"))
