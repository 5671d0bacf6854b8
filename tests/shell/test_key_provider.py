"""`[keys.provider]`: what it may say, what it is refused for, and which provider comes of it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from keys.providers.aws_kms import AwsKmsKek
from keys.providers.local import LOWEST_COST
from keys.providers.local_file import LocalFileKek, create_kek_file
from keys.providers.pkcs11 import Pkcs11Kek
from keys.providers.resilient import Patience, ResilientKek
from keys.providers.vault.transit import TransitKek
from proxy.cli import app
from proxy.config import load_config
from proxy.config_keys import KekConfig
from proxy.demo.server import free_port
from proxy.errors import ConfigError
from proxy.key_provider import make_provider

HEAD = """\
[listener]
tls_certificate = "server.crt"
tls_key = "server.key"
[upstream]
hosts = ["db.example:5432"]
ca = "ca.crt"
pass_through = true
[control]
user = "fieldgate"
[keys]
keyring = "keyring"
[keys.provider]
"""
LOCAL = 'kind = "local"\nfile = "keks"\npassphrase_env = "FG_TEST_PASSPHRASE"\n'
VAULT = 'kind = "vault"\naddress = "https://vault.example:8200"\nkey = "fieldgate"\n'
LOGIN = '[keys.provider.login]\nmethod = "token"\ntoken_file = "token"\n'
PKCS11 = 'kind = "pkcs11"\nmodule = "/usr/lib/x.so"\ntoken = "bank"\nkey = "fieldgate"\npin_file = "pin"\n'
KMS = 'kind = "aws-kms"\nkey = "alias/fieldgate"\nregion = "eu-central-1"\n'


def provider_of(folder: Path, text: str) -> KekConfig:
    path = folder / "fieldgate.toml"
    path.write_text(HEAD + text)
    keys = load_config(path).keys
    assert keys is not None and keys.provider is not None
    return keys.provider


@pytest.mark.parametrize(
    ("text", "inner", "uri"),
    [
        (VAULT + LOGIN, TransitKek, "vault:transit/fieldgate"),
        (VAULT + 'mount = "team/transit"\nnamespace = "team"\nca = "ca.pem"\n' + LOGIN, TransitKek, "vault:team/"),
        (
            VAULT + '[keys.provider.login]\nmethod = "approle"\nrole_id = "x"\nsecret_id_file = "s"\n',
            TransitKek,
            "vault:transit/fieldgate",
        ),
        (
            VAULT + '[keys.provider.login]\nmethod = "jwt"\nrole = "x"\njwt_env = "J"\nmount = "kubernetes"\n',
            TransitKek,
            "vault:transit/fieldgate",
        ),
        (PKCS11, Pkcs11Kek, "pkcs11:token=bank;object=fieldgate"),
        (KMS, AwsKmsKek, "aws-kms:alias/fieldgate"),
    ],
)
async def test_each_remote_kind_is_made_and_wrapped(tmp_path: Path, text: str, inner: type, uri: str) -> None:
    made = make_provider(provider_of(tmp_path, text))
    assert isinstance(made, ResilientKek) and type(made._inner) is inner
    assert made.uri.startswith(uri)
    await made.close()


async def test_the_local_kind_works_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FG_TEST_PASSPHRASE", "a passphrase for the test")
    create_kek_file(tmp_path / "keks", "a passphrase for the test", cost=LOWEST_COST)
    made = make_provider(provider_of(tmp_path, LOCAL + 'name = "office"\n'))
    assert isinstance(made, LocalFileKek) and made.uri == "local:office"
    await made.open()
    await made.check()
    await made.close()


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["keys", "provider", *words, "--config", str(folder / "fieldgate.toml")])


def test_the_local_kind_is_made_and_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FG_TEST_PASSPHRASE", "a passphrase for the test")
    provider_of(tmp_path, LOCAL)
    missing = run(tmp_path, "check")
    assert missing.exit_code == 78 and "keks cannot be read" in missing.stderr
    made = run(tmp_path, "init")
    assert made.exit_code == 0 and "keks" in made.stdout
    checked = run(tmp_path, "check")
    assert (checked.exit_code, checked.stdout) == (0, "local:default can be used; its newest version is 1\n")
    again = run(tmp_path, "init")
    assert again.exit_code == 78 and "exists already" in again.stderr
    monkeypatch.setenv("FG_TEST_PASSPHRASE", "another passphrase")
    wrong = run(tmp_path, "check")
    assert wrong.exit_code == 78 and "passphrase" in wrong.stderr and "another passphrase" not in wrong.stderr


def test_other_kinds_are_made_at_their_holder(tmp_path: Path) -> None:
    provider_of(tmp_path, KMS)
    shown = run(tmp_path, "init")
    assert shown.exit_code == 78 and "made at its holder" in shown.stderr


def test_without_a_provider_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "fieldgate.toml").write_text(HEAD.removesuffix("[keys.provider]\n"))
    shown = run(tmp_path, "check")
    assert shown.exit_code == 78 and "[keys.provider] is required" in shown.stderr


def test_a_provider_that_is_down_is_named(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("canary")
    address = f"http://127.0.0.1:{free_port()}"
    provider_of(tmp_path, VAULT.replace("https://vault.example:8200", address) + "attempts = 1\n" + LOGIN)
    shown = run(tmp_path, "check")
    assert shown.exit_code == 78 and f"{address} does not answer" in shown.stderr and "canary" not in shown.stderr


def test_patience_is_configured(tmp_path: Path) -> None:
    text = KMS + 'timeout = "2s"\nattempts = 7\nfailures = 9\npause = "1m"\n'
    made = make_provider(provider_of(tmp_path, text))
    assert isinstance(made, ResilientKek)
    assert made._patience == Patience(timeout=2.0, attempts=7, failures=9, pause=60.0)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 12, "keys.provider: 'kind' is required"),
        ('kind = "canary"\n', 12, "keys.provider: 'kind' is one of 'local', 'vault', 'pkcs11', 'aws-kms'"),
        (LOCAL + "bogus = 1\n", 16, "keys.provider.bogus: unknown key"),
        ('kind = "local"\nfile = "keks"\n', 12, "keys.provider: give passphrase_file or passphrase_env"),
        (LOCAL + 'passphrase_file = "x"\n', 12, "keys.provider: give passphrase_file or passphrase_env"),
        (LOCAL + 'passphrase = "canary"\n', 16, "keys.provider.passphrase: unknown key"),
        (VAULT, 12, "keys.provider.login: "),
        (VAULT + '[keys.provider.login]\nmethod = "userpass"\n', 16, "keys.provider.login: 'method' is one of"),
        (VAULT + '[keys.provider.login]\nmethod = "token"\n', 16, "keys.provider.login: give token_file or token_env"),
        (VAULT + LOGIN + 'role_id = "x"\n', 19, "keys.provider.login.role_id: unknown key"),
        (VAULT + 'token = "canary"\n' + LOGIN, 16, "keys.provider.token: unknown key"),
        (VAULT.replace("https", "http") + LOGIN, 12, "keys.provider: address is written https://host:port"),
        (VAULT.replace("https://", "https://a:canary@") + LOGIN, 12, "keys.provider: address is written https://"),
        (VAULT.replace(":8200", "/v1") + LOGIN, 12, "keys.provider: address is written https://"),
        (VAULT + "batch = 0\n" + LOGIN, 16, "keys.provider.batch"),
        (VAULT + "timeout = 5\n" + LOGIN, 16, "keys.provider.timeout: a duration is written"),
        (PKCS11 + 'pin = "canary"\n', 18, "keys.provider.pin: unknown key"),
        (PKCS11.replace('pin_file = "pin"\n', ""), 12, "keys.provider: give pin_file or pin_env"),
        (KMS + 'endpoint = "http://kms.example"\n', 12, "keys.provider: endpoint is written https://"),
        (KMS + 'secret_access_key = "canary"\n', 16, "keys.provider.secret_access_key: unknown key"),
        (KMS.replace('key = "alias/fieldgate"\n', ""), 12, "keys.provider.key: "),
    ],
)
def test_what_is_wrong_is_named_by_line_and_key(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        provider_of(tmp_path, text)
    assert f"fieldgate.toml:{line}: {message}" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_names_that_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"keys.provider: the mount and the key are names"):
        make_provider(provider_of(tmp_path, VAULT.replace('"fieldgate"', '"../sys"') + LOGIN))


@pytest.mark.parametrize(
    ("text", "library", "extra"), [(PKCS11, "pkcs11", "fieldgate[pkcs11]"), (KMS, "aiobotocore", "fieldgate[aws]")]
)
def test_a_library_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, library: str, extra: str
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == library or name.startswith("keys.providers.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, f"{library}.config", None)
    with pytest.raises(ConfigError) as caught:
        make_provider(provider_of(tmp_path, text))
    assert extra in str(caught.value)


def test_what_the_page_shows_is_accepted(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "key-providers.md").read_text()
    shown = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    kinds = [type(provider_of(tmp_path, block.removeprefix("[keys.provider]\n"))).__name__ for block in shown]
    assert kinds == ["LocalKekConfig", "VaultKekConfig", "Pkcs11KekConfig", "AwsKmsKekConfig"]
