"""Any text is rules or a PolicyError with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.files.rules import COLUMNS, Registers, read_rules
from policies.loader import SHOP, load_policy
from policies.policy_set import Effect

from .folders import write

HEADER = ", ".join(COLUMNS)


@pytest.fixture(scope="module")
def registers() -> Registers:
    shop = load_policy(SHOP)
    return Registers(shop.tags, shop.roles, shop.purposes, shop.clauses)


@pytest.mark.parametrize("text", ["", "\n\n# nothing\n", HEADER.upper(), f'"{HEADER}"'])
def test_a_file_without_its_first_line_is_refused(registers: Registers, text: str) -> None:
    with pytest.raises(PolicyError, match="the first line must be"):
        read_rules("policy.csv", text, registers)


def test_a_file_with_nothing_but_its_first_line_has_no_rules(registers: Registers) -> None:
    assert read_rules("policy.csv", f"# why\n\n{HEADER}\n", registers) == ()


def test_windows_line_ends_are_taken(registers: Registers) -> None:
    text = f"{HEADER}\r\nsupport, pd, read, contact, allow, , D19, x\r\n"
    (rule,) = read_rules("policy.csv", text, registers)
    assert (rule.role, rule.comment, rule.origin) == ("support", "x", "policy.csv:2")


def test_a_quoted_cell_does_not_run_over_its_line(registers: Registers) -> None:
    text = f'{HEADER}\nsupport, pd, read, contact, allow, , D19, "x\nmanagement, any, read, *, allow, , D17, y"\n'
    with pytest.raises(PolicyError, match=r"policy\.csv:2: is not CSV here"):
        read_rules("policy.csv", text, registers)


_WORD = st.sampled_from(
    [
        "support",
        "any",
        "pd",
        "read",
        "*",
        "contact",
        "allow",
        "deny",
        "ALLOW",
        "D19",
        "",
        "|",
        "read|order",
        '"',
        "mask=null",
    ]
) | st.text(max_size=6)


@given(rows=st.lists(st.lists(_WORD, min_size=6, max_size=9), max_size=4))
def test_any_lines_are_rules_or_an_error_with_a_line(registers: Registers, rows: list[list[str]]) -> None:
    text = "\n".join([HEADER, *(",".join(row) for row in rows)])
    try:
        found = read_rules("policy.csv", text, registers)
    except PolicyError as error:
        assert error.line >= 1
        return
    for rule in found:
        assert rule.role in registers.roles and rule.tag in registers.tags and rule.verbs and rule.clauses
        assert rule.effect in Effect


@given(data=st.binary(max_size=300), name=st.sampled_from(["policy.csv", "datamap.toml", "logins.toml", "tags.toml"]))
def test_any_bytes_in_a_file_are_a_policy_or_a_policy_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    folder: Path = write(tmp_path_factory.mktemp("policy"))
    (folder / name).write_bytes(data)
    try:
        assert len(load_policy(folder).revision) == 64
    except PolicyError as error:
        assert error.file
