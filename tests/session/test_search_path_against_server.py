"""Random transactions on PostgreSQL 15, which does not report search_path: what is claimed of it is what is there.

`make fuzz` looks for much longer.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.model import Principal
from proxy.session.conversation import Conversation
from proxy.session.search_path import Path, parse_search_path
from proxy.session.searches import unlimited
from proxy.session.services import Revision, SessionServices
from proxy.sql.cache import CachedPlanner
from proxy.sql.plan import ScriptPlan
from proxy.sql.planner import PlanContext
from proxy.wire import backend
from proxy.wire.framing import message
from tests.adversity.line import Line
from tests.sql.shop import context
from tests.support.servers import Database

from .talk import SYNC, PlainCiphers, bind, execute, parse, query

pytestmark = pytest.mark.integration

PROBE = "SELECT current_setting('search_path') AS probe"
TEXTS = [
    "SET search_path = one",
    "SET search_path = two, public",
    "SET LOCAL search_path = three",
    "RESET search_path",
    "RESET ALL",
    "SELECT set_config('search_path', 'four', false)",
    "SELECT set_config('search_path', 'five', true)",
    "BEGIN",
    "BEGIN",
    "COMMIT",
    "COMMIT",
    "COMMIT AND CHAIN",
    "ROLLBACK",
    "ROLLBACK AND CHAIN",
    "SAVEPOINT s",
    "ROLLBACK TO s",
    "RELEASE s",
    "VACUUM pg_catalog.pg_am",
    "SELECT 1 / 0",
    "SELECT nope",
    "SELECT 1",
]
texts = st.sampled_from(TEXTS)
scripts = st.lists(texts, min_size=1, max_size=3).map(lambda members: query("; ".join(members)))
usual = st.sampled_from(
    [
        query("SET search_path = two; SELECT 1 / 0"),
        query("BEGIN; SET search_path = one; SAVEPOINT s; SET search_path = two; ROLLBACK TO s"),
        query("ROLLBACK; BEGIN; SET LOCAL search_path = three"),
        query("COMMIT"),
        query("ROLLBACK"),
    ]
)
batches = st.lists(texts, min_size=1, max_size=4).map(
    lambda members: b"".join(parse(text) + bind() + execute() for text in members) + SYNC
)
programs = st.lists(
    st.lists(st.one_of(scripts, batches, usual, st.just(query(PROBE))), min_size=1, max_size=6), max_size=4
)


class NotingPlanner(CachedPlanner):
    """Notes under which path each probe is planned."""

    def __init__(self) -> None:
        super().__init__()
        self.claims: list[Path] = []

    def plan_script(self, text: str, context: PlanContext) -> ScriptPlan:
        if text == PROBE:
            self.claims.append(context.search_path)
        return super().plan_script(text, context)


class Between:
    """A conversation between a test and a server that says nothing of search_path."""

    def __init__(self, line: Line) -> None:
        base = context("full")
        revision = Revision(base.catalog, base.decisions, PlainCiphers())
        self.planner = NotingPlanner()
        services = SessionServices(self.planner, lambda: revision, lambda: True, searches=lambda _who: unlimited)
        principal: Principal = base.principal
        self.line = line
        self.conversation = Conversation(services, principal, {}, ("$user", "public"), "s1")
        self.probed: list[Path | None] = []  # what the server said to each probe, None: an error
        self.status = b"I"

    def run(self, messages: list[bytes]) -> None:
        self.conversation.client_bytes(b"".join(messages))
        self._send()
        for asked in messages:
            self._until_ready(asked == query(PROBE))

    def _send(self) -> None:
        self.line.send(self.conversation.take_to_server())

    def _until_ready(self, is_probe: bool) -> None:
        row: Path | None = None
        tag = ""
        while tag != "Z":
            tag, body = self.line.hear()
            if tag == "D" and is_probe:
                (value,) = backend.parse_data_row(body)
                row = parse_search_path((value or b"").decode())
            if tag == "Z":
                self.status = body
            self.conversation.server_bytes(message(tag.encode(), body))
            self.conversation.take_to_client()
            self._send()
        if is_probe:
            self.probed.append(row)

    @property
    def claim(self) -> Path:
        return self.conversation._state.settings.path.value


@pytest.fixture
def line(tls_database: Database) -> Iterator[Line]:
    server = tls_database.server
    with Line(server.host, server.port, tls_database.root_certificate) as line:
        assert line.log_in(server.superuser, tls_database.name, server.password)[-1][0] == "Z"
        yield line


@settings(max_examples=settings.default.max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(program=programs)
def test_what_is_claimed_is_what_the_server_has(line: Line, program: list[list[bytes]]) -> None:
    line.talk(query("ROLLBACK"))
    line.talk(query("RESET search_path"))
    between = Between(line)
    for part in program:
        between.run(part)
        if between.status != b"E" and between.claim is not None:
            ((said,),) = line.rows("SHOW search_path")
            assert parse_search_path((said or b"").decode()) == between.claim
    for claimed, probed in zip(between.planner.claims, between.probed, strict=True):
        assert claimed is None or probed is None or claimed == probed
