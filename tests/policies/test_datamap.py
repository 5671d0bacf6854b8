"""Types with their modifiers, table names, join groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.errors import PolicyError
from policies.fields import Sealing
from policies.files.datamap import split_table
from policies.loader import load_policy
from tests.support.servers import Database

from .folders import write


def _pay(folder: Path, type_and_more: str) -> Sealing:
    policy = load_policy(write(folder, datamap=('"numeric(12,2)"', type_and_more)))
    sealing = policy.data_map.tables["public", "people"].fields["pay"].sealing
    assert sealing is not None
    return sealing


# What PostgreSQL 18 itself stores in pg_attribute.atttypmod for these declarations.
TYPMODS = [
    ("text", -1),
    ("varchar", -1),
    ("varchar(1)", 5),
    ("varchar(10485760)", 10485764),
    ("numeric", -1),
    ("numeric(12,2)", 786438),
    ("numeric(12, 2)", 786438),
    ("numeric(5)", 327684),
    ("numeric(3,-2)", 198658),
    ("numeric(1000,1000)", 65537004),
    ("timestamp(3)", 3),
    ("timestamptz(0)", 0),
    ("timestamptz", -1),
    ("int8", -1),
    ("bytea", -1),
]


@pytest.mark.parametrize(("declared", "typmod"), TYPMODS)
def test_modifiers_are_postgresqls(tmp_path: Path, declared: str, typmod: int) -> None:
    assert _pay(tmp_path, f'"{declared}"').typmod == typmod


def test_a_table_without_sealed_columns_may_be_observed_only(tmp_path: Path) -> None:
    plain = '[table.visits]\nmode = "observe"\n[table.visits.columns]\nid = { tag = "key" }\n[table.people]'
    policy = load_policy(write(tmp_path, datamap=("[table.people]", plain)))
    assert [table.table for table in policy.data_map.observed] == ["visits"]
    assert set(policy.enforced().data_map.tables) == {("public", "people")}
    assert policy.enforced().revision != policy.revision
    with pytest.raises(PolicyError) as refused:
        load_policy(write(tmp_path, datamap=("[table.people]", '[table.people]\nmode = "observe"')))
    assert "no sealed column" in str(refused.value)
    assert "datamap.toml:" in str(refused.value)
    with pytest.raises(PolicyError, match="enforce"):
        load_policy(write(tmp_path, datamap=("[table.people]", '[table.people]\nmode = "watch"')))
    with pytest.raises(PolicyError, match="no sealed column"):
        load_policy(write(tmp_path, datamap=('controller = "firm"', 'controller = "firm"\nmode = "observe"')))
    whole = 'controller = "firm"\nmode = "observe"'
    folder = write(tmp_path, datamap=('controller = "firm"', whole))
    file = folder / "datamap.toml"
    file.write_text(file.read_text().replace("[table.people]", '[table.people]\nmode = "enforce"'))
    own = load_policy(folder)
    assert own.enforced() is own


@pytest.mark.integration
def test_postgresql_itself_agrees(database: Database) -> None:
    columns = ", ".join(f"c{number} {declared}" for number, (declared, _) in enumerate(TYPMODS))
    database.run(f"CREATE TABLE t ({columns})")
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT atttypmod FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum"
        ).fetchall()
    assert [row[0] for row in rows] == [typmod for _, typmod in TYPMODS]


@pytest.mark.parametrize(
    "declared",
    ["numeric(0)", "numeric(1001)", "numeric(5,1001)", "varchar(10485761)", "varchar(5,1)", "timestamp(7)", "date(1)",
     "text(3)", "integer", "TEXT", "text[]", "numeric(12", "numeric(99999999999)"],
)  # fmt: skip
def test_types_that_postgresql_would_refuse_are_refused(tmp_path: Path, declared: str) -> None:
    with pytest.raises(PolicyError) as found:
        _pay(tmp_path, f'"{declared}"')
    assert (found.value.line, found.value.key) == (12, "table.people.columns.pay.type")


def test_a_join_group_compares_like_with_like(tmp_path: Path) -> None:
    grouped = 'equality = true, join_group = "who"'
    both = ('type = "text", equality = true', f'type = "text", {grouped}')
    folder = write(tmp_path, datamap=both)
    file = folder / "datamap.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"varchar(40)", equality = true', f'"varchar(40)", {grouped}'), encoding="utf-8")
    assert load_policy(folder).data_map.field("public", "people", "login") is not None  # text and varchar are alike
    file.write_text(text.replace('"numeric(12,2)"', f'"numeric(12,2)", {grouped}'), encoding="utf-8")
    with pytest.raises(PolicyError, match="of one type"):
        load_policy(folder)


def test_a_normaliser_is_one_or_several_in_their_order(tmp_path: Path) -> None:
    for written, read in (('"trim.1"', ("trim.1",)), ('["trim.1", "e164.1:DE"]', ("trim.1", "e164.1:DE"))):
        assert _pay(tmp_path, f'"varchar(20)", equality = true, normaliser = {written}').normalisers == read
    assert _pay(tmp_path, '"text"').normalisers == ()


@pytest.mark.parametrize(
    ("one", "other"), [("", 'normaliser = "trim.1"'), ('normaliser = "trim.1"', 'normaliser = ["trim.1", "nfc.1"]')]
)
def test_a_join_group_has_one_normaliser(tmp_path: Path, one: str, other: str) -> None:
    """In one group terms are compared; made in two ways they would never meet."""
    grouped = 'equality = true, join_group = "who"'
    name, pay = f"{grouped}{one and ', '}{one}", f"{grouped}, {other}"
    folder = write(tmp_path, datamap=('type = "text", equality = true', f'type = "text", {name}'))
    file = folder / "datamap.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"numeric(12,2)"', f'"text", {pay}'), encoding="utf-8")
    with pytest.raises(PolicyError, match="same normalisers") as found:
        load_policy(folder)
    assert (found.value.line, found.value.key) == (12, "table.people.columns.pay.join_group")
    file.write_text(text.replace('"numeric(12,2)"', f'"text", {name}'), encoding="utf-8")
    assert load_policy(folder).data_map.field("public", "people", "pay") is not None


def test_a_table_may_stand_in_another_schema(tmp_path: Path) -> None:
    folder = write(tmp_path, datamap=("[table.people]", '[table."staff.people"]'))
    with pytest.raises(PolicyError, match="names no column"):  # the columns are still public.people's
        load_policy(folder)
    assert split_table("staff.people") == ("staff", "people")
    assert split_table("people") == ("public", "people")


@pytest.mark.parametrize("name", ['"a.b.c"', '".a"', '"a."', f'"{"x" * 58}"'])
def test_what_is_no_table(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyError, match="is no name for a table"):
        load_policy(write(tmp_path, datamap=("[table.people]", f"[table.{name}]")))


def test_harmless_things_are_named_as_postgresql_prints_them(tmp_path: Path) -> None:
    given = '[harmless]\nfunctions = ["public.slug(text, character varying)", "a.b()"]\nextensions = ["postgis"]\n'
    given += 'foreign_tables = ["a.b"]\n[table.people]'
    policy = load_policy(write(tmp_path, datamap=("[table.people]", given)))
    harmless = policy.data_map.harmless
    assert harmless.functions == {"public.slug(text, character varying)", "a.b()"}
    assert harmless.extensions == {"postgis"} and harmless.foreign_tables == {"a.b"}


@pytest.mark.parametrize(
    "wrong",
    ('functions = ["slug(text)"]', 'functions = ["public.slug"]', 'functions = ["a.b(text,int)"]', 'operators = ["="]',
     'foreign_tables = ["rates"]', 'functions = ["a.b()", "a.b()"]', 'functions = ["pg_catalog.pg_read_file(text)"]'),
)  # fmt: skip
def test_harmless_things_of_another_form_are_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(PolicyError):
        load_policy(write(tmp_path, datamap=("[table.people]", f"[harmless]\n{wrong}\n[table.people]")))


def test_some_of_postgresqls_own_functions_may_be_allowed(tmp_path: Path) -> None:
    given = '[harmless]\nfunctions = ["pg_catalog.pg_cancel_backend(integer)", "public.own(text)"]\n[table.people]'
    policy = load_policy(write(tmp_path, datamap=("[table.people]", given)))
    assert policy.data_map.harmless.of_postgres == {"pg_cancel_backend"}


def test_modes_of_search(tmp_path: Path) -> None:
    assert _pay(tmp_path, '"text", match = true, prefix = true').tokens == ("match.1", "prefix.1")
    assert _pay(tmp_path, '"varchar(20)", prefix = true').tokens == ("prefix.1",)
    assert _pay(tmp_path, '"date", range = true').tokens == ("range-date.1",)
    assert _pay(tmp_path, '"timestamp(3)", range = true').tokens == ("range-time.1",)
    assert _pay(tmp_path, '"int2", range = true').tokens == ("range-integer.1",)
    assert _pay(tmp_path, '"numeric(12,2)", range = true').tokens == ("range-numeric.1",)
    assert _pay(tmp_path, '"numeric(3,1)", range = "low-entropy"').tokens == ("range-numeric.1",)
    assert _pay(tmp_path, '"text", range = false').tokens == ()


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ('"date", match = true', "text and varchar"),
        ('"text", prefix = true, row_bound = true', "bound to their row"),
        ('"text", match = true, pad_to = 16', "how long a value is"),
        ('"text", range = true', "is for date, timestamp"),
        ('"bool", range = "low-entropy"', "is for date, timestamp"),
        ('"date", range = "month"', "true or false"),
        ('"date", range = "low-entropy"', "few values; here it is true"),
        ('"numeric(3,1)", range = true', '"low-entropy"'),
        ('"date", range = true, row_bound = true', "bound to their row"),
        ('"numeric", range = true, pad_to = 16', "how long a value is"),
    ],
)
def test_modes_of_search_that_can_not_be(tmp_path: Path, declared: str, reason: str) -> None:
    with pytest.raises(PolicyError, match=reason) as found:
        _pay(tmp_path, declared)
    assert (
        found.value.key
        == f"table.people.columns.pay.{next(key for key in ('match', 'prefix', 'range') if key in declared)}"
    )


def test_a_field_whose_form_changes(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path, datamap=('"numeric(12,2)"', '"numeric(12,2)", state = "migrating"')))
    data_map, key = policy.data_map, ("public", "people")
    pay = data_map.tables[key].fields["pay"]
    assert data_map.migrates and pay.migrating is pay.sealing is not None
    assert data_map.as_stored({pay.migrating.field_id}).tables[key].fields["pay"] == pay
    plain = data_map.as_stored(()).tables[key].fields["pay"]
    assert (plain.sealing, plain.migrating, plain.term_column) == (None, pay.migrating, None)
    others = {name: field for name, field in data_map.tables[key].fields.items() if name != "pay"}
    assert {name: f for name, f in data_map.as_stored(()).tables[key].fields.items() if name != "pay"} == others
    settled = load_policy(write(tmp_path / "settled", datamap=('"numeric(12,2)"', '"numeric(12,2)", state = "sealed"')))
    assert not settled.data_map.migrates
    with pytest.raises(PolicyError, match='must be "sealed" or "migrating"'):
        load_policy(write(tmp_path / "wrong", datamap=('"numeric(12,2)"', '"numeric(12,2)", state = "plain"')))
