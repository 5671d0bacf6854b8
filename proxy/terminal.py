"""What all commands share: the configuration option, the passphrase, and how errors become words and exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from keys.errors import CryptoError
from keys.memory import forbid_core_dumps
from keys.passphrase import PassphraseSource
from policies.errors import PolicyError
from proxy.errors import FieldgateError

from .config import Config
from .config_keys import KeysConfig, KeyStoreKind

EXIT_WRONG = 78  # EX_CONFIG: configuration, policy, keys or database are not as they must be
DEFAULT_CONFIG = Path("/etc/fieldgate/fieldgate.toml")
ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="FIELDGATE_CONFIG", help="The configuration file.", show_default=True)
]
_err = Console(stderr=True, highlight=False)


@contextlib.contextmanager
def reporting() -> Iterator[None]:
    """Our own errors become one clear message and an exit code; anything else is a defect and shows its place."""
    try:
        yield
    except FieldgateError as error:
        lines = (error.message, error.detail, error.hint)
        fail("\n".join(line for line in lines if line), EXIT_WRONG)
    except (CryptoError, PolicyError) as error:
        fail(str(error), EXIT_WRONG)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def fail(message: str, code: int) -> NoReturn:
    _err.print(f"fieldgate: {message}", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def guard_memory(config: Config) -> None:
    """Before anything secret is read: what this process holds stays out of core dumps and debuggers."""
    if not config.process.core_dumps:
        forbid_core_dumps()


def has_source(keys: KeysConfig) -> bool:
    """Nobody has to be asked: keys in the control database have no passphrase of their own."""
    in_database = keys.store is KeyStoreKind.DATABASE
    return in_database or keys.passphrase_file is not None or keys.passphrase_env is not None


def passphrase_of(keys: KeysConfig | None) -> Callable[[], str] | None:
    """From the file, the environment, or the terminal: asked for once, kept for reloads."""
    if keys is None or keys.store is KeyStoreKind.DATABASE:
        return None
    source = PassphraseSource(keys.passphrase_file, keys.passphrase_env)
    if has_source(keys):
        return lambda: source.read(os.environ)
    said = source.read(os.environ, lambda text: ask_secret(text.rstrip(": ")))
    return lambda: said


def ask_secret(question: str, *, confirm: bool = False) -> str:
    if not sys.stdin.isatty():
        fail("there is no terminal to ask for a secret at: name a file or an environment variable", EXIT_WRONG)
    return str(typer.prompt(question, hide_input=True, confirmation_prompt=confirm))
