"""SET, RESET, SHOW, DISCARD: what they do to the meaning of later statements, and which are refused."""

from __future__ import annotations

from proxy.errors import Refused, SqlState, Unsupported

from .plan import SessionEffect
from .tree import Node, Nodes, strings

OWN_PREFIX = "fieldgate."
VALUE_SETTINGS = frozenset({"datestyle", "timezone", "intervalstyle"})
# A SELECT that calls its function once, whatever the data is: no FROM, WHERE, HAVING, LIMIT.
_BARE_SELECT = frozenset({"targetList", "limitOption", "op"})
_BARE_CALL = frozenset({"funcname", "args", "funcformat", "location"})
_ONE_SETTING = frozenset({"targetList", "fromClause", "whereClause", "limitOption", "op"})
_UTF8 = frozenset({"utf8", "utf-8", "unicode"})
_ON = frozenset({"on", "true", "yes", "1", "t", "y"})

Effect = tuple[SessionEffect, str | None]
NO_EFFECT: Effect = (SessionEffect.NONE, None)


def setting_effect(body: Node) -> Effect:
    """A VariableSetStmt body.  Raises Refused for settings that would change who runs, or how text is read."""
    kind, name = body["kind"], str(body.get("name", "")).lower()
    if kind == "VAR_RESET_ALL":
        return SessionEffect.RESET_ALL, None
    if name.startswith(OWN_PREFIX):
        return _own_setting(name, kind, body)
    values = [_value(node) for node in body.get("args", [])] if kind == "VAR_SET_VALUE" else None
    _refuse_guarded(name, values)
    if name == "search_path":
        return _search_path(values, local=bool(body.get("is_local")))
    if name in VALUE_SETTINGS:
        return SessionEffect.VALUE_SETTINGS, None
    return NO_EFFECT


def _own_setting(name: str, kind: str, body: Node) -> Effect:
    """Ours never reach the server."""
    if body.get("is_local"):
        raise Unsupported(f"SET LOCAL {name} is not supported", hint="Use SET.")
    if kind == "VAR_SET_VALUE":
        values = [_value(node) for node in body.get("args", [])]
        if len(values) != 1 or values[0] is None:
            raise Refused(f'invalid value for parameter "{name}"', sqlstate=SqlState.SYNTAX_ERROR)
        return SessionEffect.FIELDGATE, f"{name}={values[0]}"
    return SessionEffect.FIELDGATE, name if kind == "VAR_RESET" else f"{name}="


def _refuse_guarded(name: str, values: list[str | None] | None) -> None:
    first = (values[0] or "").lower() if values else None
    if name == "role" and first not in (None, "none"):
        raise Refused("SET ROLE is refused: the role belongs to the login", hint="Log in with the role that you need.")
    if name == "session_authorization" and first is not None:
        raise Refused("SET SESSION AUTHORIZATION is refused", hint="Log in as the user that you need.")
    if name == "standard_conforming_strings" and first is not None and first not in _ON:
        raise Unsupported("standard_conforming_strings must stay on", hint="Write E'...' for strings with backslashes.")
    if name == "client_encoding" and first is not None and first.replace("_", "") not in _UTF8:
        raise Unsupported("client_encoding must be UTF8", hint="Convert in the client.")


def _search_path(values: list[str | None] | None, *, local: bool) -> Effect:
    """What SET LOCAL and DEFAULT lead to is not known here."""
    if values is None or local or any(value is None for value in values):
        return SessionEffect.SEARCH_PATH, None
    return SessionEffect.SEARCH_PATH, ", ".join(_quoted(str(value)) for value in values)


def effect_of_function(kind: str, select: Node, sets: list[str]) -> Effect:
    """`SELECT set_config('search_path', '...', false)` and nothing else beside it; any other form is refused.

    `sets`: every setting that is set anywhere in it.
    """
    targets = select.get("targetList", [])
    call = targets[0]["ResTarget"].get("val", {}).get("FuncCall", {}) if len(targets) == 1 else {}
    values = [_value(node) for node in call.get("args", [])]
    plain = kind == "SelectStmt" and len(sets) == 1 and select.keys() <= _BARE_SELECT and call.keys() <= _BARE_CALL
    name = str(values[0]).lower() if values else ""
    if plain and name in VALUE_SETTINGS and len(values) == 3:
        return SessionEffect.VALUE_SETTINGS, None  # to whatever value: the server will report it
    if not plain or name != "search_path" or len(values) != 3 or any(value is None for value in values):
        raise Unsupported(
            "set_config of search_path, DateStyle, TimeZone and IntervalStyle is supported by itself, "
            "of search_path with constants",
            hint="Use SET.",
        )
    local = str(values[2]).lower() in _ON
    return SessionEffect.SEARCH_PATH, None if local else values[1]


def named_by_rows(flat: Nodes) -> dict[int, str]:
    """The setting of each call in `SELECT set_config(name, ...) FROM pg_settings WHERE name = '...'`, by the node's id.

    So pg_dump sets what older servers do not know.
    """
    found: dict[int, str] = {}
    for kind, body in flat:
        name = _only_row(body) if kind == "SelectStmt" and body.keys() <= _ONE_SETTING else None
        for target in body.get("targetList", []) if name is not None else ():
            call = target["ResTarget"].get("val", {}).get("FuncCall", {})
            if name is not None and call.get("args") and _column(call["args"][0]) == "name":
                found[id(call)] = name
    return found


def _only_row(select: Node) -> str | None:
    """The name that the WHERE clause gives to the one row of pg_settings."""
    tables = [item.get("RangeVar", {}).get("relname") for item in select.get("fromClause", [])]
    condition = select.get("whereClause", {}).get("A_Expr", {})
    if tables != ["pg_settings"] or condition.get("kind") != "AEXPR_OP" or strings(condition["name"]) != ("=",):
        return None
    return _value(condition["rexpr"]) if _column(condition.get("lexpr", {})) == "name" else None


def _column(node: Node) -> str | None:
    names = strings(node["ColumnRef"]["fields"]) if "ColumnRef" in node else ()
    return names[0] if len(names) == 1 else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _value(node: Node) -> str | None:
    """A constant as the server would store it; None: something else."""
    body = node.get("A_Const")
    if body is None:
        return None
    for kind in ("sval", "fval"):
        if kind in body:
            return str(body[kind].get(kind, ""))
    if "ival" in body:
        return str(body["ival"].get("ival", 0))
    if "boolval" in body:
        return "on" if body["boolval"].get("boolval") else "off"
    return None
