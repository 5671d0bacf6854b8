"""The demo's folder: reused when it is what was asked for, made again when not, and nobody else's is ever touched."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from proxy.demo.folder import Contents, DemoFolder, FolderNotOurs


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FolderNotOurs):
        DemoFolder(tmp_path).claim()
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_it_holds_what_it_was_completed_with_and_nothing_else(tmp_path: Path) -> None:
    folder, wanted = DemoFolder(tmp_path / "demo"), Contents.wanted(rows=20, seed=1)
    folder.claim()
    assert not folder.holds(wanted)
    folder.complete(wanted)
    assert folder.holds(wanted)
    assert not folder.holds(Contents.wanted(rows=21, seed=1))
    assert not folder.holds(Contents.wanted(rows=20, seed=2))
    folder.claim()


def test_a_folder_that_was_interrupted_is_made_again(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "demo")
    folder.claim()
    (folder.path / "postgres").mkdir()
    (folder.path / "postgres" / "half").write_text("")
    folder.keks.write_text("")
    folder.clear()
    folder.claim()
    assert not folder.holds(Contents.wanted(20, 1))
    assert [p.name for p in folder.path.iterdir()] == ["FIELDGATE-DEMO"]


def test_a_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    file = folder.password_file("fg_support")
    made = folder.make_secret(file)
    assert len(made) >= 24
    assert folder.make_secret(file) == made
    assert folder.make_secret(folder.password_file("fg_hr")) != made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_broken_stamp_is_no_stamp(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{")
    assert not DemoFolder(tmp_path).holds(Contents.wanted(20, 1))


def test_sockets_are_in_a_folder_with_a_short_path(tmp_path: Path) -> None:
    assert DemoFolder(Path("demo")).run_dir == Path("demo/run")
    long = DemoFolder(tmp_path / ("folder" * 20))
    assert len(str(long.run_dir / "worker-10.sock")) < 100
    assert long.run_dir == DemoFolder(long.path).run_dir != DemoFolder(long.path / "x").run_dir
