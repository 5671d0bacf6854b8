"""The ledger of seals: no two processes ever share a seal, and no crash gives one back."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from keys.errors import KeyringInvalid, SealBudgetExhausted
from keys.leases import FIRST_BLOCK, LARGEST_BLOCK, FileLeases
from tests.keys.making import cipher, data_key

CODE_KEY = bytes(range(32))
KEY_ID, OTHER_ID = b"\1" * 8, b"\2" * 8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = FileLeases(tmp_path / "seals", CODE_KEY)
    made.create()
    made.open_accounts([KEY_ID, OTHER_ID])
    return made.path


def test_blocks_are_on_disk_before_they_are_used_and_grow(path: Path) -> None:
    leases = FileLeases(path, CODE_KEY)
    total = 0
    for expected in (FIRST_BLOCK, 2 * FIRST_BLOCK, 4 * FIRST_BLOCK):
        total += leases.lease(KEY_ID)
        assert FileLeases(path, CODE_KEY).granted() == {KEY_ID: total, OTHER_ID: 0}
        assert total % expected <= FIRST_BLOCK * 7
    assert total == 7 * FIRST_BLOCK
    for _ in range(10):
        block = leases.lease(KEY_ID)
    assert block == LARGEST_BLOCK


def test_the_limit_is_never_passed(path: Path) -> None:
    leases = FileLeases(path, CODE_KEY, limit=3 * FIRST_BLOCK + 5)
    assert [leases.lease(KEY_ID), leases.lease(KEY_ID), leases.lease(KEY_ID)] == [FIRST_BLOCK, 2 * FIRST_BLOCK, 5]
    for _ in range(2):
        with pytest.raises(SealBudgetExhausted, match="rotated"):
            leases.lease(KEY_ID)
    assert leases.lease(OTHER_ID) == FIRST_BLOCK
    with pytest.raises(ValueError, match="2\\^32"):
        FileLeases(path, CODE_KEY, limit=(1 << 32) + 1)


def test_a_cipher_stops_where_the_ledger_does(path: Path) -> None:
    key = data_key()
    leases = FileLeases(path, CODE_KEY, limit=3)
    leases.open_accounts([key.key_id])
    made = cipher(key, leases=leases)
    cells = [made.seal(b"x") for _ in range(3)]
    with pytest.raises(SealBudgetExhausted):
        made.seal(b"x")
    assert [made.open(cell) for cell in cells] == [b"x"] * 3


def test_an_orderly_end_gives_the_rest_back(path: Path) -> None:
    leases = FileLeases(path, CODE_KEY)
    leases.give_back(KEY_ID, leases.lease(KEY_ID) - 10)
    assert leases.granted()[KEY_ID] == 10
    leases.give_back(KEY_ID, 11)
    assert leases.granted()[KEY_ID] == 10


def test_accounts_are_not_opened_twice(path: Path) -> None:
    leases = FileLeases(path, CODE_KEY)
    leases.lease(KEY_ID)
    leases.open_accounts([KEY_ID])
    assert leases.granted()[KEY_ID] == FIRST_BLOCK


def test_an_unknown_key_has_no_budget(path: Path) -> None:
    with pytest.raises(KeyringInvalid, match="no entry"):
        FileLeases(path, CODE_KEY).lease(b"\3" * 8)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b": 4096", b": 0"),
        lambda raw: raw[:-10],
        lambda raw: b"",
        lambda raw: b"[]",
        lambda raw: b"[" * 100_000,
        lambda raw: raw.replace(b": 4096", b": -1"),
        lambda raw: raw.replace(b": 4096", b": 1" + b"0" * 40),
        lambda raw: raw + b" ",
    ],
    ids=["reset", "cut", "empty", "list", "deep", "negative", "huge", "reformatted"],
)
def test_a_changed_ledger_grants_nothing(path: Path, change: object) -> None:
    leases = FileLeases(path, CODE_KEY)
    leases.lease(KEY_ID)
    raw = path.read_bytes()
    assert b": 4096" in raw
    path.write_bytes(change(raw))  # type: ignore[operator]
    with pytest.raises(KeyringInvalid):
        leases.lease(KEY_ID)


def test_a_ledger_of_another_keyring_grants_nothing(path: Path) -> None:
    with pytest.raises(KeyringInvalid, match="another keyring"):
        FileLeases(path, bytes(32)).lease(KEY_ID)


def test_a_full_disk_grants_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(KeyringInvalid, match="No space left"):
            FileLeases(path, CODE_KEY).lease(KEY_ID)
    assert FileLeases(path, CODE_KEY).granted()[KEY_ID] == 0


LEASING = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from keys.leases import FileLeases
    leases = FileLeases(Path(sys.argv[1]), bytes(range(32)))
    for _ in range(int(sys.argv[2])):
        print(leases.lease(b"\\1" * 8), flush=True)
    """
)


def leasing(path: Path, times: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", LEASING, str(path), str(times)], stdout=subprocess.PIPE, text=True)


def test_processes_never_share_a_seal(path: Path) -> None:
    workers = [leasing(path, 40) for _ in range(4)]
    granted = [[int(line) for line in worker.communicate()[0].split()] for worker in workers]
    assert [len(blocks) for blocks in granted] == [40] * 4
    assert sum(map(sum, granted)) == FileLeases(path, CODE_KEY).granted()[KEY_ID]


def test_a_killed_process_forfeits_and_blocks_nobody(path: Path) -> None:
    worker = leasing(path, 10_000)
    assert worker.stdout is not None
    told = [int(worker.stdout.readline()) for _ in range(5)]
    worker.send_signal(signal.SIGKILL)
    told += [int(line) for line in worker.communicate()[0].splitlines()]
    leases = FileLeases(path, CODE_KEY)
    assert leases.granted()[KEY_ID] >= sum(told)
    assert leases.lease(KEY_ID) == FIRST_BLOCK
