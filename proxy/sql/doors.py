"""Side doors: what the database has of its own that calls functions without a statement naming them.  Pure data.

Only doors behind which a function of unknown reach stands are here; `proxy.catalog_doors` finds them.  Each names the
object and what it calls, so that a refusal can say both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Flag, auto


class Act(Flag):
    """What a statement does with a relation, as far as it makes the server call something."""

    READ = auto()
    INSERT = auto()
    UPDATE = auto()
    DELETE = auto()
    TRUNCATE = auto()
    DEFAULT = auto()  # a column takes its default


WRITES = Act.INSERT | Act.UPDATE | Act.DELETE | Act.TRUNCATE | Act.DEFAULT
EVERYTHING = Act.READ | WRITES


@dataclass(frozen=True, slots=True)
class Door:
    """`what` is the object, as in 'the trigger "t" of "public.notes"'; `calls` is what stands behind it."""

    what: str
    calls: str  # "the function public.f()", "the table public.t"


@dataclass(frozen=True, slots=True)
class RelationDoor:
    """Opened by any of `acts` on its relation."""

    acts: Act
    door: Door


@dataclass(frozen=True, slots=True)
class NamedDoor:
    """An operator, type or operator class of this name and schema."""

    schema: str
    door: Door


@dataclass(frozen=True, slots=True)
class CastDoor:
    """A cast between two of PostgreSQL's own types.  `context` is pg_cast.castcontext."""

    target: int
    names: frozenset[str]  # what the target type is called in a statement
    context: str
    door: Door


@dataclass(frozen=True, slots=True)
class Doors:
    """Those of the whole database, by bare name; a relation's own are with the relation."""

    operators: dict[str, tuple[NamedDoor, ...]] = field(default_factory=dict)
    types: dict[str, tuple[NamedDoor, ...]] = field(default_factory=dict)
    type_oids: dict[int, Door] = field(default_factory=dict)  # arrays of them, too
    classes: dict[str, tuple[NamedDoor, ...]] = field(default_factory=dict)  # operator classes
    casts: tuple[CastDoor, ...] = ()
    events: Door | None = None  # an event trigger, which DDL sets off
