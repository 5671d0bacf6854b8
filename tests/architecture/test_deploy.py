"""The example configuration is one that Fieldgate accepts, and the compose file fits it and the image."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

from policies.loader import SHOP, load_policy
from proxy.config import load_config
from proxy.config_keys import VaultKekConfig

from .tree import ROOT


def compose() -> dict[str, dict[str, dict[str, object]]]:
    loaded = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_the_example_configuration_is_accepted() -> None:
    config = load_config(ROOT / "deploy" / "fieldgate.toml")
    assert config.databases.keys() == {"shop"}
    assert not config.listener.allow_plaintext
    assert config.upstream.sslmode.value == "verify-full"


def test_the_provider_that_it_shows_is_accepted(tmp_path: Path) -> None:
    shown = re.sub(
        r"(?m)^# (?=\[keys\.provider|kind|address|ca|mount|key|timeout|method|role_id|secret_id_file)", "", text()
    )
    (tmp_path / "fieldgate.toml").write_text(shown)
    keys = load_config(tmp_path / "fieldgate.toml").keys
    assert keys is not None and isinstance(keys.provider, VaultKekConfig)


def text() -> str:
    return (ROOT / "deploy" / "fieldgate.toml").read_text()


def test_its_upstream_roles_are_those_of_the_sample_policy() -> None:
    roles = {login.upstream_role for login in load_policy(SHOP).logins.values()}
    assert set(load_config(ROOT / "deploy" / "fieldgate.toml").upstream.credentials) <= roles


def test_no_secret_stands_in_it() -> None:
    text = (ROOT / "deploy" / "fieldgate.toml").read_text()
    assert not re.search(r"(?m)^\s*(password|passphrase|secret)\s*=", text)


def test_compose_mounts_what_the_configuration_reads() -> None:
    mounts = compose()["services"]["fieldgate"]["volumes"]
    assert isinstance(mounts, list)
    mounted = {str(m).split(":")[1] for m in mounts}
    raw = tomllib.loads((ROOT / "deploy" / "fieldgate.toml").read_text())
    assert f"/etc/fieldgate/{raw['logins']}" in mounted
    assert f"/etc/fieldgate/{raw['databases']['shop']['policy']}" in mounted
    assert raw["keys"]["keyring"].startswith("/var/lib/fieldgate/")
    assert "/var/lib/fieldgate" in mounted
    assert f"/run/secrets/{compose()['services']['fieldgate']['secrets'][0]}" == raw["keys"]["passphrase_file"]


def test_the_database_is_not_published() -> None:
    services = compose()["services"]
    assert "ports" not in services["postgres"]
    assert compose()["networks"]["data"] == {"internal": True}
