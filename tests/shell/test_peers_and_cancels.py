"""Cancel keys, and how worker processes talk."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from proxy.cancel import CancelDesk, CancelKeys
from proxy.errors import ConfigError
from proxy.peers import Message, PeerServer, ask, ask_all, prepare_run_dir, worker_socket, worker_sockets


class Target:
    def __init__(self) -> None:
        self.cancelled = 0
        self.go = asyncio.Event()
        self.go.set()

    async def cancel_upstream(self) -> None:
        await self.go.wait()
        self.cancelled += 1


def test_keys_have_the_lengths_of_their_protocol_and_are_all_different() -> None:
    keys = CancelKeys(258)
    target = Target()
    wide, narrow = keys.issue(7, wide=True, target=target), keys.issue(7, wide=False, target=target)
    assert (len(wide), len(narrow)) == (32, 4)
    assert keys.issuer(wide) == 258 and keys.issuer(narrow) is None
    assert len({keys.issue(7, wide=True, target=target) for _ in range(100)}) == 100


def test_a_key_finds_its_own_session_only() -> None:
    keys = CancelKeys(0)
    one, other = Target(), Target()
    secret, second = keys.issue(7, wide=False, target=one), keys.issue(7, wide=False, target=other)
    assert keys.find(7, secret) is one and keys.find(7, second) is other
    assert keys.find(8, secret) is None and keys.find(7, secret + b"x") is None and keys.find(7, b"") is None
    keys.withdraw(7, one)
    assert keys.find(7, secret) is None and keys.find(7, second) is other
    keys.withdraw(7, one)


async def test_a_desk_carries_out_a_bounded_number_at_a_time() -> None:
    desk = CancelDesk(CancelKeys(0), None, limit=2)
    target = Target()
    target.go.clear()
    secret = desk.keys.issue(7, wide=True, target=target)
    waiting = [asyncio.create_task(desk.cancel(7, secret)) for _ in range(2)]
    await asyncio.sleep(0)
    assert await desk.cancel(7, secret) is False  # one too many: dropped
    target.go.set()
    assert await asyncio.gather(*waiting) == [True, True]
    assert await desk.cancel(7, secret) is True and target.cancelled == 3


async def test_other_workers_are_asked_for_what_is_not_here_and_never_asked_in_turn() -> None:
    asked: list[tuple[int, bytes, int | None]] = []

    async def ask_peers(pid: int, secret: bytes, issuer: int | None) -> bool:
        asked.append((pid, secret, issuer))
        return True

    desk = CancelDesk(CancelKeys(0), ask_peers, limit=2)
    theirs = CancelKeys(3).issue(7, wide=True, target=Target())
    assert await desk.cancel(7, theirs) is True
    assert await desk.cancel(7, b"abcd") is True
    assert asked == [(7, theirs, 3), (7, b"abcd", None)]
    assert await desk.cancel_here(7, theirs) is False and len(asked) == 2


async def echo(request: Message) -> Message:
    return {"said": request["text"]}


async def broken(_request: Message) -> Message:
    raise KeyError("a secret")


async def test_requests_and_replies(tmp_path: Path) -> None:
    prepare_run_dir(tmp_path / "run")
    path = worker_socket(tmp_path / "run", 4)
    server = PeerServer({"echo": echo, "broken": broken})
    await server.start(path)
    assert await ask(path, {"op": "echo", "text": "x" * 100_000}, 5) == {"said": "x" * 100_000}
    assert await ask(path, {"op": "what"}, 5) == {"error": "unknown request"}
    assert await ask(path, {"op": "broken"}, 5) == {"error": "internal error (KeyError)"}
    assert worker_sockets(tmp_path / "run") == [path]
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    await server.stop()
    assert await ask(path, {"op": "echo", "text": ""}, 5) is None


@pytest.mark.parametrize("garbage", [b"\n", b"null\n", b"[]\n", b'{"op": []}\n', b"\xff\n", b"no newline"])
async def test_garbage_is_answered_or_left(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "worker-0.sock"
    server = PeerServer({"echo": echo})
    await server.start(path)
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(garbage)
    writer.write_eof()
    async with asyncio.timeout(5):
        assert await reader.read() in (b"", b'{"error": "unknown request"}\n')
    writer.close()
    assert await ask(path, {"op": "echo", "text": "still here"}, 5) == {"said": "still here"}
    await server.stop()


async def test_a_worker_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.sock"
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(str(path))
    silent.listen()
    assert await ask(path, {"op": "echo"}, 0.1) is None
    assert await ask_all([path, tmp_path / "worker-1.sock"], {"op": "echo"}, 0.1) == []
    silent.close()


def test_a_run_folder_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        prepare_run_dir(tmp_path / "file")
    with pytest.raises(ConfigError, match="too long"):
        prepare_run_dir(tmp_path / ("x" * 120))
