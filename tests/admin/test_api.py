"""The admin port over HTTP, from one worker and from several."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from proxy.admin.api import AdminServer, Readiness
from proxy.admin.sources import OwnSource, PeersSource, readiness_from, readiness_to
from proxy.config import AdminConfig
from proxy.demo.certificates import Authority
from proxy.errors import ConfigError
from proxy.metrics import StatsCollector, WorkerStats, page
from proxy.peers import Message, PeerServer, worker_socket
from proxy.process import start_admin

FINE = Readiness({"upstream": True, "audit": True}, {"shop": "rev1"})


async def fine() -> Readiness:
    return FINE


@pytest.fixture
async def server() -> AsyncIterator[AdminServer]:
    made = AdminServer(OwnSource(lambda: "fieldgate_x 1.0\n", fine))
    await made.start("127.0.0.1", 0, None)
    yield made
    await made.stop()


async def get(port: int, path: str) -> tuple[int, str, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text(), dict(answer.headers)


async def test_health_readiness_and_metrics(server: AdminServer) -> None:
    status, body, headers = await get(server.port, "/healthz")
    assert (status, json.loads(body)) == (200, {"status": "alive"})
    assert headers["Cache-Control"] == "no-store"
    status, body, _ = await get(server.port, "/readyz")
    assert status == 200
    assert json.loads(body) == {
        "ready": True,
        "checks": {"upstream": True, "audit": True},
        "revisions": {"shop": "rev1"},
        "workers": 1,
    }
    status, body, headers = await get(server.port, "/metrics")
    assert (status, body) == (200, "fieldgate_x 1.0\n") and headers["Content-Type"].startswith("text/plain")


async def test_nothing_else_is_there_and_nothing_takes_commands(server: AdminServer) -> None:
    assert (await get(server.port, "/keys"))[0] == 404
    url = f"http://127.0.0.1:{server.port}/readyz"
    async with aiohttp.ClientSession() as session, session.post(url, data=b"x") as answer:
        assert answer.status == 405


@pytest.mark.parametrize("checks", [{"upstream": False, "audit": True}, {}])
async def test_not_ready_is_503(checks: dict[str, bool]) -> None:
    async def found() -> Readiness:
        return Readiness(checks)

    made = AdminServer(OwnSource(lambda: "", found))
    await made.start("127.0.0.1", 0, None)
    status, body, _ = await get(made.port, "/readyz")
    assert status == 503 and json.loads(body)["ready"] is False
    await made.stop()


async def test_the_port_may_speak_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.server("localhost")
    config = AdminConfig(port=0, tls_certificate=str(pair.certificate), tls_key=str(pair.key))  # type: ignore[arg-type]
    made = await start_admin(config, OwnSource(lambda: "", fine))
    context = ssl.create_default_context(cafile=str(authority.certificate))
    url = f"https://127.0.0.1:{made.port}/healthz"
    async with aiohttp.ClientSession() as session, session.get(url, ssl=context) as answer:
        assert answer.status == 200
    with pytest.raises(ConfigError, match="cannot listen"):
        await start_admin(AdminConfig(port=made.port), OwnSource(lambda: "", fine))
    await made.stop()


async def worker(run_dir: Path, number: int, readiness: Readiness) -> PeerServer:
    stats = WorkerStats(sessions=number + 1)

    async def ready(_request: Message) -> Message:
        return readiness_to(readiness)

    async def metrics(_request: Message) -> Message:
        return {"page": page(StatsCollector(stats, lambda: 0, dict))}

    server = PeerServer({"ready": ready, "metrics": metrics})
    await server.start(worker_socket(run_dir, number))
    return server


async def test_a_supervisor_answers_for_all_workers(tmp_path: Path) -> None:
    source = PeersSource(tmp_path, 2)
    one = await worker(tmp_path, 0, FINE)
    assert not (await source.readiness()).ready  # one of two does not answer
    two = await worker(tmp_path, 1, FINE)
    found = await source.readiness()
    assert found.ready and found.workers == 2 and found.revisions == {"shop": "rev1"}
    assert "fieldgate_sessions_total 3.0" in await source.metrics()
    await two.stop()
    lame = await worker(tmp_path, 1, Readiness({"upstream": False, "audit": True}, {"shop": "rev1"}))
    found = await source.readiness()
    assert not found.ready and found.checks["upstream"] is False and found.checks["audit"] is True
    await lame.stop()
    behind = await worker(tmp_path, 1, Readiness(FINE.checks, {"shop": "rev0"}))
    assert (await source.readiness()).checks["one_revision"] is False
    await behind.stop()
    await one.stop()


@pytest.mark.parametrize("reply", [{}, {"checks": 1, "revisions": []}, {"error": "unknown request"}])
def test_a_strange_reply_is_not_ready(reply: Message) -> None:
    assert not readiness_from(reply).ready
