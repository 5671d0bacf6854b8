"""`place`: the databases of all seats, once for a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .place import Place, raised


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    with raised() as made:
        yield made
