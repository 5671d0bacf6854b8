"""The configuration: one TOML file, read once into frozen dataclasses and passed down.

Contract: `load_config` returns a whole, consistent `Config` or raises ConfigError naming file, line and key.  Unknown
keys are errors.  Paths are relative to the file's own folder.  Durations are seconds (`"1.5s"`, `"2m"`), sizes are
bytes (`"64KB"`).  No secret is a value of this file: passwords and passphrases live in files or the environment.
"""

from __future__ import annotations

import tomllib
from dataclasses import field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails

from policies.admin_rights import ROLES
from policies.audit.sink import Durability
from proxy.errors import ConfigError
from proxy.session.login import LoginMethod
from proxy.session.upstream_authentication import Binding

from . import toml_lines
from .config_jobs import JobsConfig
from .config_keys import KeysConfig, KeyStoreKind
from .config_types import Count, Duration, FilePath, Flag, Port, Size, is_loopback, split_host

_STRICT = ConfigDict(extra="forbid", str_min_length=1)
_SIGNATURES = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})


class TlsVersion(StrEnum):
    TLS12 = "1.2"
    TLS13 = "1.3"


class SslMode(StrEnum):
    VERIFY_FULL = "verify-full"
    VERIFY_CA = "verify-ca"
    DISABLE = "disable"


class SessionAttrs(StrEnum):
    ANY = "any"
    READ_WRITE = "read-write"
    READ_ONLY = "read-only"
    PRIMARY = "primary"
    STANDBY = "standby"
    PREFER_STANDBY = "prefer-standby"


class OtherDatabases(StrEnum):
    REFUSE = "refuse"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True, config=_STRICT)
class ListenerConfig:
    host: str = "127.0.0.1"
    port: Port = 6543
    tls_certificate: FilePath | None = None
    tls_key: FilePath | None = None
    tls_min_version: TlsVersion = TlsVersion.TLS12
    client_ca: FilePath | None = None
    allow_plaintext: Flag = False
    method: LoginMethod = LoginMethod.SCRAM
    backlog: Count = 1024

    def __post_init__(self) -> None:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        if self.tls_certificate is None and not self.allow_plaintext:
            raise ValueError("tls_certificate and tls_key are required (or allow_plaintext = true on loopback)")
        if self.allow_plaintext and not is_loopback(self.host):
            raise ValueError("allow_plaintext is for loopback addresses only")
        if self.method is LoginMethod.CERTIFICATE and self.client_ca is None:
            raise ValueError('method = "certificate" needs client_ca')
        if self.method is LoginMethod.TRUST and not is_loopback(self.host):
            raise ValueError('method = "trust" is for loopback addresses only')


@dataclass(frozen=True, slots=True, config=_STRICT)
class CredentialConfig:
    """How the proxy logs in upstream as one role: a password file, or a client certificate, or both."""

    password_file: FilePath | None = None
    certificate: FilePath | None = None
    key: FilePath | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if self.password_file is None and self.certificate is None:
            raise ValueError("give password_file, or certificate and key")


@dataclass(frozen=True, slots=True, config=_STRICT)
class UpstreamConfig:
    """Where PostgreSQL is.  `hosts` are `name:port`, or the folder of a unix socket (`/run/postgresql:5432`)."""

    hosts: tuple[str, ...]
    target_session_attrs: SessionAttrs = SessionAttrs.ANY
    sslmode: SslMode = SslMode.VERIFY_FULL
    ca: FilePath | None = None
    allow_plaintext: Flag = False
    channel_binding: Binding = Binding.PREFER
    allow_md5: Flag = False
    connect_timeout: Duration = 10.0
    pass_through: Flag = False
    other_databases: OtherDatabases = OtherDatabases.REFUSE
    credentials: dict[str, CredentialConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.hosts:
            raise ValueError("hosts must name at least one server")
        for host in self.hosts:
            self._check_transport(*split_host(host))
        if not self.pass_through and not self.credentials:
            raise ValueError("give pass_through = true, or [upstream.credentials.<role>] for each upstream role")

    def _check_transport(self, host: str, _port: int) -> None:
        if host.startswith("/"):
            return  # a unix socket does not leave the machine, and has no TLS
        if self.sslmode is SslMode.DISABLE:
            if not (self.allow_plaintext and is_loopback(host)):
                raise ValueError(
                    'sslmode = "disable" needs a unix socket, or a loopback host and allow_plaintext = true'
                )
        elif self.ca is None:
            raise ValueError("ca is required to verify the server's certificate")


@dataclass(frozen=True, slots=True, config=_STRICT)
class ControlConfig:
    """The proxy's own connection: catalog, verifiers, checks.  The password, if any, stands in `password_file`."""

    user: str
    password_file: FilePath | None = None
    database: str = "postgres"
    refresh_interval: Duration = 30.0
    scram_function: str = "fieldgate.scram_verifier"


@dataclass(frozen=True, slots=True, config=_STRICT)
class DatabaseConfig:
    """A database with protected tables: the folder with its data map, policy and logins."""

    policy: FilePath


@dataclass(frozen=True, slots=True, config=_STRICT)
class AuditConfig:
    path: FilePath
    mode: Durability = Durability.STRICT


@dataclass(frozen=True, slots=True, config=_STRICT)
class OidcConfig:
    """Logins by an identity provider's JWTs.  `roles` maps values of `roles_claim` to admin roles."""

    issuer: str
    audience: str
    keys_url: str
    roles: dict[str, str]
    ca: FilePath | None = None
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "EdDSA")
    person_claim: str = "sub"
    roles_claim: str = "groups"
    keys_max_age: Duration = 3600.0

    def __post_init__(self) -> None:
        address = urlsplit(self.keys_url)
        if address.scheme != "https" and not (address.scheme == "http" and is_loopback(address.hostname or "")):
            raise ValueError("keys_url begins with https:// (or http:// on loopback)")
        unknown = sorted(set(self.algorithms) - _SIGNATURES)
        if unknown or not self.algorithms:
            raise ValueError(f"algorithms are among {', '.join(sorted(_SIGNATURES))}: signatures by public keys")
        if not self.roles or set(self.roles.values()) - ROLES:
            raise ValueError(f"roles maps to {', '.join(sorted(ROLES))}")


@dataclass(frozen=True, slots=True, config=_STRICT)
class AdminConfig:
    """The admin port.  Without `people` it only says whether the proxy is well, as on loopback it may to anybody."""

    host: str = "127.0.0.1"
    port: Port = 8443
    tls_certificate: FilePath | None = None
    tls_key: FilePath | None = None
    client_ca: FilePath | None = None
    people: FilePath | None = None
    oidc: OidcConfig | None = None
    tokens: Flag = True
    token_max_age: Duration = 90 * 86400.0
    body_limit: Size = 1024 * 1024
    import_limit: Size = 64 * 1024 * 1024
    destroy_after: Duration = 7 * 86400.0

    def __post_init__(self) -> None:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        if self.tls_certificate is None and not is_loopback(self.host):
            raise ValueError("the admin port needs tls_certificate and tls_key unless it listens on loopback")
        if self.client_ca is not None and self.tls_certificate is None:
            raise ValueError("client_ca needs tls_certificate and tls_key")
        if self.people is None and (self.client_ca is not None or self.oidc is not None):
            raise ValueError("client_ca and oidc need people, the file of those who may log in")


@dataclass(frozen=True, slots=True, config=_STRICT)
class LimitsConfig:
    """Per worker process where it says connections or searches; failed logins are counted by address and login."""

    connections: Count = 2000
    connections_per_login: Count = 1000
    connections_per_address: Count = 1000
    cancels_in_progress: Count = 32
    searches_per_person: Count = 6_000  # values of sealed fields looked for in a minute
    searches_per_service: Count = 600_000
    finish_rows: Count = 100_000  # of one result that is put in order here
    finish_bytes: Size = 64 * 1024 * 1024
    locked_rows: Count = 10_000  # candidates of an UPDATE or DELETE by a search of a sealed field
    failed_logins: Count = 10  # in a row; from then on each further one waits, twice as long each time
    failed_login_delay: Duration = 1.0
    failed_login_delay_max: Duration = 60.0
    startup_timeout: Duration = 30.0
    client_write_timeout: Duration = 120.0
    write_buffer: Size = 256 * 1024


@dataclass(frozen=True, slots=True, config=_STRICT)
class ProcessConfig:
    workers: Count = 1
    run_dir: FilePath | None = None  # None: `run` beside the configuration file
    drain_timeout: Duration = 30.0
    uvloop: Flag = True
    core_dumps: Flag = False  # true: a crash may write the keys in memory to disk


@dataclass(frozen=True, slots=True, config=_STRICT)
class LogConfig:
    level: str = "info"
    file: FilePath | None = None  # None: standard error

    def __post_init__(self) -> None:
        if self.level not in ("debug", "info", "warning", "error"):
            raise ValueError("level is one of debug, info, warning, error")


@dataclass(frozen=True, slots=True, config=_STRICT)
class Config:
    listener: ListenerConfig
    upstream: UpstreamConfig
    control: ControlConfig | None = None
    databases: dict[str, DatabaseConfig] = field(default_factory=dict)
    logins: FilePath | None = None  # login -> SCRAM verifier, for mapped logins; mode 0600
    keys: KeysConfig | None = None
    audit: AuditConfig | None = None
    admin: AdminConfig | None = None
    jobs: JobsConfig | None = None
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    process: ProcessConfig = field(default_factory=ProcessConfig)
    logs: LogConfig = field(default_factory=LogConfig)

    def __post_init__(self) -> None:
        if self.databases:
            self._check_protected()
        if self.admin is not None and self.admin.people is not None:
            self._check_people()
        if self.jobs is not None and (self.keys is None or self.keys.store is not KeyStoreKind.DATABASE):
            raise ValueError('[jobs] needs [keys] store = "database"')
        if self.upstream.pass_through and self.control is None and self.listener.method is LoginMethod.SCRAM:
            raise ValueError("pass_through with scram logins needs [control], to read the server's verifiers")

    def _check_people(self) -> None:
        if self.control is None or self.audit is None:
            raise ValueError("admin.people needs [control] and [audit]")
        if self.keys is not None and self.keys.store is not KeyStoreKind.DATABASE:
            raise ValueError('admin.people needs [keys] store = "database": a keyring file has no operations')

    def _check_protected(self) -> None:
        for section in ("control", "keys", "audit"):
            if getattr(self, section) is None:
                raise ValueError(f"[{section}] is required when [databases] names a database")
        if self.listener.method is LoginMethod.TRUST:
            raise ValueError('listener.method = "trust" is refused when [databases] names a database')


_Section = TypeVar("_Section")


def altered(section: _Section, **changes: object) -> _Section:
    """A copy with other values, which come from a section that was validated before."""
    made = object.__new__(type(section))
    for entry in fields(section):  # type: ignore[arg-type]
        object.__setattr__(made, entry.name, changes.get(entry.name, getattr(section, entry.name)))
    return made


def load_config(path: Path) -> Config:
    """Read and validate the file, or raise ConfigError with `file:line: key: what is wrong`."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ConfigError(f"{path}: {reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
    return parse_config(data, path, text)


def parse_config(data: dict[str, Any], path: Path, text: str = "") -> Config:
    """The same from parsed TOML; `text` is only used to name lines."""
    context = {"base": path.parent.absolute()}
    try:
        return TypeAdapter(Config).validate_python(data, context=context)
    except ValidationError as error:
        raise ConfigError("\n".join(validation_problems(error, path, data, text))) from None


def validation_problems(error: ValidationError, path: Path, data: dict[str, Any], text: str) -> list[str]:
    """One line for each problem: file, line, key, what is wrong; no value."""
    found = []
    for problem in error.errors(include_input=False, include_url=False):
        key = _written(problem["loc"], data)
        line = toml_lines.line_of(text, key)
        found.append(f"{path}:{line}: {'.'.join(key) or 'file'}: {_message(problem)}")
    return found


def _message(problem: ErrorDetails) -> str:
    context = problem.get("ctx", {})
    match problem["type"]:
        case "unexpected_keyword_argument":
            return "unknown key"
        case "union_tag_not_found":
            return f"{context['discriminator']} is required"
        case "union_tag_invalid":
            return f"{context['discriminator']} is one of {context['expected_tags']}"
    return problem["msg"].removeprefix("Value error, ")


def _written(location: tuple[int | str, ...], data: object) -> tuple[str, ...]:
    """The key as it stands in the file: where a table is one of several kinds, pydantic puts the kind into the path."""
    key, node = [], data
    for part in location:
        if isinstance(node, dict) and part not in node and part in (node.get("kind"), node.get("method")):
            continue
        node = node[part] if isinstance(node, dict) and part in node else None
        key.append(str(part))
    return tuple(key)
