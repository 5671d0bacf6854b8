"""How the processes of one proxy talk: JSON lines over unix sockets in the run folder.

Contract: only the proxy's own user can enter the folder (0700).  One request, one reply, one connection.  Requests are
rare (a cancel from another worker, metrics, reload), so streams and a task each are fine here.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from proxy.errors import ConfigError

Message = dict[str, Any]
Handler = Callable[[Message], Awaitable[Message]]

_LINE_LIMIT = 16 << 20  # metrics of a worker are the longest
_PATH_LIMIT = 107  # sockaddr_un


def prepare_run_dir(folder: Path) -> None:
    """Make the folder, ours alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise ConfigError(f"{folder}: the run folder cannot be used: {error.strerror}") from None
    if len(str(worker_socket(folder, 99))) > _PATH_LIMIT:
        raise ConfigError(f"{folder}: the path of the run folder is too long for a unix socket")


def worker_socket(folder: Path, worker: int) -> Path:
    return folder / f"worker-{worker}.sock"


def jobs_socket(folder: Path) -> Path:
    """Where the job runner of this run folder answers."""
    return folder / "jobs.sock"


def worker_sockets(folder: Path) -> list[Path]:
    return sorted(folder.glob("worker-*.sock"))


class PeerServer:
    """Answers other processes' requests by the handler that their `op` names."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers
        self._server: asyncio.AbstractServer | None = None
        self._path: Path | None = None

    async def start(self, path: Path) -> None:
        self._server = await asyncio.start_unix_server(self._answer, sock=_bind(path), limit=_LINE_LIMIT)
        self._path = path

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        _unlink(self._path)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            reply = await self._reply(await reader.readline())
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError):
            pass  # the peer is gone, or sent too long a line: nothing to tell anyone
        finally:
            writer.close()

    async def _reply(self, line: bytes) -> Message:
        try:
            request = json.loads(line)
            handler = self._handlers[request["op"]]
        except (ValueError, TypeError, KeyError):
            return {"error": "unknown request"}
        try:
            return await handler(request)
        except Exception as error:  # noqa: BLE001 - a defect is told to whoever asked
            return {"error": f"internal error ({type(error).__name__})"}


def _bind(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX)
    bound.setblocking(False)
    bound.bind(str(path))
    path.chmod(0o600)
    return bound


def _unlink(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)


async def ask(path: Path, request: Message, within: float) -> Message | None:
    """The peer's reply; None when it cannot be reached or does not answer in time."""
    try:
        async with asyncio.timeout(within):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=_LINE_LIMIT)
            try:
                writer.write(json.dumps(request).encode() + b"\n")
                reply = json.loads(await reader.readline())
            finally:
                writer.close()
    except (OSError, ValueError, TimeoutError):
        return None
    return reply if isinstance(reply, dict) else None


async def ask_all(paths: list[Path], request: Message, within: float) -> list[Message]:
    """What those answered that did."""
    replies = await asyncio.gather(*(ask(path, request, within) for path in paths))
    return [reply for reply in replies if reply is not None]
