"""Each statement of attacks.py, in the simple and in the extended protocol, in text and binary.

Beside its outcome, everything that came back is searched for canaries: values that stand in fields, or rows, that the
login may not read.  Those in sealed fields are also searched for on the server's side (conftest.py).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from policies.fields import LogicalType
from policies.loader import SHOP, load_policy

from .attacks import DBA, GROUPS, Group
from .canaries import Canaries
from .stage import Stage, raised
from .talker import Answer, Talker
from .test_roles import golden

pytestmark = pytest.mark.integration

OTHER_PEOPLE = ("employees", "health_records")
PLAIN = ("public.customers.city", "public.orders.tech_notes", "public.correspondence.channel", "public.refunds.reason")
FORMS = ("simple", "extended", "binary")
TOLD = 30  # seconds until the proxy must know what the administrator made


@dataclass(slots=True)
class Planted:
    """Text -> the field that it stands in.  All of them belong to customer 2."""

    values: dict[bytes, str] = field(default_factory=dict)

    def hidden_from(self, role: str) -> list[bytes]:
        readable = {name for (who, name), verbs in golden().items() if who == role and "read" in verbs}
        return [text for text, name in self.values.items() if role == "client" or name not in readable]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A stage of its own, with what an administrator may have made beside the shop."""
    with raised() as made:
        with made.raw.connect() as connection:
            connection.execute(DBA)
        until_known(made)
        yield made


def until_known(stage: Stage) -> None:
    """A statement that changes the catalog makes the proxy read it again."""
    deadline = time.monotonic() + TOLD
    talker = Talker(stage, "support")
    talker.simple("CREATE TEMP TABLE nudge (id int)")
    while talker.simple("SELECT peek()").code != "0A000":
        assert time.monotonic() < deadline, "the proxy does not see what was made"
    talker.connection.finish()


@pytest.fixture(scope="module")
def hidden(stage: Stage, planted: Canaries) -> Planted:
    """Customer 2, and one row of each other table that is not customer 1's, hold a canary in every text field."""
    found = Planted()
    with stage.connect("management") as connection:
        for table in load_policy(SHOP).data_map.tables.values():
            key = table.subject if table.subject and table.table not in OTHER_PEOPLE else table.row_key
            question = f"SELECT min(id) FROM public.{table.table} WHERE {key} > 1"
            row = connection.execute(question.encode()).fetchone()
            assert row is not None and row[0] is not None, f"no row in {table.table}"
            for each in table.fields.values():
                if each.sealing is not None and each.sealing.logical_type is LogicalType.TEXT:
                    text = planted.text(each.name)
                elif each.name in PLAIN:
                    text = f"plain {secrets.token_hex(8)} {each.name}"
                else:
                    continue
                change = f"UPDATE public.{table.table} SET {each.column} = %s WHERE id = %s"
                done = connection.execute(change.encode(), (text, row[0]))
                assert done.rowcount == 1
                found.values[text.encode()] = each.name
    return found


def test_there_are_many_statements() -> None:
    assert len({statement for group in GROUPS for statement in group.statements}) >= 700
    assert all(group.rule and group.door for group in GROUPS)


@pytest.mark.parametrize("role", sorted({group.role for group in GROUPS}))
def test_attacks(stage: Stage, hidden: Planted, role: str) -> None:
    """One test for each login, because after each test everything on disk is searched."""
    talker = Talker(stage, role)
    groups = [group for group in GROUPS if group.role == role]
    found = [problem(talker, hidden, g, each, form) for g in groups for each in g.statements for form in FORMS]
    talker.connection.finish()
    assert "\n".join(filter(None, found)) == ""


def asked(talker: Talker, group: Group, statement: str, form: str) -> Answer:
    """What is refused needs no transaction to be undone in; but some commands PostgreSQL takes in one only."""
    if not group.code:
        return talker.undone(statement, form)
    answer = talker.asked(statement, form)
    if answer.code == group.code:
        return answer
    again = talker.undone(statement, form)
    return Answer(again.code, again.rows, [*answer.parts, *again.parts])


def problem(talker: Talker, hidden: Planted, group: Group, statement: str, form: str) -> str:
    answer = asked(talker, group, statement, form)
    leaked = [
        name for text, name in hidden.values.items() if text in answer.said and text in hidden.hidden_from(group.role)
    ]
    if leaked:
        return f"{statement} ({form}): shows {leaked}"
    if b"\xf9\x67\x01" in answer.said or b"f96701" in answer.said:
        return f"{statement} ({form}): shows a cell"
    if answer.code != group.code:
        return f"{statement} ({form}): {answer.code or 'passes'} instead of {group.code or 'passing'}"
    if group.rows is not None and form != "binary" and sorted(answer.rows) != sorted(group.rows):
        return f"{statement} ({form}): {answer.rows}"
    return ""
