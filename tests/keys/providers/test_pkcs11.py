"""A SoftHSM token: the conformity suite, and what can be wrong with tokens, PINs, keys and sessions."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from itertools import count as counting
from pathlib import Path
from typing import Any

import pytest

from keys.errors import KeyringLocked, ProviderRefused, ProviderUnavailable
from keys.primitives import random_bytes
from keys.provider import KekProvider, Wrapped, Wrapping
from keys.providers.blob import Kind
from keys.providers.pkcs11 import Pkcs11Kek
from keys.providers.pkcs11_token import Place
from keys.providers.resilient import Patience, ResilientKek
from keys.providers.secret import Secret

from .conformity import CONTEXT, Conformity, Real
from .servers import PIN, SOFTHSM, SOFTHSM_UTIL, initialise_token, softhsm_configuration

pkcs11 = pytest.importorskip("pkcs11")
from pkcs11 import Attribute, KeyType, MechanismFlag  # noqa: E402  (only where the library is)

TOKEN = "fieldgate test"
_numbers = counting(1)


def is_installed() -> bool:
    return SOFTHSM.exists() and shutil.which(SOFTHSM_UTIL) is not None


def test_continuous_integration_has_softhsm() -> None:
    assert is_installed() or not os.environ.get("CI")


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if not is_installed():
        pytest.skip("SoftHSM is not installed here (Debian's package softhsm2)")
    folder = tmp_path_factory.mktemp("softhsm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(softhsm_configuration(folder / "store")))
        initialise_token(TOKEN)
        library = pkcs11.lib(str(SOFTHSM))
        yield library.get_token(token_label=TOKEN)


def new_label() -> str:
    return f"kek {next(_numbers)}"


@contextlib.contextmanager
def session(token: Any) -> Iterator[Any]:
    """A session of the test itself.  Where a provider is logged in, so is this one, and does not log it out."""
    try:
        opened = token.open(rw=True, user_pin=PIN)
    except pkcs11.UserAlreadyLoggedIn:
        opened = token.open(rw=True)
    try:
        yield opened
    finally:
        opened.close()


def make_key(token: Any, label: str, number: bytes = b"\x01", kind: Any = None, **options: Any) -> None:
    template = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, **options.pop("template", {})}
    capabilities = options.pop("capabilities", MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT)
    with session(token) as opened:
        opened.generate_key(
            kind or KeyType.AES,
            options.pop("bits", 256),
            id=number,
            label=label,
            store=True,
            capabilities=capabilities,
            template=template,
        )


class SoftHsm(Real):
    kind = Kind.PKCS11
    secrets = (PIN,)

    def __init__(self, token: Any, folder: Path) -> None:
        self.token, self.folder, self.label = token, folder, new_label()
        make_key(token, self.label)
        self.pin_file = folder / "pin"
        self.pin_file.touch(mode=0o600)
        self.pin_file.write_text(PIN + "\n")
        self.inner = self.another_door()
        self.provider: KekProvider = ResilientKek(self.inner, Patience(attempts=1))

    def another_door(self) -> Pkcs11Kek:
        return self.door()

    def door(self, *, label: str = "", token: str = TOKEN, module: Path = SOFTHSM) -> Pkcs11Kek:
        return Pkcs11Kek(Place(module, token, label or self.label), Secret(file=self.pin_file))

    def another_kek(self) -> Pkcs11Kek:
        label = new_label()
        make_key(self.token, label)
        return self.door(label=label)

    async def remove_key(self) -> None:
        with session(self.token) as opened:
            for key in list(opened.get_objects({Attribute.LABEL: self.label})):
                key.destroy()


@pytest.fixture
async def real(token: Any, tmp_path: Path) -> AsyncIterator[SoftHsm]:
    made = SoftHsm(token, tmp_path)
    await made.provider.open()
    yield made
    await made.provider.close()


class TestConformity(Conformity):
    pass


async def one_blob(real: SoftHsm) -> tuple[Wrapped, bytes]:
    item = Wrapping(random_bytes(32), CONTEXT)
    [blob] = await real.inner.wrap([item])
    return Wrapped(blob, CONTEXT), item.material


async def test_its_name_is_a_uri(real: SoftHsm) -> None:
    assert real.provider.uri == f"pkcs11:token=fieldgate%20test;object={real.label.replace(' ', '%20')}"


async def test_a_session_that_is_lost_is_opened_again(real: SoftHsm) -> None:
    wrapped, material = await one_blob(real)
    before = real.inner.logins
    lost = real.inner._token._session
    assert lost is not None
    lost.close()
    assert await real.inner.unwrap([wrapped]) == [material]
    assert real.inner.logins == before + 1


async def test_who_logs_out_logs_out_the_process_and_nobody_minds(real: SoftHsm) -> None:
    wrapped, material = await one_blob(real)
    other = real.another_kek()
    await other.open()
    await other.close()
    assert await real.inner.unwrap([wrapped]) == [material]


async def test_a_library_that_was_finalised_is_initialised_again(real: SoftHsm) -> None:
    wrapped, material = await one_blob(real)
    pkcs11.lib(str(SOFTHSM)).finalize()
    for _ in range(2):
        try:
            assert await real.inner.unwrap([wrapped]) == [material]
            break
        except ProviderUnavailable:
            continue  # the first call notices, and the next one begins anew
    else:
        raise AssertionError("it never came back")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"bits": 128}, "AES key of 256 bits"),
        ({"kind": KeyType.GENERIC_SECRET}, "AES key of 256 bits"),
        ({"template": {Attribute.EXTRACTABLE: True}}, "not extractable"),
        ({"template": {Attribute.SENSITIVE: False}}, "sensitive"),
        ({"capabilities": MechanismFlag.ENCRYPT}, "encryption and decryption"),
        ({"number": b"\0\0\0\0\1"}, "no number"),
        ({"number": b"\0"}, "no number"),
        ({"number": b""}, "no number"),
    ],
)
async def test_a_key_of_the_wrong_kind_is_refused(real: SoftHsm, options: dict[str, Any], reason: str) -> None:
    label = new_label()
    make_key(real.token, label, **options)
    with pytest.raises(ProviderRefused, match=reason):
        await real.door(label=label).open()


async def test_a_wrong_kind_among_right_ones_is_refused_too(real: SoftHsm) -> None:
    make_key(real.token, real.label, b"\x02", template={Attribute.EXTRACTABLE: True})
    with pytest.raises(ProviderRefused, match="the key 2 is refused: it must be not extractable"):
        await real.inner.wrap([Wrapping(random_bytes(32), CONTEXT)])


async def test_two_keys_of_one_version(real: SoftHsm) -> None:
    make_key(real.token, real.label, b"\x00\x01")
    with pytest.raises(ProviderRefused, match="two keys have the id 1"):
        await real.door().open()


async def test_a_version_that_was_destroyed(real: SoftHsm) -> None:
    wrapped, _ = await one_blob(real)
    await real.inner.rotate()
    with session(real.token) as opened:
        for key in list(opened.get_objects({Attribute.LABEL: real.label, Attribute.ID: b"\x01"})):
            key.destroy()
    with pytest.raises(KeyringLocked, match="version 1, which"):
        await real.inner.unwrap([wrapped])
    await real.inner.check()


async def test_a_wrong_pin_is_tried_once(real: SoftHsm) -> None:
    """Tokens lock themselves after a few wrong PINs, so no retry and no re-login may try it again."""
    await real.provider.close()
    real.pin_file.write_text("canary-wrong-pin")
    door = real.door()
    with pytest.raises(ProviderRefused, match="does not accept the PIN") as caught:
        await ResilientKek(door).open()
    assert "canary-wrong" not in str(caught.value)
    token_keys = door._token
    assert token_keys.logins == 0
    with pytest.raises(ProviderRefused, match="not tried again"):
        token_keys.newest()
    real.pin_file.write_text(PIN)
    await real.provider.open()
    await real.provider.check()


async def test_no_such_token_library_or_pin(real: SoftHsm) -> None:
    with pytest.raises(ProviderRefused, match="no token of this label"):
        await real.door(token="another").open()
    for module in (real.folder / "absent.so", real.pin_file):
        with pytest.raises(ProviderRefused, match="cannot be loaded as a PKCS#11 library"):
            await real.door(module=module).open()
    await real.provider.close()
    real.pin_file.chmod(0o644)
    with pytest.raises(ProviderRefused, match="chmod 600"):
        await real.door().open()
    real.pin_file.unlink()
    with pytest.raises(ProviderRefused, match="does not exist"):
        await real.door().open()


async def test_a_library_that_hangs_is_left_and_used_again(real: SoftHsm, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped, material = await one_blob(real)
    release = threading.Event()
    original = real.inner._token.newest
    monkeypatch.setattr(type(real.inner._token), "newest", lambda _: release.wait() and original())
    kek = ResilientKek(real.inner, Patience(timeout=0.05, attempts=1))
    with pytest.raises(ProviderUnavailable, match="within"):
        await kek.version()
    release.set()
    assert await real.inner.unwrap([wrapped]) == [material]


async def test_without_the_context_keys_would_change_places(real: SoftHsm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The binding is what refuses: with nothing bound, another context unwraps."""
    monkeypatch.setattr("keys.providers.pkcs11_token.bound", lambda *_: b"nothing")
    wrapped, material = await one_blob(real)
    assert await real.inner.unwrap([Wrapped(wrapped.blob, b"another")]) == [material]
    monkeypatch.undo()
    with pytest.raises(KeyringLocked):
        await real.inner.unwrap([Wrapped(wrapped.blob, b"another")])
