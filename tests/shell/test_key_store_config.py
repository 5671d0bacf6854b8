"""[keys]: the two stores, and what goes with which."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config import parse_config
from proxy.config_keys import KeysConfig, KeyStoreKind
from proxy.errors import ConfigError
from proxy.terminal import has_source, passphrase_of

LOCAL = {"kind": "local", "file": "keks", "passphrase_file": "passphrase"}


def keys(**section: object) -> KeysConfig:
    upstream = {"hosts": ["/run/postgresql"], "pass_through": True}
    data = {
        "listener": {"allow_plaintext": True}, "upstream": upstream, "control": {"user": "fieldgate"}, "keys": section,
    }  # fmt: skip
    found = parse_config(data, Path("/etc/fieldgate/fieldgate.toml")).keys
    assert found is not None
    return found


def test_a_keyring_file_is_the_default() -> None:
    made = keys(keyring="keyring", passphrase_env="FIELDGATE_PASSPHRASE")
    assert made.store is KeyStoreKind.FILE and has_source(made)
    assert not has_source(keys(keyring="keyring"))


def test_keys_in_the_database_have_no_passphrase_of_their_own() -> None:
    made = keys(store="database", provider=LOCAL, lease="10s", survive_outage="2h", former_providers=[LOCAL])
    assert (made.lease, made.survive_outage, len(made.former_providers)) == (10.0, 7200.0, 1)
    assert has_source(made) and passphrase_of(made) is None


WRONG = {
    "nothing": ({}, "give keyring"),
    "no provider": ({"store": "database"}, "needs [keys.provider]"),
    "a database and a keyring": ({"store": "database", "provider": LOCAL, "keyring": "k"}, "move-to-database"),
    "a database and a passphrase": ({"store": "database", "provider": LOCAL, "passphrase_env": "P"}, "passphrase"),
    "an unknown store": ({"store": "paper"}, "store"),
    "too short a lease": ({"store": "database", "provider": LOCAL, "lease": "1s"}, "at least 3s"),
    "an outage within a lease": ({"store": "database", "provider": LOCAL, "survive_outage": "10s"}, "survive_outage"),
    "rotation of a file": ({"keyring": "k", "rotate_after": "90d"}, "rotate_after"),
    "a former provider of a file": ({"keyring": "k", "former_providers": [LOCAL]}, "former_providers"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_may_not_be_said(wrong: str) -> None:
    section, said = WRONG[wrong]
    with pytest.raises(ConfigError) as refused:
        keys(**section)
    assert said in refused.value.message
