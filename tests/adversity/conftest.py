"""`stage`: a whole Fieldgate with two workers; `sides`: it, and the same shop in the clear."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.stage import Stage, raised

from .twin import Sides, plain_twin


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    with raised(workers=2) as made:
        yield made


@pytest.fixture(scope="session")
def sides(stage: Stage) -> Iterator[Sides]:
    with plain_twin(stage) as twin:
        yield Sides(stage, twin)
