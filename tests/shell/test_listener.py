"""The client port over real sockets and real TLS: how clients come in, what they are greeted with, what they relay."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from proxy.demo.certificates import Authority
from proxy.wire import backend
from proxy.wire.frontend import TERMINATE, build_query
from proxy.wire.startup import GSSENC_REQUEST_PACKET, PROTOCOL_3_2, SSL_REQUEST_PACKET
from tests.support.login_client import PASSWORD, startup
from tests.support.shell import (
    READY,
    FakeServer,
    Peer,
    Proxy,
    error_of,
    finish_login,
    greeting,
    running,
    serving,
    settings,
)


async def test_a_session_by_sslrequest_and_scram(proxy: Proxy, upstream: FakeServer) -> None:
    client = await proxy.login(database="shop", application_name="me")
    assert [tag for tag, _ in client.greeting] == [b"R", b"R", *[b"S"] * 5, b"K", b"Z"]
    pid, secret = client.key
    assert pid == 4242 and len(secret) == 4 and secret != b"kkkk"
    assert await client.query() == [(b"C", b"SELECT 0\0"), (b"Z", b"I")]
    (seen,) = upstream.startups
    assert (seen.user, seen.database) == (b"app", b"shop")
    assert seen.parameters[b"application_name"] == b"me"
    assert seen.parameters[b"options"] == b"-c fieldgate.principal=app"


async def test_a_session_by_direct_tls(proxy: Proxy) -> None:
    peer = await proxy.raw(ssl=proxy.client_tls(alpn=True), server_hostname="localhost")
    await peer.send(startup())
    client = await finish_login(peer, PASSWORD, proxy.end_point)
    assert await client.query() == [(b"C", b"SELECT 0\0"), (b"Z", b"I")]


async def test_direct_tls_without_the_application_protocol_is_closed(proxy: Proxy) -> None:
    peer = await proxy.raw(ssl=proxy.client_tls(), server_hostname="localhost")
    assert await peer.rest() == b""


async def test_gss_first_then_tls(proxy: Proxy) -> None:
    peer = await proxy.raw()
    await peer.send(GSSENC_REQUEST_PACKET)
    assert await peer.read(1) == b"N"
    await peer.send(SSL_REQUEST_PACKET)
    assert await peer.read(1) == b"S"
    await peer.start_tls(proxy.client_tls())
    await peer.send(startup())
    await finish_login(peer, PASSWORD, proxy.end_point)


async def test_plaintext_is_refused(proxy: Proxy) -> None:
    peer = await proxy.raw()
    await peer.send(startup())
    assert error_of(await peer.message())["C"] == "28000"
    assert await peer.rest() == b""


async def test_plaintext_is_taken_where_it_is_allowed(upstream: FakeServer, tmp_path: Path) -> None:
    config = settings(tmp_path, upstream.port, listener={"allow_plaintext": True})
    async with running(config, tmp_path) as proxy:
        peer = await proxy.raw()
        await peer.send(startup())
        client = await finish_login(peer, PASSWORD, None)
        assert await client.query() == [(b"C", b"SELECT 0\0"), (b"Z", b"I")]


async def test_bytes_stuffed_behind_sslrequest_are_never_read(proxy: Proxy, upstream: FakeServer) -> None:
    peer = await proxy.raw()
    await peer.send(SSL_REQUEST_PACKET + startup())
    assert await peer.rest() == b""
    assert upstream.startups == []


@pytest.mark.parametrize("byte_by_byte", [False, True])
async def test_the_whole_greeting_is_one_write(upstream: FakeServer, tmp_path: Path, byte_by_byte: bool) -> None:
    """From SASLFinal to ReadyForQuery: some drivers break when it is split."""
    if byte_by_byte:
        upstream.said = b""

        async def script(peer: Peer) -> None:
            for byte in greeting():
                await peer.send(bytes([byte]))
                await asyncio.sleep(0)

        upstream.script = script
    async with running(settings(tmp_path, upstream.port, listener={"allow_plaintext": True}), tmp_path) as proxy:
        received: list[bytes] = []

        peer = await proxy.raw()
        await peer.send(startup())
        client = await finish_login(_Chunks(peer, received), PASSWORD, None)
        assert received[-1].endswith(READY) and received[-1].startswith(b"R")
        assert [tag for tag, _ in client.greeting][:2] == [b"R", b"R"]


class _Chunks(Peer):
    """A peer that remembers what each read of the socket gave."""

    def __init__(self, peer: Peer, received: list[bytes]) -> None:
        super().__init__(peer.reader, peer.writer)
        self._received = received
        self._buffer = b""

    async def read(self, size: int) -> bytes:
        async with asyncio.timeout(10):
            while len(self._buffer) < size:
                chunk = await self.reader.read(1 << 16)
                assert chunk
                self._received.append(chunk)
                self._buffer += chunk
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken


async def test_protocol_3_2_gets_a_long_key_and_asks_upstream_for_the_same_version(
    proxy: Proxy, upstream: FakeServer
) -> None:
    peer = await proxy.in_tls()
    await peer.send(startup(protocol=PROTOCOL_3_2))
    client = await finish_login(peer, PASSWORD, proxy.end_point)
    assert len(client.key[1]) == 32
    assert upstream.startups[0].protocol == PROTOCOL_3_2


async def test_a_server_without_key_data_gives_the_client_none(proxy: Proxy, upstream: FakeServer) -> None:
    key = backend.build_backend_key_data(4242, b"kkkk")
    upstream.said = greeting().replace(key, b"")
    client = await proxy.login()
    assert b"K" not in [tag for tag, _ in client.greeting]


async def test_a_wrong_password_and_an_unknown_login_are_told_the_same(proxy: Proxy, upstream: FakeServer) -> None:
    for user, password in (("app", "wrong"), ("nobody", PASSWORD)):
        peer = await proxy.in_tls()
        await peer.send(startup(user))
        with pytest.raises(AssertionError, match="28P01"):
            await finish_login(peer, password, proxy.end_point)
    assert upstream.startups == []
    assert PASSWORD not in proxy.log.getvalue() and "wrong" not in proxy.log.getvalue()


async def test_what_the_client_sends_too_early_is_kept(proxy: Proxy) -> None:
    """A pipelined query right behind the proof belongs to the conversation."""
    client = await proxy.login()
    await client.peer.send(build_query(b"SELECT 1") + build_query(b"SELECT 2"))
    assert len(await client.peer.until(b"Z") + await client.peer.until(b"Z")) == 4


async def test_a_server_that_is_away_is_said_to_be(upstream: FakeServer, tmp_path: Path) -> None:
    async with serving(FakeServer()) as gone:
        port = gone.port
    async with running(settings(tmp_path, port), tmp_path) as proxy:
        peer = await proxy.in_tls()
        await peer.send(startup())
        with pytest.raises(AssertionError, match="08001"):
            await finish_login(peer, PASSWORD, proxy.end_point)


async def test_the_servers_own_refusal_reaches_the_client(proxy: Proxy, upstream: FakeServer) -> None:
    upstream.said = backend.build_error_response(
        {b"S": b"FATAL", b"V": b"FATAL", b"C": b"3D000", b"M": b'database "x" does not exist'}
    )
    peer = await proxy.in_tls()
    await peer.send(startup(database="x"))
    with pytest.raises(AssertionError, match='database "x" does not exist'):
        await finish_login(peer, PASSWORD, proxy.end_point)


async def test_a_refusal_of_the_proxys_own_credentials_is_not_the_clients_business(
    proxy: Proxy, upstream: FakeServer
) -> None:
    upstream.said = backend.build_error_response({b"S": b"FATAL", b"C": b"28P01", b"M": b"role fg_secret: no"})
    peer = await proxy.in_tls()
    await peer.send(startup())
    with pytest.raises(AssertionError) as refused:
        await finish_login(peer, PASSWORD, proxy.end_point)
    assert "08001" in str(refused.value) and "fg_secret" not in str(refused.value)


async def test_terminate_reaches_the_server_and_ends_both_sides(proxy: Proxy, upstream: FakeServer) -> None:
    client = await proxy.login()
    await client.peer.send(TERMINATE)
    assert await client.peer.rest() == b""
    async with asyncio.timeout(10):
        await upstream.ended.wait()


async def test_who_says_nothing_is_closed_in_time(upstream: FakeServer, tmp_path: Path) -> None:
    config = settings(tmp_path, upstream.port, limits={"startup_timeout": "500ms"})
    async with running(config, tmp_path) as proxy:
        silent, slow = await proxy.raw(), await proxy.in_tls()
        await slow.send(startup()[:5])
        assert await silent.rest() == b""
        assert await slow.rest() == b""


async def test_connections_are_limited_by_login_and_in_all(upstream: FakeServer, tmp_path: Path) -> None:
    limits = {"connections": 2, "connections_per_login": 1}
    async with running(settings(tmp_path, upstream.port, limits=limits), tmp_path) as proxy:
        first = await proxy.login()
        peer = await proxy.in_tls()
        await peer.send(startup())
        with pytest.raises(AssertionError, match="53300"):
            await finish_login(peer, PASSWORD, proxy.end_point)
        assert await peer.rest() == b""
        peer.close()
        await _freed(proxy, 1)
        second = await proxy.login("other")
        third = await proxy.in_tls()
        await third.send(startup("nobody"))
        assert error_of(await third.message())["C"] == "53300"
        await second.peer.send(TERMINATE)
        assert await second.peer.rest() == b""
        second.peer.close()
        third.close()
        await _freed(proxy, 1)
        await proxy.login("other")
        assert await first.query()


async def _freed(proxy: Proxy, left: int) -> None:
    """Until so many connections are counted."""
    async with asyncio.timeout(10):
        while proxy.worker._running_services().limits.total > left:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_guessing_is_slowed_down(upstream: FakeServer, tmp_path: Path) -> None:
    limits = {"failed_logins": 2, "failed_login_delay": "1h", "failed_login_delay_max": "1h"}
    async with running(settings(tmp_path, upstream.port, limits=limits), tmp_path) as proxy:
        for code in ("28P01", "28P01", "28000"):
            peer = await proxy.in_tls()
            await peer.send(startup())
            with pytest.raises(AssertionError, match=code):
                await finish_login(peer, "wrong", proxy.end_point)
        peer = await proxy.in_tls()
        await peer.send(startup())
        with pytest.raises(AssertionError, match="too many failed logins"):
            await finish_login(peer, PASSWORD, proxy.end_point)


async def test_databases_that_are_not_configured_are_refused_by_default(upstream: FakeServer, tmp_path: Path) -> None:
    async with running(settings(tmp_path, upstream.port, upstream={"other_databases": "refuse"}), tmp_path) as proxy:
        peer = await proxy.in_tls()
        await peer.send(startup(database="shop"))
        with pytest.raises(AssertionError, match="3D000"):
            await finish_login(peer, PASSWORD, proxy.end_point)
    assert upstream.startups == []


async def test_client_certificates_must_be_ours_and_name_the_login(upstream: FakeServer, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "clients")
    listener = {"method": "certificate", "client_ca": str(authority.certificate)}
    stranger = Authority(tmp_path / "strangers").client("app")
    async with running(settings(tmp_path, upstream.port, listener=listener), tmp_path) as proxy:
        for files, fine in ((authority.client("app"), True), (authority.client("eve"), False), (None, False)):
            context = proxy.client_tls(alpn=True)
            if files is not None:
                context.load_cert_chain(files.certificate, files.key)
            peer = await proxy.raw(ssl=context, server_hostname="localhost")
            await peer.send(startup("app"))
            found = await peer.until(b"Z" if fine else b"E")
            assert found[-1][0] == b"Z" if fine else error_of(found)["C"] == "28000"
        context = proxy.client_tls(alpn=True)
        context.load_cert_chain(stranger.certificate, stranger.key)
        with contextlib.suppress(OSError, ssl.SSLError):  # the alert may come before or after the first write
            peer = await proxy.raw(ssl=context, server_hostname="localhost")
            await peer.send(startup("app"))
            assert await peer.rest() == b""
    assert len(upstream.startups) == 1
