"""REWRAP and ROTATE_KEK: every data key wrapped by the newest version of the KEK.  No cell is touched, nobody waits.

A killed run goes on where it was, since what is wrapped by the newest version is left alone.
"""

from __future__ import annotations

from proxy.keywork.handler import Work

from .tools import Tools


async def rewrap(tools: Tools, work: Work) -> None:
    """The handler of REWRAP.  Proxies keep the keys that they hold: what is wrapped differently is the same key."""

    async def progress(done: int, total: int) -> None:
        await work.checkpoint("rewrap", done, total)

    changed = await tools.store.rewrap(progress)
    await work.report({"rewrapped": changed, "kek": tools.store.provider.uri})


async def rotate_kek(tools: Tools, work: Work) -> None:
    """The handler of ROTATE_KEK: a new version in the provider first.

    Killed between making the version and recording it, the next run makes one more, which harms nothing.
    """
    if "kek_version" not in work.operation.result:
        await work.checkpoint("rotate")
        await work.report({"kek_version": await tools.store.provider.rotate()})
    await rewrap(tools, work)
