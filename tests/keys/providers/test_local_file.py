"""The file of key-encryption keys: the conformity suite, and what only files can go wrong with."""

from __future__ import annotations

import asyncio
import json
import shutil
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keys.errors import KeyringInvalid, KeyringLocked, ProviderRefused
from keys.primitives import random_bytes
from keys.provider import KekProvider, Wrapped, Wrapping
from keys.providers.blob import Kind
from keys.providers.local import LOWEST_COST
from keys.providers.local_file import LocalFileKek, create_kek_file

from .conformity import CONTEXT, Conformity, Real

PASSPHRASE = "canary passphrase of the file"


class LocalFile(Real):
    kind = Kind.LOCAL
    secrets = (PASSPHRASE,)

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "keks"
        create_kek_file(self.path, PASSPHRASE, cost=LOWEST_COST)
        self.provider: KekProvider = self.another_door()

    def another_door(self) -> LocalFileKek:
        return LocalFileKek("default", self.path, lambda: PASSPHRASE)

    def another_kek(self) -> LocalFileKek:
        path = self.folder / "other"
        create_kek_file(path, PASSPHRASE, cost=LOWEST_COST)
        return LocalFileKek("default", path, lambda: PASSPHRASE)

    async def remove_key(self) -> None:
        self.path.unlink()


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[LocalFile]:
    made = LocalFile(tmp_path)
    await made.provider.open()
    yield made
    await made.provider.close()


class TestConformity(Conformity):
    pass


async def test_the_file_is_private_and_shows_no_key(real: LocalFile) -> None:
    assert stat.S_IMODE(real.path.stat().st_mode) == 0o600
    text = real.path.read_text()
    assert [entry["version"] for entry in json.loads(text)["keys"]] == [1]
    assert PASSPHRASE not in text
    real.path.chmod(0o640)
    with pytest.raises(ProviderRefused, match="chmod 600"):
        await real.another_door().open()


async def test_a_file_is_never_replaced_by_a_new_one(real: LocalFile) -> None:
    with pytest.raises(KeyringInvalid, match="exists already"):
        create_kek_file(real.path, PASSPHRASE, cost=LOWEST_COST)
    with pytest.raises(KeyringInvalid, match="12 characters"):
        create_kek_file(real.folder / "weak", "short", cost=LOWEST_COST)


async def test_another_passphrase(real: LocalFile) -> None:
    with pytest.raises(KeyringLocked, match="passphrase"):
        await LocalFileKek("default", real.path, lambda: "something else entirely").open()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda text: text.replace('"version": 1,', '"version": 2,'), ProviderRefused),
        (lambda text: text.replace('"created_at": "2', '"created_at": "3'), KeyringLocked),
        (lambda text: text.replace('"passes": 2', '"passes": 1'), ProviderRefused),
        (lambda text: text.replace('"passes": 2', '"passes": 3'), KeyringLocked),
        (lambda text: text.replace(" ", "  "), ProviderRefused),
        (lambda text: text[: len(text) // 2], ProviderRefused),
        (lambda _: "", ProviderRefused),
        (lambda _: "[]\n", ProviderRefused),
    ],
)
async def test_a_changed_file_does_not_open(real: LocalFile, change: object, error: type[Exception]) -> None:
    assert callable(change)
    text = real.path.read_text()
    changed = change(text)
    assert changed != text
    real.path.write_text(changed)
    with pytest.raises(error):
        await real.another_door().open()
    with pytest.raises(error):
        await real.provider.check()


async def test_an_older_copy_is_noticed(real: LocalFile) -> None:
    copy = real.folder / "copy"
    shutil.copy(real.path, copy)
    await real.provider.rotate()
    copy.chmod(0o600)
    copy.rename(real.path)
    with pytest.raises(KeyringLocked, match="older copy"):
        await real.provider.wrap([Wrapping(random_bytes(32), CONTEXT)])


async def test_rotations_at_the_same_time_all_count(real: LocalFile) -> None:
    doors = [real.another_door() for _ in range(4)]
    for door in doors:
        await door.open()
    names = await asyncio.gather(*(door.rotate() for door in doors))
    assert sorted(names) == ["2", "3", "4", "5"]
    assert await real.provider.version() == "5"


async def test_a_version_that_the_file_never_had(real: LocalFile) -> None:
    elsewhere = real.another_kek()
    await elsewhere.open()
    await elsewhere.rotate()
    [blob] = await elsewhere.wrap([Wrapping(random_bytes(32), CONTEXT)])
    with pytest.raises(KeyringLocked, match="does not hold"):
        await real.provider.unwrap([Wrapped(blob, CONTEXT)])


async def test_without_the_context_keys_would_change_places(real: LocalFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The binding is what refuses: with nothing bound, another context unwraps."""
    monkeypatch.setattr("keys.providers.local_file.bound", lambda *_: b"nothing")
    [blob] = await real.provider.wrap([Wrapping(b"m" * 32, CONTEXT)])
    assert await real.provider.unwrap([Wrapped(blob, b"another")]) == [b"m" * 32]
    monkeypatch.undo()
    with pytest.raises(KeyringLocked):
        await real.provider.unwrap([Wrapped(blob, b"another")])
