"""datamap.toml: which tables are protected, what each column is, and how it is sealed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from keys.envelope import MAX_BUCKET
from keys.errors import NormaliserUnusable
from keys.normalisers import normaliser_of
from keys.tokens import MATCH, PREFIX
from keys.tokens.ranges import DATES, INTEGERS, NUMBERS, TIMES
from policies.fields import DataMap, Field, Harmless, LogicalType, ProtectedTable, Sealing
from policies.leakage.entropy import has_few_values
from policies.policy_set import ANY_TAG, Tag

from .names import NAME
from .toml import Section

# Sealed fields of these are bound to their row unless the file says otherwise.
ROW_BOUND_TAGS = ("access", "special")

_FIELD_ID = re.compile(r"[0-9a-f]{32}")
# PostgreSQL's own functions that somebody may allow: they reach other sessions of the same upstream role, or large
# objects, where nothing of a data map is ever stored by Fieldgate.
OPENABLE = frozenset(
    f"pg_catalog.{signature}"
    for signature in (
        "pg_cancel_backend(integer)",
        "pg_terminate_backend(integer, bigint)",
        "lo_creat(integer)",
        "lo_create(oid)",
        "lo_open(oid, integer)",
        "lo_close(integer)",
        "lo_lseek(integer, integer, integer)",
        "lo_lseek64(integer, bigint, integer)",
        "lo_tell(integer)",
        "lo_tell64(integer)",
        "lo_truncate(integer, integer)",
        "lo_truncate64(integer, bigint)",
        "lo_unlink(oid)",
        "lo_get(oid)",
        "lo_get(oid, bigint, integer)",
        "lo_put(oid, bigint, bytea)",
        "lo_from_bytea(oid, bytea)",
        "loread(integer, integer)",
        "lowrite(integer, bytea)",
    )
)
_SIGNATURE = re.compile(r"[^.()]+\.[^()]+\((?:[^ ,][^,]*(?:, [^ ,][^,]*)*)?\)")
_TYPE = re.compile(r"(?P<name>[a-z0-9]+)(\((?P<first>\d{1,8})(?:, ?(?P<second>-?\d{1,4}))?\))?")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SEALING_KEYS = (
    "type", "equality", "unique", "join_group", "normaliser", "match", "prefix", "range", "own_key",
    "row_bound", "not_null", "pad_to", "state",
)  # fmt: skip
FORCED = "low-entropy"
ENFORCE, OBSERVE = "enforce", "observe"
SEALED, MIGRATING = "sealed", "migrating"
_NO_EQUALITY = (LogicalType.JSON,)  # PostgreSQL's own json has no `=`
_TEXTS = (LogicalType.TEXT, LogicalType.VARCHAR)
_MODES = {MATCH: "match", PREFIX: "prefix"}
_RANGES = {
    LogicalType.DATE: DATES, LogicalType.TIMESTAMP: TIMES, LogicalType.TIMESTAMPTZ: TIMES,
    LogicalType.INT2: INTEGERS, LogicalType.INT4: INTEGERS, LogicalType.INT8: INTEGERS, LogicalType.NUMERIC: NUMBERS,
}  # fmt: skip
_SAME_EQUALITY = {LogicalType.VARCHAR: LogicalType.TEXT}
_IDENTIFIER_BYTES = 63


def read_datamap(root: Section, tags: Mapping[str, Tag]) -> DataMap:
    root.only("controller", "database", "mode", "table", "harmless")
    tables, observed = {}, _observed(root, default=False)
    for name, section in root.sections("table"):
        table = _table(name, section, tags, observed)
        tables[table.schema, table.table] = table
    data_map = DataMap(root.text("controller"), root.text("database"), tables, _harmless(root.section("harmless")))
    if not NAME.fullmatch(data_map.controller):
        raise root.error("is no name for a controller (small letters, digits and _)", "controller")
    _check_across(root, data_map)
    return data_map


def _harmless(section: Section) -> Harmless:
    """A signature in another form than PostgreSQL's would silently allow nothing, so its form is checked."""
    section.only("functions", "extensions", "foreign_tables")
    for name in section.texts("functions"):
        if not _SIGNATURE.fullmatch(name):
            raise section.error(
                f'"{name}" is no signature ("schema.name(type, type)", types by full name)', "functions"
            )
        if name.startswith("pg_catalog.") and name not in OPENABLE:
            raise section.error(
                f"{name} cannot be allowed: of PostgreSQL's own functions only those that cancel or end sessions and "
                "those of large objects can be",
                "functions",
            )
    for name in section.texts("foreign_tables"):
        if not all(split_table(name)) or "." not in name:
            raise section.error(f'"{name}" is no name of a foreign table ("schema.table")', "foreign_tables")
    return Harmless(*(frozenset(section.texts(key)) for key in ("functions", "extensions", "foreign_tables")))


def split_table(name: str) -> tuple[str, str]:
    """`customers` is public.customers; `hr.people` is what it says."""
    schema, dot, table = name.partition(".")
    return (schema, table) if dot else ("public", schema)


def _observed(section: Section, *, default: bool) -> bool:
    mode = section.text("mode", OBSERVE if default else ENFORCE)
    if mode not in (OBSERVE, ENFORCE):
        raise section.error(f'must be "{ENFORCE}" or "{OBSERVE}"', "mode")
    return mode == OBSERVE


def _check_observed(section: Section, fields: Mapping[str, Field]) -> None:
    """Whoever may do anything would see envelopes, or store plaintext beside them (I1, I2)."""
    sealed = next((field.column for field in fields.values() if field.sealing is not None), None)
    if sealed is not None:
        raise (
            section.section("columns")
            .section(sealed)
            .error("a table that is only observed can have no sealed column", "sealed")
        )


def _table(name: str, section: Section, tags: Mapping[str, Tag], observed: bool) -> ProtectedTable:
    section.only("mode", "row_key", "subject", "subject_keys", "subject_kind", "parts", "columns")
    schema, table = split_table(name)
    if not _identifier(schema) or not _identifier(table):
        raise section.error('is no name for a table ("table" or "schema.table")')
    binding = _binding(section)
    row_key = binding.row_key
    fields = {
        column: _field(schema, table, column, entry, tags, binding) for column, entry in section.sections("columns")
    }
    if not fields:
        raise section.error("names no column", "columns")
    subject = section.optional_text("subject")
    for key, column in (("row_key", row_key), ("subject", subject)):
        if column is not None and (column not in fields or fields[column].sealing is not None):
            raise section.error("must name a column of this table that is stored plain", key)
    parts = section.texts("parts", required="parts" in section.values)
    for column in parts:
        if column not in fields:
            raise section.error(f'"{column}" is no column of this table', "parts")
    if observed := _observed(section, default=observed):
        _check_observed(section, fields)
    return ProtectedTable(schema, table, fields, row_key, subject, parts, observed, binding.subject_kind)


@dataclass(frozen=True, slots=True)
class _Binding:
    """What a table's bound cells are bound to: `row_key`; with a kind of subjects that is the subject's key."""

    row_key: str | None
    subject_kind: str | None


def _binding(section: Section) -> _Binding:
    row_key, kind = section.optional_text("row_key"), section.optional_text("subject_kind")
    if not section.flag("subject_keys"):
        if kind is not None:
            raise section.error("goes with subject_keys = true", "subject_kind")
        return _Binding(row_key, None)
    subject = section.optional_text("subject")
    if subject is None or kind is None:
        raise section.error("needs subject, the column that names the data subject, and subject_kind", "subject_keys")
    if not _KIND.fullmatch(kind):
        raise section.error("is a name of small letters, digits and _, at most 40 characters", "subject_kind")
    if row_key not in (None, subject):
        raise section.error("cells with subjects' secrets are bound to their subject: leave this out", "row_key")
    return _Binding(subject, kind)


def _field(schema: str, table: str, column: str, entry: Section, tags: Mapping[str, Tag], binding: _Binding) -> Field:
    if not _identifier(column) or column.startswith("fg_"):
        raise entry.error("is no name for a column (at most 57 bytes, and fg_ is ours)")
    tag = entry.text("tag")
    known = tags.get(tag)
    if known is None or tag == ANY_TAG or not known.parents:
        raise entry.error(f'unknown tag "{tag}"', "tag")
    if any(tags[each].forbidden for each in _lineage(tag)):
        raise entry.error(f'the tag "{tag}" is forbidden: such data is not processed', "tag")
    if "sealed" not in entry.values:
        entry.only("tag")
        return Field(schema, table, column, tag)
    entry.only("tag", "sealed", *_SEALING_KEYS)
    sealing = _sealing(entry, tag, binding)
    return Field(schema, table, column, tag, sealing, sealing if _migrates(entry) else None)


def _migrates(entry: Section) -> bool:
    state = entry.text("state", SEALED)
    if state not in (SEALED, MIGRATING):
        raise entry.error(f'must be "{SEALED}" or "{MIGRATING}"', "state")
    return state == MIGRATING


def _sealing(entry: Section, tag: str, binding: _Binding) -> Sealing:
    field_id = entry.text("sealed")
    if not _FIELD_ID.fullmatch(field_id):
        raise entry.error("must be 32 hexadecimal digits, in small letters", "sealed")
    logical, typmod = _logical_type(entry)
    sealing = Sealing(
        field_id,
        logical,
        typmod,
        not_null=entry.flag("not_null"),
        equality=_with_few_values(entry, "equality", logical, typmod),
        unique=entry.flag("unique"),
        join_group=entry.optional_text("join_group"),
        normalisers=_normalisers(entry),
        tokens=(*(mode for mode, key in _MODES.items() if entry.flag(key)), *_range(entry, logical, typmod)),
        own_key=entry.flag("own_key"),
        row_bound=_bound(entry, tag, binding),
        pad_to=entry.number("pad_to", 0, low=0, high=MAX_BUCKET),
        subject_kind=binding.subject_kind,
    )
    _check_sealing(entry, sealing, binding.row_key is not None)
    return sealing


def _bound(entry: Section, tag: str, binding: _Binding) -> bool:
    if binding.subject_kind is None:
        return entry.flag("row_bound", default=tag.split(".")[0] in ROW_BOUND_TAGS)
    if "row_bound" in entry.values:
        raise entry.error("cells with subjects' secrets are bound to their subject: leave this out", "row_bound")
    return True


def _check_sealing(entry: Section, sealing: Sealing, has_key: bool) -> None:
    if sealing.equality and sealing.logical_type in _NO_EQUALITY:
        raise entry.error(f"PostgreSQL's {sealing.logical_type} has no equality (jsonb has)", "equality")
    needing = (("unique", sealing.unique), ("join_group", sealing.join_group), ("normaliser", sealing.normalisers))
    for key, used in needing:
        if used and not sealing.equality:
            raise entry.error("needs equality = true", key)
    if sealing.normalisers and sealing.logical_type not in _TEXTS:
        raise entry.error("is for text and varchar", "normaliser")
    _check_modes(entry, sealing)
    if sealing.own_key and sealing.join_group is not None:
        raise entry.error("a field of a join group shares its term key, so its keys are not its own", "own_key")
    if sealing.own_key and sealing.subject_kind is not None:
        raise entry.error(
            "all fields of a subject share the subject's secret, so a field's keys are not its own", "own_key"
        )
    if sealing.row_bound and not has_key:
        raise entry.error("needs a row_key of the table", "row_bound")


def _with_few_values(entry: Section, key: str, logical: LogicalType, typmod: int) -> bool:
    """Of a type with few values equality and ranges show the values themselves, so they must be asked for by name."""
    few = has_few_values(logical, typmod)
    if entry.values.get(key) == FORCED:
        if not few:
            raise entry.error(f'"{FORCED}" is for types with few values; here it is true', key)
        return True
    wanted = entry.flag(key)
    if wanted and few:
        raise entry.error(
            f'a type with so few values shows them by how often each occurs; if that may be, "{FORCED}"', key
        )
    return wanted


def _range(entry: Section, logical: LogicalType, typmod: int) -> tuple[str, ...]:
    if entry.values.get("range", False) is False:
        return ()
    if logical not in _RANGES:
        raise entry.error(f"is for {', '.join(_RANGES)}", "range")
    return (_RANGES[logical],) if _with_few_values(entry, "range", logical, typmod) else ()


def _normalisers(entry: Section) -> tuple[str, ...]:
    """One name, or a list of them in the order in which they are applied."""
    written = entry.values.get("normaliser")
    names = (entry.text("normaliser"),) if isinstance(written, str) else entry.texts("normaliser")
    if written is not None and not names:
        raise entry.error("must name at least one", "normaliser")
    try:
        normaliser_of(names)
    except NormaliserUnusable as unusable:
        raise entry.error(str(unusable), "normaliser") from None
    return names


def _check_modes(entry: Section, sealing: Sealing) -> None:
    for mode in sealing.tokens:
        key = _MODES.get(mode, "range")
        if mode in _MODES and sealing.logical_type not in _TEXTS:
            raise entry.error("is for text and varchar", key)
        if sealing.subject_kind is not None:
            raise entry.error("is not for cells with subjects' secrets", key)
        if sealing.row_bound:
            raise entry.error("is not for cells that are bound to their row (row_bound = false)", key)
        if sealing.pad_to:
            raise entry.error("tells how long a value is, which pad_to is to hide", key)


def _logical_type(entry: Section) -> tuple[LogicalType, int]:
    found = _TYPE.fullmatch(entry.text("type"))
    if found is None or found["name"] not in list(LogicalType):
        raise entry.error(f"must be one of: {', '.join(LogicalType)}; length or precision in brackets", "type")
    logical = LogicalType(found["name"])
    first = None if found["first"] is None else int(found["first"])
    second = None if found["second"] is None else int(found["second"])
    typmod = _typmod(logical, first, second)
    if typmod is None:
        raise entry.error("this length, precision or scale is not PostgreSQL's", "type")
    return logical, typmod


def _typmod(logical: LogicalType, first: int | None, second: int | None) -> int | None:
    """PostgreSQL's number for what stands in the brackets; -1 for none, None when they are wrong."""
    if first is None:
        return -1
    match logical:
        case LogicalType.VARCHAR if second is None and 1 <= first <= 10485760:
            return first + 4
        case LogicalType.NUMERIC if 1 <= first <= 1000 and -1000 <= (second or 0) <= 1000:
            return ((first << 16) | ((second or 0) & 0x7FF)) + 4
        case LogicalType.TIMESTAMP | LogicalType.TIMESTAMPTZ if second is None and first <= 6:
            return first
    return None


def _check_across(root: Section, data_map: DataMap) -> None:
    """Ids are never shared, and a join group compares like with like."""
    ids: dict[str, str] = {}
    groups: dict[str, tuple[LogicalType, tuple[str, ...]]] = {}
    for table in data_map.tables.values():
        for each in table.fields.values():
            if each.sealing is None:
                continue
            section = _entry(root, each)
            if (other := ids.setdefault(each.sealing.field_id, each.name)) != each.name:
                raise section.error(f"is the id of {other} already", "sealed")
            if each.sealing.join_group is not None:
                kind = _SAME_EQUALITY.get(each.sealing.logical_type, each.sealing.logical_type)
                known = groups.setdefault(each.sealing.join_group, (kind, each.sealing.normalisers))
                if known[0] != kind:
                    raise section.error("its fields must be of one type", "join_group")
                if known[1] != each.sealing.normalisers:
                    raise section.error("its fields must have the same normalisers, in one order", "join_group")


def _entry(root: Section, each: Field) -> Section:
    return table_section(root, (each.schema, each.table)).section("columns").section(each.column)


def table_section(root: Section, table: tuple[str, str]) -> Section:
    """Where a (schema, table) of the data map stands."""
    tables = root.section("table")
    return tables.section(next(name for name in tables.values if split_table(name) == table))


def _identifier(name: str) -> bool:
    return bool(name) and "." not in name and "\0" not in name and len(f"fg_{name}_eq".encode()) <= _IDENTIFIER_BYTES


def _lineage(tag: str) -> list[str]:
    parts = tag.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]
