"""What Fieldgate answers to somebody who may do everything is what the plaintext answers."""

from __future__ import annotations

import pytest

from proxy.rows.reading import Reading

from .episodes import one
from .harness import Counts
from .place import Place
from .talk import Answer
from .twin import FAVOURED, Twins, wrong

pytestmark = pytest.mark.integration

STATEMENTS = 600
SEARCHING = {"portal": 60, "searched by portal": 2, "cursor": 40, "searched by cursor": 2, "query": 0.5}


def test_answers_as_the_plaintext(place: Place) -> None:
    twins, counts = Twins.open(place), Counts()
    found = [str(finding) for finding in twins.run("bounded", range(STATEMENTS), counts)]
    twins.table.close()
    assert found == []
    assert counts.share >= 0.6


@pytest.mark.parametrize("step", [1, 5])
def test_searches_in_steps_answer_as_the_plaintext(place: Place, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """The tables are small, so that one step would do for most, and nothing would wait for the next Execute."""
    monkeypatch.setattr(Reading, "_candidates", lambda self, missing: step)
    twins, counts = Twins.open(place), Counts()
    found = [str(finding) for finding in twins.run("steps", range(150), counts, {**FAVOURED, **SEARCHING})]
    twins.table.close()
    assert found == []
    assert counts.share >= 0.7


def test_another_answer_is_wrong_and_a_refusal_is_not() -> None:
    said = one("query", "SELECT 1")
    rows = [Answer(((("D", b"\0\1\0\0\0\1" + value), ("C", b"SELECT 1\0"), ("Z", b"I")),)) for value in (b"a", b"b")]
    refused = Answer(((("E", b"SERROR\0C0A000\0Mno\0\0"), ("Z", b"I")),))
    assert wrong(said, rows[0], rows[1]) == "step 1: other messages D"
    assert wrong(said, refused, rows[0]) == ""
    assert wrong(said, rows[0], refused) == "step 1: passes instead of 0A000"


def test_whether_a_failing_row_is_met_at_all_is_the_servers_own_choice_beside_some_subqueries() -> None:
    rows = Answer(((("D", b"\0\1\0\0\0\1a"), ("C", b"SELECT 1\0"), ("Z", b"I")),))
    failed = Answer(((("E", b"SERROR\0C2201E\0Mno\0\0"), ("Z", b"I")),))
    inside = "SELECT 1 WHERE 1 = ANY (SELECT id FROM notes WHERE ln(id) > 0)"
    assert wrong(one("query", inside), failed, rows) == ""
    assert wrong(one("query", "SELECT ln(id) FROM notes"), failed, rows) == "step 1: 2201E instead of passing"
