"""Values: columns that may be read, constants, and what is made of them."""

from __future__ import annotations

from policies.model import Verb

from .draw import Bound, Draw, Place

WHAT = Verb.READ
_TEXTS = ("lower({})", "upper({})", "length({})::text", "substr({}, 2, 3)", "{} || '!'", "left({}, 2)", "reverse({})",
          "coalesce({}, '-')", "nullif({}, 'x')", "md5({})", "concat({}, 1)", "replace({}, 'a', 'b')",
          '{} COLLATE "C"', "split_part({}, ' ', 1)", "quote_literal({})", "initcap(trim({}))")  # fmt: skip
_NUMBERS = ("{} + 1", "{} * 2", "abs({})", "round({})", "-{}", "{}::text::numeric", "coalesce({}, 0)",
            "greatest({}, 3)", "10 / nullif({}, 0)", "{} % 7", "sign({})", "mod({}, 5)",
            "floor({}::numeric)")  # fmt: skip
_TIMES = ("date_trunc('month', {})", "{} + interval '1 day'", "extract(year FROM {})", "to_char({}, 'YYYY-MM')",
          "{}::date", "coalesce({}, '2025-01-01')", "date_part('dow', {})", "{} AT TIME ZONE 'UTC'")  # fmt: skip
_OTHERS = ("{}::text", "coalesce({}::text, '-')", "to_jsonb({})", "pg_typeof({})", "num_nulls({})")


def expression(d: Draw, place: Place, depth: int = 1, verbs: Verb = WHAT) -> str:
    """Some value; what it names is charged `verbs`."""
    if depth > 0 and d.chance(0.3):
        return _composed(d, place, depth, verbs)
    column = d.column(place, verbs, plain=True)
    if column is None:
        return d.constant(d.any(("text", "number")))
    return made_of(d, column)


def made_of(d: Draw, column: Bound) -> str:
    forms = {"text": _TEXTS, "number": _NUMBERS, "time": _TIMES, "date": _TIMES[:4]}.get(column.type, _OTHERS)
    return d.any((*forms, "{}", "{}")).format(column.text)


def number(d: Draw, place: Place, verbs: Verb = WHAT) -> str:
    """Of a type that can be reckoned with; may fail."""
    column = d.column(place, verbs, ("number",), plain=True)
    if column is not None:
        return d.any(("{}", "{} + 1", "({} - 3)", "abs({})")).format(column.text)
    column = d.column(place, verbs, ("text",), plain=True)
    if column is not None:
        return d.any(("length({})", "ascii({})", "({})::int")).format(column.text)
    return d.constant("number")


def failing(d: Draw, place: Place) -> str:
    """What fails for some rows: whether it does tells of the value."""
    of = number(d, place)
    return d.any((f"1 / ({of} - {d.random.randint(0, 9)})", f"sqrt({of} - 5)", f"({of})::int2", f"chr(({of})::int)",
                  f"ln({of} - 1)", f"('0' || {of})::int", f"make_date(2025, ({of})::int, 1)"))  # fmt: skip


def _composed(d: Draw, place: Place, depth: int, verbs: Verb) -> str:
    inner = [expression(d, place, depth - 1, verbs) for _ in range(3)]
    match d.rule({"case": 3, "coalesce": 1, "row": 1, "array": 1, "json": 1, "failing": 1, "format": 1, "concat": 2}):
        case "case":
            column = d.column(place, verbs | Verb.FILTER_EQ, plain=True)
            if column is None:
                return f"CASE WHEN {d.random.randint(0, 1)} = 1 THEN 'a' ELSE 'b' END"
            asked = f"{column.text} = {d.constant(column.type)}"
            shown = d.any(("1", f"length({inner[0]}::text)"))
            return d.any((
                f"CASE WHEN {asked} THEN {shown} ELSE 0 END",
                f"CASE {column.text} WHEN {d.constant(column.type)} THEN {shown} END",
            ))  # fmt: skip
        case "coalesce":
            return f"coalesce({inner[0]}::text, {inner[1]}::text)"
        case "row":
            return f"ROW({inner[0]}, {inner[1]})::text"
        case "array":
            return f"ARRAY[{inner[0]}::text, {inner[1]}::text]"
        case "json":
            return f"json_build_object('a', {inner[0]}, 'b', {inner[1]})"
        case "failing":
            return failing(d, place)
        case "format":
            return f"format('%s-%s', {inner[0]}, {inner[1]})"
    return f"concat({inner[0]}, {inner[1]}, {inner[2]})"
