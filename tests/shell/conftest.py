"""The shell's tests run on uvloop, as the proxy usually does, with a scripted server and a worker in this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest
import uvloop

from tests.support.shell import FakeServer, Proxy, running, serving, settings


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The client port is also tried on asyncio's own loop, for `[process] uvloop = false`."""
    both = item.path.name == "test_listener.py"
    return {"uvloop": uvloop.new_event_loop} | ({"asyncio": asyncio.new_event_loop} if both else {})


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A logger of the proxy's takes the root logger over."""
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    yield
    root.handlers[:] = kept
    root.setLevel(level)


@pytest.fixture
async def upstream() -> AsyncIterator[FakeServer]:
    async with serving(FakeServer()) as server:
        yield server


@pytest.fixture
async def proxy(upstream: FakeServer, tmp_path: Path) -> AsyncIterator[Proxy]:
    async with running(settings(tmp_path, upstream.port), tmp_path) as made:
        yield made
