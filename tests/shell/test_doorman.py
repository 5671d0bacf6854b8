"""Who may come in, as whom, and with which upstream credentials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies.loader import SHOP, load_policy
from policies.policy_set import PolicySet
from proxy.admission import Admission
from proxy.config import CredentialConfig, OtherDatabases, SslMode, UpstreamConfig
from proxy.databases import PlainDatabase
from proxy.demo.osuser import write_private
from proxy.doorman import Credentials, Door, load_verifiers
from proxy.errors import ConfigError, FieldgateError
from proxy.session.login import Authenticated
from proxy.session.startup_settings import ClientSettings
from proxy.wire.scram import ScramKeys, make_verifier, parse_verifier
from tests.support.login_client import VERIFIER

KEYS = ScramKeys(b"c" * 32, b"s" * 32)


class Protected:
    def __init__(self, policy: PolicySet) -> None:
        self.policy: PolicySet | None = policy
        self.services = PlainDatabase("shop").services


@pytest.fixture(scope="module")
def policy() -> PolicySet:
    return load_policy(SHOP)


Make = Callable[..., Door]


@pytest.fixture
def make(policy: PolicySet, tmp_path: Path) -> Make:
    write_private(tmp_path / "password", "upstream secret\n")

    def made(*, pass_through: bool = False, other: str = "forward", protected: bool = True) -> Door:
        credential = CredentialConfig(password_file=str(tmp_path / "password"))  # type: ignore[arg-type]
        config = UpstreamConfig(
            hosts=("/run/postgresql",),
            sslmode=SslMode.DISABLE,
            pass_through=pass_through,
            other_databases=OtherDatabases(other),
            credentials={"fg_support": credential, "plain": credential},
        )

        async def server_verifier(login: str) -> Any:
            return VERIFIER if login == "of_the_server" else None

        return Door(
            config,
            Credentials.load(config),
            {"support": VERIFIER, "plain": VERIFIER, "management": VERIFIER},
            {"shop": Protected(policy)} if protected else {},
            PlainDatabase,
            server_verifier if pass_through else None,
            lambda *given: given,  # type: ignore[arg-type,return-value]
        )

    return made


def who(login: str, database: str = "shop", **settings: Any) -> Authenticated:
    return Authenticated(login, database, ClientSettings(**settings), 0x00030000, KEYS)


def refusal(door: Door, login: Authenticated) -> FieldgateError:
    with pytest.raises(FieldgateError) as refused:
        door.admit(login)
    return refused.value


def test_a_mapped_login_acts_as_its_policys_role_with_the_proxys_credentials(make: Make) -> None:
    found = make().admit(who("support"))
    assert (found.role, found.secret.password, found.secret.keys) == ("fg_support", b"upstream secret", None)
    assert found.principal.roles == {"support"} and found.principal.purpose
    assert found.protected and not found.show_server_errors
    assert "secret" not in repr(found)


def test_a_mapped_login_keeps_its_role_in_other_databases(make: Make) -> None:
    found = make().admit(who("support", "elsewhere"))
    assert (found.role, found.protected) == ("fg_support", False)
    assert found.principal.roles == frozenset()
    assert make().admit(who("plain", "elsewhere")).role == "plain"


def test_a_login_without_upstream_credentials_is_refused(make: Make) -> None:
    assert refusal(make(), who("management")).sqlstate == "28000"


def test_pass_through_opens_upstream_as_the_login_itself_with_its_own_keys(make: Make) -> None:
    found = make(pass_through=True).admit(who("of_the_server"))
    assert (found.role, found.secret.keys, found.secret.password) == ("of_the_server", KEYS, None)
    assert found.show_server_errors and found.credential is None
    assert found.principal.roles == frozenset()  # the policy does not know it: no right over anything protected


def test_a_mapped_login_stays_mapped_beside_pass_through(make: Make) -> None:
    found = make(pass_through=True).admit(who("support"))
    assert (found.role, found.secret.keys) == ("fg_support", None)


async def test_verifiers_come_from_the_file_first(make: Make) -> None:
    through, mapped = make(pass_through=True), make()
    assert await through.verifier("support") is VERIFIER
    assert await through.verifier("of_the_server") is VERIFIER
    assert await through.verifier("nobody") is None
    assert await mapped.verifier("of_the_server") is None


def test_other_databases_are_refused_unless_they_are_forwarded(make: Make) -> None:
    assert refusal(make(other="refuse"), who("support", "postgres")).sqlstate == "3D000"
    assert not make().admit(who("support", "postgres")).protected


def test_replication_is_refused_wherever_something_is_protected(make: Make) -> None:
    """A walsender reads the WAL of all databases, so the one it names does not matter."""
    for database in ("shop", "elsewhere", "replication"):
        assert refusal(make(), who("support", database, replication=True)).sqlstate == "0A000"
    assert make(protected=False).admit(who("plain", "elsewhere", replication=True)).role == "plain"


def test_another_encoding_is_refused_where_something_is_protected(make: Make) -> None:
    assert refusal(make(), who("support", utf8=False)).sqlstate == "0A000"
    assert not make().admit(who("support", "elsewhere", utf8=False)).protected


@pytest.mark.parametrize(
    "own",
    [{"purpose": "curiosity"}, {"person": "eve"}, {"subject": "7"}],
    ids=["purpose", "person", "subject"],
)
def test_purposes_and_persons_that_the_policy_does_not_know_are_refused(make: Make, own: dict[str, str]) -> None:
    error = refusal(make(), who("support", own=own))
    assert error.sqlstate == "28000" and next(iter(own.values())) not in error.message


def test_the_conversation_is_made_of_what_was_admitted(make: Make) -> None:
    found: Admission = make().admit(who("support"))
    services, principal, settings, path, session = found.converse({"a": "b"}, "public", "s1")  # type: ignore[misc]
    assert (principal, settings, path, session) == (found.principal, {"a": "b"}, "public", "s1")
    assert services is not None


def test_the_logins_file_is_ours_alone_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "logins"
    text = make_verifier("x")
    write_private(path, f'"a.b" = "{text}"\n')
    assert load_verifiers(path) == {"a.b": parse_verifier(text)}
    assert load_verifiers(None) == {}
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_verifiers(path)
    for wrong in ('a = "password"', "a = 5", "a b", "[a]\nb = 1"):
        write_private(path, wrong)
        with pytest.raises(ConfigError) as refused:
            load_verifiers(path)
        assert "password" not in str(refused.value)
    with pytest.raises(ConfigError, match="No such file"):
        load_verifiers(tmp_path / "none")
