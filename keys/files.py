"""Files that hold secrets: read only when nobody else could, replaced as a whole or not at all.

A replacement is written beside the file, flushed to disk, then renamed over it, and the directory is flushed: after a
crash, a kill or a full disk at any point the old content or the new content is there, never a mixture.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from .errors import KeyringInvalid

_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
LOCK_SECONDS = 10.0


def read_private(path: Path, *, limit: int, follow_link: bool = False) -> bytes:
    """The content of a regular file of at most `limit` bytes that only its owner, this user or root, may touch."""
    try:
        descriptor = os.open(path, os.O_RDONLY | (_OPEN & ~os.O_NOFOLLOW if follow_link else _OPEN))
    except FileNotFoundError:
        raise KeyringInvalid(f"{path} does not exist") from None
    except OSError as failure:
        link = " (a symbolic link is not followed)" if path.is_symlink() and not follow_link else ""
        raise KeyringInvalid(f"{path} cannot be opened: {failure.strerror}{link}") from None
    try:
        _require_private(path, os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise KeyringInvalid(f"{path} is longer than {limit} bytes")
    return content


def _require_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyringInvalid(f"{path} is not a regular file")
    if status.st_uid not in (os.geteuid(), 0):
        raise KeyringInvalid(f"{path} belongs to another user (id {status.st_uid})")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise KeyringInvalid(f"{path} is open to others (mode {mode:04o}): chmod 600 it, and think who has read it")


def _require_own_directory(path: Path) -> None:
    """A directory in which anyone may rename files is no place for keys: an old file could be put back."""
    mode = path.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise KeyringInvalid(f"anyone may replace files in {path} (mode {stat.S_IMODE(mode):04o})")


def write_private(path: Path, content: bytes) -> None:
    """Replaces the file durably, mode 0600.  The caller holds `locked(path)`.  Raises OSError; the old file stays."""
    _require_own_directory(path.parent)
    _sweep(path)
    temporary = path.parent / f"{_temporary_prefix(path)}{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_directory(path.parent)


def _temporary_prefix(path: Path) -> str:
    return f".{path.name}.new-"


def _sweep(path: Path) -> None:
    """Removes what a killed writer left; nobody else writes now, because the caller holds the lock."""
    prefix = _temporary_prefix(path)
    for left in path.parent.iterdir():
        if left.name.startswith(prefix):
            left.unlink(missing_ok=True)


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path, *, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """One writer of `path` at a time, across processes.  The lock is on a file beside it, which stays.

    The kernel frees the lock when its holder ends, however it ends.
    """
    try:
        descriptor = os.open(path.parent / f"{path.name}.lock", os.O_RDWR | os.O_CREAT | _OPEN, 0o600)
    except OSError as failure:
        raise KeyringInvalid(f"{path} cannot be locked: {failure.strerror}") from None
    try:
        _acquire(descriptor, path, time.monotonic() + seconds)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise KeyringInvalid(f"{path} is being changed by another process") from None
            time.sleep(0.01)
