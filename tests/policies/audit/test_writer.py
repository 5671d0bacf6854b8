"""The program beside a worker: lines in, numbers out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from struct import iter_unpack

import pytest

from policies.audit.events import decode, encode
from policies.audit.sink import SinkSettings
from policies.audit.writer import ANSWER, READY, Writer

from .records import record


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def run(ends: tuple[socket.socket, socket.socket], path: Path, pieces: list[bytes]) -> tuple[int, bytes]:
    """The exit code, and all that the program said to these pieces of input."""
    ours, theirs = ends
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(Writer(theirs, path, SinkSettings()).run()))
    thread.start()
    for piece in pieces:
        ours.sendall(piece)
    ours.shutdown(socket.SHUT_WR)
    thread.join()
    theirs.close()
    said = b""
    while data := ours.recv(65536):
        said += data
    return codes[0], said


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_each_line_is_answered_by_its_number(
    ends: tuple[socket.socket, socket.socket], tmp_path: Path, size: int
) -> None:
    data = b"".join(encode(record(number)) for number in range(1, 6))
    code, said = run(ends, tmp_path / "a", [data[at : at + size] for at in range(0, len(data), size)])
    assert code == 0 and said.startswith(READY)
    assert [number for (number,) in iter_unpack(ANSWER.format, said.removeprefix(READY))] == [1, 2, 3, 4, 5]
    assert [int(str(decode(line)["id"]), 16) for line in (tmp_path / "a").read_bytes().splitlines()] == [1, 2, 3, 4, 5]


def test_half_a_line_is_not_written(ends: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    whole = encode(record(1))
    _, said = run(ends, tmp_path / "a", [whole, encode(record(2))[:-1]])
    assert said == READY + ANSWER.pack(1)
    assert (tmp_path / "a").read_bytes() == whole


def test_what_is_wrong_is_said_in_one_line(ends: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    code, said = run(ends, tmp_path / "none" / "a", [])
    assert code == 1 and b"audit file" in said and said.count(b"\n") == 1
