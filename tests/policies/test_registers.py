"""Trees of tags, roles and purposes: as deep as every engine follows them, and no deeper."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.errors import PolicyError
from policies.files.names import MAX_DEPTH
from policies.files.registers import read_purposes, read_roles, read_tags
from policies.files.toml import parse
from policies.holder import PolicyHolder
from policies.oracle import check_against_oracle
from policies.policy_set import LegalBasis

from .folders import write


def _roles(count: int) -> str:
    return "".join(
        f'[role.r{n}]\ntitle = "R"\npurpose = "p"\n' + (f'inherits = ["r{n - 1}"]\n' if n else "") for n in range(count)
    )


def test_roles_inherit_so_far_and_no_farther() -> None:
    assert len(read_roles(parse("roles.toml", _roles(MAX_DEPTH + 1)), {"p"})) == MAX_DEPTH + 1
    with pytest.raises(PolicyError, match="steps deep"):
        read_roles(parse("roles.toml", _roles(MAX_DEPTH + 2)), {"p"})


def test_the_deepest_trees_are_decided_as_casbin_decides(tmp_path: Path) -> None:
    folder = write(tmp_path)
    tags = "\n".join(f'"{".".join(["d"] * n)}" = {{ title = "D" }}' for n in range(1, 7))
    (folder / "tags.toml").write_text((folder / "tags.toml").read_text().replace("[tag]", f"[tag]\n{tags}"))
    (folder / "roles.toml").write_text(_roles(MAX_DEPTH + 1).replace('purpose = "p"', 'purpose = "p0"'))
    purposes = "".join(
        f'[purpose.p{n}]\ntitle = "P"\nbasis = "law"\nclauses = ["D1"]\n' + (f'within = "p{n - 1}"\n' if n else "")
        for n in range(MAX_DEPTH + 1)
    )
    (folder / "purposes.toml").write_text(purposes)
    deep = (folder / "datamap.toml").read_text().replace('tag = "pd"', 'tag = "d.d.d.d.d.d"')
    (folder / "datamap.toml").write_text(deep)
    header = (folder / "policy.csv").read_text().splitlines()[0]
    (folder / "policy.csv").write_text(f"{header}\nr0, any, read, p0, allow, , D1, from one end to the other\n")
    (folder / "rowfilters.toml").write_text("")
    (folder / "logins.toml").write_text(f'[login.last]\nkind = "person"\nroles = ["r{MAX_DEPTH}", "r0"]\n')
    policy = PolicyHolder.load(folder, check=check_against_oracle).current.policy
    decisions = PolicyHolder.load(folder).current.decisions
    principal = policy.principal("last", purpose=f"p{MAX_DEPTH}")
    assert decisions.table_rights(principal, "public", "people").fields["pay"].verbs


def test_a_tag_knows_its_wider_tag_and_its_sets() -> None:
    text = '[tag]\na = {title="A"}\n"a.b" = {title="B"}\n[set.s]\ntitle = "S"\ntags = ["a.b"]\n'
    tags = read_tags(parse("tags.toml", text))
    assert tags["a.b"].parents == ("a", "s")
    assert tags["a"].parents == ("any",)
    assert tags["s"].parents == ()


def test_a_set_cannot_hold_what_must_be_named() -> None:
    text = '[tag]\na = {title="A"}\n"a.b" = {title="B", named_only=true}\n[set.s]\ntitle = "S"\ntags = ["a"]\n'
    with pytest.raises(PolicyError, match="is to be named by rules"):
        read_tags(parse("tags.toml", text))


def test_a_purpose_has_a_basis_and_clauses() -> None:
    text = '[purpose.p]\ntitle = "P"\nbasis = "charter"\nclauses = ["D1"]\n'
    assert read_purposes(parse("purposes.toml", text), {"D1"})["p"].basis is LegalBasis.CHARTER
    with pytest.raises(PolicyError, match="is missing"):
        read_purposes(parse("purposes.toml", text.replace('basis = "charter"\n', "")), {"D1"})
