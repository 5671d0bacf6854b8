"""Where a passphrase may come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from keys.errors import KeyringInvalid, KeyringLocked
from keys.passphrase import MAXIMUM_BYTES, PassphraseSource


def private(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("content", [b"open sesame", b"open sesame\n", b"open sesame\r\n"])
def test_a_file_may_end_with_one_line_end(tmp_path: Path, content: bytes) -> None:
    source = PassphraseSource(file=private(tmp_path / "p", content))
    assert source.read({}) == "open sesame"


def test_other_white_space_belongs_to_the_passphrase(tmp_path: Path) -> None:
    assert PassphraseSource(file=private(tmp_path / "p", b" a \n\n")).read({}) == " a \n"


def test_a_mounted_secret_is_a_link(tmp_path: Path) -> None:
    private(tmp_path / "data", b"open sesame")
    (tmp_path / "link").symlink_to("data")
    assert PassphraseSource(file=tmp_path / "link").read({}) == "open sesame"


def test_a_file_open_to_others_is_refused(tmp_path: Path) -> None:
    path = private(tmp_path / "p", b"open sesame")
    path.chmod(0o644)
    with pytest.raises(KeyringInvalid, match="open to others"):
        PassphraseSource(file=path).read({})


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_an_empty_or_unreadable_passphrase_is_none(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(KeyringLocked):
        PassphraseSource(file=private(tmp_path / "p", content)).read({})


def test_an_endless_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyringInvalid, match="longer"):
        PassphraseSource(file=private(tmp_path / "p", b"x" * (MAXIMUM_BYTES + 1))).read({})


def test_file_before_variable_before_person(tmp_path: Path) -> None:
    path = private(tmp_path / "p", b"from the file")
    environment = {"PASS": "from the environment"}
    assert PassphraseSource(path, "PASS").read(environment, lambda _: "asked") == "from the file"
    assert PassphraseSource(None, "PASS").read(environment, lambda _: "asked") == "from the environment"
    assert PassphraseSource().read(environment, lambda _: "asked") == "asked"


def test_a_named_source_that_is_empty_is_not_passed_over() -> None:
    for source in (PassphraseSource(variable="PASS"), PassphraseSource()):
        with pytest.raises(KeyringLocked):
            source.read({"PASS": ""})
    with pytest.raises(KeyringLocked, match="PASS is empty"):
        PassphraseSource(variable="PASS").read({}, lambda _: "asked")
