"""Foreign keys between term columns: both ends move at once, so they are dropped and made again in the exchange.

One can be carried where each of its columns that is a term column stands against another that moves with it: fields of
one join group, in one database.  Making it again reads both tables, as it does for whoever adds one: that every cell
has its counterpart under the new terms, too, is looked at by PostgreSQL itself.
"""

# ruff: noqa: S608 (every name that is put into a statement is quoted by proxy/sealing/ddl.py, or stands here)

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from proxy.sealing.carry import literal
from proxy.sealing.ddl import qualified, quote
from proxy.sealing.facts import Connection

Column = tuple[str, str, str]  # schema, table, column
_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key.  `described` is what PostgreSQL calls it; the pairs are of its own and the referenced column."""

    name: str
    described: str
    own: tuple[str, str]  # schema, table
    referenced: tuple[str, str]
    pairs: tuple[tuple[str, str], ...]
    on_update: str
    on_delete: str
    set_columns: tuple[str, ...]  # that SET NULL and SET DEFAULT are for; none: all
    full: bool  # MATCH FULL
    deferrable: bool
    deferred: bool
    validated: bool
    enforced: bool
    by_period: bool
    comment: str | None

    @property
    def table(self) -> str:
        return qualified(*self.own)

    def can_move(self, renamed: Mapping[Column, str]) -> bool:
        ends = (((*self.own, own) in renamed, (*self.referenced, other) in renamed) for own, other in self.pairs)
        return not self.by_period and all(own is other for own, other in ends)

    def drop(self) -> str:
        return f"ALTER TABLE {self.table} DROP CONSTRAINT {quote(self.name)}"

    def make(self, renamed: Mapping[Column, str]) -> tuple[str, ...]:
        """The statements that make it again, on the columns that are called otherwise by then."""
        own = ", ".join(quote(renamed.get((*self.own, name), name)) for name, _ in self.pairs)
        other = ", ".join(quote(renamed.get((*self.referenced, name), name)) for _, name in self.pairs)
        cleared = f" ({', '.join(map(quote, self.set_columns))})" if self.set_columns else ""
        sql = (
            f"ALTER TABLE {self.table} ADD CONSTRAINT {quote(self.name)} FOREIGN KEY ({own})"
            f" REFERENCES {qualified(*self.referenced)} ({other}){' MATCH FULL' if self.full else ''}"
            f" ON UPDATE {_ACTIONS[self.on_update]} ON DELETE {_ACTIONS[self.on_delete]}{cleared}"
            f"{' DEFERRABLE' if self.deferrable else ''}{' INITIALLY DEFERRED' if self.deferred else ''}"
            f"{'' if self.enforced else ' NOT ENFORCED'}{'' if self.validated or not self.enforced else ' NOT VALID'}"
        )
        if self.comment is None:
            return (sql,)
        return sql, f"COMMENT ON CONSTRAINT {quote(self.name)} ON {self.table} IS {literal(self.comment)}"


async def references_of(connection: Connection, columns: Collection[Column]) -> tuple[Reference, ...]:
    """Those that one of these columns is an end of, by name; of partitions only what their root does not have."""
    schemas, tables, names = ([column[n] for column in columns] for n in range(3))
    return tuple(_reference(row) for row in await connection.fetch(_REFERENCES, schemas, tables, names))


def _reference(row: Mapping[str, object]) -> Reference:
    def text(name: str) -> str:
        return str(row[name])

    def texts(name: str) -> list[str]:
        found = row[name]
        return list(map(str, found)) if isinstance(found, Iterable) else []

    return Reference(
        name=text("name"),
        described=text("described"),
        own=(text("schema"), text("table")),
        referenced=(text("other_schema"), text("other_table")),
        pairs=tuple(zip(texts("columns"), texts("other_columns"), strict=True)),
        on_update=text("on_update"),
        on_delete=text("on_delete"),
        set_columns=tuple(texts("set_columns")),
        full=bool(row["full"]),
        deferrable=bool(row["deferrable"]),
        deferred=bool(row["deferred"]),
        validated=bool(row["validated"]),
        enforced=bool(row["enforced"]),
        by_period=bool(row["by_period"]),
        comment=text("comment") if row["comment"] is not None else None,
    )


def _names(numbers: str, table: str) -> str:
    return (
        f"ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.unnest({numbers}) WITH ORDINALITY x(n, o)"
        f" JOIN pg_catalog.pg_attribute a ON a.attrelid = {table} AND a.attnum = x.n ORDER BY x.o)"
    )


_REFERENCES = f"""
WITH wanted AS (
  SELECT c.oid, a.attnum
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]),
                  pg_catalog.unnest($3::pg_catalog.text[])) AS w(schema, name, attname)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = w.attname AND NOT a.attisdropped
)
SELECT k.conname::pg_catalog.text AS name,
       pg_catalog.pg_describe_object('pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid, 0) AS described,
       cn.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS table,
       pn.nspname::pg_catalog.text AS other_schema, p.relname::pg_catalog.text AS other_table,
       {_names("k.conkey", "k.conrelid")} AS columns, {_names("k.confkey", "k.confrelid")} AS other_columns,
       k.confupdtype::pg_catalog.text AS on_update, k.confdeltype::pg_catalog.text AS on_delete,
       {_names("k.confdelsetcols", "k.conrelid")} AS set_columns, k.confmatchtype = 'f' AS full,
       k.condeferrable AS deferrable, k.condeferred AS deferred, k.convalidated AS validated,
       coalesce((pg_catalog.to_jsonb(k) ->> 'conenforced')::pg_catalog.bool, true) AS enforced,
       coalesce((pg_catalog.to_jsonb(k) ->> 'conperiod')::pg_catalog.bool, false) AS by_period,
       pg_catalog.obj_description(k.oid, 'pg_constraint') AS comment
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
  AND EXISTS (SELECT FROM wanted w WHERE w.oid = k.conrelid AND w.attnum = ANY (k.conkey)
                                      OR w.oid = k.confrelid AND w.attnum = ANY (k.confkey))
ORDER BY cn.nspname, c.relname, k.conname
"""
