"""What is said around statements: PREPARE and EXECUTE, cursors, COPY, EXPLAIN, settings, several statements at once."""

from __future__ import annotations

import re

from policies.model import Verb
from tests.noninterference.episodes import Episode, Step, one, undone

from .draw import Draw
from .queries import query
from .sealed import searched
from .sources import table
from .tricks import lines
from .writes import insert, write

_SETTINGS = lines("settings")
_FETCHES = (
    "FETCH 2 FROM c",
    "FETCH c",
    "FETCH FORWARD 3 IN c",
    "MOVE 1 IN c",
    "MOVE FORWARD 2 FROM c",
    "MOVE ALL IN c",
)
_SWITCHES = ("SET fieldgate.subject = '2'", "SET fieldgate.person = 'somebody'", "SET fieldgate.purpose = 'contract'",
             "SET fieldgate.purpose = 'statistics'", "SET search_path = pg_temp, public",
             "SET search_path = public, pg_catalog")  # fmt: skip


def setting(d: Draw) -> Episode:
    return undone("setting", Step(d.any(_SETTINGS)))


def switched(d: Draw) -> Episode:
    """A query after the session has asked to be somebody else; at the end it is itself again."""
    found = query(d, 1)
    back = "RESET ALL"
    return Episode(
        "switched",
        (Step(d.any(_SWITCHES)), Step(found.text), Step(back), Step("SET search_path = public")),
        1,
        found.exact,
    )


def prepared(d: Draw) -> Episode:
    """By name; sometimes with a parameter.  PREPARE is not undone with its transaction."""
    text, place = table(d, d.relation())
    column = d.column(place, Verb.FILTER_EQ, equal=True)
    shown = d.column(place, Verb.READ)
    if d.likes("searched by name", 0.25):
        return prepared_search(d)
    if column is None or shown is None or d.chance(0.4):
        found = query(d, 1)
        asked, exact, runs = f"PREPARE p AS {found.text}", found.exact, ["EXECUTE p", "EXECUTE p"]
    else:
        asked, exact = f"PREPARE p AS SELECT {shown.text} FROM {text} WHERE {column.text} = $1", False
        runs = [f"EXECUTE p ({d.constant(column.type)})" for _ in range(2)]
    steps = (*(Step(step) for step in (asked, *runs)), Step("DEALLOCATE ALL", plainly=True))
    return Episode("prepared", steps, 1, exact)


def prepared_search(d: Draw) -> Episode:
    """By part or range; with constants, or with what is searched for as a parameter."""
    text, exact = searched(d)
    given = list(re.finditer(r"(?:LIKE|\^@|[<>]=?|BETWEEN|AND) ('[^']*')", text))
    if not given or d.chance(0.3):
        asked, runs = f"PREPARE p AS {text}", ["EXECUTE p"] * 2
    else:
        one = d.any(given)
        asked = f"PREPARE p AS {text[: one.start(1)]}$1{text[one.end(1) :]}"
        runs = [f"EXECUTE p ({one.group(1)})", "EXECUTE p (NULL)", f"EXECUTE p ({one.group(1)})"]
    steps = (*(Step(step) for step in (asked, *runs)), Step("DEALLOCATE ALL", plainly=True))
    return Episode("prepared", steps, 1, exact)


def parameters(d: Draw) -> Episode:
    """In the protocol's own way, whatever the manner."""
    text, place = table(d, d.relation())
    column = d.column(place, Verb.FILTER_EQ, equal=True)
    shown = [bound.text for _ in range(2) if (bound := d.column(place, Verb.READ)) is not None]
    if column is None or not shown:
        return one("parameters", "SELECT $1::int + 1", values=(b"1",))
    word = d.any(("=", "=", "<>", "IS DISTINCT FROM"))
    value = None if d.chance(0.1) else d.constant(column.type).strip("'").encode()
    asked = f"SELECT {', '.join(shown)} FROM {text} WHERE {column.text} {word} $1"
    return one("parameters", asked, values=(value,))


def cursor(d: Draw) -> Episode:
    text, exact = searched(d, alone=True) if d.likes("searched by cursor", 0.4) else _found(d)
    parts = ["FETCH ALL FROM c"]
    if exact:
        parts = [d.any(_FETCHES) for _ in range(d.random.randint(1, 3))] + parts
    word = d.any(("CURSOR", "NO SCROLL CURSOR", "BINARY CURSOR", "INSENSITIVE CURSOR"))
    steps = (f"DECLARE c {word} FOR {text}", *parts, "CLOSE c")
    return undone("cursor", *(Step(step) for step in steps), exact=exact)


def portal(d: Draw) -> Episode:
    """Parts of the rows, where there is an order; all of them in parts, where there is none."""
    text, exact = searched(d, alone=True) if d.likes("searched by portal", 0.4) else _found(d)
    rows: tuple[int, ...] = d.any(((2,), (1, 1), (2, 1, 0), (1, 5, 3), (3, 0, 2))) if exact else (1000, 0)
    return Episode("portal", (Step(text, rows=rows),), exact=exact)


def _found(d: Draw) -> tuple[str, bool]:
    found = query(d, 1)
    return found.text, found.exact


def copy_out(d: Draw) -> Episode:
    form = d.any(("", " (FORMAT csv, HEADER)", " WITH (FORMAT binary)", " (DELIMITER '|', NULL '-')", " CSV"))
    if d.chance(0.6):
        found = query(d, 1)
        return one("copy out", f"COPY ({found.text}) TO STDOUT{form}", exact=found.exact)
    relation = d.any(d.words.tables) if d.strays() or d.chance(0.1) else d.relation()
    allowed = [column for column in relation.columns if column.may(Verb.READ)]
    listed = f" ({', '.join(column.name for column in d.some(allowed, 4))})" if allowed and d.chance(0.9) else ""
    return one("copy out", f"COPY {relation.name}{listed} TO STDOUT{form}")


def copy_in(d: Draw) -> Episode:
    tables = [relation for relation in d.words.tables if any(column.may(Verb.INSERT) for column in relation.columns)]
    if not tables or d.chance(0.2):
        data = b"700001\t1\tcopied\t1.5\n"
        return undone("copy in", Step("COPY notes (id, customer_id, body, weight) FROM STDIN", data=data, plainly=True))
    relation = d.any(tables)
    columns = [column for column in relation.columns if column.given and column.name != "id"] or list(
        relation.columns[1:3]
    )
    values = [
        str(d.random.randint(1, 9)) if c.name.endswith("_id") else d.constant(c.type).strip("'") or "-" for c in columns
    ]
    text = f"COPY {relation.name} ({', '.join(column.name for column in columns)}) FROM STDIN"
    return undone("copy in", Step(text, data="\t".join(values).encode() + b"\n", plainly=True))


def explained(d: Draw) -> Episode:
    """Plans without figures mostly; with them where everything may be read."""
    options = d.any(("(COSTS OFF)", "(COSTS OFF)", "(COSTS OFF, VERBOSE)", "(COSTS OFF, FORMAT json)", "", "(COSTS ON)",
                     "(ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF)"))  # fmt: skip
    text, place = table(d, d.relation())
    column = d.column(place, Verb.FILTER_EQ, equal=True)
    shown = d.column(place, Verb.READ)
    where = f" WHERE {column.text} = {d.constant(column.type)}" if column else ""
    return one("explain", f"EXPLAIN {options} SELECT {shown.text if shown else 1} FROM {text}{where}", exact=True)


def script(d: Draw) -> Episode:
    """Several statements in one message."""
    parts = [query(d, 1).text for _ in range(d.random.randint(2, 3))]
    return Episode("script", (Step("; ".join(parts), plainly=True),))


def written(d: Draw) -> Episode:
    return undone("write", Step(write(d)))


def upsert(d: Draw) -> Episode:
    """Rows that may be there already."""
    fitting = [relation for relation in d.words.tables if any(column.may(Verb.INSERT) for column in relation.columns)]
    return undone("write", Step(insert(d, d.any(fitting or d.words.tables))))
