"""The audit file itself: opened safely, written whole batches at a time, reopened when it was moved away.

Several worker processes may append to one file: a batch is written under an advisory lock, and what a full disk leaves
of it is cut off again, so that the file always ends with a whole line.  Nothing here is called on the event loop.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from policies.errors import AuditSinkFailed

from .events import OPENING

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_PROBE = b"\n" * 65536
_STEP = 65536  # bytes that are looked at in one go


class AuditFile:
    """Every method raises AuditSinkFailed, whose message names the file and the reason, never a record."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1

    def open(self) -> None:
        """Opens or creates the file (0600), and proves by a write that there is room on the disk."""
        self.close()
        with self._failing("cannot be opened"):
            self._file = os.open(self.path, _FLAGS, 0o600)
            self._check_kind()
            self._sync_folder()
            with self._locked():
                size = self._whole_lines()
                try:
                    self._write_all(_PROBE)
                finally:
                    os.ftruncate(self._file, size)

    def _whole_lines(self) -> int:
        """The size without what a writer that was killed has left of a line; nobody was told that it is durable."""
        size = at = os.fstat(self._file).st_size
        tail = b""
        while at > 0 and b"\n" not in tail:
            begin = max(0, at - _STEP)
            tail = os.pread(self._file, at - begin, begin) + tail
            at = begin
        torn = tail[tail.rfind(b"\n") + 1 :]
        if not (torn.startswith(OPENING) or OPENING.startswith(torn)):
            raise AuditSinkFailed(f"audit file {self.path} ends with something that is no record of ours")
        return size - len(torn)

    def _check_kind(self) -> None:
        found = os.fstat(self._file)
        if not stat.S_ISREG(found.st_mode):
            raise AuditSinkFailed(f"audit file {self.path} is no regular file")
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise AuditSinkFailed(f"audit file {self.path} must belong to us with mode 0600")

    def _sync_folder(self) -> None:
        """A new file's name is durable only when its folder is."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def append(self, batch: bytes) -> None:
        """All of it or nothing.  Durable only after `sync`."""
        with self._failing("cannot be written"):
            if self._moved():
                self.open()
            with self._locked():
                size = os.fstat(self._file).st_size
                try:
                    self._write_all(batch)
                except OSError:
                    os.ftruncate(self._file, size)
                    raise

    def sync(self) -> None:
        """What was appended is on the disk, in a file that still has a name."""
        with self._failing("cannot be made durable"):
            os.fdatasync(self._file)
            if os.fstat(self._file).st_nlink == 0:
                raise AuditSinkFailed(f"audit file {self.path} was removed")

    def close(self) -> None:
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = -1

    def _moved(self) -> bool:
        """Is the path another file by now (rotation), or none?"""
        try:
            there, ours = self.path.stat(follow_symlinks=False), os.fstat(self._file)
        except FileNotFoundError:
            return True
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)

    def _write_all(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            written = os.write(self._file, left)
            if written == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left = left[written:]

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    @contextlib.contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.close()
            raise AuditSinkFailed(f"audit file {self.path} {what}: {error.strerror or 'unknown error'}") from None
        except AuditSinkFailed:
            self.close()
            raise
