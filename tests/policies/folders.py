"""A small policy folder to break: written out, changed by one replacement, loaded."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "clauses.toml": '[clause]\nD1 = "Everything"\nD2 = "Nothing"\n',
    "tags.toml": """\
[tag]
pd = { title = "Personal data" }
"pd.name" = { title = "Name" }
access = { title = "Access" }
"special" = { title = "Special", named_only = true }
"special.health" = { title = "Health" }
face = { title = "Faces", forbidden = true }
key = { title = "Keys" }

[set.found]
title = "What finds a person"
tags = ["pd.name"]
""",
    "purposes.toml": """\
[purpose.work]
title = "Work"
basis = "contract"
clauses = ["D1"]

[purpose.dispute]
title = "Dispute"
basis = "law"
clauses = ["D2"]
within = "work"
case_required = true
""",
    "roles.toml": """\
[role.boss]
title = "Boss"
purpose = "work"

[role.clerk]
title = "Clerk"
purpose = "work"

[role.self]
title = "A person"
purpose = "work"
own_rows = true
""",
    "datamap.toml": """\
controller = "firm"
database = "firm"

[table.people]
row_key = "id"
subject = "id"

[table.people.columns]
id = { tag = "key" }
name = { tag = "pd.name", sealed = "00000000000000000000000000000001", type = "text", equality = true, not_null = true }
login = { tag = "access", sealed = "00000000000000000000000000000002", type = "varchar(40)", equality = true }
pay = { tag = "pd", sealed = "00000000000000000000000000000003", type = "numeric(12,2)" }
ill = { tag = "special.health", sealed = "00000000000000000000000000000004", type = "text" }
""",
    "policy.csv": """\
role, tag, verbs, purposes, effect, obligations, clauses, comment
boss, any, read|filter_eq, *, allow, , D1, all
clerk, found, read, work, allow, , D1|D2, "a name, no more"
clerk, pd, mask|group, work, allow, mask=null|min_group=3, D1, masked
clerk, access, *, *, deny, , D2, never
self, pd, read, work, allow, , D1, own
""",
    "rowfilters.toml": """\
[[filter]]
role = "self"
table = "people"
column = "id"
clauses = ["D1"]
""",
    "logins.toml": """\
[login.boss]
kind = "person"
roles = ["boss"]

[login.anna]
kind = "person"
roles = ["self"]
subject = "7"
upstream_role = "fg_self"

[login.app]
kind = "service"
roles = ["clerk"]
names_person = true
""",
}


def write(folder: Path, **changes: tuple[str, str]) -> Path:
    """The folder with, per file (its name without the ending), one text replaced by another."""
    folder.mkdir(exist_ok=True)
    for name, text in FILES.items():
        old, new = changes.get(name.split(".")[0], ("", ""))
        assert old in text, f"{name} holds no such text"
        (folder / name).write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return folder
