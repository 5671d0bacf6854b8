"""The configuration: what is right is read, what is wrong is named by file, line and key; no default is insecure."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from proxy.config import Config, altered, load_config
from proxy.config_types import is_loopback, split_host
from proxy.errors import ConfigError
from proxy.session.login import LoginMethod
from proxy.session.upstream_authentication import Binding
from proxy.toml_lines import line_of

MINIMAL = """\
[listener]
tls_certificate = "server.crt"
tls_key = "server.key"

[upstream]
hosts = ["db.example:5432"]
ca = "ca.crt"
pass_through = true

[control]
user = "fieldgate"
"""


def load(folder: Path, text: str) -> Config:
    path = folder / "fieldgate.toml"
    path.write_text(text)
    return load_config(path)


def test_the_smallest_configuration_is_a_safe_one(tmp_path: Path) -> None:
    config = load(tmp_path, MINIMAL)
    assert config.listener.tls_certificate == tmp_path / "server.crt"
    assert not config.listener.allow_plaintext and config.listener.method is LoginMethod.SCRAM
    assert config.upstream.sslmode == "verify-full" and config.upstream.channel_binding is Binding.PREFER
    assert config.upstream.other_databases == "refuse" and not config.upstream.allow_md5


def test_durations_and_sizes_are_typed(tmp_path: Path) -> None:
    config = load(tmp_path, MINIMAL + '[limits]\nstartup_timeout = "1500ms"\nwrite_buffer = "64KB"\n')
    assert (config.limits.startup_timeout, config.limits.write_buffer) == (1.5, 65536)


OIDC = 'issuer = "i"\naudience = "a"\nkeys_url = "{url}"\nroles = {{ g = "{role}" }}'
WRONG = [
    ("[listener]\nbogus = 1", "[listener]", 2, "listener.bogus: unknown key"),
    ("[bogus]\na = 1", None, 13, "bogus: unknown key"),
    ("startup_timeout = 3", "[limits]", 14, "limits.startup_timeout: a duration"),
    ("startup_timeout = 3.5", "[limits]", 14, "limits.startup_timeout: a duration"),
    ('connections = "5"', "[limits]", 14, "limits.connections"),
    ("connections = 0", "[limits]", 14, "limits.connections"),
    ("write_buffer = 65536", "[limits]", 14, "limits.write_buffer: a size"),
    ('workers = "two"', "[process]", 14, "process.workers"),
    ("uvloop = 1", "[process]", 14, "process.uvloop: write true or false"),
    ('level = "loud"', "[logs]", 13, "logs: level is one of"),
    ("port = 70000", "[admin]", 14, "admin.port"),
    ('host = "0.0.0.0"', "[admin]", 13, "admin: the admin port needs"),
    ('persons = "p"', "[admin]", 14, "admin.persons: unknown key"),
    ('client_ca = "c"', "[admin]", 13, "admin: client_ca needs tls_certificate"),
    ('token_max_age = "long"', "[admin]", 14, "admin.token_max_age: a duration"),
    ('people = "p"', "[admin]", 1, "file: admin.people needs [control] and [audit]"),
    ('issuer = "i"', "[admin.oidc]", 13, "admin.oidc.audience: "),
    (OIDC.format(url="http://idp.example", role="dpo"), "[admin.oidc]", 13, "admin.oidc: keys_url begins with https"),
    (OIDC.format(url="https://idp.example", role="x"), "[admin.oidc]", 13, "admin.oidc: roles maps to auditor, dpo"),
    (OIDC.format(url="https://idp.example", role="dpo"), "[admin.oidc]", 1, "admin: client_ca and oidc need people"),
]


@pytest.mark.parametrize(("line", "section", "number", "message"), WRONG)
def test_what_is_wrong_is_named(tmp_path: Path, line: str, section: str | None, number: int, message: str) -> None:
    if section == "[listener]":
        text = MINIMAL.replace("[listener]", line)
    else:
        text = MINIMAL + "\n" + (f"{section}\n{line}\n" if section else f"{line}\n")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert f"fieldgate.toml:{number}: {message}" in str(refused.value)


INSECURE = [
    ('[listener]\nhost = "0.0.0.0"\nallow_plaintext = true', "loopback"),
    ("[listener]", "tls_certificate"),
    ('[listener]\ntls_certificate = "a"', "go together"),
    ('[listener]\nallow_plaintext = true\nmethod = "certificate"', "client_ca"),
    ('[listener]\nhost = "10.0.0.1"\ntls_certificate = "a"\ntls_key = "b"\nmethod = "trust"', "loopback"),
]


@pytest.mark.parametrize(("listener", "message"), INSECURE)
def test_insecure_listeners_are_refused(tmp_path: Path, listener: str, message: str) -> None:
    rest = MINIMAL[MINIMAL.index("[upstream]") :]
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, f"{listener}\n{rest}")


@pytest.mark.parametrize(
    ("upstream", "message"),
    [
        ('hosts = ["db:5432"]\npass_through = true', "ca is required"),
        ('hosts = ["db:5432"]\npass_through = true\nsslmode = "disable"\nallow_plaintext = true', "loopback"),
        ('hosts = ["127.0.0.1:5432"]\npass_through = true\nsslmode = "disable"', "allow_plaintext"),
        ('hosts = ["db:5432"]\npass_through = true\nca = "c"\nsslmode = "require"', "sslmode"),
        ('hosts = []\npass_through = true\nca = "c"', "at least one"),
        ('hosts = ["a b:x"]\npass_through = true\nca = "c"', "a host is written"),
        ('hosts = ["db:5432"]\nca = "c"', "pass_through = true, or"),
        ('hosts = ["db:5432"]\nca = "c"\n[upstream.credentials.r]\ncertificate = "x"', "go together"),
        ('hosts = ["db:5432"]\nca = "c"\n[upstream.credentials.r]', "give password_file"),
    ],
)
def test_insecure_or_senseless_upstreams_are_refused(tmp_path: Path, upstream: str, message: str) -> None:
    text = f'[listener]\ntls_certificate = "a"\ntls_key = "b"\n[control]\nuser = "u"\n[upstream]\n{upstream}\n'
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, text)


def test_plaintext_upstream_needs_no_excuse_over_a_unix_socket(tmp_path: Path) -> None:
    text = MINIMAL.replace(
        'hosts = ["db.example:5432"]\nca = "ca.crt"', 'hosts = ["/run/postgresql"]\nsslmode = "disable"'
    )
    assert load(tmp_path, text).upstream.hosts == ("/run/postgresql",)


@pytest.mark.parametrize("missing", ["control", "keys", "audit"])
def test_protected_databases_need_keys_audit_and_control(tmp_path: Path, missing: str) -> None:
    sections = {
        "control": '[control]\nuser = "u"\n',
        "keys": '[keys]\nkeyring = "k"\n',
        "audit": '[audit]\npath = "a"\n',
    }
    base = MINIMAL[: MINIMAL.index("[control]")].replace("pass_through = true", "")
    base += '[upstream.credentials.r]\npassword_file = "p"\n[databases.shop]\npolicy = "policy"\n'
    with pytest.raises(ConfigError, match=rf"\[{missing}\] is required"):
        load(tmp_path, base + "".join(text for name, text in sections.items() if name != missing))
    assert load(tmp_path, base + "".join(sections.values())).databases["shop"].policy == tmp_path / "policy"


def test_trust_and_protected_tables_exclude_each_other(tmp_path: Path) -> None:
    text = MINIMAL.replace("[listener]", '[listener]\nmethod = "trust"')
    text += '[keys]\nkeyring = "k"\n[audit]\npath = "a"\n[databases.shop]\npolicy = "p"\n'
    with pytest.raises(ConfigError, match="trust"):
        load(tmp_path, text)


def test_files_that_cannot_be_read_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="line 1"):
        load(tmp_path, "[listener\n")
    (tmp_path / "fieldgate.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(tmp_path / "fieldgate.toml")


def test_the_configuration_is_frozen_and_copied_whole(tmp_path: Path) -> None:
    config = load(tmp_path, MINIMAL)
    with pytest.raises(AttributeError):
        config.listener.port = 1  # type: ignore[misc]
    other = altered(config, listener=altered(config.listener, port=7000))
    assert (other.listener.port, config.listener.port) == (7000, 6543)
    assert other.upstream is config.upstream


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("db", ("db", 5432)),
        ("db.example:5433", ("db.example", 5433)),
        ("[::1]:5433", ("::1", 5433)),
        ("/run/postgresql", ("/run/postgresql", 5432)),
        ("/run/postgresql:5433", ("/run/postgresql", 5433)),
    ],
)
def test_hosts(text: str, found: tuple[str, int]) -> None:
    assert split_host(text) == found


@pytest.mark.parametrize("text", ["", ":5432", "db:", "db:0", "db:99999", "db:x", "::1"])
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(ValueError, match="a host is written"):
        split_host(text)


@pytest.mark.parametrize(
    ("host", "fine"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("db", False)]
)
def test_loopback(host: str, fine: bool) -> None:
    assert is_loopback(host) is fine


def test_lines_are_found_under_their_tables() -> None:
    text = "a = 1\n[x]\na = 2\n[x.y]\n'a' = 3\n[[z]]\na = 4\n"
    tomllib.loads(text)
    assert [line_of(text, key) for key in (("a",), ("x", "a"), ("x", "y", "a"), ("x", "y", "b"), ("q",))] == [
        1,
        3,
        5,
        4,
        1,
    ]


def test_the_example_configuration_is_valid() -> None:
    load_config(Path(__file__).parents[2] / "deploy" / "fieldgate.toml")


def test_people_of_the_admin_port_need_keys_in_the_database(tmp_path: Path) -> None:
    text = MINIMAL + '\n[audit]\npath = "a"\n[keys]\nkeyring = "k"\n[admin]\npeople = "p"\n'
    with pytest.raises(ConfigError, match='store = "database"'):
        load(tmp_path, text)
