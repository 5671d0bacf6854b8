"""Secret files: who may have them, and that a replacement happens whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from keys import files
from keys.errors import KeyringInvalid
from keys.files import locked, read_private, write_private

OLD, NEW = b"old content", b"new content, a little longer"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    write_private(path, OLD)
    return path


def names(path: Path) -> set[str]:
    return {entry.name for entry in path.parent.iterdir()}


def test_what_is_written_is_private_and_read_back(secret: Path) -> None:
    assert secret.stat().st_mode & 0o777 == 0o600
    assert read_private(secret, limit=100) == OLD
    write_private(secret, NEW)
    assert read_private(secret, limit=100) == NEW
    assert names(secret) == {"secret"}


def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "open", OLD)
    finally:
        os.umask(before)
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o601])
def test_a_file_that_others_may_touch_is_refused(secret: Path, mode: int) -> None:
    secret.chmod(mode)
    with pytest.raises(KeyringInvalid, match="open to others"):
        read_private(secret, limit=100)


def test_a_file_of_another_user_is_refused(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(secret, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: secret.stat().st_uid + 1)
    with pytest.raises(KeyringInvalid, match="belongs to another user"):
        read_private(secret, limit=100)


def test_links_devices_directories_and_pipes_are_refused(secret: Path) -> None:
    link, pipe = secret.parent / "link", secret.parent / "pipe"
    link.symlink_to(secret)
    os.mkfifo(pipe, 0o600)
    for path in (link, pipe, secret.parent, Path("/dev/null")):
        with pytest.raises(KeyringInvalid):
            read_private(path, limit=100)
    assert read_private(link, limit=100, follow_link=True) == OLD


def test_the_length_is_bounded(secret: Path) -> None:
    assert read_private(secret, limit=len(OLD)) == OLD
    with pytest.raises(KeyringInvalid, match="longer than"):
        read_private(secret, limit=len(OLD) - 1)


def test_a_directory_in_which_anyone_may_rename_is_refused(secret: Path) -> None:
    secret.parent.chmod(0o777)
    with pytest.raises(KeyringInvalid, match="anyone may replace"):
        write_private(secret, NEW)
    secret.parent.chmod(0o1777)
    write_private(secret, NEW)
    assert read_private(secret, limit=100) == NEW


@pytest.mark.parametrize("step", ["fchmod", "fsync", "rename"])
def test_a_failure_at_any_step_leaves_the_old_file(secret: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path if step == "rename" else os, step, full)
    with pytest.raises(OSError, match="No space"):
        write_private(secret, NEW)
    monkeypatch.undo()
    assert read_private(secret, limit=100) == OLD
    assert names(secret) == {"secret"}


def run_child(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)


def test_a_file_that_outgrows_the_disk_leaves_the_old_one(secret: Path) -> None:
    """A real short write: the child may write no file past 1,000 bytes."""
    done = run_child(
        """
        import resource, signal, sys
        from pathlib import Path
        from keys.files import write_private
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_private(Path(sys.argv[1]), b"x" * 5000)
        except OSError as failure:
            print("refused", failure.errno)
        """,
        str(secret),
    )
    assert done.stdout.startswith("refused 27"), done.stderr
    assert read_private(secret, limit=100) == OLD
    assert names(secret) == {"secret"}


@pytest.mark.parametrize("step", ["os.fsync", "Path.rename"])
def test_a_kill_at_any_step_leaves_a_whole_file_and_its_rest_is_swept(secret: Path, step: str) -> None:
    done = run_child(
        f"""
        import os, signal, sys
        from pathlib import Path
        from keys.files import locked, write_private
        {step} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        path = Path(sys.argv[1])
        with locked(path):
            write_private(path, b"half")
        """,
        str(secret),
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert read_private(secret, limit=100) == OLD
    assert len(names(secret)) == 3  # the file, its lock, and what the killed writer left
    with locked(secret, seconds=0):
        write_private(secret, NEW)
    assert read_private(secret, limit=100) == NEW
    assert names(secret) == {"secret", "secret.lock"}


def test_the_file_and_then_its_directory_are_flushed(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    flush, rename = os.fsync, Path.rename

    def recorded_flush(descriptor: int) -> None:
        events.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        flush(descriptor)

    def recorded_rename(path: Path, target: Path) -> Path:
        events.append("rename")
        return rename(path, target)

    monkeypatch.setattr(files.os, "fsync", recorded_flush)
    monkeypatch.setattr(Path, "rename", recorded_rename)
    write_private(secret, NEW)
    assert events == ["file", "rename", "directory"]


def test_one_writer_at_a_time(secret: Path) -> None:
    with locked(secret), pytest.raises(KeyringInvalid, match="another process"), locked(secret, seconds=0):
        raise AssertionError("two writers")
    with locked(secret, seconds=0):
        pass
