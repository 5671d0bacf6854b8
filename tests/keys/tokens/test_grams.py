"""Inputs of tokens: what a pattern looks for is among what each matching text has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keys.tokens import MATCH, PREFIX, inputs_of
from keys.tokens.grams import Run, grams_to_find, prefix_to_find

LETTERS = st.text(st.sampled_from("abAB éÉИи\u0301ıİΣςσ\u0378"), max_size=12)


def test_groups_of_a_text_and_of_parts_of_it() -> None:
    assert inputs_of([MATCH])("Анна".encode()) == frozenset(
        f"match.1\0{each}".encode() for each in ("\x02ан", "анн", "нна", "на\x03")
    )
    assert grams_to_find([Run("нн")]) == frozenset()
    assert grams_to_find([Run("Ан", starts=True)]) == {"match.1\0\x02ан".encode()}
    assert grams_to_find([Run("НА", ends=True)]) == {"match.1\0на\x03".encode()}
    assert grams_to_find([Run("ab\u0378cde")]) == {b"match.1\0cde"}
    assert prefix_to_find([Run("Владимирович", starts=True)]) == {"prefix.1\0владимир".encode()}
    assert prefix_to_find([Run("В", starts=True)]) == prefix_to_find([Run("Вл")]) == frozenset()


def test_what_can_not_be_told() -> None:
    for mode in (MATCH, PREFIX):
        assert inputs_of([mode])("a\u0378bcd".encode()) is None
        assert inputs_of([mode])(b"\xff") is None
    assert inputs_of([MATCH, PREFIX])("a\u0378bcd".encode()) is None


@given(LETTERS, LETTERS, LETTERS)
def test_a_part_is_found_in_the_whole(before: str, part: str, behind: str) -> None:
    grams, beginnings = (
        inputs_of([MATCH])((before + part + behind).encode()),
        inputs_of([PREFIX])((part + behind).encode()),
    )
    changed = part.upper()
    if part.upper().lower() != part.lower():
        changed = part
    for each in (part, part.lower(), changed):
        assert grams is None or grams_to_find([Run(each)]) <= grams
        assert beginnings is None or prefix_to_find([Run(each, starts=True)]) <= beginnings
    whole = inputs_of([MATCH])(part.encode())
    assert whole is None or grams_to_find([Run(part, starts=True, ends=True)]) == whole
