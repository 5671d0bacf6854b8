"""Every mistake in a policy file is named with file, line and key; nothing wrong is ever loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from policies.errors import PolicyError
from policies.fields import LogicalType
from policies.loader import FILES, SHOP, load_policy
from policies.model import Verb
from policies.policy_set import Effect

from .folders import write


def test_the_small_folder_loads_as_written(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path))
    table = policy.data_map.tables["public", "people"]
    name, login, pay = (table.fields[c].sealing for c in ("name", "login", "pay"))
    assert name is not None and login is not None and pay is not None
    assert (name.logical_type, name.typmod, name.equality, name.not_null) == (LogicalType.TEXT, -1, True, True)
    assert (login.logical_type, login.typmod) == (LogicalType.VARCHAR, 44)
    assert pay.typmod == ((12 << 16) | 2) + 4
    assert policy.rules[2].verbs == Verb.MASK | Verb.GROUP
    assert policy.rules[2].min_group == 3
    assert policy.rules[3].effect is Effect.DENY and policy.rules[3].verbs == ~Verb(0)
    assert policy.rules[1].label == "policy.csv:3 allow D1|D2"
    assert policy.logins["anna"].upstream_role == "fg_self"
    assert policy.logins["boss"].upstream_role == "boss"


def test_sealed_fields_of_access_and_special_are_bound_to_their_row_unless_told_otherwise(tmp_path: Path) -> None:
    fields = load_policy(write(tmp_path)).data_map.tables["public", "people"].fields
    bound = {name for name, field in fields.items() if field.sealing and field.sealing.row_bound}
    assert bound == {"login", "ill"}
    told = write(tmp_path, datamap=('type = "varchar(40)"', 'type = "varchar(40)", row_bound = false'))
    login = load_policy(told).data_map.tables["public", "people"].fields["login"].sealing
    assert login is not None and not login.row_bound


_NORMALISED = "equality = true, normaliser ="
_ID = "00000000000000000000000000000001"

MISTAKES = [
    # file, what is there, what is put there, line, key, part of the reason
    ("policy", "work, allow, , D1|D2", "work, ALLOW, , D1|D2", 3, "effect", "small letters"),
    ("policy", "work, allow, , D1|D2", "work, , , D1|D2", 3, "effect", "allow or deny"),
    ("policy", "D1|D2", "D1|D9", 3, "clauses", "unknown clause"),
    ("policy", ", D1, own", ", , own", 6, "clauses", "serves a clause"),
    ("policy", "self, pd, read", "self, pd, raed", 6, "verbs", "unknown verb"),
    ("policy", "self, pd, read", "self, pd, READ", 6, "verbs", "unknown verb"),
    ("policy", "self, pd, read", "self, pd, ", 6, "verbs", "missing"),
    ("policy", "self, pd, read", "self, pd, *", 6, "verbs", "for denies"),
    ("policy", "self, pd, read", "self, pd, read|read", 6, "verbs", "repeated"),
    ("policy", "self, pd", "selfish, pd", 6, "role", "unknown role"),
    ("policy", "self, pd", ", pd", 6, "role", "missing"),
    ("policy", "self, pd", "self, pq", 6, "tag", "unknown tag"),
    ("policy", "self, pd", "self, face", 6, "tag", "forbidden"),
    ("policy", "read, work, allow, , D1, own", "read, wrok, allow, , D1, own", 6, "purposes", "unknown purpose"),
    ("policy", "read, work, allow, , D1, own", "read, , allow, , D1, own", 6, "purposes", "missing"),
    ("policy", "read, work, allow, , D1, own", "read, work|*, allow, , D1, own", 6, "purposes", "alone"),
    ("policy", "mask=null|min_group=3", "min_group=3", 4, "obligations", "go together"),
    ("policy", "mask=null|min_group=3", "mask=stars|min_group=3", 4, "obligations", "go together"),
    ("policy", "mask=null|min_group=3", "mask=null|min_group=1", 4, "obligations", "from 2"),
    ("policy", "mask=null|min_group=3", "mask=null|min_group=many", 4, "obligations", "from 2"),
    ("policy", "mask=null|min_group=3", "mask=null|max_rows=3", 4, "obligations", "unknown obligation"),
    ("policy", "*, *, deny, ,", "*, *, deny, min_group=3,", 5, "obligations", "deny carries none"),
    ("policy", "D1, own", "D1, own, more", 6, "", "9 cells"),
    ("policy", "D1, own", 'D1, "own', 6, "", "quote"),
    ("policy", "tag, verbs", "tags, verbs", 1, "", "first line"),
    ("policy", "boss, any", "\x00boss, any", 2, "", ""),
    ("datamap", 'subject = "id"', 'subject = "id"\nparts = ["nme"]', 7, "parts", "no column"),
    ("datamap", 'subject = "id"', 'subject = "id"\nparts = ["name", "name"]', 7, "parts", "twice"),
    ("datamap", 'subject = "id"', 'subject = "id"\nparts = []', 7, "parts", "at least one"),
    ("datamap", 'subject = "id"', 'subject = "id"\nparts = "name"', 7, "parts", "list"),
    ("datamap", 'subject = "id"', 'subject = "id"\nparts = ["pay"]', 7, "parts", "nobody"),
    ("datamap", "pay = {", 'pay2 = { tag = "pd", colour = "red" }\npay = {', 12, "colour", "unknown key"),
    ("datamap", 'type = "text", equality', 'type = "txt", equality', 10, "type", "must be one of"),
    ("datamap", "varchar(40)", "varchar(0)", 11, "type", "not PostgreSQL's"),
    ("datamap", "numeric(12,2)", "numeric(1200,2)", 12, "type", "not PostgreSQL's"),
    ("datamap", "numeric(12,2)", "text(12)", 12, "type", "not PostgreSQL's"),
    ("datamap", "0000003", "0000001", 12, "sealed", "id of public.people.name"),
    ("datamap", f'"{_ID}"', '"1234"', 10, "sealed", "32 hexadecimal"),
    ("datamap", f'"{_ID}"', f'"{_ID[:-1]}A"', 10, "sealed", "small letters"),
    ("datamap", 'tag = "pd.name"', 'tag = "pd.nme"', 10, "tag", "unknown tag"),
    ("datamap", 'tag = "pd.name"', 'tag = "any"', 10, "tag", "unknown tag"),
    ("datamap", 'tag = "pd.name"', 'tag = "found"', 10, "tag", "unknown tag"),
    ("datamap", 'tag = "pd.name"', 'tag = "face"', 10, "tag", "not processed"),
    ("datamap", '"numeric(12,2)"', '"numeric(12,2)", unique = true', 12, "unique", "needs equality"),
    ("datamap", '"numeric(12,2)"', '"numeric(12,2)", join_group = "g"', 12, "join_group", "needs equality"),
    (
        "datamap",
        '"numeric(12,2)"',
        '"text", equality = true, join_group = "g", own_key = true',
        12,
        "own_key",
        "shares its term",
    ),
    ("datamap", '"numeric(12,2)"', '"text", own_key = 1', 12, "own_key", "true or false"),
    ("datamap", '"numeric(12,2)"', '"json", equality = true', 12, "equality", "no equality"),
    ("datamap", '"numeric(12,2)"', '"bool", equality = true', 12, "equality", "so few values"),
    ("datamap", '"numeric(12,2)"', '"varchar(2)", equality = true', 12, "equality", "so few values"),
    ("datamap", '"numeric(12,2)"', '"numeric(3,1)", equality = true', 12, "equality", "so few values"),
    ("datamap", '"numeric(12,2)"', '"text", equality = "low-entropy"', 12, "equality", "few values; here it is true"),
    ("datamap", '"numeric(12,2)"', '"bool", equality = "yes"', 12, "equality", "true or false"),
    ("datamap", '"numeric(12,2)"', f'"text", {_NORMALISED} "casefold"', 12, "normaliser", "no such normaliser"),
    ("datamap", '"numeric(12,2)"', f'"text", {_NORMALISED} "casefold.2"', 12, "normaliser", "no such normaliser"),
    ("datamap", '"numeric(12,2)"', f'"text", {_NORMALISED} ["trim.1", "x"]', 12, "normaliser", "no such normaliser"),
    ("datamap", '"numeric(12,2)"', f'"text", {_NORMALISED} "e164.1"', 12, "normaliser", "needs a region"),
    ("datamap", '"numeric(12,2)"', f'"text", {_NORMALISED} "e164.1:XX"', 12, "normaliser", "needs a region"),
    ("datamap", '"numeric(12,2)"', f'"text", {_NORMALISED} []', 12, "normaliser", "at least one"),
    ("datamap", '"numeric(12,2)"', f'"text", {_NORMALISED} ""', 12, "normaliser", "not empty"),
    ("datamap", '"numeric(12,2)"', f'"text", {_NORMALISED} 1', 12, "normaliser", "list of texts"),
    ("datamap", '"numeric(12,2)"', f'"text", {_NORMALISED} ["trim.1", "trim.1"]', 12, "normaliser", "twice"),
    ("datamap", '"numeric(12,2)"', f'"jsonb", {_NORMALISED} "trim.1"', 12, "normaliser", "for text and varchar"),
    ("datamap", '"numeric(12,2)"', '"text", normaliser = "trim.1"', 12, "normaliser", "needs equality"),
    ("datamap", '"numeric(12,2)"', '"numeric(12,2)", pad_to = -1', 12, "pad_to", "whole number"),
    ("datamap", '"numeric(12,2)"', '"numeric(12,2)", not_null = 1', 12, "not_null", "true or false"),
    ("datamap", 'row_key = "id"', "", 11, "row_bound", "row_key"),
    ("datamap", 'row_key = "id"', 'row_key = "name"', 5, "row_key", "stored plain"),
    ("datamap", 'subject = "id"', 'subject = "nobody"', 6, "subject", "stored plain"),
    ("datamap", "pay = {", "fg_pay = {", 12, "fg_pay", "no name for a column"),
    ("datamap", 'controller = "firm"', "", 1, "controller", "missing"),
    ("datamap", "[table.people]", "[tables.people]", 4, "tables", "unknown key"),
    ("datamap", 'database = "firm"', "database = firm", 2, "", "not TOML"),
    ("datamap", 'id = { tag = "key" }', 'id = { tag = "key" }\nid = { tag = "pd" }', 10, "", "not TOML"),
    ("tags", '"special.health"', '"spezial.health"', 6, "spezial.health", "wider tag"),
    ("tags", 'title = "Personal data"', 'titel = "Personal data"', 2, "titel", "unknown key"),
    ("tags", 'tags = ["pd.name"]', 'tags = ["pd.nam"]', 12, "tags", "unknown tag"),
    ("tags", 'tags = ["pd.name"]', 'tags = ["special.health"]', 12, "tags", "named by rules"),
    ("tags", "[set.found]", "[set.pd]", 10, "pd", "no name for a set"),
    ("purposes", 'basis = "law"', 'basis = "habit"', 8, "basis", "must be one of"),
    ("purposes", 'basis = "law"', 'basis = "Law"', 8, "basis", "must be one of"),
    ("purposes", 'clauses = ["D2"]', "clauses = []", 9, "clauses", "at least one"),
    ("purposes", 'clauses = ["D2"]', 'clauses = ["D3"]', 9, "clauses", "unknown clause"),
    ("purposes", 'within = "work"', 'within = "dispute"', 10, "within", "back to itself"),
    ("purposes", 'within = "work"', 'within = "worK"', 10, "within", "unknown purpose"),
    ("roles", 'title = "Boss"', 'title = "Boss"\ninherits = ["bos"]', 3, "inherits", "unknown role"),
    ("roles", 'title = "Boss"', 'title = "Boss"\ninherits = ["boss"]', 3, "inherits", "back to itself"),
    ("roles", '[role.clerk]\ntitle = "Clerk"\npurpose = "work"', '[role.clerk]\ntitle = "C"', 5, "purpose", "missing"),
    ("rowfilters", 'role = "self"', 'role = "clerk"', 2, "role", "own_rows"),
    ("rowfilters", 'table = "people"', 'table = "persons"', 3, "table", "data map"),
    ("rowfilters", 'column = "id"', 'column = "name"', 4, "column", "stored plain"),
    ("rowfilters", 'clauses = ["D1"]', 'clauses = ["D1"]\nattribute = "login"', 6, "attribute", "must be one of"),
    ("rowfilters", "[[filter]]", "[filter]", 1, "filter", "[[filter]]"),
    ("logins", 'subject = "7"', "", 5, "subject", "own rows"),
    ("logins", 'subject = "7"', f'subject = "{"7" * 201}"', 8, "subject", "at most 200"),
    ("logins", 'subject = "7"', 'subject = "\\u0007"', 8, "subject", "printable"),
    ("logins", 'roles = ["boss"]', 'roles = ["bosss"]', 3, "roles", "unknown role"),
    ("logins", 'kind = "service"', 'kind = "robot"', 12, "kind", "must be one of"),
    ("logins", 'kind = "service"', 'kind = "person"', 14, "names_person", "for services"),
    ("logins", 'roles = ["boss"]', 'roles = ["boss"]\npurpose = "fun"', 4, "purpose", "unknown purpose"),
    ("logins", 'roles = ["boss"]', "roles = []", 1, "purpose", "do not agree"),
    ("logins", 'roles = ["boss"]', 'roles = ["boss"]\ncontroller = "other"', 4, "controller", "data map"),
    ("clauses", 'D2 = "Nothing"', "D2 = 3", 3, "D2", "must be a text"),
]


@pytest.mark.parametrize(("file", "old", "new", "line", "key", "reason"), MISTAKES)
def test_a_mistake_is_named_with_file_line_and_key(
    tmp_path: Path, file: str, old: str, new: str, line: int, key: str, reason: str
) -> None:
    folder = write(tmp_path, **{file: (old, new)})
    with pytest.raises(PolicyError) as found:
        load_policy(folder)
    error = found.value
    assert error.file.split(".")[0] == file
    assert error.key.endswith(key)
    assert reason in error.reason
    assert error.line == line


def test_a_role_with_own_rows_needs_a_filter_wherever_it_has_rights(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "rowfilters.toml").write_text("", encoding="utf-8")
    with pytest.raises(PolicyError, match=r"role self has own_rows and rights in public\.people"):
        load_policy(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_an_error(tmp_path: Path, name: str) -> None:
    (write(tmp_path) / name).unlink()
    with pytest.raises(PolicyError, match="is missing") as found:
        load_policy(tmp_path)
    assert found.value.file == name


def test_a_misspelt_file_is_an_error_and_not_ignored(tmp_path: Path) -> None:
    (write(tmp_path) / "rowfilter.toml").write_text("", encoding="utf-8")
    with pytest.raises(PolicyError, match=r"rowfilter\.toml: is no file of a policy"):
        load_policy(tmp_path)


def test_a_hidden_line_end_in_a_comment_begins_no_rule(tmp_path: Path) -> None:
    hidden = "own\u2028clerk, any, read, *, allow, , D1, hidden"
    policy = load_policy(write(tmp_path, policy=(", D1, own", f', D1, "{hidden}"')))
    assert len(policy.rules) == 5
    assert policy.rules[-1].comment == hidden


def test_a_file_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    (write(tmp_path) / "roles.toml").write_bytes(b'[role.boss]\ntitle = "\xff"\n')
    with pytest.raises(PolicyError, match=r"roles\.toml:2: is not UTF-8"):
        load_policy(tmp_path)


def test_a_spreadsheets_byte_order_mark_is_taken(tmp_path: Path) -> None:
    file = write(tmp_path) / "policy.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert len(load_policy(tmp_path).rules) == 5


def test_the_revision_follows_the_content_and_nothing_else(tmp_path: Path) -> None:
    first = load_policy(write(tmp_path / "a")).revision
    assert load_policy(write(tmp_path / "b")).revision == first
    assert len(first) == 64
    changed = load_policy(write(tmp_path / "c", policy=("boss, any, read|", "boss, any, read|order|")))
    assert changed.revision != first
    other_login = load_policy(write(tmp_path / "d", logins=('subject = "7"', 'subject = "8"')))
    assert other_login.revision != first


def test_the_shop_policy_loads_from_any_place(tmp_path: Path) -> None:
    copied = shutil.copytree(SHOP, tmp_path / "copy")
    assert load_policy(copied).revision == load_policy(SHOP).revision
