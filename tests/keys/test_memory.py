"""Core dumps and other processes' looks: in a process of its own, because nothing here can be taken back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import ctypes, os, resource, sys
from pathlib import Path
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
from keys.memory import forbid_core_dumps
def show():
    [line] = [l for l in Path("/proc/self/limits").read_text().splitlines() if l.startswith("Max core file size")]
    print(*line.split()[4:6], ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))  # PR_GET_DUMPABLE
show()
print(forbid_core_dumps())
show()
sys.stdout.flush()
print(Path("/proc/self/status").exists(), len(os.listdir("/proc/self/fd")) > 2)
"""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def test_limits_and_dumpable_are_set() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    before, told, after, usable = done.stdout.splitlines()
    assert before.split()[2] == "1"
    assert (told, after, usable) == ("True", "0 0 0", "True True")


@pytest.mark.parametrize("guarded", [True, False])
def test_a_crash_leaves_no_core_file(tmp_path: Path, guarded: bool) -> None:
    """With the guard off the same crash leaves one, where the system writes core files at all."""
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    program = "import os, resource, signal\n"
    program += "hard = resource.getrlimit(resource.RLIMIT_CORE)[1]\n"
    program += "resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))\n"
    program += "from keys.memory import forbid_core_dumps\nforbid_core_dumps()\n" if guarded else ""
    program += "os.kill(os.getpid(), signal.SIGABRT)\n"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=False)
    assert done.returncode == -6
    left = list(tmp_path.iterdir())
    if guarded:
        assert left == []
    elif pattern.startswith(("|", "/")) or not _may_dump():
        pytest.skip("this system writes no core files beside the program")
    else:
        assert len(left) == 1


def _may_dump() -> bool:
    import resource

    return resource.getrlimit(resource.RLIMIT_CORE)[1] != 0
