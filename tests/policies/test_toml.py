"""Lines of entries, and types of values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.files.toml import Section, parse

TEXT = """\
# a comment
top = "x"

[table."a.b".columns]   # with a comment
one = { tag = "t" }
"two words" = 2

[[filter]]
role = "r"
[[filter]]
  role = "s"
list = [
  "a",
]
"""


@pytest.fixture
def root() -> Section:
    return parse("f.toml", TEXT)


def _line(section: Section, key: str) -> int:
    return section.error("", key).line


def test_every_entry_knows_its_line(root: Section) -> None:
    columns = root.section("table").section("a.b").section("columns")
    first, second = root.array("filter")
    assert (_line(root, "top"), _line(root, "table")) == (2, 4)
    assert (_line(columns, "one"), _line(columns, "two words")) == (5, 6)
    assert (_line(first, "role"), _line(second, "role"), _line(second, "list")) == (9, 11, 12)


def test_what_is_missing_is_said_to_be_missing_where_it_should_stand(root: Section) -> None:
    second = list(root.array("filter"))[1]
    error = second.error("is missing", "table")
    assert (error.line, error.key, str(error)) == (10, "filter.1.table", "f.toml:10: filter.1.table: is missing")


@pytest.mark.parametrize(
    ("text", "line"), [("a = 1\nb = \n", 2), ("a = 1\na = 2\n", 2), ('a = "x\n', 1), ("[t]\n\n[t]\n", 3), ("a", 1)]
)
def test_a_syntax_error_is_named_with_its_line(text: str, line: int) -> None:
    with pytest.raises(PolicyError) as found:
        parse("f.toml", text)
    assert found.value.line == line


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("k = 1", lambda s: s.text("k")),
        ('k = " "', lambda s: s.text("k")),
        ("", lambda s: s.text("k")),
        ('k = "true"', lambda s: s.flag("k")),
        ("k = true", lambda s: s.number("k", 0, low=0, high=9)),
        ("k = 10", lambda s: s.number("k", 0, low=0, high=9)),
        ('k = "a"', lambda s: s.texts("k")),
        ('k = ["a", 1]', lambda s: s.texts("k")),
        ('k = ["a", "a"]', lambda s: s.texts("k")),
        ("k = []", lambda s: s.texts("k", required=True)),
        ("k = 1", lambda s: s.section("k")),
        ("k = [1]", lambda s: list(s.array("k"))),
        ("k = 1", lambda s: s.only("other")),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(text: str, read: object) -> None:
    assert callable(read)
    with pytest.raises(PolicyError) as found:
        read(parse("f.toml", text))
    assert found.value.key == "k"


@given(st.text(max_size=200))
def test_any_text_is_toml_or_a_policy_error(text: str) -> None:
    try:
        parse("f.toml", text)
    except PolicyError as error:
        assert error.line >= 1
