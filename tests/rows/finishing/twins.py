"""One table twice in a real database: in plain text, and with cells in the place of values.

The cells are not encrypted: what is compared is what becomes of an opened value, from the plan to the client's row,
with what the server itself makes of the plain one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus

from policies.fields import DataMap, Field, LogicalType, ProtectedTable, Sealing
from policies.model import FieldRights, Principal, RowFilter, TableRights, Verb
from proxy.catalog_loader import load_catalog
from proxy.demo.server import Server
from proxy.errors import FieldgateError
from proxy.rows.client_values import ClientValues
from proxy.rows.describe import client_fields
from proxy.rows.finishing.arranging import Counts, FinishBounds
from proxy.rows.finishing.computing import given_values
from proxy.rows.finishing.folding import arranger_of
from proxy.rows.results import RowTransformer
from proxy.rows.sifting import counts_of
from proxy.sql.cache import CachedPlanner
from proxy.sql.catalog import Catalog
from proxy.sql.plan import SlotKind, StatementPlan
from proxy.sql.planner import PlanContext
from proxy.wire.backend import FieldDescription, build_data_row, parse_data_row
from proxy.wire.framing import HEADER_SIZE, Span
from proxy.wire.values.codecs import codec_for
from proxy.wire.values.settings import ValueSettings
from tests.support.servers import Database, fresh_database

ALL = Verb.READ | Verb.ORDER | Verb.GROUP | Verb.AGGREGATE | Verb.FILTER_EQ | Verb.FILTER_RANGE
SEALED = {
    "t": (LogicalType.TEXT, "text", -1),
    "o": (LogicalType.TEXT, "text", -1),
    "v": (LogicalType.VARCHAR, "varchar(40)", 44),
    "i": (LogicalType.INT2, "int2", -1),
    "n": (LogicalType.INT4, "int4", -1),
    "l": (LogicalType.INT8, "int8", -1),
    "d": (LogicalType.NUMERIC, "numeric", -1),
    "b": (LogicalType.BOOL, "bool", -1),
    "da": (LogicalType.DATE, "date", -1),
    "ts": (LogicalType.TIMESTAMP, "timestamp", -1),
    "tz": (LogicalType.TIMESTAMPTZ, "timestamptz", -1),
    "u": (LogicalType.UUID, "uuid", -1),
    "y": (LogicalType.BYTEA, "bytea", -1),
    "ip": (LogicalType.INET, "inet", -1),
}
FIELDS = {
    **{name: Field("public", "things", name, "plain") for name in ("id", "p", "k")},
    **{
        name: Field("public", "things", name, "pd", Sealing(f"{n:032x}", logical, typmod))
        for n, (name, (logical, _, typmod)) in enumerate(SEALED.items(), 1)
    },
}
THINGS = ProtectedTable("public", "things", FIELDS)
Row = dict[str, str | None]
Rows = list[tuple[bytes | None, ...]]


class _Rights:
    revision = "r"

    def __init__(self, rights: TableRights) -> None:
        self._rights = rights

    def table_rights(self, principal: Principal, schema: str, table: str) -> TableRights:
        return self._rights

    def rights_key(self, principal: Principal) -> object:
        return principal.roles


class _Ciphers:
    def cipher(self, field_id: str) -> _Ciphers:
        return self

    def open(self, envelope: bytes, row_key: bytes | None = None) -> bytes:
        return envelope

    def open_all(self, envelopes: Sequence[bytes]) -> Sequence[bytes]:
        return envelopes

    def open_rows(self, envelopes: Sequence[bytes | None], row_keys: Sequence[bytes | None]) -> list[bytes | None]:
        return [None if e is None else self.open(e, row_key=k) for e, k in zip(envelopes, row_keys, strict=True)]


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns as (name, type, size, modifier), rows in the client's form."""

    columns: list[tuple[bytes, int, int, int]]
    rows: Rows


@dataclass(slots=True)
class Twins:
    connection: psycopg.Connection[Any]
    catalog: Catalog
    settings: ValueSettings

    def fill(self, rows: Sequence[Row]) -> None:
        names = ["id", "p", "k", *SEALED]
        for schema in ("plain", "public"):
            self.connection.execute(f"TRUNCATE {schema}.things".encode())
            for number, row in enumerate(rows):
                values = [str(number), row.get("p"), row.get("k"), *(row.get(name) for name in SEALED)]
                if schema == "public":
                    values[3:] = [self._cell(name, row.get(name)) for name in SEALED]
                marks = ", ".join(["%s"] * len(names))
                query = f"INSERT INTO {schema}.things ({', '.join(names)}) VALUES ({marks})"
                psycopg.ClientCursor(self.connection).execute(query, values)

    def _cell(self, name: str, value: str | None) -> str | None:
        if value is None:
            return None
        cell = codec_for(SEALED[name][0]).from_text(value.encode(), SEALED[name][2], self.settings)
        return f"\\x{cell.hex()}"

    def set(self, **settings: str) -> None:
        for name, value in settings.items():
            self.connection.execute(f"SET {name} = '{value}'".encode())
        told = self.connection.pgconn.parameter_status
        style, zone = told(b"DateStyle"), told(b"TimeZone")
        assert style and zone
        self.settings = ValueSettings(style.decode(), zone.decode())

    def plan(self, query: str, declared: tuple[int, ...] = (), rights: TableRights | None = None) -> StatementPlan:
        rights = rights or TableRights({name: FieldRights(ALL) for name in FIELDS})
        who = Principal("login", "person", frozenset({"full"}), "shop", "contract", subject="7")
        context = PlanContext(self.catalog, _Rights(rights), who, ("public",))
        return CachedPlanner().plan_statement(query, declared, context)

    def expected(self, query: str, values: Sequence[str | None] = (), *, binary: bool = False) -> Answer | str:
        """Of the server, over plain text; an SQLSTATE."""
        self.connection.execute("SET search_path = plain")
        fields, rows = self._run(query, values, binary)
        return rows if isinstance(rows, str) else Answer(_told(fields), rows)

    def given(
        self, query: str, values: Sequence[str | None] = (), *, binary: bool = False, plan: StatementPlan | None = None
    ) -> Answer | str:
        """Of the proxy, over cells; an SQLSTATE."""
        plan = plan or self.plan(query)
        if plan.refusal is not None:
            return plan.refusal.sqlstate
        client = ClientValues([None if v is None else v.encode() for v in values], [False] * len(values))
        self.connection.execute("SET search_path = public")
        upstream = "".join(s.decode() if isinstance(s, bytes) else self._slot(plan, s, values) for s in plan.segments)
        fields, rows = self._run(upstream, values if "$1" in upstream else (), binary)
        assert not isinstance(rows, str), (upstream, rows)
        formats = [int(binary)] * len(fields)
        try:
            given = given_values(plan.computations, client, self.settings)
            told = client_fields(plan, fields, formats[: len(plan.outputs or ())])
            rows = self._arranged(plan, fields, formats, rows, client)
            transformer = RowTransformer(
                plan, fields, formats, formats, _Ciphers(), self.settings, given  # type: ignore[arg-type]
            )  # fmt: skip
            return Answer(_told(told), transformed(transformer, rows))
        except FieldgateError as error:
            return error.sqlstate

    def _arranged(
        self, plan: StatementPlan, fields: list[FieldDescription], formats: list[int], rows: Rows, client: ClientValues
    ) -> Rows:
        if plan.arranged is None:
            return rows
        counts = Counts(*counts_of(plan.arranged.limit, plan.arranged.offset, client))
        given = given_values(plan.computations, client, self.settings)
        arranger = arranger_of(
            plan.arranged, counts, fields, formats, _Ciphers(), self.settings, given, FinishBounds()  # type: ignore[arg-type]
        )  # fmt: skip
        for row in rows:
            message = build_data_row(list(row))
            arranger.take(message, [(ord("D"), 0, len(message))])
        return messages(*arranger.finish())

    def _slot(self, plan: StatementPlan, index: int, values: Sequence[str | None]) -> str:
        slot = plan.slots[index]
        if slot.kind is SlotKind.COUNT:
            return "NULL"
        assert slot.kind is SlotKind.PLAIN and slot.source is not None and slot.source.parameter is not None
        value = values[slot.source.parameter - 1]
        return sql.Literal(value).as_string(self.connection)

    def _run(self, query: str, values: Sequence[str | None], binary: bool) -> tuple[list[FieldDescription], Rows | str]:
        raw = self.connection.pgconn
        parameters = [None if value is None else value.encode() for value in values]
        result = raw.exec_params(query.encode(), parameters, result_format=int(binary))
        if result.status != ExecStatus.TUPLES_OK:
            return [], (result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) or b"").decode()
        columns = range(result.nfields)
        fields = [
            FieldDescription(
                result.fname(n) or b"", result.ftable(n), result.ftablecol(n), result.ftype(n), result.fsize(n),
                result.fmod(n), result.fformat(n),
            )
            for n in columns
        ]  # fmt: skip
        return fields, [tuple(result.get_value(row, n) for n in columns) for row in range(result.ntuples)]


def transformed(
    transformer: RowTransformer, rows: Sequence[tuple[bytes | None, ...]]
) -> list[tuple[bytes | None, ...]]:
    data, spans = b"", []
    for row in rows:
        spans.append((ord("D"), len(data), len(data) + len(message := build_data_row(list(row)))))
        data += message
    out: list[bytes] = []
    transformer.rows(data, spans, out)
    spans, at, joined = [], 0, b"".join(out)
    while at < len(joined):
        end = at + 1 + int.from_bytes(joined[at + 1 : at + 5], "big")
        spans.append((ord("D"), at, end))
        at = end
    return messages(joined, spans)


def messages(data: bytes, spans: Sequence[Span]) -> Rows:
    return [tuple(parse_data_row(data[start + HEADER_SIZE : end])) for _, start, end in spans]


def _told(fields: Sequence[FieldDescription]) -> list[tuple[bytes, int, int, int]]:
    return [(f.name, f.type_oid, f.type_size, f.type_modifier) for f in fields]


@contextmanager
def twins(server: Server, certificate: Any = None, options: str = "") -> Iterator[Twins]:
    """`options`: of CREATE DATABASE."""
    with fresh_database(server, certificate) as made:
        if options:
            admin = Database(server, "postgres", certificate)
            name = sql.Identifier(made.name).as_string(None)
            admin.run(f"DROP DATABASE {name}", f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' {options}")
        with made.connect() as connection:
            plain = ", ".join(f"{name} {kind}" for name, (_, kind, _) in SEALED.items())
            sealed = ", ".join(f"{name} bytea" for name in SEALED)
            made.run(
                "CREATE SCHEMA plain",
                f"CREATE TABLE plain.things (id bigint PRIMARY KEY, p text, k int, {plain})",
                f"CREATE TABLE public.things (id bigint PRIMARY KEY, p text, k int, {sealed})",
            )
            found = Twins(connection, asyncio.run(_catalog(made)), ValueSettings())
            found.set(DateStyle="ISO, MDY", TimeZone="UTC")
            yield found


async def _catalog(database: Database) -> Catalog:
    connection = await database.connect_async()
    try:
        return await load_catalog(connection, DataMap("shop", database.name, {("public", "things"): THINGS}))
    finally:
        await connection.close()


def own_rows() -> TableRights:
    return TableRights({name: FieldRights(ALL) for name in FIELDS}, RowFilter("public", "things", "id"))


def without(*names: str, verbs: Verb = ALL) -> TableRights:
    """All but these may be used by these verbs."""
    rights = {name: FieldRights(verbs) for name in FIELDS}
    return TableRights({**rights, **{name: FieldRights(Verb(0)) for name in names}})


__all__ = ["SEALED", "Answer", "Twins", "own_rows", "replace", "twins", "without"]
