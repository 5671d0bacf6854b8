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
from psycopg import pq

from policies.fields import LogicalType
from policies.loader import SHOP, load_policy

from .attacks import DBA, GROUPS, Group, Row
from .canaries import Canaries
from .stage import Stage, raised
from .test_roles import golden

pytestmark = pytest.mark.integration

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
    """Row 2 of customers, and a row of hers in the other tables, holds a canary in every text field."""
    found = Planted()
    keys = {"customers": "id", "employees": "id", "health_records": "id", "payments": "id", "site_visits": "id"}
    with stage.connect("management") as connection:
        for table in load_policy(SHOP).data_map.tables.values():
            for each in table.fields.values():
                if each.sealing is None or each.sealing.logical_type is not LogicalType.TEXT:
                    continue
                text = planted.text(each.name)
                found.values[text.encode()] = each.name
                where = f"{keys.get(table.table, 'customer_id')} = 2"
                unique = f" AND id = (SELECT min(id) FROM {table.table} WHERE {where})"
                connection.execute(
                    f"UPDATE {table.table} SET {each.column} = %s WHERE {where}{unique}".encode(), (text,)
                )
        for name in ("customers.city", "orders.tech_notes", "correspondence.channel", "refunds.reason"):
            table_name, column = name.split(".")
            text = f"plain {secrets.token_hex(8)} {name}"
            found.values[text.encode()] = f"public.{name}"
            where = f"{keys.get(table_name, 'customer_id')} = 2"
            connection.execute(f"UPDATE {table_name} SET {column} = %s WHERE {where}".encode(), (text,))
    return found


@dataclass(slots=True)
class Answer:
    code: str
    rows: list[Row]
    said: bytes  # everything that came back


class Talker:
    """libpq, so that every byte that the server says can be looked at."""

    def __init__(self, stage: Stage, role: str) -> None:
        given = stage.parameters(role, options="-c search_path=public")
        text = " ".join(f"{name}='{value}'" for name, value in given.items())
        self.connection = pq.PGconn.connect(text.encode())
        assert self.connection.status == pq.ConnStatus.OK, self.connection.error_message
        self._heard: list[bytes] = []
        self.connection.notice_handler = lambda result: self._heard.append(result.error_message)

    def simple(self, statement: str) -> Answer:
        return self._answer([self.connection.exec_(statement.encode())])

    def extended(self, statement: str, *, binary: bool = False) -> Answer:
        form = pq.Format.BINARY if binary else pq.Format.TEXT
        return self._answer([self.connection.exec_params(statement.encode(), [], result_format=form)])

    def undone(self, statement: str, form: str) -> Answer:
        """Inside a transaction that is rolled back."""
        self.simple("BEGIN")
        try:
            if form == "simple":
                return self.simple(statement)
            return self.extended(statement, binary=form == "binary")
        finally:
            self.simple("ROLLBACK")

    def _answer(self, results: list[pq.abc.PGresult]) -> Answer:
        [result] = results
        rows = [tuple(result.get_value(i, j) for j in range(result.nfields)) for i in range(result.ntuples)]
        names = [result.fname(j) or b"" for j in range(result.nfields)]
        cells = [cell for row in rows for cell in row if cell is not None]
        status = result.command_status or b""
        said = b"\n".join([result.error_message, status, *names, *cells, *self._heard])
        self._heard.clear()
        code = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        shown = [tuple(None if cell is None else cell.decode(errors="replace") for cell in row) for row in rows]
        assert self.connection.status == pq.ConnStatus.OK, "the session was ended"
        return Answer(code, shown, said)


def test_there_are_many_statements() -> None:
    assert sum(len(group.statements) for group in GROUPS) >= 150


@pytest.mark.parametrize("form", ["simple", "extended", "binary"])
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{group.role}-{group.door}")
def test_attack(stage: Stage, hidden: Planted, group: Group, form: str) -> None:
    talker = Talker(stage, group.role)
    wrong = [found for each in group.statements if (found := problem(talker, hidden, group, each, form))]
    talker.connection.finish()
    assert wrong == []


def problem(talker: Talker, hidden: Planted, group: Group, statement: str, form: str) -> str:
    answer = talker.undone(statement, form)
    leaked = [
        name for text, name in hidden.values.items() if text in answer.said and text in hidden.hidden_from(group.role)
    ]
    if leaked:
        return f"{statement}: shows {leaked}"
    if b"\xf9\x67\x01" in answer.said or b"f96701" in answer.said:
        return f"{statement}: shows a cell"
    if answer.code != group.code:
        return f"{statement}: {answer.code or 'passes'} instead of {group.code or 'passing'}"
    if group.rows is not None and form != "binary" and sorted(answer.rows) != sorted(group.rows):
        return f"{statement}: {answer.rows}"
    return ""
