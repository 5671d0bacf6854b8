"""A seeded grammar of statements over `shop`: most are sensible, all may by chance name what is hidden.

Pure.  No LIMIT without an order, no array_agg, nothing volatile, no EXPLAIN: these may differ between two databases
without telling anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

CONSTANTS = ("'x'", "'Казань'", "1", "2", "0", "NULL", "'2025-01-01'", "'anna.smirnova@example.org'", "'{}'", "1.5")
OPERATORS = ("=", "<>", "<", ">", "IS DISTINCT FROM", "LIKE", "||")
KEYS = {
    "customers": "id",
    "employees": "id",
    "site_visits": "id",
    "payments": "order_id",
    "health_records": "employee_id",
}


@dataclass(slots=True)
class Grammar:
    """`columns`: by table, all of them.  `usable`: those that the role may use in some way; they are preferred."""

    random: Random
    columns: Mapping[str, Sequence[str]]
    usable: Mapping[str, Sequence[str]]

    def statements(self, count: int) -> Iterator[str]:
        forms = (
            self._select,
            self._select,
            self._aggregate,
            self._join,
            self._nested,
            self._common,
            self._union,
            self._exists,
            self._case,
            self._write,
        )
        for _ in range(count):
            yield self.random.choice(forms)()

    def _table(self) -> str:
        named = [table for table, columns in self.usable.items() if columns]
        return self.random.choice(named if named and self.random.random() < 0.9 else list(self.columns))

    def _column(self, table: str) -> str:
        usable = self.usable.get(table, ())
        return self.random.choice(usable if usable and self.random.random() < 0.85 else self.columns[table])

    def _named(self, table: str, most: int = 3) -> list[str]:
        return [self._column(table) for _ in range(self.random.randint(1, most))]

    def _condition(self, table: str, prefix: str = "") -> str:
        column = prefix + self._column(table)
        constant = self.random.choice(CONSTANTS)
        return self.random.choice(
            (
                f"{column} {self.random.choice(OPERATORS[:5])} {constant}",
                f"{column} {self.random.choice(('=', '<>'))} {constant}",
                f"{column} IN ({constant}, {self.random.choice(CONSTANTS)})",
                f"{column} IS {self.random.choice(('', 'NOT '))}NULL",
                f"{prefix}id = {self.random.randint(1, 9)}",
                f"{column} = {prefix}{self._column(table)}",
                f"1 / (length({column}::text) - {self.random.randint(1, 9)}) >= 0",
                f"NOT ({column} = {constant} OR {prefix}id < 5)",
            )
        )

    def _where(self, table: str, prefix: str = "") -> str:
        chosen = [self._condition(table, prefix) for _ in range(self.random.choice((0, 1, 1, 2)))]
        word = self.random.choice((" AND ", " OR "))
        return f" WHERE {word.join(chosen)}" if chosen else ""

    def _select(self) -> str:
        table = self._table()
        shown = self.random.choice(("*", ", ".join(self._named(table)), "DISTINCT " + ", ".join(self._named(table, 2))))
        order = f" ORDER BY {self._column(table)}" if self.random.random() < 0.3 else ""
        return f"SELECT {shown} FROM {table}{self._where(table)}{order}"

    def _aggregate(self) -> str:
        table, function = self._table(), self.random.choice(("count", "sum", "min", "max", "avg"))
        key, value = self._column(table), self._column(table)
        if self.random.random() < 0.4:
            return f"SELECT count(*), {function}({value}) FROM {table}{self._where(table)}"
        having = f" HAVING count(*) > {self.random.randint(0, 3)}" if self.random.random() < 0.4 else ""
        return f"SELECT {key}, count(*) FROM {table}{self._where(table)} GROUP BY {key}{having}"

    def _join(self) -> str:
        one, other = self._table(), self._table()
        kind = self.random.choice(("JOIN", "LEFT JOIN", "FULL JOIN"))
        on = f"a.{KEYS.get(one, 'customer_id')} = b.{KEYS.get(other, 'customer_id')}"
        shown = f"a.{self._column(one)}, b.{self._column(other)}"
        return f"SELECT {shown} FROM {one} a {kind} {other} b ON {on}{self._where(one, 'a.')}"

    def _nested(self) -> str:
        table = self._table()
        names = sorted(set(self._named(table)) | {"id"})
        shown = self.random.choice(names)
        inner = f"SELECT {', '.join(names)} FROM {table}"
        return f"SELECT x.{shown} FROM ({inner}) x WHERE x.id < {self.random.randint(1, 60)}"

    def _common(self) -> str:
        table = self._table()
        name = self._column(table)
        return f"WITH w AS (SELECT id, {name} AS v FROM {table}{self._where(table)}) SELECT count(*), max(id) FROM w"

    def _union(self) -> str:
        one, other = self._table(), self._table()
        word = self.random.choice(("UNION", "UNION ALL", "EXCEPT", "INTERSECT"))
        return f"SELECT {self._column(one)} FROM {one} {word} SELECT {self._column(other)} FROM {other}"

    def _exists(self) -> str:
        one, other = self._table(), self._table()
        inside = f"SELECT 1 FROM {other} b WHERE b.{KEYS.get(other, 'customer_id')} = a.id"
        return f"SELECT a.id FROM {one} a WHERE EXISTS ({inside} AND {self._condition(other, 'b.')})"

    def _case(self) -> str:
        table = self._table()
        return f"SELECT id, CASE WHEN {self._condition(table)} THEN 1 ELSE 1 / (id - 3) END FROM {table}"

    def _write(self) -> str:
        table, constant = self._table(), self.random.choice(CONSTANTS)
        return self.random.choice(
            (
                f"UPDATE {table} SET {self._column(table)} = {constant}{self._where(table)}",
                f"UPDATE {table} SET {self._column(table)} = {self._column(table)} WHERE id = 1 RETURNING *",
                f"DELETE FROM {table}{self._where(table)}",
                f"INSERT INTO {table} ({self._column(table)}) VALUES ({constant})",
            )
        )
