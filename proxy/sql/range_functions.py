"""Functions in FROM: what goes in is read, and what comes out depends on it."""

from __future__ import annotations

from policies.model import Verb
from proxy.errors import Unsupported

from . import functions
from .analysis import Analysis, Use
from .authorise import Guarded
from .calls import check_function
from .given import give
from .scope import NOTHING, Column, Origin, Scope, Source
from .source_names import renamed
from .tree import Node, strings, unwrap


def range_function(a: Analysis, body: Node, scope: Scope) -> Source:
    """A function in FROM sees the items before it; what goes in is read, and what comes out depends on it."""
    alias = body.get("alias", {}).get("aliasname")
    calls = [_call(a, entry["List"]["items"][0], scope) for entry in body.get("functions", [])]
    if len(calls) == 1 and calls[0][0] == "unnest":
        columns = _unnested(a, calls[0][1], scope, alias)
        opaque = False
    else:
        columns, opaque = _returned(a, calls, scope, alias)
    if body.get("coldeflist"):
        lineage = tuple(dict.fromkeys(guarded for column in columns for guarded in column.origin.columns))
        columns = [Column(each["ColumnDef"]["colname"], Origin(lineage)) for each in body["coldeflist"]]
    if body.get("ordinality"):
        columns.append(Column("ordinality", NOTHING))
    name = alias or (calls[0][0] if calls else "")
    return renamed(Source(name, columns, opaque=opaque), body)


def _call(a: Analysis, node: Node, scope: Scope) -> tuple[str, Node]:
    kind, call = unwrap(node)
    if kind != "FuncCall":
        raise Unsupported(f"{kind} in FROM is not supported in statements over protected tables")
    return check_function(a, strings(call["funcname"]), scope.text.position(call.get("location", -1))), call


def _unnested(a: Analysis, call: Node, scope: Scope, alias: str | None) -> list[Column]:
    """One column for each array; an array that is a constant or a parameter may hold values of a sealed column."""
    arguments = call.get("args", [])
    name = alias if alias is not None and len(arguments) == 1 else "unnest"
    origins = []
    for argument in arguments:
        given = give(a, [argument], scope, array=True)
        lineage = a.walk(a, argument, scope, Use(Verb.READ, what="the function unnest")) if given is None else ()
        origins.append(Origin(tuple(dict.fromkeys(lineage)), given=given))
    return [Column(name, origin) for origin in origins]


def _returned(a: Analysis, calls: list[tuple[str, Node]], scope: Scope, alias: str | None) -> tuple[list[Column], bool]:
    """The columns of any other functions, and whether their names are not known."""
    names: list[str] = []
    lineage: list[Guarded] = []
    opaque = False
    for name, call in calls:
        for argument in call.get("args", []):
            lineage += a.walk(a, argument, scope, Use(Verb.READ, what=f"the function {name}"))
        returned = functions.SETS.get(name)
        opaque = opaque or (returned is None and name not in functions.SCALARS)
        names += returned or (alias or name,)
    origin = Origin(columns=tuple(dict.fromkeys(lineage))) if lineage else NOTHING
    return [Column(name, origin) for name in names], opaque
