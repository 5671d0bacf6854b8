"""Whether two answers to an episode are the same, and in what they differ, said without a value."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.wire import backend
from tests.adversity.line import Heard

from .episodes import Episode
from .talk import Answer

_ENDS = frozenset("CEIs")
_ROWS = frozenset("Dd")
_SIGNATURE, _HEADER = b"PGCOPY\n\xff\r\n\0", 19  # of COPY in binary
# Errors that say that Fieldgate itself was wrong about a statement: a proof failed, or analysis did.
BROKEN = frozenset({"XX000", "XX001"})


def normal(episode: Episode, heard: tuple[Heard, ...]) -> list[Heard]:
    """Rows in any order, unless the episode gives them one; none before an error, which may come after any row; and
    no shape of a plan, which is published with the order of unordered rows (docs/query-path.md)."""
    shape = "COSTS OFF" in episode.text and "ANALYZE" not in episode.text
    found: list[Heard] = []
    rows: list[Heard] = []
    for message in heard:
        if message[0] in _ROWS:
            if message[1].startswith(_SIGNATURE):  # in one message with the row that happens to be the first
                found.append((message[0], message[1][:_HEADER]))
                message = message[0], message[1][_HEADER:]
            rows.append(message)
            continue
        if message[0] == "s" and not episode.exact:
            pass  # which rows are in which of the parts is a matter of their order
        elif message[0] in _ENDS or message[0] == "Z":
            if message[0] != "E" and not shape:
                found += rows if episode.exact else sorted(rows)
            rows = []
        found.append(message)
    return found + rows


def answered(episode: Episode, answer: Answer) -> bool:
    """The statement that the episode is about was neither refused nor failed."""
    tags = {tag for tag, _ in answer.of(episode.main)}
    return "Z" in tags and "E" not in tags


def state(answer: Answer, step: int) -> str:
    """The SQLSTATE of a step's first error; "" when there is none."""
    for tag, body in answer.of(step):
        if tag == "E":
            return backend.parse_error_response(body).get(b"C", b"").decode()
    return ""


def said(answer: Answer, step: int) -> str:
    """The message of a step's first error."""
    for tag, body in answer.of(step):
        if tag == "E":
            return backend.parse_error_response(body).get(b"M", b"").decode(errors="replace")
    return ""


def difference(episode: Episode, one: Answer, other: Answer) -> str:
    """ "" when there is none."""
    if one.ended or other.ended:
        return f"the session ended ({one.ended or 'not'}; {other.ended or 'not'})"
    for number, (mine, theirs) in enumerate(zip(one.steps, other.steps, strict=False)):
        if mine == theirs:
            continue
        left, right = normal(episode, mine), normal(episode, theirs)
        if left != right:
            return f"step {number + 1}: {'; '.join(_differing(left, right))}"
    return ""


def broken(episode: Episode, answer: Answer) -> str:
    """An error of the kind that nobody may ever see."""
    for number in range(len(episode.steps)):
        if state(answer, number) in BROKEN:
            return f"step {number + 1}: {state(answer, number)} {said(answer, number)}"
    return ""


def _differing(left: list[Heard], right: list[Heard]) -> Iterator[str]:
    tags = "".join(tag for tag, _ in left), "".join(tag for tag, _ in right)
    if tags[0] != tags[1]:
        yield f"messages {_short(tags[0])} and {_short(tags[1])}"
        for side in (left, right):
            yield from (f"error {_code(body)}" for tag, body in side if tag == "E")
        return
    for (tag, mine), (_, theirs) in zip(left, right, strict=True):
        if mine != theirs:
            yield _one(tag, mine, theirs)
            return


def _one(tag: str, mine: bytes, theirs: bytes) -> str:
    if tag == "D":
        pairs = zip(backend.parse_data_row(mine), backend.parse_data_row(theirs), strict=False)
        columns = [str(n) for n, (one, other) in enumerate(pairs, 1) if one != other]
        return f"rows, in column {', '.join(columns)}"
    if tag in "EN":
        one, other = backend.parse_error_response(mine), backend.parse_error_response(theirs)
        fields = sorted(key.decode() for key in one.keys() | other.keys() if one.get(key) != other.get(key))
        return f"{'error' if tag == 'E' else 'notice'} {_code(mine)}, in the fields {' '.join(fields)}"
    return f"a message {tag}"


def _code(body: bytes) -> str:
    return backend.parse_error_response(body).get(b"C", b"").decode()


def _short(tags: str) -> str:
    return tags if len(tags) < 40 else f"{tags[:20]}...{tags[-10:]} ({len(tags)})"
