"""A session's relay: backpressure, ends of either side, cancels, defects."""

from __future__ import annotations

import asyncio
import resource
import socket
import struct
from pathlib import Path

import pytest

from proxy import connection
from proxy.connection import Relay
from proxy.wire import backend
from proxy.wire.framing import message
from proxy.wire.frontend import TERMINATE, build_query
from proxy.wire.startup import CancelRequest
from tests.support.shell import READY, WITHIN, FakeServer, Peer, Proxy, error_of, running, settings

ROW = message(b"D", struct.pack("!hi", 1, 8192) + b"x" * 8192)


def resident() -> int:
    """Bytes of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


async def test_a_large_result_to_a_slow_reader_keeps_memory_flat(proxy: Proxy, upstream: FakeServer) -> None:
    """300 MB: the server is not read while the client does not take what was sent."""
    total = 300 << 20
    block = ROW * 128
    sent = 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.message()
        while sent < total:
            peer.writer.write(block)
            await peer.writer.drain()
            sent += len(block)
        await peer.send(backend.build_command_complete(b"SELECT 1") + READY)

    upstream.script = script
    client = await proxy.login()
    await client.peer.send(build_query(b"SELECT"))
    before = resident()
    stuck = -1
    while stuck != sent:  # until nothing moves: the server waits for the proxy, the proxy for the client
        stuck = sent
        await asyncio.sleep(0.2)
    assert 0 < sent < total // 4
    received, peak = 0, 0
    while received < total:
        chunk = await client.peer.reader.read(1 << 20)
        assert chunk
        received += len(chunk)
        peak = max(peak, resident())
    assert peak - before < 60 << 20
    assert (await client.peer.rest())[-6:] == READY or received >= total


async def test_a_large_request_to_a_slow_server_keeps_memory_flat(proxy: Proxy, upstream: FakeServer) -> None:
    go = asyncio.Event()

    async def script(peer: Peer) -> None:
        await go.wait()
        while await peer.reader.read(1 << 20):
            pass

    upstream.script = script
    client = await proxy.login()
    before, total, sent = resident(), 200 << 20, 0
    block = message(b"d", b"x" * (1 << 20))
    writer = client.peer.writer

    async def send() -> None:
        nonlocal sent
        while sent < total:
            writer.write(block)
            await writer.drain()
            sent += len(block)

    sending = asyncio.create_task(send())
    stuck = -1
    while stuck != sent:
        stuck = sent
        await asyncio.sleep(0.2)
    assert sent < total // 4 and resident() - before < 60 << 20
    go.set()
    async with asyncio.timeout(60):
        await sending
    assert resident() - before < 60 << 20


async def test_both_sides_may_talk_at_once(proxy: Proxy, upstream: FakeServer) -> None:
    """Neither waits for the other to be read: a pipeline larger than all buffers, with answers as large."""
    count, size = 200, 64 << 10

    async def script(peer: Peer) -> None:
        for _ in range(count):
            _, body = await peer.message()
            peer.writer.write(message(b"D", body[:-1]))
        await peer.writer.drain()

    upstream.script = script
    client = await proxy.login()

    async def send() -> None:
        for _ in range(count):
            client.peer.writer.write(build_query(b"x" * size))
        await client.peer.writer.drain()

    sending = asyncio.create_task(send())
    for _ in range(count):
        assert len((await client.peer.message())[1]) == size
    await sending


async def test_a_client_that_takes_nothing_is_left_in_time(upstream: FakeServer, tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.message()
        while not upstream.cancelled.is_set():
            await peer.send(ROW * 64)

    upstream.script = script
    limits = {"client_write_timeout": "500ms", "write_buffer": "64KB"}
    async with running(settings(tmp_path, upstream.port, limits=limits), tmp_path) as proxy:
        client = await proxy.login()
        await client.peer.send(build_query(b"SELECT"))
        async with asyncio.timeout(WITHIN):
            await upstream.ended.wait()
        assert proxy.worker.stats.client_write_timeouts == 1
        assert "client_write_timeout" in proxy.log.getvalue()


async def test_the_servers_fatal_is_passed_on_once_and_no_other_is_made(proxy: Proxy, upstream: FakeServer) -> None:
    fatal = backend.build_error_response({b"S": b"FATAL", b"V": b"FATAL", b"C": b"57P01", b"M": b"going down"})

    async def script(peer: Peer) -> None:
        await peer.message()
        await peer.send(fatal)

    upstream.script = script
    client = await proxy.login()
    await client.peer.send(build_query(b"SELECT"))
    assert await client.peer.rest() == fatal


async def test_a_server_that_vanishes_gets_our_own_words(proxy: Proxy, upstream: FakeServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.message()
        peer.reset()

    upstream.script = script
    client = await proxy.login()
    await client.peer.send(build_query(b"SELECT"))
    assert error_of(await client.peer.message())["C"] == "08006"
    assert await client.peer.rest() == b""
    assert proxy.worker.stats.upstream_lost == 1


async def test_a_server_that_vanishes_in_mid_row_leaves_no_made_up_row(proxy: Proxy, upstream: FakeServer) -> None:
    """Our words must not become the missing bytes of the server's last message."""

    async def script(peer: Peer) -> None:
        await peer.message()
        await peer.send(ROW + ROW[:5000])
        peer.reset()

    upstream.script = script
    client = await proxy.login()
    await client.peer.send(build_query(b"SELECT"))
    assert await client.peer.rest() == ROW + ROW[:5000]


async def test_a_client_that_vanishes_in_mid_query_stops_the_query(proxy: Proxy, upstream: FakeServer) -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.message()
        asked.set()
        await upstream.cancelled.wait()
        await peer.rest()

    upstream.script = script
    client = await proxy.login()
    await client.peer.send(build_query(b"SELECT pg_sleep(1000)"))
    async with asyncio.timeout(WITHIN):
        await asked.wait()
        client.peer.reset()
        await upstream.ended.wait()
    assert upstream.cancels == [CancelRequest(4242, b"kkkk")]


async def test_an_idle_client_that_vanishes_cancels_nothing(proxy: Proxy, upstream: FakeServer) -> None:
    client = await proxy.login()
    await client.query()
    client.peer.reset()
    async with asyncio.timeout(WITHIN):
        await upstream.ended.wait()
    assert upstream.cancels == []


async def test_half_a_message_of_a_client_that_vanished_is_not_completed(proxy: Proxy, upstream: FakeServer) -> None:
    heard: list[bytes] = []

    async def script(peer: Peer) -> None:
        heard.append(await peer.rest())

    upstream.script = script
    client = await proxy.login()
    await client.peer.send(build_query(b"DELETE FROM customers WHERE id = 1")[:20])
    client.peer.close()
    async with asyncio.timeout(WITHIN):
        await upstream.ended.wait()
    assert len(heard[0]) <= 20


async def answer_after_goodbye(peer: Peer) -> list[bytes]:
    """As a server that was slow: it has read all before it answers the first query."""
    heard = [(await peer.message())[0]]
    while heard[-1] != b"X":
        heard.append((await peer.message())[0])
    for _ in heard[1:]:
        await peer.send(backend.build_command_complete(b"INSERT 0 1") + READY)
    return heard


async def test_a_client_that_said_goodbye_gets_what_it_is_owed(proxy: Proxy, upstream: FakeServer) -> None:
    async def script(peer: Peer) -> None:
        await answer_after_goodbye(peer)

    upstream.script = script
    client = await proxy.login()
    await client.peer.send(build_query(b"INSERT") * 2 + TERMINATE)
    assert await client.peer.rest() == (backend.build_command_complete(b"INSERT 0 1") + READY) * 2
    assert upstream.cancels == []


async def test_a_half_closed_client_that_said_goodbye_loses_no_work(proxy: Proxy, upstream: FakeServer) -> None:
    """Query, Terminate and FIN in one: the server gets all of it, and no cancel."""
    heard: list[bytes] = []

    async def script(peer: Peer) -> None:
        heard.extend(await answer_after_goodbye(peer))

    upstream.script = script
    client = await proxy.login()
    await client.peer.send(build_query(b"INSERT") + TERMINATE)
    client.peer.close()
    async with asyncio.timeout(WITHIN):
        await upstream.ended.wait()
    assert heard == [b"Q", b"X"] and upstream.cancels == []


async def test_a_server_that_goes_on_after_goodbye_is_left(
    proxy: Proxy, upstream: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody may be there any more, so a server that does not close is not waited for without end."""
    monkeypatch.setattr(connection, "_SERVER_LINGER", 0.05)

    async def script(peer: Peer) -> None:
        await peer.rest()

    upstream.script = script
    client = await proxy.login()
    await client.peer.send(build_query(b"INSERT") + TERMINATE)
    client.peer.close()
    async with asyncio.timeout(WITHIN):
        await upstream.ended.wait()
    assert upstream.cancels == []


async def test_a_cancel_request_reaches_the_server_with_its_own_key(proxy: Proxy, upstream: FakeServer) -> None:
    client = await proxy.login()
    pid, secret = client.key
    peer = await proxy.raw()
    await peer.send(CancelRequest(pid, secret).build())
    assert await peer.rest() == b""  # closed without an answer, once the server has closed
    assert upstream.cancels == [CancelRequest(4242, b"kkkk")]
    assert proxy.worker.stats.cancels == {"found": 1}


@pytest.mark.parametrize("change", ["secret", "pid", "length"])
async def test_a_wrong_cancel_key_cancels_nothing(proxy: Proxy, upstream: FakeServer, change: str) -> None:
    client = await proxy.login()
    pid, secret = client.key
    wrong = {
        "secret": CancelRequest(pid, bytes(byte ^ 1 for byte in secret)),
        "pid": CancelRequest(pid + 1, secret),
        "length": CancelRequest(pid, secret + secret),
    }[change]
    peer = await proxy.in_tls()
    await peer.send(wrong.build())
    assert await peer.rest() == b""
    assert upstream.cancels == [] and proxy.worker.stats.cancels == {"unknown": 1}


async def test_a_key_is_good_for_nothing_once_its_session_is_over(proxy: Proxy, upstream: FakeServer) -> None:
    client = await proxy.login()
    await client.peer.send(TERMINATE)
    await client.peer.rest()
    client.peer.close()
    desk = proxy.worker._running_services().cancels
    async with asyncio.timeout(WITHIN):
        while desk.keys.find(*client.key) is not None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_a_defect_ends_its_session_and_no_other(
    proxy: Proxy, upstream: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await proxy.login("other")
    client = await proxy.login()
    victims: list[Relay] = list(proxy.worker._listener._relays)
    victim = next(relay for relay in victims if relay._dialled.leg is not None and relay.database == "app")

    def broken(_data: bytes) -> None:
        raise ValueError("the value 4111-1111-1111-1111 is secret")

    monkeypatch.setattr(victim._conversation, "client_bytes", broken, raising=False)
    await client.peer.send(build_query(b"SELECT"))
    assert error_of(await client.peer.message())["C"] == "XX000"
    assert await client.peer.rest() == b""
    assert (await other.query())[-1] == (b"Z", b"I")
    assert "internal_error" in proxy.log.getvalue() and "4111-1111" not in proxy.log.getvalue()


async def test_sockets_to_clients_are_kept_alive_and_undelayed(proxy: Proxy) -> None:
    await proxy.login()
    (relay,) = proxy.worker._listener._relays
    for leg in (relay._client, relay._server):
        assert leg._transport is not None
        sock = leg._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
