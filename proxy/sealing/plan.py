"""What sealing or unsealing a column would do, before it starts: carried, made, refused, sizes, locks and times.

Nothing is changed.  Times and sizes are estimates by round numbers (docs/sealing.md says from where); what is refused
is exact, since the work itself asks the same survey.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from policies.fields import DataMap, Field
from proxy.stored_forms import as_searched

from .ddl import check_name, checks_of, minimum_octets, qualified, quote, sealing_of
from .facts import Connection
from .job import find_field
from .memory import NONE, Traits
from .run import facts_of
from .statements import new_column
from .survey import Survey, survey, survey_sealed
from .unsealing import open_column

COMPARED = 100_000  # rows a second, on one core
WRITTEN = 50 << 20  # bytes a second of a rewrite with its indexes
_ROW = 28  # bytes of a row's header and line pointer, which each change of a row costs once more


@dataclass(frozen=True, slots=True)
class SealPlan:
    """`seals`: towards cells.  Sizes in bytes, times in seconds."""

    field: Field
    seals: bool
    begun: bool
    done: bool
    survey: Survey
    rows: int
    values: int
    table_size: int
    index_size: int
    value_size: int  # of the column as it stands

    @property
    def growth(self) -> int:
        """Of the table while it is filled: each row is written once more, with its second value."""
        rows = max(self.rows, 1)
        return self.values * (self.table_size // rows + _ROW) + self.second_size

    @property
    def second_size(self) -> int:
        overhead = minimum_octets(sealing_of(self.field))
        return self.value_size + self.values * overhead if self.seals else self.value_size

    @property
    def disk(self) -> int:
        """At the most, beside what is there: what filling adds, and the new file with its indexes."""
        return self.growth + self.table_size + self.second_size + self.index_size

    @property
    def writers_wait(self) -> float:
        return self.rows / COMPARED + self.everyone_waits

    @property
    def everyone_waits(self) -> float:
        return (self.table_size + self.second_size + self.index_size) / WRITTEN


async def plan_sealing(connection: Connection, data_map: DataMap, name: str, *, seals: bool) -> SealPlan:
    table, field = find_field(await as_searched(connection, data_map), name)
    sealing = sealing_of(field)
    async with connection.transaction(readonly=True):
        facts = await facts_of(connection, table)
        sealed = bool(checks_of(sealing, facts.checks))
        looked: Survey
        if seals is sealed:
            looked = Survey(facts.oid, (), None, (), (), ())
        else:
            looked = await (survey if seals else survey_sealed)(connection, table, field)
        place = qualified(field.schema, field.table)
        sizes = _SIZES.format(table=place, column=quote(field.column), oid=facts.oid)
        row = await connection.fetchrow(sizes)
    begun = (new_column(field) if seals else open_column(field)) in facts.columns
    return SealPlan(
        field, seals, begun, sealed is seals, looked,
        row["rows"], row["values"], row["table_size"], row["index_size"], row["value_size"],
    )  # fmt: skip


def plan_lines(plan: SealPlan) -> Iterator[str]:
    field, sealing = plan.field, sealing_of(plan.field)
    to, term = ("sealed" if plan.seals else "plain"), plan.field.term_column
    if plan.done:
        yield f"{field.name} is {to} already: nothing to do"
        return
    yield f"{field.name} becomes {to}" + (", and has begun to" if plan.begun else "")
    sizes = f"{_size(plan.table_size)}, indexes {_size(plan.index_size)}"
    yield f"size     {plan.rows:,} rows with {plan.values:,} values; {sizes}"
    yield f"disk     up to {_size(plan.disk)} beside that until it is done, and about as much WAL"
    yield "kept     name, place, NOT NULL, privileges and comment of the column"
    for each in plan.survey.carried:
        what = "unique constraint" if each.constraint else "unique index" if each.unique else "index"
        place = (term if plan.seals else field.column) if field.column in each.columns or term in each.columns else None
        yield f"carried  {what} {each.name}" + (f", to {place}" if place is not None else ", as it is")
    yield from _columns(plan, term)
    if plan.survey.traits != NONE:
        yield f"{'kept for the way back' if plan.seals else 'given back'} {_traits(plan.survey.traits)}"
    yield "locks    prepare: everyone, for a moment; fill: the rows of one batch at a time"
    everyone = f"of it everyone for about {_time(plan.everyone_waits)}"
    yield f"locks    switch: writers for about {_time(plan.writers_wait)}, {everyone}"
    if plan.survey.user_triggers:
        names = ", ".join(plan.survey.user_triggers)
        yield f"triggers {names}: kept quiet, which needs the right to set session_replication_role"
    if sealing.row_bound:
        key = plan.survey.row_key
        yield f"bound    each cell to its row, by {key.name if key is not None else 'no key that is there'}"
    for obstacle in plan.survey.obstacles:
        yield f"REFUSED  {obstacle}"
    yield "nothing stands in the way" if not plan.survey.obstacles else "it does not begin while anything is refused"


def _columns(plan: SealPlan, term: str | None) -> Iterator[str]:
    verb = "made    " if plan.seals else "dropped "
    yield f"{verb} CHECK {check_name(sealing_of(plan.field))}"
    for column in (term, plan.field.token_column):
        if column is not None:
            yield f"{verb} column {column}, generated"


def _traits(traits: Traits) -> str:
    collation = ".".join(traits.collation) if traits.collation is not None else None
    said = (("collation", collation), ("storage", traits.storage), ("compression", traits.compression))
    return ", ".join(f"{what} {value}" for what, value in said if value is not None)


def _size(size: int) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 10_240 or unit == "GB":
            return f"{size:,} {unit}"
        size //= 1024
    raise AssertionError("unreachable")


def _time(seconds: float) -> str:
    return "a second" if seconds < 1 else f"{seconds:,.0f} seconds" if seconds < 120 else f"{seconds / 60:,.0f} minutes"


# Exact counts: it is read once, which sealing itself does several times.
_SIZES = """
SELECT count(*) AS rows, count(t.{column}) AS values,
       coalesce(sum(pg_catalog.pg_column_size(t.{column})), 0)::pg_catalog.int8 AS value_size,
       pg_catalog.pg_table_size({oid}::pg_catalog.oid) AS table_size,
       pg_catalog.pg_indexes_size({oid}::pg_catalog.oid) AS index_size
FROM {table} t
"""
