"""Certificates and logins change under running sessions; a stopping worker lets sessions come to rest."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from proxy.config import altered
from proxy.demo.certificates import Authority
from proxy.demo.osuser import write_private
from proxy.errors import ConfigError
from proxy.wire import backend
from proxy.wire.frontend import build_query
from proxy.wire.scram import make_verifier
from tests.support.login_client import PASSWORD, startup
from tests.support.shell import READY, FakeServer, Peer, Proxy, error_of, finish_login, running, settings


def serial(peer: Peer) -> object:
    found: ssl.SSLObject = peer.writer.get_extra_info("ssl_object")
    return (found.getpeercert() or {})["serialNumber"]


async def test_new_certificates_are_for_new_connections_and_old_sessions_go_on(
    proxy: Proxy, upstream: FakeServer, tmp_path: Path
) -> None:
    old = await proxy.login()
    pair = Authority(tmp_path / "tls").server("fresh")
    config = proxy.worker.config
    listener = altered(config.listener, tls_certificate=pair.certificate, tls_key=pair.key)
    await proxy.worker.reload(altered(config, listener=listener))
    new = await proxy.login()  # channel binding proves the new certificate
    assert serial(new.peer) != serial(old.peer)
    assert (await old.query())[-1] == (await new.query())[-1] == (b"Z", b"I")


async def test_a_broken_certificate_is_refused_and_the_old_one_stays(proxy: Proxy, tmp_path: Path) -> None:
    write_private(tmp_path / "broken.crt", "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    config = proxy.worker.config
    listener = altered(config.listener, tls_certificate=tmp_path / "broken.crt")
    with pytest.raises(ConfigError, match=r"broken\.crt"):
        await proxy.worker.reload(altered(config, listener=listener))
    assert await (await proxy.login()).query()
    assert proxy.worker.stats.reloads == {"refused": 1}


async def test_logins_are_loaded_anew(proxy: Proxy, tmp_path: Path) -> None:
    write_private(tmp_path / "logins", f'other = "{make_verifier(PASSWORD)}"\n')
    await proxy.worker.reload(proxy.worker.config)
    await proxy.login("other")
    peer = await proxy.in_tls()
    await peer.send(startup("app"))
    with pytest.raises(AssertionError, match="28P01"):
        await finish_login(peer, PASSWORD, proxy.end_point)


async def test_what_needs_a_restart_is_said_and_not_done(proxy: Proxy) -> None:
    config = proxy.worker.config
    await proxy.worker.reload(altered(config, process=altered(config.process, workers=4)))
    assert proxy.worker.config.process.workers == 1
    assert "reload_needs_restart" in proxy.log.getvalue()


async def test_an_idle_session_hears_57p01_at_once(upstream: FakeServer, tmp_path: Path) -> None:
    async with running(settings(tmp_path, upstream.port), tmp_path) as proxy:
        client = await proxy.login()
        await client.query()
        stopping = asyncio.create_task(proxy.worker.stop())
        assert error_of(await client.peer.message())["C"] == "57P01"
        assert await client.peer.rest() == b""
        client.peer.close()
        await stopping
        assert upstream.ended.is_set() or await upstream.ended.wait()


async def test_a_busy_session_is_waited_for(upstream: FakeServer, tmp_path: Path) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.message()
        asked.set()
        await go.wait()
        await peer.send(backend.build_command_complete(b"SELECT 1") + READY)
        await peer.rest()

    upstream.script = script
    async with running(settings(tmp_path, upstream.port), tmp_path) as proxy:
        client = await proxy.login()
        await client.peer.send(build_query(b"SELECT"))
        await asked.wait()
        stopping = asyncio.create_task(proxy.worker.stop())
        await asyncio.sleep(0)
        with pytest.raises(OSError):
            await proxy.raw()
        go.set()
        assert [tag for tag, _ in await client.peer.until(b"Z")] == [b"C", b"Z"]
        assert error_of(await client.peer.message())["C"] == "57P01"
        client.peer.close()
        await stopping


async def test_patience_ends(upstream: FakeServer, tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.message()
        await peer.rest()

    upstream.script = script
    config = settings(tmp_path, upstream.port, process={"drain_timeout": "200ms"})
    async with running(config, tmp_path) as proxy:
        client = await proxy.login()
        await client.peer.send(build_query(b"SELECT pg_sleep(1000)"))
        stopping = asyncio.create_task(proxy.worker.stop())
        assert error_of(await client.peer.message())["C"] == "57P01"
        with contextlib.suppress(OSError):
            client.peer.close()
        async with asyncio.timeout(10):
            await stopping
