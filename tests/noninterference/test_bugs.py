"""The harness finds each of the bugs that are put into Fieldgate one at a time."""

from __future__ import annotations

import pytest

from .bugs import BUGS, WRONG, Bug
from .harness import Bench, Counts
from .place import Place
from .seats import BY_NAME, MANAGEMENT
from .twin import FAVOURED, Twins

pytestmark = pytest.mark.integration

WITHIN = 400  # statements


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_it_is_found(place: Place, bug: Bug) -> None:
    seat = BY_NAME[bug.seat]
    with bug.breaking():
        bench = Bench(place, seat, MANAGEMENT if bug.warmed_by else None, spoiled=True)
        found = next(bench.run(bug.name, range(WITHIN), Counts(), bug.favoured), None)
        bench.close()
    assert found is not None


@pytest.mark.parametrize("bug", WRONG, ids=lambda bug: bug.name)
def test_it_is_found_beside_the_plaintext(place: Place, bug: Bug) -> None:
    with bug.breaking():
        twins = Twins.open(place)
        found = next(twins.run(bug.name, range(WITHIN), Counts(), {**FAVOURED, **bug.favoured}), None)
        twins.table.close()
    assert found is not None


def test_there_are_enough() -> None:
    assert len({bug.name for bug in (*BUGS, *WRONG)}) == len(BUGS) + len(WRONG) >= 30
