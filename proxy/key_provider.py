"""Makes the provider of the key-encryption key that the configuration names.  Only app and jobs import this.

The libraries of a kind are imported when that kind is configured: they are optional extras of the installation.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from keys.passphrase import PassphraseSource
from keys.provider import KekProvider
from keys.providers.common import Clock
from keys.providers.resilient import Patience, RemoteKek, ResilientKek
from keys.providers.secret import Secret
from proxy.errors import ConfigError

from .config_keys import (
    AppRoleLoginConfig,
    AwsKmsKekConfig,
    JwtLoginConfig,
    KekConfig,
    LocalKekConfig,
    Pkcs11KekConfig,
    RemoteKekConfig,
    TokenLoginConfig,
    VaultKekConfig,
)

Notice = Callable[[str], None]


def _silent(_: str) -> None:
    return


def make_provider(config: KekConfig, *, notice: Notice = _silent, clock: Clock | None = None) -> KekProvider:
    """Not opened; for the event loop that runs.  `notice` hears of logins that could not be renewed.

    Remote kinds are wrapped in a ResilientKek.  Raises ConfigError when the kind's library is not installed.
    """
    if isinstance(config, LocalKekConfig):
        return _local(config)
    return ResilientKek(_remote(config, notice, clock), _patience(config), clock)


def _remote(config: RemoteKekConfig, notice: Notice, clock: Clock | None) -> RemoteKek:
    if isinstance(config, VaultKekConfig):
        return _vault(config, notice, clock)
    if isinstance(config, Pkcs11KekConfig):
        return _pkcs11(config)
    if isinstance(config, AwsKmsKekConfig):
        return _aws_kms(config, clock)
    raise AssertionError(f"no provider for {type(config).__name__}")


def _patience(config: RemoteKekConfig) -> Patience:
    return Patience(config.timeout, config.attempts, failures=config.failures, pause=config.pause)


def _local(config: LocalKekConfig) -> KekProvider:
    from keys.providers.local_file import LocalFileKek

    source = PassphraseSource(config.passphrase_file, config.passphrase_env)
    return LocalFileKek(config.name, config.file, lambda: source.read(os.environ))


def _vault(config: VaultKekConfig, notice: Notice, clock: Clock | None) -> RemoteKek:
    from keys.providers.vault.login import AppRoleLogin, JwtLogin, Login, TokenLogin
    from keys.providers.vault.transit import TransitKek
    from keys.providers.vault.transport import Transport

    def login(found: TokenLoginConfig | AppRoleLoginConfig | JwtLoginConfig) -> Login:
        if isinstance(found, TokenLoginConfig):
            return TokenLogin(_secret(found.token_file, found.token_env))
        if isinstance(found, AppRoleLoginConfig):
            return AppRoleLogin(found.role_id, _secret(found.secret_id_file, found.secret_id_env), found.mount)
        return JwtLogin(found.role, _secret(found.jwt_file, found.jwt_env), found.mount)

    try:
        transport = Transport(config.address, namespace=config.namespace, ca=config.ca, timeout=config.timeout)
        return TransitKek(
            transport,
            login(config.login),
            mount=config.mount,
            key=config.key,
            per_call=config.batch,
            clock=clock,
            notice=notice,
        )
    except ValueError as error:
        raise ConfigError(f"keys.provider: {error}") from None


def _pkcs11(config: Pkcs11KekConfig) -> RemoteKek:
    try:
        from keys.providers.pkcs11 import Pkcs11Kek
        from keys.providers.pkcs11_token import Place
    except ModuleNotFoundError:
        raise _not_installed("pkcs11", "pkcs11") from None
    return Pkcs11Kek(Place(config.module, config.token, config.key), _secret(config.pin_file, config.pin_env))


def _aws_kms(config: AwsKmsKekConfig, clock: Clock | None) -> RemoteKek:
    try:
        from keys.providers.aws_kms import AwsKmsKek
    except ModuleNotFoundError:
        raise _not_installed("aws-kms", "aws") from None
    return AwsKmsKek(config.key, region=config.region, endpoint=config.endpoint, timeout=config.timeout, clock=clock)


def _secret(file: Path | None, variable: str | None) -> Secret:
    return Secret(file=file, variable=variable)


def _not_installed(kind: str, extra: str) -> ConfigError:
    return ConfigError(f'keys.provider: kind = "{kind}" needs more than is installed: pip install "fieldgate[{extra}]"')
