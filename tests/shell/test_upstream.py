"""Which server is chosen, how its certificate is checked, and what is done when it is not there."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.config import SessionAttrs
from proxy.demo.certificates import Authority
from proxy.tls import server_context
from proxy.wire import backend
from proxy.wire.startup import CancelRequest
from tests.support.login_client import PASSWORD, startup
from tests.support.shell import REPORTED, FakeServer, finish_login, greeting, running, serving, settings


def reported(standby: bool, read_only: bool = False) -> bytes:
    kept = tuple(pair for pair in REPORTED if pair[0] not in (b"in_hot_standby", b"default_transaction_read_only"))
    flags = ((b"in_hot_standby", b"on" if standby else b"off"),)
    return greeting(reported=(*kept, *flags, (b"default_transaction_read_only", b"on" if read_only else b"off")))


@contextlib.asynccontextmanager
async def two(first: bytes, second: bytes) -> AsyncIterator[tuple[FakeServer, FakeServer]]:
    async with serving(FakeServer(said=first)) as one, serving(FakeServer(said=second)) as other:
        yield one, other


CHOICES = [
    (SessionAttrs.ANY, True, 0),
    (SessionAttrs.READ_WRITE, True, 1),
    (SessionAttrs.PRIMARY, True, 1),
    (SessionAttrs.READ_ONLY, False, 1),
    (SessionAttrs.STANDBY, False, 1),
    (SessionAttrs.PREFER_STANDBY, False, 1),
]


@pytest.mark.parametrize(("wanted", "first_is_standby", "chosen"), CHOICES)
async def test_target_session_attrs(tmp_path: Path, wanted: SessionAttrs, first_is_standby: bool, chosen: int) -> None:
    async with two(reported(first_is_standby), reported(not first_is_standby)) as servers:
        hosts = [f"127.0.0.1:{server.port}" for server in servers]
        upstream = {"hosts": hosts, "target_session_attrs": wanted.value}
        async with running(settings(tmp_path, 1, upstream=upstream), tmp_path) as proxy:
            for _ in range(2):
                assert await (await proxy.login()).query()
            tried = [len(server.startups) for server in servers]
            # The host that was right is asked first from then on.
            assert tried == ([2, 0] if chosen == 0 else [1, 2])


async def test_a_primary_will_do_where_a_standby_is_only_preferred(tmp_path: Path) -> None:
    async with two(reported(standby=False), reported(standby=False)) as servers:
        hosts = [f"127.0.0.1:{server.port}" for server in servers]
        upstream = {"hosts": hosts, "target_session_attrs": "prefer-standby"}
        async with running(settings(tmp_path, 1, upstream=upstream), tmp_path) as proxy:
            assert await (await proxy.login()).query()


async def test_no_suitable_server_is_said(tmp_path: Path) -> None:
    async with two(reported(standby=True), reported(standby=False, read_only=True)) as servers:
        hosts = [f"127.0.0.1:{server.port}" for server in servers]
        upstream = {"hosts": hosts, "target_session_attrs": "read-write"}
        async with running(settings(tmp_path, 1, upstream=upstream), tmp_path) as proxy:
            peer = await proxy.in_tls()
            await peer.send(startup())
            with pytest.raises(AssertionError, match="read-write"):
                await finish_login(peer, PASSWORD, proxy.end_point)


async def test_a_dead_host_and_one_that_starts_up_are_gone_around(tmp_path: Path) -> None:
    starting = backend.build_error_response({b"S": b"FATAL", b"C": b"57P03", b"M": b"starting up"})
    async with serving(FakeServer()) as dead:
        pass
    async with two(starting, greeting()) as servers:
        hosts = [f"127.0.0.1:{port}" for port in (dead.port, servers[0].port, servers[1].port)]
        async with running(settings(tmp_path, 1, upstream={"hosts": hosts}), tmp_path) as proxy:
            assert await (await proxy.login()).query()
            assert (await proxy.worker.readiness()).checks["upstream"]


async def test_a_server_that_refuses_the_login_is_not_gone_around(tmp_path: Path) -> None:
    refusal = backend.build_error_response({b"S": b"FATAL", b"C": b"53300", b"M": b"too many clients"})
    async with two(refusal, greeting()) as servers:
        hosts = [f"127.0.0.1:{server.port}" for server in servers]
        async with running(settings(tmp_path, 1, upstream={"hosts": hosts}), tmp_path) as proxy:
            peer = await proxy.in_tls()
            await peer.send(startup())
            with pytest.raises(AssertionError, match="too many clients"):
                await finish_login(peer, PASSWORD, proxy.end_point)
            assert servers[1].startups == []


@pytest.mark.parametrize(
    ("certified", "trusted", "sslmode", "fine"),
    [
        (("localhost",), True, "verify-full", True),
        (("db.example",), True, "verify-full", False),
        (("db.example",), True, "verify-ca", True),
        (("localhost",), False, "verify-full", False),
        (("localhost",), False, "verify-ca", False),
    ],
)
async def test_the_servers_certificate_is_verified(
    tmp_path: Path, certified: tuple[str, ...], trusted: bool, sslmode: str, fine: bool
) -> None:
    authority = Authority(tmp_path / "upstream")
    pair = authority.server("server", certified)
    ca = authority.certificate if trusted else Authority(tmp_path / "strangers").certificate
    async with serving(FakeServer(tls=server_context(pair.certificate, pair.key))) as server:
        upstream = {"sslmode": sslmode, "ca": str(ca), "hosts": [f"localhost:{server.port}"]}
        async with running(settings(tmp_path, 1, upstream=upstream), tmp_path) as proxy:
            peer = await proxy.in_tls()
            await peer.send(startup())
            if fine:
                client = await finish_login(peer, PASSWORD, proxy.end_point)
                assert await client.query()
                cancel = await proxy.raw()
                await cancel.send(CancelRequest(*client.key).build())
                assert await cancel.rest() == b""
                assert server.cancels == [CancelRequest(4242, b"kkkk")]  # by TLS too: the server takes nothing else
            else:
                with pytest.raises(AssertionError, match="08001"):
                    await finish_login(peer, PASSWORD, proxy.end_point)
                assert server.startups == []
