"""Parts: what figures over a table are made of, where someone may see it in groups only.

A minimum for each group alone is no minimum: all orders less those of the groups that are shown are the orders of the
groups that are not.  So a table is parted once, by every column that anybody of the policy may group by and not read;
whoever asks, for whatever purpose, gets figures over whole parts of one and the same parting.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .fields import Field, ProtectedTable
from .model import FieldRights, Parts, Verb

_GROUP_VERBS = Verb.GROUP | Verb.AGGREGATE


def is_grouped_only(rights: FieldRights) -> bool:
    """Used in groups of a least size, and not to be read: what differences between figures must not tell."""
    return bool(rights.min_group and rights.verbs & _GROUP_VERBS) and not rights.allows(Verb.READ)


def parts_of(table: ProtectedTable, everybody: Iterable[Mapping[str, FieldRights]]) -> Parts:
    """`everybody`: the rights of each role for each purpose.  What the data map names comes first, in its order."""
    columns: set[str] = set()
    least = 0
    for fields in everybody:
        least = max(least, *(rights.min_group for rights in fields.values()))
        if any(map(is_grouped_only, fields.values())):
            columns |= {name for name, rights in fields.items() if _parts_by(table.fields[name], rights)}
    ordered = [*table.parts, *(name for name in table.fields if name not in table.parts)]
    return Parts(tuple(name for name in ordered if name in columns), least)


def _parts_by(field: Field, rights: FieldRights) -> bool:
    """Cells without terms are grouped by nobody."""
    groupable = field.sealing is None or field.sealing.equality
    return groupable and rights.allows(Verb.GROUP)
