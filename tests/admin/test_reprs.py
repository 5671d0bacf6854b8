"""No object of ours shows a secret when it is printed: each one that is alive while they work is asked."""

from __future__ import annotations

import contextlib
import gc
import secrets
from pathlib import Path

from keys.providers.local_file import LocalFileKek, create_kek_file
from keys.providers.secret import Secret
from keys.providers.vault.login import AppRoleLogin, Lease, TokenLogin
from keys.subjects import SubjectCache
from proxy.control import Control
from proxy.demo.osuser import write_private
from proxy.operations.admin_client import Access
from proxy.sealing.needs import key_needs
from tests.keys.making import CountedLeases
from tests.support.admin_port import running_port
from tests.support.keywork import SHOP_MAP
from tests.support.login_client import PASSWORD
from tests.support.shell import settings

OURS = ("proxy", "policies", "keys")


def shown(held: dict[str, bytes]) -> list[str]:
    """Who shows what; objects that cannot be printed at all show nothing."""
    forms = {name: {secret.decode("latin-1"), secret.hex(), repr(secret)[2:-1]} for name, secret in held.items()}
    found = set()
    for each in gc.get_objects():
        kind = type(each)
        if str(kind.__module__).split(".")[0] in OURS and not isinstance(each, type):
            with contextlib.suppress(AttributeError):  # one that was never finished
                said = repr(each)
                found |= {
                    f"{kind.__name__} shows {name}" for name, of in forms.items() if any(form in said for form in of)
                }
    return sorted(found)


async def test_nothing_alive_shows_a_secret(tmp_path: Path) -> None:
    held = {name: secrets.token_urlsafe(24).encode() for name in ("passphrase", "secret id", "lease")}
    write_private(tmp_path / "secret id", held["secret id"].decode())
    create_kek_file(tmp_path / "keks", held["passphrase"].decode())
    provider = LocalFileKek("x", tmp_path / "keks", lambda: held["passphrase"].decode())
    await provider.open()
    assert provider._held is not None
    held["KEK"] = provider._held.keys[0].material
    config = settings(tmp_path, 1, control={"user": "control", "password_file": "password"})
    assert config.control is not None
    held["password"] = PASSWORD.encode()
    control = Control(config.control, config.upstream)
    logins = (AppRoleLogin("role", Secret(file=tmp_path / "secret id")), TokenLogin(Secret(file=tmp_path / "password")))
    lease = Lease(held["lease"].decode(), 1.0, renewable=True, ours=True)
    async with running_port() as port:
        token = await port.token("olga")
        held["token"] = token.split("_", 2)[2].encode()
        write_private(tmp_path / "token", token)
        access = Access("http://127.0.0.1:1", tmp_path / "token")
        assert held["token"].decode() in access.headers()["Authorization"]
        loaded = await port.desk.store.load()
        ciphers = loaded.keyring.ciphers(key_needs(SHOP_MAP), CountedLeases(), None, SubjectCache())
        held |= {f"key {number}": key.material for number, key in enumerate(loaded.keyring.keys)}
        answers = [await port.ask("GET", path, token) for path in ("/v1/keys", "/v1/escrow", "/v1/operations")]
        assert [answer.status for answer in answers] == [200] * 3
        alive = (ciphers, config, control, logins, lease, loaded, provider)
        assert all(each is not None for each in alive) and shown(held) == []
    await provider.close()
    await control.close()


def test_the_search_finds_one_that_does() -> None:
    found = Access("http://127.0.0.1:1", Path("a secret of this test"))
    assert shown({"it": b"a secret of this test"}) == ["Access shows it"]
    del found
