"""What is told of each way of storing a field: never less than there is to learn."""

from __future__ import annotations

import pytest

from policies.fields import DataMap, Field, LogicalType, ProtectedTable, Sealing
from policies.leakage.entropy import has_few_values, min_entropy
from policies.leakage.profile import Adversary, FieldProfile, Mode, profiles
from policies.loader import SHOP, load_policy

_ID = "0" * 32


def profile(sealing: Sealing | None, *others: Field) -> FieldProfile:
    fields = {field.column: field for field in (Field("public", "t", "c", "pd", sealing), *others)}
    table = ProtectedTable("public", "t", fields, row_key="id")
    return profiles(DataMap("firm", "firm", {("public", "t"): table}))[0]


def learns(sealing: Sealing | None, who: Adversary, *others: Field) -> str:
    return "; ".join(profile(sealing, *others).learns[who])


def test_plain_fields_tell_everything_to_everybody() -> None:
    assert all("everything" in learns(None, who) for who in Adversary)


def test_without_equality_trying_teaches_nothing() -> None:
    sealing = Sealing(_ID, LogicalType.TEXT)
    assert "which rows have a value" in learns(sealing, Adversary.BACKUP)
    assert "the length in bytes" in learns(sealing, Adversary.BACKUP)
    assert "equal" not in learns(sealing, Adversary.BACKUP)
    assert "nothing more" in learns(sealing, Adversary.WATCHER_WITH_LOGIN)
    assert "everything" in learns(sealing, Adversary.KEYRING)


def test_equality_tells_frequencies_and_a_dictionary_can_be_made() -> None:
    sealing = Sealing(_ID, LogicalType.TEXT, equality=True, normalisers=("casefold.1",), join_group="g")
    other = Field("public", "t", "other", "pd", sealing)
    copy = learns(sealing, Adversary.BACKUP, other)
    for words in ("equal values", "how often", "casefold.1", "public.t.other (join group g)"):
        assert words in copy
    assert "which rows each search finds" in learns(sealing, Adversary.WATCHER)
    tried = learns(sealing, Adversary.WATCHER_WITH_LOGIN, other)
    assert "any value that can be guessed" in tried
    assert "public.t.other" in tried


def test_search_by_part_tells_parts_even_without_equality() -> None:
    sealing = Sealing(_ID, LogicalType.TEXT, tokens=("match.1", "prefix.1"))
    copy = learns(sealing, Adversary.BACKUP)
    for words in (
        "groups of three letters",
        "begin with the same 2 to 8 letters",
        "about its length",
        "much of the values",
    ):
        assert words in copy
    assert "groups" not in learns(Sealing(_ID, LogicalType.TEXT, tokens=("prefix.1",)), Adversary.BACKUP)
    assert "parts in common" in learns(sealing, Adversary.WATCHER)
    tried = learns(sealing, Adversary.WATCHER_WITH_LOGIN)
    assert "any part that can be guessed" in tried and "nothing more" not in tried
    assert profile(sealing).mode is Mode.PART


def test_search_by_range_tells_spans() -> None:
    for logical, mode, words in (
        (LogicalType.DATE, "range-date.1", "same span of 32 days"),
        (LogicalType.TIMESTAMPTZ, "range-time.1", "same span of 6.4 days"),
        (LogicalType.INT4, "range-integer.1", "small whole numbers: the same number"),
    ):
        sealing = Sealing(_ID, logical, tokens=(mode,))
        assert words in learns(sealing, Adversary.BACKUP)
        assert "near each other" in learns(sealing, Adversary.BACKUP)
        assert "about its length" not in learns(sealing, Adversary.BACKUP)
        assert "ranges have ends" in learns(sealing, Adversary.WATCHER)
        tried = learns(sealing, Adversary.WATCHER_WITH_LOGIN)
        assert "the span of every value" in tried and "nothing more" not in tried
        assert profile(sealing).mode is Mode.RANGE
    few = Sealing(_ID, LogicalType.NUMERIC, (3 << 16) + 4, tokens=("range-numeric.1",), equality=True)
    assert profile(few).few_values
    assert profile(few).mode is Mode.EQUALITY_AND_RANGE


def test_a_unique_fields_frequencies_tell_nothing() -> None:
    sealing = Sealing(_ID, LogicalType.TEXT, equality=True, unique=True)
    assert "each value occurs once" in learns(sealing, Adversary.BACKUP)


@pytest.mark.parametrize(
    ("sealing", "words"),
    [
        (Sealing(_ID, LogicalType.TEXT, pad_to=64), "multiple of 64 bytes"),
        (Sealing(_ID, LogicalType.DATE), "no length"),
        (Sealing(_ID, LogicalType.INET), "version 4 or 6"),
        (Sealing(_ID, LogicalType.TEXT, not_null=True), "that the row is there"),
    ],
)
def test_lengths_and_nulls(sealing: Sealing, words: str) -> None:
    assert words in learns(sealing, Adversary.BACKUP)


def test_what_row_binding_prevents_is_noted() -> None:
    assert "does not open" in profile(Sealing(_ID, LogicalType.TEXT, row_bound=True)).notes[0]
    assert "can move a cell" in profile(Sealing(_ID, LogicalType.TEXT)).notes[0]


@pytest.mark.parametrize(
    ("logical", "typmod", "few"),
    [
        (LogicalType.BOOL, -1, True),
        (LogicalType.VARCHAR, 6, True),
        (LogicalType.VARCHAR, 7, False),
        (LogicalType.VARCHAR, -1, False),
        (LogicalType.NUMERIC, (3 << 16) + 4, True),
        (LogicalType.NUMERIC, ((3 << 16) | 2) + 4, True),
        (LogicalType.NUMERIC, (4 << 16) + 4, False),
        (LogicalType.NUMERIC, -1, False),
        (LogicalType.DATE, -1, False),
    ],
)
def test_types_with_few_values(logical: LogicalType, typmod: int, few: bool) -> None:
    assert has_few_values(logical, typmod) is few
    assert profile(Sealing(_ID, logical, typmod, equality=True)).few_values is few
    assert not profile(Sealing(_ID, logical, typmod)).few_values


def test_min_entropy() -> None:
    assert min_entropy(1, 1024) == 10
    assert min_entropy(1, 1) == min_entropy(0, 0) == 0


def test_every_field_of_the_sample_is_told() -> None:
    data_map = load_policy(SHOP).data_map
    told = {each.field: each.mode for each in profiles(data_map)}
    for table in data_map.tables.values():
        for field in table.fields.values():
            sealing = field.sealing
            assert (told[field.name] is Mode.PLAIN) is (sealing is None)
            assert ("equality" in told[field.name]) is (sealing is not None and sealing.equality)
            assert ("search" in told[field.name]) is (sealing is not None and bool(sealing.tokens))
