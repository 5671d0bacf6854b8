"""Who a PostgreSQL server of ours runs as, and what that user must be able to reach.

PostgreSQL refuses to run as root.  Started by root (a container, a CI machine), the server runs as the operating
system's user `embedded_postgres`, which is made when it is missing, and every folder above a path that the server needs
gets the permission to be *passed through* (x, never r) by others where it lacks it.  Started by anybody else, the
server runs as that person, and nothing is changed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

SERVER_USER = "embedded_postgres"


class OsUserFailed(Exception):
    """The server's operating system user could not be made or given what it needs."""


@dataclass(frozen=True, slots=True)
class OsUser:
    name: str
    uid: int
    gid: int


def server_user(name: str = SERVER_USER) -> OsUser | None:
    """None: the server runs as we do.  Two processes may come here at once."""
    if os.geteuid() != 0:
        return None
    entry = _lookup(name)
    if entry is None:
        _create(name)
        entry = _lookup(name)
    if entry is None:
        raise OsUserFailed(f"the user {name} could not be made; create it, or do not run as root")
    return OsUser(name, entry.pw_uid, entry.pw_gid)


def _lookup(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _create(name: str) -> None:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        raise OsUserFailed(f"PostgreSQL does not run as root and there is no useradd to make the user {name}")
    subprocess.run(
        [useradd, "--system", "--no-create-home", "--shell", "/bin/sh", name], capture_output=True, check=False
    )


def let_through(path: Path, user: OsUser | None) -> None:
    """Make every folder above `path` passable by `user`."""
    if user is None:
        return
    for folder in path.resolve().parents:
        _add(folder, stat.S_IXOTH, user)


def let_read(folder: Path, user: OsUser | None) -> None:
    """Make a tree of programs readable and runnable by `user` (a venv made under a tight umask is not)."""
    let_through(folder, user)
    if user is None:
        return
    for current, _, files in os.walk(folder):
        _add(Path(current), stat.S_IROTH | stat.S_IXOTH, user)
        for name in files:
            found = Path(current, name)
            runnable = found.stat().st_mode & stat.S_IXUSR
            _add(found, stat.S_IROTH | (stat.S_IXOTH if runnable else 0), user)


def give(path: Path, user: OsUser | None) -> None:
    """`path` itself becomes the user's."""
    if user is not None:
        os.chown(path, user.uid, user.gid)


def give_tree(folder: Path, user: OsUser | None) -> None:
    """A whole tree becomes the user's: a data directory that another user once made."""
    if user is None or folder.stat().st_uid == user.uid:
        return
    give(folder, user)
    for current, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(current, name), user.uid, user.gid, follow_symlinks=False)


def _add(path: Path, for_others: int, user: OsUser) -> None:
    """Grant to others only what the user does not already have as owner, group or other."""
    found = path.stat()
    shift = 6 if found.st_uid == user.uid else 3 if found.st_gid == user.gid else 0
    if found.st_mode & (for_others << shift) == for_others << shift:
        return
    try:
        path.chmod(stat.S_IMODE(found.st_mode) | for_others << shift)
    except OSError as problem:
        raise OsUserFailed(f"{path} cannot be reached by the user {user.name}: {problem.strerror}") from problem


def write_private(path: Path, text: str) -> None:
    """A new file that nobody else could read at any moment."""
    path.unlink(missing_ok=True)
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(target, text.encode())
    finally:
        os.close(target)
