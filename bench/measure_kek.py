"""Measurement 7: how long 10,000 wrapped keys take to be put under a new version of their key-encryption key.

By a real OpenBao server over TLS on this machine, through the same wrapper that the proxy uses.  Afterwards all keys
name the new version, and some are unwrapped and compared.  Needs no PostgreSQL.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path

from keys.provider import Wrapped, Wrapping
from keys.providers.resilient import ResilientKek
from keys.providers.secret import Secret
from keys.providers.vault.login import TokenLogin
from keys.providers.vault.transit import TransitKek
from keys.providers.vault.transport import Transport
from tests.keys.providers.servers import Bao, bao

from .contest import Contest, Reading, Side
from .ratios import Goal

NAME = "kek-rewrap"
KEYS = 10_000
WANTED_SECONDS = 60.0
_SIDE = "openbao, transit"
_POLICY = 'path "transit/*" { capabilities = ["read", "update"] }'
_SAMPLE = 100


def contest(keys: int = KEYS) -> Contest:
    side = Side(_SIDE, lambda: _measure(keys))
    goals = (Goal(_SIDE, at_most=WANTED_SECONDS),) if keys >= KEYS else ()
    return Contest(NAME, f"{keys:,} keys rewrapped under a new version of the KEK", "s", (side,), goals)


def _measure(keys: int) -> Reading:
    with tempfile.TemporaryDirectory(prefix="fieldgate-bench-") as name, bao(Path(name)) as server:
        return asyncio.run(_rewrap(server, Path(name), keys))


async def _rewrap(server: Bao, folder: Path, count: int) -> Reading:
    provider = _provider(server, folder)
    await provider.open()
    try:
        items = [Wrapping(random.randbytes(32), b"field:%d" % number) for number in range(count)]
        began = time.perf_counter()
        blobs = await provider.wrap(items)
        wrapping = time.perf_counter() - began
        old = [Wrapped(blob, item.context) for blob, item in zip(blobs, items, strict=True)]
        newest = await provider.rotate()
        began = time.perf_counter()
        rewrapped = await provider.rewrap(old)
        seconds = time.perf_counter() - began
        calls = provider.statistics().calls["rewrap"]
        await _verify(provider, items, rewrapped, newest)
    finally:
        await provider.close()
    return Reading(seconds, {"keys/s": count / seconds, "requests": calls, "wrapping, s": wrapping})


async def _verify(provider: ResilientKek, items: list[Wrapping], blobs: list[bytes], newest: str) -> None:
    if {provider.version_of(blob) for blob in blobs} != {newest}:
        raise AssertionError("not all keys are under the new version")
    chosen = random.sample(range(len(items)), min(_SAMPLE, len(items)))
    answers = await provider.unwrap([Wrapped(blobs[number], items[number].context) for number in chosen])
    if answers != [items[number].material for number in chosen]:
        raise AssertionError("a rewrapped key is another one")


def _provider(server: Bao, folder: Path) -> ResilientKek:
    server.api("POST", "sys/mounts/transit", {"type": "transit"})
    server.api("POST", "transit/keys/bench", {"type": "aes256-gcm96", "derived": True})
    server.api("PUT", "sys/policies/acl/bench", {"policy": _POLICY})
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(server.token(["bench"]))
    transport = Transport(server.address, namespace=None, ca=server.ca, timeout=30)
    return ResilientKek(TransitKek(transport, TokenLogin(Secret(file=token)), mount="transit", key="bench"))
