"""The keyring file: opens with its passphrase when it is untouched, and in no other case."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys import document
from keys.errors import KeyringInvalid, KeyringLocked
from keys.keyring import KeyNeed, KeyPurpose
from keys.providers.local import LOWEST_COST, Cost, Derivation, PassphraseKek
from keys.sealed_file import derivation_of
from keys.store import (
    add_missing_keys,
    change_passphrase,
    init_keyring,
    ledger_path,
    list_keys,
    open_keyring,
    replace_lost_ledger,
)

PASSPHRASE = "correct horse battery staple"
NEEDS = (
    KeyNeed("shop", "a" * 32, "customers.email", equality=True, join_group="email"),
    KeyNeed("shop", "b" * 32, "health_records.note", row_bound=True),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "keyring.json"
    init_keyring(made, PASSPHRASE, cost=LOWEST_COST)
    add_missing_keys(made, PASSPHRASE, NEEDS)
    return made


def material(path: Path, passphrase: str = PASSPHRASE) -> dict[bytes, bytes]:
    return {key.info.key_id: key.material for key in open_keyring(path, passphrase).keyring.keys}


def test_keys_are_kept(path: Path) -> None:
    opened = open_keyring(path, PASSPHRASE)
    assert opened.keyring.missing_for(NEEDS) == ()
    assert opened.generation == 2
    cell = opened.keyring.ciphers(NEEDS, opened.leases()).cipher("b" * 32).seal(b"note", row_key=b"7")
    again = open_keyring(path, PASSPHRASE)
    assert again.keyring.ciphers(NEEDS, again.leases()).cipher("b" * 32).open(cell, row_key=b"7") == b"note"


def test_the_file_holds_no_key_and_no_passphrase(path: Path) -> None:
    content = path.read_bytes()
    for secret in (*material(path).values(), PASSPHRASE.encode()):
        assert secret not in content
        assert secret.hex().encode() not in content
    assert path.stat().st_mode & 0o777 == 0o600


def test_only_missing_keys_are_added(path: Path) -> None:
    before, content = material(path), path.read_bytes()
    assert add_missing_keys(path, PASSPHRASE, NEEDS) == ()
    assert path.read_bytes() == content
    more = (*NEEDS, KeyNeed("shop", "c" * 32, equality=True, join_group="email"))
    (added,) = add_missing_keys(path, PASSPHRASE, more)
    assert added.slot == more[2].cell_slot
    after = material(path)
    assert set(after) == {*before, added.key_id}
    assert all(after[key_id] == before[key_id] for key_id in before)


@pytest.mark.parametrize("wrong", ["", "Correct horse battery staple", PASSPHRASE + " ", "x" * 5000])
def test_a_wrong_passphrase_says_so(path: Path, wrong: str) -> None:
    with pytest.raises(KeyringLocked, match="passphrase is wrong"):
        open_keyring(path, wrong)


def test_composed_and_decomposed_characters_are_one_passphrase(tmp_path: Path) -> None:
    init_keyring(tmp_path / "k", "pe\u0301riscope d'e\u0301te\u0301", cost=LOWEST_COST)
    assert open_keyring(tmp_path / "k", "périscope d'été").generation == 1


def test_nothing_is_replaced_by_init(path: Path) -> None:
    content = path.read_bytes()
    with pytest.raises(KeyringInvalid, match="exists already"):
        init_keyring(path, PASSPHRASE, cost=LOWEST_COST)
    assert path.read_bytes() == content
    path.unlink()
    with pytest.raises(KeyringInvalid, match="exists without its keyring"):
        init_keyring(path, PASSPHRASE, cost=LOWEST_COST)


def test_short_passphrases_are_not_set(path: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyringInvalid, match="at least 12"):
        init_keyring(tmp_path / "other", "short", cost=LOWEST_COST)
    with pytest.raises(KeyringInvalid, match="at least 12"):
        change_passphrase(path, PASSPHRASE, "short")
    assert not (tmp_path / "other").exists()


def test_the_passphrase_is_changed_and_the_keys_stay(path: Path) -> None:
    before = material(path)
    salt = json.loads(path.read_bytes())["derivation"]["salt"]
    change_passphrase(path, PASSPHRASE, "another long passphrase")
    assert material(path, "another long passphrase") == before
    assert json.loads(path.read_bytes())["derivation"]["salt"] != salt
    assert open_keyring(path, "another long passphrase").leases().lease(cell_key(path, "another long passphrase")) > 0
    with pytest.raises(KeyringLocked):
        open_keyring(path, PASSPHRASE)
    with pytest.raises(KeyringLocked):
        change_passphrase(path, PASSPHRASE, "a third long passphrase")


def cell_key(path: Path, passphrase: str = PASSPHRASE) -> bytes:
    infos = open_keyring(path, passphrase).keyring.infos
    return next(info.key_id for info in infos if info.slot.purpose is KeyPurpose.CELL)


def test_the_list_shows_states_and_seals(path: Path) -> None:
    open_keyring(path, PASSPHRASE).leases().lease(cell_key(path))
    listed = list_keys(path, PASSPHRASE)
    assert [line.info.slot.purpose.value for line in listed] == ["ledger", "cell", "cell", "term"]
    assert [line.seals_granted for line in listed] == [None, 4096, 0, None]


# --- changed files


def rewritten(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_bytes())
    content.update(changes)
    write(path, content)


def write(path: Path, content: Any) -> None:
    path.write_bytes(json.dumps(content, sort_keys=True, indent=1).encode() + b"\n")


def test_an_entry_from_an_older_file_is_noticed(path: Path) -> None:
    """Each entry unwraps by itself; only the code over the whole file tells."""
    old = json.loads(path.read_bytes())["keys"]
    add_missing_keys(path, PASSPHRASE, [KeyNeed("shop", "c" * 32)])
    rewritten(path, keys=old)
    with pytest.raises(KeyringLocked, match="was changed"):
        open_keyring(path, PASSPHRASE)


def test_a_changed_state_or_generation_is_noticed(path: Path) -> None:
    content = json.loads(path.read_bytes())
    rewritten(path, generation=99)
    with pytest.raises(KeyringLocked, match="was changed"):
        open_keyring(path, PASSPHRASE)
    content["keys"][1]["state"] = "decrypt-only"
    write(path, content)
    with pytest.raises(KeyringLocked, match="was changed"):
        open_keyring(path, PASSPHRASE)


@pytest.mark.parametrize("part", ["id", "purpose", "controller", "scope", "epoch"])
def test_a_wrapped_key_is_bound_to_what_it_is_for(path: Path, part: str) -> None:
    """Even under a right code over the file, a wrapped key does not unwrap as another one."""
    parsed = document.parse(path.read_bytes())
    kek = PassphraseKek(PASSPHRASE, derivation_of(parsed.derivation))
    other = {"id": "00" * 8, "purpose": "term", "controller": "x", "scope": "field:x", "epoch": 2}[part]
    entries = [parsed.keys[0], parsed.keys[1].model_copy(update={part: other})]
    content = parsed.model_copy(update={"keys": entries}).model_dump()
    del content["code"]
    code = kek.authenticate(json.dumps(content, sort_keys=True, indent=1).encode() + b"\n").hex()
    with pytest.raises(KeyringLocked, match="does not unwrap"):
        document.unlock(parsed.model_copy(update={"keys": entries, "code": code}), kek)


def test_every_changed_byte_is_noticed(path: Path) -> None:
    """Every 7th byte is flipped, by the pure part alone, since the derivation takes its time by design."""
    raw = path.read_bytes()
    kek = PassphraseKek(PASSPHRASE, derivation_of(document.parse(raw).derivation))
    document.unlock(document.parse(raw), kek)
    for position in range(0, len(raw), 7):
        changed = bytearray(raw)
        changed[position] ^= 1
        with pytest.raises((KeyringInvalid, KeyringLocked)):
            document.unlock(document.parse(bytes(changed)), kek)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"format": "fieldgate keyring"}', b"[" * 100_000],
    ids=["empty", "object", "list", "null", "no text", "half", "deep"],
)
def test_malformed_files_are_refused(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
    with pytest.raises(KeyringInvalid, match="malformed"):
        open_keyring(path, PASSPHRASE)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_our_error(raw: bytes) -> None:
    with pytest.raises(KeyringInvalid):
        document.parse(raw)


def test_unknown_entries_and_other_spellings_are_refused(path: Path) -> None:
    raw = path.read_bytes()
    rewritten(path, comment="hello")
    with pytest.raises(KeyringInvalid, match="malformed at comment"):
        open_keyring(path, PASSPHRASE)
    for spelling in (raw + b"\n", raw.rstrip(), raw.replace(b'"version": 1', b'"version":1'), b" " + raw):
        path.write_bytes(spelling)
        with pytest.raises(KeyringInvalid, match="reformatted"):
            open_keyring(path, PASSPHRASE)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("passes", 1), ("passes", 33), ("memory_kib", 8), ("memory_kib", 1 << 31), ("lanes", 0), ("lanes", 17)],
)
def test_costs_are_bounded_before_they_are_paid(path: Path, parameter: str, value: int) -> None:
    derivation = json.loads(path.read_bytes())["derivation"]
    rewritten(path, derivation={**derivation, parameter: value})
    with pytest.raises(KeyringInvalid, match="Argon2id parameters"):
        open_keyring(path, PASSPHRASE)


def test_the_default_cost_is_within_bounds_and_above_the_lowest() -> None:
    assert Cost().memory_kib > LOWEST_COST.memory_kib
    with pytest.raises(KeyringInvalid):
        Derivation(salt=b"short")


def test_a_keyring_open_to_others_or_behind_a_link_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(KeyringInvalid, match="symbolic link"):
        open_keyring(tmp_path / "link", PASSPHRASE)
    path.chmod(0o640)
    with pytest.raises(KeyringInvalid, match="open to others"):
        open_keyring(path, PASSPHRASE)
    with pytest.raises(KeyringInvalid, match="does not exist"):
        open_keyring(tmp_path / "absent", PASSPHRASE)


# --- failures while writing


def test_a_full_disk_keeps_the_keyring(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = material(path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyringInvalid, match="No space left"):
        change_passphrase(path, PASSPHRASE, "another long passphrase")
    with pytest.raises(KeyringInvalid, match="No space left"):
        add_missing_keys(path, PASSPHRASE, [KeyNeed("shop", "c" * 32)])
    monkeypatch.undo()
    assert material(path) == before


@pytest.mark.parametrize("killed_at", range(6))
def test_a_kill_while_adding_keys_loses_none(path: Path, killed_at: int) -> None:
    """Ledger, then keyring: each is flushed, renamed, its directory flushed; the process dies before each of these."""
    before = material(path)
    program = """
        import os, signal, sys
        from pathlib import Path
        from keys.keyring import KeyNeed
        from keys.store import add_missing_keys
        left = int(sys.argv[2])
        def dying(real):
            def step(*arguments):
                global left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return real(*arguments)
            return step
        Path.rename = dying(Path.rename)
        os.fsync = dying(os.fsync)
        add_missing_keys(Path(sys.argv[1]), sys.argv[3], [KeyNeed("shop", "c" * 32)])
    """
    arguments = [sys.executable, "-c", textwrap.dedent(program), str(path), str(killed_at), PASSPHRASE]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    renamed = killed_at == 5
    assert before.items() <= material(path).items()
    assert len(material(path)) == len(before) + renamed
    added = add_missing_keys(path, PASSPHRASE, [KeyNeed("shop", "c" * 32)])
    assert len(added) == 1 - renamed
    newest = open_keyring(path, PASSPHRASE).keyring.infos[-1]
    assert newest.slot.scope == "field:" + "c" * 32
    assert open_keyring(path, PASSPHRASE).leases().lease(newest.key_id) > 0


def test_a_lost_ledger_is_refused_and_replaced_by_half_a_budget(path: Path) -> None:
    ledger_path(path).unlink()
    with pytest.raises(KeyringInvalid, match="does not exist"):
        open_keyring(path, PASSPHRASE).leases().lease(cell_key(path))
    replace_lost_ledger(path, PASSPHRASE)
    assert set(open_keyring(path, PASSPHRASE).leases().granted().values()) == {1 << 31}
