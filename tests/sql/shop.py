"""A small world for planner tests: three protected tables, one that is not, two views, and a role for each purpose."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from policies.fields import Field, LogicalType, ProtectedTable, Sealing
from policies.model import NO_VERBS, FieldRights, Parts, Principal, RowFilter, TableRights, Verb
from proxy.sql.catalog import Catalog, Column, Function, Relation
from proxy.sql.computation import Casing
from proxy.sql.plan import Lowering
from proxy.sql.planner import PlanContext

ALL = ~NO_VERBS & ~Verb.EXPORT
_INT8, _TEXT, _BYTEA, _NUMERIC, _TIME, _INT4S = 20, 25, 17, 1700, 1184, 1007
_LETTERS = ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
LOWERING = Lowering({ord(letter): letter.lower() for letter in _LETTERS[0]})
CASING = Casing(LOWERING.table, {ord(small): capital for capital, small in zip(*_LETTERS, strict=True)}, frozenset("Σ"))


def _sealing(number: int, **more: object) -> Sealing:
    made = Sealing(f"{number:032x}", LogicalType.TEXT)
    return replace(made, **more)  # type: ignore[arg-type]


def _table(name: str, plain: str, sealed: dict[str, Sealing], row_key: str | None = None) -> ProtectedTable:
    fields = {column: Field("public", name, column, "plain") for column in plain.split()}
    fields |= {column: Field("public", name, column, "pd", sealing) for column, sealing in sealed.items()}
    return ProtectedTable("public", name, fields, row_key)


CUSTOMERS = _table(
    "customers",
    "id city status",
    {
        "email": _sealing(1, equality=True, unique=True),
        "name": _sealing(2, equality=True, join_group="names"),
        "phone": _sealing(3),
        "born": _sealing(4, logical_type=LogicalType.DATE, equality=True),
        "score": _sealing(5, logical_type=LogicalType.INT4, equality=True),
    },
)
ORDERS = _table(
    "orders",
    "id customer_id total status tech_notes placed_at",
    {"recipient": _sealing(11, equality=True, join_group="names")},
)
ACCOUNTS = _table(
    "accounts",
    "id customer_id",
    {"login": _sealing(21, equality=True, unique=True), "password": _sealing(22, row_bound=True)},
    row_key="id",
)
MEMBERS = _table(
    "members",
    "id customer_id town",
    {
        "surname": _sealing(31, equality=True, tokens=("match.1",)),
        "nick": _sealing(32, tokens=("prefix.1",)),
        "remark": _sealing(33, equality=True),
    },
)
WORKERS = _table(
    "workers",
    "id customer_id",
    {
        "birth": _sealing(41, logical_type=LogicalType.DATE, tokens=("range-date.1",)),
        "seen": _sealing(42, logical_type=LogicalType.TIMESTAMPTZ, equality=True, tokens=("range-time.1",)),
        "left_at": _sealing(43, logical_type=LogicalType.TIMESTAMP, tokens=("range-time.1",)),
        "age": _sealing(44, logical_type=LogicalType.INT4, equality=True, tokens=("range-integer.1",)),
        "pay": _sealing(45, logical_type=LogicalType.NUMERIC, tokens=("range-numeric.1",)),
        "hired": _sealing(46, logical_type=LogicalType.DATE),
    },
)
PROTECTED = {table.table: table for table in (CUSTOMERS, ORDERS, ACCOUNTS, MEMBERS, WORKERS)}


def _columns(*named: tuple[str, int]) -> tuple[Column, ...]:
    return tuple(Column(name, n, oid, -1, False, False, False) for n, (name, oid) in enumerate(named, 1))


def _relations() -> list[Relation]:
    customers = _columns(
        ("id", _INT8), ("city", _TEXT), ("status", _TEXT), ("email", _BYTEA), ("name", _BYTEA), ("phone", _BYTEA),
        ("born", _BYTEA), ("score", _BYTEA), ("untagged", _TEXT),
        ("fg_email_eq", _BYTEA), ("fg_name_eq", _BYTEA), ("fg_born_eq", _BYTEA), ("fg_score_eq", _BYTEA),
    )  # fmt: skip
    orders = _columns(
        ("id", _INT8), ("customer_id", _INT8), ("total", _NUMERIC), ("status", _TEXT), ("tech_notes", _TEXT),
        ("placed_at", _TIME), ("recipient", _BYTEA), ("fg_recipient_eq", _BYTEA),
    )  # fmt: skip
    accounts = _columns(
        ("id", _INT8), ("customer_id", _INT8), ("login", _BYTEA), ("password", _BYTEA), ("fg_login_eq", _BYTEA)
    )
    accounts = (replace(accounts[0], default_sequence='"public"."accounts_id_seq"', has_default=True), *accounts[1:])
    members = _columns(
        ("id", _INT8), ("customer_id", _INT8), ("town", _TEXT), ("surname", _BYTEA), ("nick", _BYTEA),
        ("remark", _BYTEA), ("fg_surname_eq", _BYTEA), ("fg_surname_tk", _INT4S), ("fg_nick_tk", _INT4S),
        ("fg_remark_eq", _BYTEA),
    )  # fmt: skip
    workers = _columns(
        ("id", _INT8), ("customer_id", _INT8), ("birth", _BYTEA), ("fg_birth_tk", _INT4S), ("seen", _BYTEA),
        ("fg_seen_eq", _BYTEA), ("fg_seen_tk", _INT4S), ("left_at", _BYTEA), ("fg_left_at_tk", _INT4S),
        ("age", _BYTEA), ("fg_age_eq", _BYTEA), ("fg_age_tk", _INT4S), ("pay", _BYTEA), ("fg_pay_tk", _INT4S),
        ("hired", _BYTEA),
    )  # fmt: skip
    notes = _columns(("id", _INT8), ("customer_id", _INT8), ("body", _TEXT), ("email", _TEXT))
    shown = _columns(("id", _INT8), ("email", _BYTEA), ("town", _TEXT))
    definition = (
        "SELECT c.id,\n    c.email,\n    c.city AS town\n   FROM public.customers c\n  WHERE (c.city <> 'x'::text);"
    )
    return [
        Relation(1001, "public", "customers", "r", customers, ("id",), CUSTOMERS),
        Relation(1002, "public", "orders", "r", orders, ("id",), ORDERS),
        Relation(1003, "public", "accounts", "r", accounts, ("id",), ACCOUNTS),
        Relation(1004, "public", "members", "r", members, ("id",), MEMBERS),
        Relation(1005, "public", "workers", "r", workers, ("id",), WORKERS),
        Relation(1010, "public", "notes", "r", notes, ("id",)),
        Relation(1011, "audit", "customers", "r", _columns(("id", _INT8), ("what", _TEXT)), ("id",)),
        Relation(1020, "public", "customer_view", "v", shown, definition=definition, reaches=frozenset({1001})),
        Relation(1021, "public", "note_view", "v", notes[:2], definition="SELECT id, customer_id FROM public.notes;"),
        Relation(1022, "public", "customer_copy", "m", shown, reaches=frozenset({1001})),
        Relation(1023, "public", "strange_view", "v", shown, definition="SELECT leak();", opaque=True),
        Relation(2001, "pg_catalog", "pg_class", "r", ()),
        Relation(2002, "pg_catalog", "pg_statistic", "r", ()),
        Relation(2003, "pg_catalog", "pg_stats", "v", ()),
        Relation(2004, "pg_catalog", "pg_settings", "v", ()),
        Relation(2005, "pg_catalog", "pg_attribute", "r", ()),
        Relation(2006, "pg_catalog", "pg_authid", "r", ()),
        Relation(2007, "pg_catalog", "pg_index", "r", ()),
        Relation(2008, "pg_catalog", "pg_indexes", "v", ()),
        Relation(2009, "pg_catalog", "pg_roles", "v", ()),
        Relation(2010, "information_schema", "grants", "v", ()),
    ]


def catalog(server_version: int = 180006, **more: object) -> Catalog:
    relations = _relations()
    return Catalog(
        version=1,
        database="shop",
        server_version=server_version,
        relations={r.oid: r for r in relations},
        by_name={(r.schema, r.name): r for r in relations},
        functions={
            "leak": (Function("public", "leak"),),
            "harmless": (Function("public", "harmless", allowed=True),),
            "initcap": (Function("public", "initcap"),),
        },
        type_names={_INT8: "bigint", _TEXT: "text", _BYTEA: "bytea", _NUMERIC: "numeric", _TIME: "timestamptz"},
        operators={"===": ("public",)},
        lowering=LOWERING,
        casing=CASING,
        byte_order=True,
        **more,
    )


_TALLIED = Verb.GROUP | Verb.AGGREGATE | Verb.FILTER_EQ | Verb.FILTER_RANGE | Verb.JOIN | Verb.ORDER


def _rights(verbs: Verb, names: str, **more: object) -> dict[str, FieldRights]:
    return {name: FieldRights(verbs, rules=("policy.csv:1 D1",), **more) for name in names.split()}  # type: ignore[arg-type]


def _role(name: str, table: ProtectedTable) -> TableRights:
    everything = " ".join(table.fields)
    nothing = _rights(NO_VERBS, everything)
    match name:
        case "full":
            return TableRights(_rights(ALL, everything))
        case "reader":
            return TableRights(_rights(Verb.READ, everything))
        case "writer":
            return TableRights(_rights(Verb.INSERT, everything))
        case "support":
            return TableRights(nothing | _support(table))
        case "masked":
            return TableRights(_rights(ALL, everything) | _rights(Verb.MASK, "email phone city", mask_null=True))
        case "client":
            column = "id" if table is CUSTOMERS else "customer_id"
            return TableRights(_rights(ALL, everything), RowFilter("public", table.table, column))
        case "analyst":
            counted = _rights(Verb.GROUP | Verb.AGGREGATE, "id city status total", min_group=5)
            known = {k: v for k, v in counted.items() if k in table.fields}
            return TableRights(
                nothing | known, min_group=5, parts=Parts(tuple(c for c in ("status", "city") if c in known), 5)
            )
        case "tally":  # reads some of what stands in a row, and counts the rest
            counted = _rights(_TALLIED, "id city status name total", min_group=5)
            known = {k: v for k, v in counted.items() if k in table.fields}
            read = {k: v for k, v in _rights(Verb.READ | Verb.FILTER_EQ, "tech_notes").items() if k in table.fields}
            parts = Parts(tuple(c for c in ("status", "city", "name") if c in known), 5)
            return TableRights(nothing | known | read, min_group=5, parts=parts)
        case "exporter":
            return TableRights(_rights(ALL | Verb.EXPORT, everything))
        case _:
            return TableRights(nothing)


def _support(table: ProtectedTable) -> dict[str, FieldRights]:
    if table is CUSTOMERS:
        return _rights(Verb.READ | Verb.FILTER_EQ, "email name phone") | _rights(Verb.READ | Verb.JOIN, "id")
    if table is MEMBERS:
        found = _rights(Verb.READ | Verb.FILTER_EQ, "surname") | _rights(Verb.FILTER_RANGE, "nick")
        return found | _rights(Verb.READ, "id")
    if table is WORKERS:
        return _rights(Verb.READ, "id birth") | _rights(Verb.FILTER_RANGE, "age")
    if table is ORDERS:
        return _rights(Verb.READ, "id placed_at status tech_notes") | _rights(Verb.JOIN, "customer_id")
    return {}


@dataclass(frozen=True, slots=True)
class Roles:
    """A DecisionTable in which the principal's one role says everything."""

    revision: str = "r1"
    roles: dict[str, str] = field(default_factory=dict)

    def table_rights(self, principal: Principal, schema: str, table: str) -> TableRights:
        (role,) = principal.roles
        return _role(role, PROTECTED[table])

    def rights_key(self, principal: Principal) -> object:
        return principal.roles


def context(role: str = "full", *, path: tuple[str, ...] | None = ("public",), server: int = 180006) -> PlanContext:
    principal = Principal("login", "person", frozenset({role}), "shop", "contract", subject="7")
    return PlanContext(catalog(server), Roles(), principal, path)
