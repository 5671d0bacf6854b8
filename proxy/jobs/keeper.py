"""Keeps one job runner beside `serve`: starts it, and starts it again when it dies, slower each time."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from proxy.logs import Logger

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0
_STEADY = 60.0  # seconds of running after which a death counts as the first
_END_WITHIN = 15.0


class JobsKeeper:
    """`start` and `stop` belong to one event loop.  Proxies serve whether there is a runner or not."""

    def __init__(self, config_path: Path, logger: Logger) -> None:
        self._config_path, self._logger = config_path, logger
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """The runner ends at the end of its standard input; one that does not is killed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _END_WITHIN)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _keep(self) -> None:
        loop, delay = asyncio.get_running_loop(), _FIRST_DELAY
        while True:
            began = loop.time()
            try:
                process = await self._begin()
                code: int | None = await process.wait()
            except OSError:  # no process is to be had just now
                code = None
            delay = _FIRST_DELAY if loop.time() - began > _STEADY else min(delay * 2, _LONGEST_DELAY)
            self._logger.error("jobs_died", code=code, again_in=delay)
            await asyncio.sleep(delay)

    async def _begin(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "proxy", "jobs", "--config", str(self._config_path), "--supervised"),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,  # a terminal's Ctrl-C is for `serve`
        )
        self._process = process
        self._logger.info("jobs_started", pid=process.pid)
        return process
