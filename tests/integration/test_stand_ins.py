"""What stands for a SET or RESET of `fieldgate.*`: any server takes it from anybody, with the tag of what was asked."""

from __future__ import annotations

import pytest

from proxy.session.refusals import RESET_STAND_IN_SQL, SET_STAND_IN_SQL
from tests.adversity.line import Line
from tests.adversity.twin import through
from tests.session.talk import query
from tests.support.servers import Database

from .stage import Stage

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("server", ["database", "tls_database"])
def test_every_server_takes_it_and_answers_with_the_tag(server: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue(server)
    role = database.role("anybody", "secret")
    with database.connect(role, "secret") as connection:
        for _ in range(2):
            assert connection.execute(SET_STAND_IN_SQL).statusmessage == "SET"
            assert connection.execute(RESET_STAND_IN_SQL).statusmessage == "RESET"


def test_the_client_hears_the_tag_of_what_it_asked_for(stage: Stage) -> None:
    with through(stage) as line:
        assert complete(line, "SET fieldgate.purpose TO DEFAULT") == b"SET\0"
        assert complete(line, "RESET fieldgate.purpose") == b"RESET\0"


def complete(line: Line, sql: str) -> bytes:
    (told,) = [body for tag, body in line.talk(query(sql)) if tag == "C"]
    return told
