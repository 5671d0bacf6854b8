"""Which relation a name means, and whether it is protected, harmless, or out of reach of analysis."""

from __future__ import annotations

from enum import Enum, auto

from proxy.errors import Refused, SqlState, Unsupported

from .catalog import Catalog, Relation
from .doors import Act
from .functions import CLOSED_CATALOGS
from .side_doors import opened
from .tree import Node


class Reach(Enum):
    NONE = auto()  # nothing protected can be read or written through it
    PROTECTED = auto()  # it is protected, or shows something that is
    CLOSED = auto()  # nobody may use it through Fieldgate


def find_relation(catalog: Catalog, body: Node, path: tuple[str, ...] | None, position: int | None) -> Relation | None:
    """The relation that a RangeVar body names; None: the catalog does not know it.

    Raises Refused where the name could mean a protected relation, but it is not certain that it does.
    """
    schema, name = body.get("schemaname"), str(body.get("relname", ""))
    if body.get("catalogname") not in (None, catalog.database):
        raise Refused(
            "cross-database references are not implemented", sqlstate=SqlState.FEATURE_NOT_SUPPORTED, position=position
        )
    if schema is not None:
        return catalog.by_name.get((schema, name))
    relation = catalog.resolve(None, name, path if path is not None else ())
    if name in catalog.sensitive_names and (relation is None or _user_schema_first(catalog, relation, path or ())):
        raise Refused(
            f'it is not certain which relation "{name}" is under the session\'s search_path',
            hint="Write it with its schema.",
            sqlstate=SqlState.UNDEFINED_TABLE,
            position=position,
        )
    return relation


def _user_schema_first(catalog: Catalog, relation: Relation, path: tuple[str, ...]) -> bool:
    """`$user` stands for the server's role, which is not known here: another relation of that name could come first."""
    if "$user" not in path or relation.schema not in path or path.index("$user") > path.index(relation.schema):
        return False
    return not catalog.schemas_of(relation.name) <= set(path)


def reach_of(relation: Relation | None) -> Reach:
    if relation is None:
        return Reach.NONE
    if relation.protected is not None or relation.reaches:
        return Reach.PROTECTED
    if relation.opaque or (relation.schema == "pg_catalog" and relation.name in CLOSED_CATALOGS):
        return Reach.CLOSED
    return Reach.NONE


def refuse_closed_name(body: Node) -> None:
    """A catalog of the server that this snapshot does not know is closed by its name alone."""
    if body["relname"] in CLOSED_CATALOGS and body.get("schemaname") in (None, "pg_catalog"):
        raise Unsupported(f'"{body["relname"]}" repeats what protected tables hold, so it is not available here')


def closed(relation: Relation, position: int | None) -> Unsupported:
    name = f"{relation.schema}.{relation.name}"
    door = next((each.door for each in relation.doors if each.acts & Act.READ), None)
    if door is not None:
        return opened(door, position)
    if relation.opaque:
        return Unsupported(
            f'"{name}" calls functions of which it is not known what they read',
            hint="Ask for them to be allowed in the data map, as [harmless], or query the tables themselves.",
            position=position,
        )
    return Unsupported(
        f'"{name}" repeats what protected tables hold, so it is not available through Fieldgate', position=position
    )
