"""Who learns what of each field, worked out from the data map alone.  Pure.

Contract: it never says less than there is to learn; what is told for one adversary holds for those below it in the
list, except for the thief of the keyring, who is told as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from keys.tokens import MATCH, PREFIX, RANGES
from keys.tokens.ranges import DATES, TIMES
from policies.fields import DataMap, Field, LogicalType, ProtectedTable, Sealing

from .entropy import has_few_values

_FIXED = frozenset(
    {
        LogicalType.INT2, LogicalType.INT4, LogicalType.INT8, LogicalType.BOOL, LogicalType.DATE,
        LogicalType.TIMESTAMP, LogicalType.TIMESTAMPTZ, LogicalType.UUID,
    }
)  # fmt: skip

_EVERYTHING: tuple[str, ...] = ("everything: values, order, frequencies",)


class Adversary(StrEnum):
    BACKUP = "backup"
    WATCHER = "watcher"
    WATCHER_WITH_LOGIN = "watcher with a login"
    KEYRING = "keyring"


TITLES = {
    Adversary.BACKUP: "holds a copy: a backup, a dump, a disk, a replica",
    Adversary.WATCHER: "administers the database and watches: statements, changes, copies over time",
    Adversary.WATCHER_WITH_LOGIN: "watches, and has a login that may write or search the field",
    Adversary.KEYRING: "holds the keyring and its passphrase, and a copy",
}


class Mode(StrEnum):
    PLAIN = "plain"
    SEALED = "sealed"
    EQUALITY = "sealed, equality"
    PART = "sealed, search by part"
    EQUALITY_AND_PART = "sealed, equality, search by part"
    RANGE = "sealed, search by range"
    EQUALITY_AND_RANGE = "sealed, equality, search by range"


@dataclass(frozen=True, slots=True)
class FieldProfile:
    field: str
    tag: str
    mode: Mode
    learns: dict[Adversary, tuple[str, ...]]
    notes: tuple[str, ...] = ()
    few_values: bool = False  # its type has few values, and it has an equality term all the same


def profiles(data_map: DataMap) -> tuple[FieldProfile, ...]:
    groups = _groups(data_map)
    return tuple(
        _profile(field, table, groups) for table in data_map.tables.values() for field in table.fields.values()
    )


def _groups(data_map: DataMap) -> dict[str, tuple[str, ...]]:
    """The fields of each join group."""
    found: dict[str, tuple[str, ...]] = {}
    for table in data_map.tables.values():
        for field in table.fields.values():
            group = field.sealing.join_group if field.sealing is not None else None
            if group is not None:
                found[group] = (*found.get(group, ()), field.name)
    return found


def _profile(field: Field, table: ProtectedTable, groups: dict[str, tuple[str, ...]]) -> FieldProfile:
    sealing = field.sealing
    if sealing is None:
        everything = dict.fromkeys(Adversary, _EVERYTHING)
        return FieldProfile(field.name, field.tag, Mode.PLAIN, everything)
    fellows = tuple(name for name in groups.get(sealing.join_group or "", ()) if name != field.name)
    learns: dict[Adversary, tuple[str, ...]] = {
        Adversary.BACKUP: tuple(_from_copy(sealing, fellows)),
        Adversary.WATCHER: tuple(_from_watching(sealing)),
        Adversary.WATCHER_WITH_LOGIN: tuple(_from_trying(sealing, fellows)),
        Adversary.KEYRING: ("everything: each cell opens, and each guess can be tried without a login",),
    }
    few = (sealing.equality or _has_range(sealing)) and has_few_values(sealing.logical_type, sealing.typmod)
    return FieldProfile(field.name, field.tag, _mode(sealing), learns, tuple(_notes(sealing, table)), few)


def _mode(sealing: Sealing) -> Mode:
    if _has_range(sealing):
        return Mode.EQUALITY_AND_RANGE if sealing.equality else Mode.RANGE
    if sealing.tokens:
        return Mode.EQUALITY_AND_PART if sealing.equality else Mode.PART
    return Mode.EQUALITY if sealing.equality else Mode.SEALED


def _from_copy(sealing: Sealing, fellows: tuple[str, ...]) -> Iterator[str]:
    yield "that the row is there" if sealing.not_null else "which rows have a value: NULL is not sealed"
    yield _length(sealing)
    yield "which cells were sealed under the same key, so roughly when"
    if PREFIX in sealing.tokens:
        yield "which rows begin with the same 2 to 8 letters, and how often each beginning occurs"
    if MATCH in sealing.tokens:
        yield "which rows share groups of three letters, and how often each group occurs"
        yield "with enough rows and a list of likely words: much of the values, from groups that occur together"
    if _has_range(sealing):
        yield from _from_spans(sealing)
    elif sealing.tokens:
        yield "how many different search tokens a value has, which is about its length"
    if not sealing.equality:
        return
    if sealing.unique:
        yield "nothing by frequency: each value occurs once"
    else:
        yield "which rows have equal values, and how often each occurs: frequent values are guessed from public figures"
    if sealing.normalisers:
        yield f"equal means equal after {', '.join(sealing.normalisers)}: cells whose spelling differs only so show it"
    if fellows:
        yield f"which rows have the same value in {', '.join(fellows)} (join group {sealing.join_group})"


def _has_range(sealing: Sealing) -> bool:
    return bool(RANGES & set(sealing.tokens))


_SMALLEST_SPANS = {
    DATES: "32 days, and the same of six larger ones (128 days, 1.4, 5.6, 22, 90 and 359 years)",
    TIMES: "6.4 days, and the same of seven larger ones (25 and 102 days, 1.1, 4.5, 18, 71 and 285 years)",
}
_SPANS_OF_NUMBERS = "an eighth of their size (small whole numbers: the same number), and the same of five larger ones"


def _from_spans(sealing: Sealing) -> Iterator[str]:
    spans = next((_SMALLEST_SPANS[mode] for mode in sealing.tokens if mode in _SMALLEST_SPANS), _SPANS_OF_NUMBERS)
    yield f"which rows have values in the same span of {spans}; so which values are near each other"
    yield "with enough rows and public figures: the span of most values, from how often each occurs"
    yield "which values are far from all others: infinite, centuries away, or of 44 digits and more"


def _length(sealing: Sealing) -> str:
    if sealing.logical_type in _FIXED:
        return "no length: all values of this type are as long"
    if sealing.pad_to:
        return f"the length, rounded up to a multiple of {sealing.pad_to} bytes"
    if sealing.logical_type is LogicalType.INET:
        return "whether it is an address of version 4 or 6, by its length"
    return "the length in bytes"


def _from_watching(sealing: Sealing) -> Iterator[str]:
    yield "when each cell is written, by which upstream role, and which are written together"
    if _has_range(sealing):
        yield "which rows each search by range may find, and which ranges have ends or spans in common"
    elif sealing.tokens:
        yield "which rows each search by part may find, and which searches have parts in common"
    if sealing.equality:
        yield "which rows each search finds, and which searches are for the same value"
        yield "whether a new value equals an old one, of the same row too"


def _from_trying(sealing: Sealing, fellows: tuple[str, ...]) -> Iterator[str]:
    if _has_range(sealing):
        yield "the span of every value: write or search for a value of each, which are not many, and compare tokens"
    elif sealing.tokens:
        yield "any part that can be guessed: write or search for it, see its tokens, look for them in all rows"
    if not sealing.equality and sealing.tokens:
        return
    if not sealing.equality:
        yield "nothing more: two cells of one value differ"
        return
    yield "any value that can be guessed: write or search for the guess, see its term, look for it in all rows"
    if fellows:
        yield f"the same for {', '.join(fellows)}: they share the terms"


def _notes(sealing: Sealing, table: ProtectedTable) -> Iterator[str]:
    if sealing.row_bound:
        yield f"bound to its row ({table.row_key}): a cell that is moved to another row does not open"
    else:
        yield "not bound to its row: who writes into the database can move a cell to another row of the field"
    if sealing.own_key:
        yield "has keys of its own, which can be destroyed by themselves"
