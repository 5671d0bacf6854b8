"""What Fieldgate lets through, PostgreSQL's own privileges, compiled from the same policy, let through as well."""

from __future__ import annotations

import pytest

from .compare import said, state
from .grammar.statements import episodes
from .harness import Bench
from .place import Place
from .seats import SEATS, Seat

pytestmark = pytest.mark.integration

EACH = 72  # statements
# LOCK needs a privilege on the whole table, and sequences of tables that a role may not fill are not its own.
_OTHERWISE = ("LOCK", "_seq")


@pytest.mark.parametrize("seat", SEATS, ids=lambda seat: seat.name)
def test_both_proofs_agree(place: Place, seat: Seat) -> None:
    bench = Bench(place, seat, spoiled=True)
    table = bench.privileged()
    asked = [
        each for _, each in episodes(seat, "privileges", range(EACH)) if not any(w in each.text for w in _OTHERWISE)
    ]
    differing = [
        f"{each.text}: {state(one, each.main)} {said(one, each.main)}"
        for each, (free, _), (one,) in zip(asked, bench.table.ask(asked), table.ask(asked), strict=True)
        if state(free, each.main) != state(one, each.main)
    ]
    table.close()
    bench.close()
    assert differing == []
