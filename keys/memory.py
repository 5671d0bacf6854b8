"""Keeps the memory of a process that holds keys out of core dumps and away from other processes of the same user.

What this does not do: Python cannot wipe keys, and pages may be swapped; see docs/keys.md.
"""

from __future__ import annotations

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def forbid_core_dumps() -> bool:
    """No core file from now on, in children neither; on Linux other processes may not attach or read the memory.

    Returns whether the second could be done, too.  Raises OSError when the limit cannot be set.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return _set_undumpable()


def _set_undumpable() -> bool:
    """The limit alone does not count where a program takes the dumps (core_pattern begins with a pipe)."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return False
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    prctl.restype = ctypes.c_int
    return bool(prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
