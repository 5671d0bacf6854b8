"""`[keys]` of the configuration: where data keys are kept, and where the key-encryption key is, by kind of holder.

No secret is a value here: each is named by a file (`..._file`, mode 0600) or an environment variable (`..._env`), just
one of both.  `proxy/key_provider.py` makes the provider.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from .config_types import Count, Duration, FilePath, is_loopback, split_address

_STRICT = ConfigDict(extra="forbid", str_min_length=1)
_SHORTEST_LEASE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class LocalKekConfig:
    """A file of key-encryption keys under a passphrase."""

    kind: Literal["local"]
    file: FilePath
    name: str = "default"
    passphrase_file: FilePath | None = None
    passphrase_env: str | None = None

    def __post_init__(self) -> None:
        _require_one("passphrase", self.passphrase_file, self.passphrase_env)


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class RemoteKekConfig:
    """How patiently something is asked that can fail; see Patience in keys/providers/resilient.py."""

    timeout: Duration = 10.0
    attempts: Count = 3
    failures: Count = 5  # in a row: then nobody asks for `pause`
    pause: Duration = 30.0


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class TokenLoginConfig:
    method: Literal["token"]
    token_file: FilePath | None = None
    token_env: str | None = None

    def __post_init__(self) -> None:
        _require_one("token", self.token_file, self.token_env)


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class AppRoleLoginConfig:
    method: Literal["approle"]
    role_id: str
    secret_id_file: FilePath | None = None
    secret_id_env: str | None = None
    mount: str = "approle"

    def __post_init__(self) -> None:
        _require_one("secret_id", self.secret_id_file, self.secret_id_env)


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class JwtLoginConfig:
    """Also Kubernetes, with `mount = "kubernetes"` and the service account's token as `jwt_file`."""

    method: Literal["jwt"]
    role: str
    jwt_file: FilePath | None = None
    jwt_env: str | None = None
    mount: str = "jwt"

    def __post_init__(self) -> None:
        _require_one("jwt", self.jwt_file, self.jwt_env)


VaultLoginConfig = Annotated[
    TokenLoginConfig | AppRoleLoginConfig | JwtLoginConfig,
    Field(discriminator="method"),
]


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class VaultKekConfig(RemoteKekConfig):
    """The Transit engine of HashiCorp Vault or OpenBao."""

    kind: Literal["vault"]
    address: str
    key: str
    login: VaultLoginConfig
    mount: str = "transit"
    namespace: str | None = None
    ca: FilePath | None = None  # None: the system's authorities
    batch: Count = 200

    def __post_init__(self) -> None:
        _require_https("address", self.address)


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Pkcs11KekConfig(RemoteKekConfig):
    """AES keys of one label on a PKCS#11 token."""

    kind: Literal["pkcs11"]
    module: FilePath
    token: str
    key: str
    pin_file: FilePath | None = None
    pin_env: str | None = None

    def __post_init__(self) -> None:
        _require_one("pin", self.pin_file, self.pin_env)


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class AwsKmsKekConfig(RemoteKekConfig):
    """A symmetric key of AWS KMS; credentials come from AWS's standard chain."""

    kind: Literal["aws-kms"]
    key: str  # an alias (alias/...), an id or an ARN
    region: str | None = None
    endpoint: str | None = None

    def __post_init__(self) -> None:
        if self.endpoint is not None:
            _require_https("endpoint", self.endpoint)


KekConfig = Annotated[
    LocalKekConfig | VaultKekConfig | Pkcs11KekConfig | AwsKmsKekConfig,
    Field(discriminator="kind"),
]


class KeyStoreKind(StrEnum):
    FILE = "file"
    DATABASE = "database"


@dataclass(frozen=True, slots=True, config=_STRICT)
class KeysConfig:
    """`lease`: how long a proxy uses keys without confirming them; `survive_outage`: without hearing of the provider.

    `former_providers` still unwrap what they have wrapped, until it is wrapped anew.
    """

    store: KeyStoreKind = KeyStoreKind.FILE
    keyring: FilePath | None = None
    passphrase_file: FilePath | None = None
    passphrase_env: str | None = None  # neither: asked for on the terminal
    provider: KekConfig | None = None  # of the key-encryption key for keys outside of the keyring file
    former_providers: tuple[KekConfig, ...] = ()
    lease: Duration = 30.0
    survive_outage: Duration = 3600.0
    rotate_after: Duration | None = None
    rotate_after_cells: Count | None = None

    def __post_init__(self) -> None:
        if self.store is KeyStoreKind.FILE:
            self._check_file()
        else:
            self._check_database()

    def _check_file(self) -> None:
        if self.keyring is None:
            raise ValueError('give keyring, or store = "database" and [keys.provider]')
        given = [n for n in ("former_providers", "rotate_after", "rotate_after_cells") if getattr(self, n)]
        if given:
            raise ValueError(f'{", ".join(given)}: only with store = "database"')

    def _check_database(self) -> None:
        if self.provider is None:
            raise ValueError('store = "database" needs [keys.provider]')
        if self.keyring is not None or self.passphrase_file is not None or self.passphrase_env is not None:
            raise ValueError('keyring and its passphrase are for store = "file"; `fieldgate keys move-to-database`')
        if self.lease < _SHORTEST_LEASE:
            raise ValueError(f"lease is at least {_SHORTEST_LEASE:g}s")
        if self.survive_outage < self.lease:
            raise ValueError("survive_outage is at least as long as lease")


def _require_one(name: str, file: object, variable: object) -> None:
    if (file is None) == (variable is None):
        raise ValueError(f"give {name}_file or {name}_env")


def _require_https(name: str, address: str) -> None:
    scheme, host = split_address(address)
    if scheme != "https" and not (scheme == "http" and is_loopback(host)):
        raise ValueError(f"{name} is written https://host:port (http:// for loopback only), without a login or a path")
