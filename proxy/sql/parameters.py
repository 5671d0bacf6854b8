"""Client parameters and slots: which `$n` of the client becomes which physical `$k` (see plan.physical_parameters).

A parameter that is used plainly keeps its number, so its text needs no edit; one that is sealed, or searched by its
term, or both, is split into as many physical parameters as it has roles.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from policies.fields import LogicalType
from proxy.errors import Refused, SqlState, Unsupported

from .edits import SqlText
from .fragments import logical_type_name
from .plan import Slot, SlotKind, ValueSource
from .tree import Nodes

MAX_PHYSICAL = 65_535  # the Bind message counts parameters in 16 bits
MAX_CLIENT = 65_535

# Array type OIDs of the logical types, beside their own (pg_type.dat).
OIDS: dict[LogicalType, tuple[int, int]] = {
    LogicalType.TEXT: (25, 1009),
    LogicalType.VARCHAR: (1043, 1015),
    LogicalType.INT2: (21, 1005),
    LogicalType.INT4: (23, 1007),
    LogicalType.INT8: (20, 1016),
    LogicalType.NUMERIC: (1700, 1231),
    LogicalType.BOOL: (16, 1000),
    LogicalType.DATE: (1082, 1182),
    LogicalType.TIMESTAMP: (1114, 1115),
    LogicalType.TIMESTAMPTZ: (1184, 1185),
    LogicalType.INET: (869, 1041),
    LogicalType.UUID: (2950, 2951),
    LogicalType.JSON: (114, 199),
    LogicalType.JSONB: (3802, 3807),
    LogicalType.BYTEA: (17, 1001),
}
TEXT_LIKE = frozenset({LogicalType.TEXT, LogicalType.VARCHAR})


@dataclass(frozen=True, slots=True)
class _Plain:
    text: SqlText
    token: int
    typed: bool  # a cast stands around it, so its type does not depend on what else it is used for


@dataclass(slots=True)
class Parameters:
    """What the walk saw of the client's parameters."""

    declared: tuple[int, ...]
    _plain: dict[int, list[_Plain]] = field(default_factory=dict)
    _sealed: dict[int, tuple[LogicalType, bool]] = field(default_factory=dict)
    highest: int = 0
    places: set[int] = field(default_factory=set)  # bytes of the client's text where a parameter was dealt with

    def use_plainly(self, number: int, text: SqlText, token: int, *, typed: bool) -> None:
        self._count(number, text, token)
        self._plain.setdefault(number, []).append(_Plain(text, token, typed))

    def use_sealed(self, number: int, text: SqlText, token: int, logical: LogicalType, *, array: bool) -> None:
        self._count(number, text, token)
        before = self._sealed.setdefault(number, (logical, array))
        compatible = before[0] is logical or (before[0] in TEXT_LIKE and logical in TEXT_LIKE)
        if before[1] != array or not compatible:
            raise Refused(
                f"inconsistent types deduced for parameter ${number}",
                sqlstate=SqlState.DATATYPE_MISMATCH,
                position=text.position(text.tokens[token].start),
            )

    @property
    def count(self) -> int:
        """The client's parameters, with those that it declares and does not use."""
        return max(self.highest, len(self.declared))

    def use_counting(self, number: int, text: SqlText, token: int) -> None:
        """As a LIMIT or OFFSET that the server does not get."""
        self.use_sealed(number, text, token, LogicalType.INT8, array=False)

    def check_complete(self, flat: Nodes) -> None:
        """Every parameter of the statement was dealt with: none could slip through with a number of before."""
        places = {node.get("location", 0) for kind, node in flat if kind == "ParamRef"}
        if places != self.places:
            raise Unsupported("the statement's parameters can not all be accounted for", hint="Write it more simply.")

    def _count(self, number: int, text: SqlText, token: int) -> None:
        self.places.add(text.tokens[token].start)
        if not 0 < number <= MAX_CLIENT:
            raise Refused(f"there is no parameter ${number}", sqlstate=SqlState.SYNTAX_ERROR)
        self.highest = max(self.highest, number)

    def _is_declared(self, number: int) -> bool:
        return number <= len(self.declared) and self.declared[number - 1] != 0

    def type_plain_uses(self) -> None:
        """Where the server would have learnt a parameter's type from a comparison that is now on a term, say it."""
        for number in self._plain.keys() & self._sealed.keys():
            if self._is_declared(number):
                continue
            logical, array = self._sealed[number]
            cast = f"::{logical_type_name(logical, -1)}{'[]' if array else ''}"
            for use in self._plain[number]:
                if not use.typed:
                    use.text.insert_after(use.token, cast)

    def described(self) -> tuple[tuple[int, int], ...]:
        """(client parameter, OID that ParameterDescription shows) where upstream the slot is bytea."""
        shown = []
        for number, (logical, array) in sorted(self._sealed.items()):
            if number in self._plain:
                continue
            oid = self.declared[number - 1] if self._is_declared(number) else OIDS[logical][array]
            shown.append((number, oid))
        return tuple(shown)

    def number(self, segments: list[bytes | Slot]) -> tuple[tuple[bytes | int, ...], tuple[Slot, ...]]:
        """Give each slot its index: client parameter n at n-1, in its plain role when it has one; others behind."""
        wanted = [segment for segment in segments if isinstance(segment, Slot)]
        if not wanted and len(segments) == 1 and self.count == 0:
            return tuple(segment for segment in segments if isinstance(segment, bytes)), ()
        slots = {_identity(slot): slot for slot in self._own_slots(wanted)}
        for slot in wanted:
            slots.setdefault(_identity(slot), slot)
        index = {identity: place for place, identity in enumerate(slots)}
        numbered = tuple(s if isinstance(s, bytes) else index[_identity(s)] for s in segments)
        if len(slots) > MAX_PHYSICAL:
            raise Refused(
                "the statement has too many values for sealed columns",
                sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED,
                hint="Send fewer rows in one statement.",
            )
        return numbered, tuple(slots.values())

    def _own_slots(self, wanted: list[Slot]) -> list[Slot]:
        first: dict[int, Slot] = {}
        for slot in wanted:
            if slot.source is not None and slot.source.parameter is not None:
                first.setdefault(slot.source.parameter, slot)
        plain = {n: Slot(SlotKind.PLAIN, ValueSource(parameter=n)) for n in range(1, self.count + 1)}
        return [plain[n] if n in self._plain else first.get(n, plain[n]) for n in plain]


def _identity(slot: Slot) -> object:
    """A cell is sealed anew for each place where it stands, so only the very same slot is shared; terms are equal."""
    return id(slot) if slot.kind is SlotKind.CELL else slot
