"""Hostile clients and servers over real sockets: our own error or a clean close, and everybody else is served."""

from __future__ import annotations

import asyncio
import random
import struct
from pathlib import Path

import pytest

from proxy.demo.certificates import Authority
from proxy.wire import backend
from proxy.wire.authentication import AUTHENTICATION_OK, Authentication, AuthenticationKind
from proxy.wire.framing import message
from proxy.wire.frontend import build_query
from proxy.wire.startup import SSL_REQUEST_PACKET
from tests.support.login_client import PASSWORD, startup
from tests.support.shell import WITHIN, FakeServer, Peer, Proxy, finish_login, greeting, running, serving, settings

GARBAGE = [
    b"\0",
    b"GET / HTTP/1.1\r\nHost: db\r\n\r\n",
    b"\x16\x03\x01\x00\x05hello",
    b"\xff" * 8,
    struct.pack("!I", 1 << 30) + b"x" * 100,
    struct.pack("!II", 8, 80877102),  # a cancel request without a key
    startup()[:-1] + b"!",
    SSL_REQUEST_PACKET + b"\x16\x03\x01",
    b"p\0\0\0\x08pass",
    random.Random(64).randbytes(64),
]


@pytest.mark.parametrize("bytes_sent", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_before_login(proxy: Proxy, bytes_sent: bytes) -> None:
    peer = await proxy.raw()
    await peer.send(bytes_sent)
    peer.writer.write_eof()
    rest = await peer.rest()
    assert rest in (b"", b"S") or rest[:1] in (b"E", b"S", b"\x15")  # our error, an answer to SSLRequest, a TLS alert
    assert await (await proxy.login()).query()
    assert "internal_error" not in proxy.log.getvalue()


async def test_garbage_inside_tls_instead_of_a_proof(proxy: Proxy) -> None:
    for answer in (
        b"Q\0\0\0\4",
        b"p\xff\xff\xff\xff",
        message(b"p", b"SCRAM-SHA-256\0\0\0\0\x04junk"),
        message(b"p", b""),
    ):
        peer = await proxy.in_tls()
        await peer.send(startup())
        await peer.message()
        await peer.send(answer)
        assert (await peer.message())[0] == b"E" and await peer.rest() == b""
    assert await (await proxy.login()).query()
    assert "internal_error" not in proxy.log.getvalue()


async def test_a_startup_packet_byte_by_byte(proxy: Proxy) -> None:
    peer = await proxy.in_tls()
    for byte in startup():
        await peer.send(bytes([byte]))
        await asyncio.sleep(0)
    await finish_login(peer, PASSWORD, proxy.end_point)


async def test_a_tls_stream_cut_and_bent(proxy: Proxy) -> None:
    """Bytes of a real handshake, changed at random places."""
    generator = random.Random(7)
    for _ in range(20):
        peer = await proxy.raw()
        await peer.send(SSL_REQUEST_PACKET)
        assert await peer.read(1) == b"S"
        hello = bytearray(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + generator.randbytes(502))
        for _ in range(3):
            hello[generator.randrange(len(hello))] = generator.randrange(256)
        await peer.send(bytes(hello[: generator.randrange(1, len(hello))]))
        peer.writer.write_eof()
        await peer.rest()
    assert await (await proxy.login()).query()
    assert "internal_error" not in proxy.log.getvalue()


async def test_many_who_never_finish_do_not_keep_others_out(upstream: FakeServer, tmp_path: Path) -> None:
    limits = {"connections": 40, "startup_timeout": "1s"}
    async with running(settings(tmp_path, upstream.port, limits=limits), tmp_path) as proxy:
        slow = [await proxy.raw() for _ in range(39)]
        for peer in slow:
            await peer.send(startup()[:6])
        assert await (await proxy.login()).query()
        for peer in slow:
            assert await peer.rest() == b""


HOSTILE_LOGINS = [
    b"R\xff\xff\xff\xff",
    b"R\0\0\0\x02",
    message(b"R", b"\0\0\0"),
    message(b"R", struct.pack("!i", 99)),
    b"\0" * 100,
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    message(b"E", b"no terminator"),
    message(b"E", b"Mwithout a code\0\0"),
    Authentication(AuthenticationKind.CLEARTEXT_PASSWORD).build(),
    Authentication(AuthenticationKind.SASL, (b"PLAIN",)).build(),
    Authentication(AuthenticationKind.SASL_CONTINUE, data=b"r=" + b"n" * 60_000).build(),
    AUTHENTICATION_OK + message(b"D", b"\0\0"),
    AUTHENTICATION_OK + message(b"S", b"no terminator"),
    AUTHENTICATION_OK + 30 * backend.build_parameter_status(b"x", b"y" * 60_000),
    greeting()[:-3],
]


@pytest.mark.parametrize("said", HOSTILE_LOGINS, ids=range(len(HOSTILE_LOGINS)))
async def test_a_server_that_breaks_the_login(proxy: Proxy, upstream: FakeServer, said: bytes) -> None:
    upstream.said = said

    async def hang_up(peer: Peer) -> None:
        """Nothing more."""

    upstream.script = hang_up
    peer = await proxy.in_tls()
    await peer.send(startup())
    with pytest.raises(AssertionError) as refused:
        await finish_login(peer, PASSWORD, proxy.end_point)
    assert PASSWORD not in str(refused.value)
    assert await peer.rest() == b""
    assert "internal_error" not in proxy.log.getvalue()


async def test_a_server_that_never_answers_the_login(upstream: FakeServer, tmp_path: Path) -> None:
    upstream.said = b""

    async def sleep(peer: Peer) -> None:
        await peer.rest()

    upstream.script = sleep
    config = settings(tmp_path, upstream.port, upstream={"connect_timeout": "300ms"})
    async with running(config, tmp_path) as proxy:
        peer = await proxy.in_tls()
        await peer.send(startup())
        with pytest.raises(AssertionError, match="did not answer in time"):
            await finish_login(peer, PASSWORD, proxy.end_point)
        async with asyncio.timeout(WITHIN):
            await upstream.ended.wait()


@pytest.mark.parametrize(
    "said", [b"\0\0\0\0\0\0", b"Z\xff\xff\xff\xff", b"?\0\0\0\x04", b"D\0\0\0\0", random.Random(40).randbytes(40)]
)
async def test_a_server_that_breaks_a_session_breaks_only_that(proxy: Proxy, upstream: FakeServer, said: bytes) -> None:
    async def script(peer: Peer) -> None:
        _, body = await peer.message()
        if body.startswith(b"break"):
            await peer.send(said)
        else:
            await peer.send(backend.build_ready_for_query(b"I"))

    upstream.script = script
    other = await proxy.login("other")
    client = await proxy.login()
    await client.peer.send(build_query(b"break"))
    await client.peer.rest()
    assert (await other.query())[-1] == (b"Z", b"I")
    assert "internal_error" not in proxy.log.getvalue()


async def test_bytes_around_the_servers_ssl_answer_are_an_attack(tmp_path: Path) -> None:
    """The proxy asks for TLS and takes exactly one byte for an answer."""
    authority = Authority(tmp_path / "tls")
    for answer in (b"N", b"S" + AUTHENTICATION_OK, b"E" + b"x" * 20):
        heard: list[bytes] = []

        class Plain(FakeServer):
            async def _session(self, peer: Peer, answer: bytes = answer, heard: list[bytes] = heard) -> None:
                heard.append(await peer.packet())
                await peer.send(answer)
                heard.append(await peer.read(1))

        async with serving(Plain()) as server:
            upstream = {
                "sslmode": "verify-full",
                "ca": str(authority.certificate),
                "hosts": [f"localhost:{server.port}"],
            }
            async with running(settings(tmp_path, server.port, upstream=upstream), tmp_path) as proxy:
                peer = await proxy.in_tls()
                await peer.send(startup())
                with pytest.raises(AssertionError, match="TLS"):
                    await finish_login(peer, PASSWORD, proxy.end_point)
        assert heard == [SSL_REQUEST_PACKET]
