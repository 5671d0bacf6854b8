"""`fieldgate keys provider`: the holder of the key-encryption key, made where it is a file, and looked at."""

from __future__ import annotations

import asyncio
import os

import typer

from keys.passphrase import PassphraseSource
from keys.providers.local_file import create_kek_file
from proxy.config import Config, load_config
from proxy.config_keys import KekConfig, LocalKekConfig
from proxy.errors import ConfigError
from proxy.key_provider import make_provider
from proxy.terminal import DEFAULT_CONFIG, ConfigOption, reporting

from .shared import keys_config, out

provider_app = typer.Typer(help="The holder of the key-encryption key ([keys.provider]).", no_args_is_help=True)


@provider_app.command("init")
def provider_init(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Make the file of key-encryption keys (kind = "local"), under the configured passphrase."""
    with reporting():
        found = _provider(load_config(config))
        if not isinstance(found, LocalKekConfig):
            raise ConfigError(f'keys.provider: a key of kind "{found.kind}" is made at its holder: see docs/keys.md')
        create_kek_file(found.file, PassphraseSource(found.passphrase_file, found.passphrase_env).read(os.environ))
        out.print(f"made {found.file}", markup=False, soft_wrap=True)
        out.print("Back it up, and its passphrase apart from it: without both, the keys under it are lost.")


@provider_app.command("check")
def provider_check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Log in, look at the key, wrap and unwrap a random canary, and say which version is the newest."""
    with reporting():
        uri, version = asyncio.run(_checked(_provider(load_config(config))))
        out.print(f"{uri} can be used; its newest version is {version}", markup=False, soft_wrap=True)


async def _checked(config: KekConfig) -> tuple[str, str]:
    provider = make_provider(config)
    await provider.open()
    try:
        await provider.check()
        return provider.uri, await provider.version()
    finally:
        await provider.close()


def _provider(config: Config) -> KekConfig:
    found = keys_config(config).provider
    if found is None:
        raise ConfigError("[keys.provider] is required")
    return found
