"""Ancestors and depth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.closure import closure
from policies.files.names import DOTTED, MAX_DEPTH, NAME, depth

TREE = {"a": ("b", "c"), "b": ("d",), "c": ("d",), "d": ()}


def test_the_closure_holds_the_start_and_every_ancestor() -> None:
    assert closure(["a"], TREE) == {"a", "b", "c", "d"}
    assert closure(["b", "unknown"], TREE) == {"b", "d", "unknown"}
    assert closure([], TREE) == frozenset()


def test_a_circle_ends() -> None:
    assert closure(["x"], {"x": ("y",), "y": ("x",)}) == {"x", "y"}


@given(st.dictionaries(st.integers(0, 8), st.lists(st.integers(0, 8), max_size=3)))
def test_the_closure_is_closed(links: dict[int, list[int]]) -> None:
    tree = {str(name): [str(parent) for parent in parents] for name, parents in links.items()}
    found = closure(["0"], tree)
    assert all(parent in found for name in found for parent in tree.get(name, ()))


def test_depth_counts_the_longest_way_and_notices_circles() -> None:
    assert depth("a", lambda name: TREE[name]) == 2
    assert depth("d", lambda name: TREE[name]) == 0
    with pytest.raises(RecursionError):
        depth("x", lambda name: ["x"])
    assert MAX_DEPTH < 10  # Casbin's own limit


@pytest.mark.parametrize("name", ["", "A", "1a", "a b", "a.b", "a-b", "é", "a" * 64])
def test_what_is_no_name(name: str) -> None:
    assert not NAME.fullmatch(name)


@pytest.mark.parametrize(
    ("name", "good"), [("a.b_1.c", True), ("a..b", False), (".a", False), ("a.b.c.d.e.f.g", False)]
)
def test_what_is_a_tag(name: str, good: bool) -> None:
    assert bool(DOTTED.fullmatch(name)) is good
