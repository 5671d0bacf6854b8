"""The rewritten text is parsed again before it is accepted: outside our splices it must say what the client said (I5).

Compared are all nodes that have a place in the text: one that no splice replaced stands, with the same content, where
it moved to, and nothing else stands among what was kept.  Relations are compared by what they are.
"""

from __future__ import annotations

from bisect import bisect_right

from proxy.errors import FieldgateError, SqlState

from .catalog import Catalog
from .edits import Rendered
from .tree import Node, Nodes, nodes, parse_script, strings

_NAMES = ("fields", "funcname", "names", "name", "operName", "collname")
_Mark = tuple[int, str, str]


class Differs(FieldgateError):
    """A rewrite changed more than it meant to; the statement is refused."""

    sqlstate = SqlState.INTERNAL_ERROR


def check_rewritten(catalog: Catalog, kind: str, flat: Nodes, rendered: Rendered, analysed: frozenset[int]) -> None:
    """`analysed`: OIDs of the protected relations that the analysis allowed.  Raises Differs."""
    try:
        again = parse_script(rendered.standin())
    except FieldgateError:
        raise Differs("a rewritten statement is no statement any more") from None
    if len(again) != 1 or again[0].kind != kind:
        raise Differs("a rewritten statement is no longer the statement that it was")
    after = nodes(again[0].body)
    if _moved(flat, rendered.kept) != _moved(after, [(now, now, n) for _, now, n in rendered.kept]):
        raise Differs("a rewrite would change more of the statement than it should")
    _check_relations(catalog, flat, after, analysed)


def _moved(flat: Nodes, runs: list[tuple[int, int, int]]) -> set[_Mark]:
    """What stands in the kept runs, at its new place."""
    starts = [was for was, _, _ in runs]
    found: set[_Mark] = set()
    for key, node in flat:
        if "location" not in node or "relname" in node:
            continue
        location = node["location"]
        index = bisect_right(starts, location) - 1
        if location < 0 or index < 0:
            continue
        was, now, length = runs[index]
        if location < was + length:
            found.add((location - was + now, key, _content(node)))
    return found


def _content(node: Node) -> str:
    """The node's own words: scalars, names and the value of a constant."""
    parts = [f"{k}={v}" for k, v in sorted(node.items()) if isinstance(v, str | int | bool) and k != "location"]
    for key in _NAMES:
        value = node.get(key)
        if isinstance(value, list) and all("String" in item or "A_Star" in item for item in value):
            parts.append(f"{key}:{'.'.join(strings(value))}")
    parts += [f"{key}:{node[key]}" for key in ("ival", "fval", "sval", "bsval", "boolval") if key in node]
    return "|".join(parts)


def _check_relations(catalog: Catalog, before: Nodes, after: Nodes, analysed: frozenset[int]) -> None:
    """What is read is protected and was analysed, or was named by the client and is not protected."""
    common = {node["ctename"] for _, node in after if "ctename" in node}
    named = {(node.get("schemaname"), node["relname"]) for _, node in before if "relname" in node}
    locked = {
        id(each["RangeVar"]) for key, node in after if key == "LockingClause" for each in node.get("lockedRels", [])
    }
    for _, node in after:
        if "relname" not in node or id(node) in locked:  # FOR UPDATE OF names what stands in FROM
            continue
        schema, name = node.get("schemaname"), node["relname"]
        relation = catalog.by_name.get((schema, name)) if schema is not None else None
        if relation is not None and (relation.protected is not None or relation.reaches):
            allowed = relation.oid in analysed
        else:
            allowed = (schema, name) in named or (None, name) in named or relation is not None
            allowed = allowed and (schema is not None or name in common or name not in catalog.sensitive_names)
        if not allowed:
            raise Differs("a rewrite would read another relation than the statement named")
